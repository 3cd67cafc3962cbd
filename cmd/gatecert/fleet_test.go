//go:build !race

package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/reports/measured"
)

func TestASoakOfAFleet(t *testing.T) {
	t.Setenv(asCommand, "1") // the workers are this binary
	dir := t.TempDir()
	code, stdout, stderr := invoke(t.Context(), "load", "soak", "--workers", "2", "--for", "1s", "--rate", "40", "--show-workers", "--out", dir)
	require.Equal(t, exitConformant, code, stdout+stderr)
	assert.Contains(t, stderr, "joined (2 of 2)")
	assert.Contains(t, stderr, "plan: if a worker is lost, the remaining workers repeat the current phase of the load, at most twice")
	assert.Less(t, strings.Index(stderr, "plan: "), strings.Index(stderr, "joined ("), "who joins is asked after what is sent")
	assert.Contains(t, stderr, "gatecert does not write results.json")
	assert.Contains(t, stdout, "sent 40 of 40 requests")
	assert.Contains(t, stdout, "fleet     2 workers on 1 machine; the p99 lag of each worker was at most ")
	text, err := os.ReadFile(filepath.Join(dir, "report.json"))
	require.NoError(t, err)
	var report struct {
		Schema  string
		Workers []struct {
			Name string
			Sent int
		}
	}
	require.NoError(t, json.Unmarshal(text, &report))
	assert.Equal(t, measured.ReportSchema, report.Schema)
	require.Len(t, report.Workers, 2)
	assert.Equal(t, 20, report.Workers[0].Sent)
	assert.NoFileExists(t, filepath.Join(dir, "results.json"))
	code, stdout, _ = invoke(t.Context(), "report", dir, "--format", "terminal")
	assert.Equal(t, exitConformant, code)
	assert.Contains(t, stdout, "WORKER")
}

// limitedServer is a gateway whose limit is per key or per address.
type limitedServer struct {
	by    func(r *http.Request) string
	limit int

	mu   sync.Mutex
	used map[string][]time.Time
}

func (s *limitedServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	who, now := s.by(r), time.Now()
	var counted []time.Time
	for _, at := range s.used[who] {
		if now.Sub(at) < time.Second {
			counted = append(counted, at)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if len(counted) >= s.limit {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"error":{"message":"slow down","type":"rate_limit_error","param":null,"code":null}}`)
		return
	}
	s.used[who] = append(counted, now)
	_, _ = io.WriteString(w, `{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant",`+
		`"content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`)
}

func TestALimitPerKeyIsNotOnePerAddress(t *testing.T) {
	t.Setenv(asCommand, "1")
	key := func(r *http.Request) string { return r.Header.Get("Authorization") }
	address := func(r *http.Request) string {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		return host
	}
	for name, c := range map[string]struct {
		by              func(r *http.Request) string
		addresses, keys string
	}{
		"per key":     {key, "shared", "apart"},
		"per address": {address, "apart", "shared"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(&limitedServer{by: c.by, limit: 8, used: map[string][]time.Time{}})
			defer server.Close()
			args := []string{
				"load", "rate-limit", server.URL, "--infer", "--model", "m", "--key", "sk-caller-0123456789", "--other-key", "sk-another-0123456789",
				"--workers", "4", "--source", "127.0.0.2,127.0.0.3,127.0.0.4,127.0.0.5", "--for", "1m", "--out", t.TempDir(),
			}
			code, stdout, stderr := invoke(t.Context(), append(args, "--json")...)
			require.Equal(t, exitConformant, code, stdout+stderr)
			var limit inferredLimit
			require.NoError(t, json.Unmarshal([]byte(stdout), &limit), stdout)
			require.NotNil(t, limit.Scope, stdout)
			assert.Equal(t, c.addresses, string(limit.Scope.Addresses), stdout)
			assert.Equal(t, c.keys, string(limit.Scope.Keys), stdout)
			assert.Equal(t, 8, limit.Limit)
			assert.Contains(t, stderr, "plan: calls from 127.0.0.")
		})
	}
}

// Two workers without --source may have the same address. A second key needs no workers.
func TestALimitIsPerAddressOnlyWithSources(t *testing.T) {
	t.Setenv(asCommand, "1")
	for name, c := range map[string]struct{ args, want []string }{
		"no workers": {nil, []string{"these two keys do not share the limit", "another key: both rounds gave the same result"}},
		"no sources": {[]string{"--workers", "2"}, []string{"these two keys do not share the limit", "another address: not tested, because no two workers were started with different --source addresses"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(&limitedServer{by: func(r *http.Request) string { return r.Header.Get("Authorization") }, limit: 8, used: map[string][]time.Time{}})
			defer server.Close()
			dir := t.TempDir()
			args := append([]string{
				"load", "rate-limit", server.URL, "--infer", "--model", "m", "--key", "sk-caller-0123456789", "--other-key", "sk-another-0123456789", "--for", "1m", "--out", dir,
			}, c.args...)
			code, stdout, stderr := invoke(t.Context(), args...)
			require.Equal(t, exitConformant, code, stdout+stderr)
			_, report, _ := invoke(t.Context(), "report", dir)
			stdout += report
			assert.Contains(t, report, "scope     these two keys do not share the limit\n")
			log, err := os.ReadFile(filepath.Join(dir, logName))
			require.NoError(t, err)
			assert.NotContains(t, string(log), "sk-another", "nor is it in the command line that the log has")
			assert.Contains(t, string(log), `"by_other":true`)
			for _, want := range c.want {
				assert.Contains(t, stdout, want, stderr)
			}
		})
	}
}

func TestWorkersGetWhatIsMissing(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"worker"}, "add --join nats://host:4222 and --allow-target URL"},
		{[]string{"worker", "--join", "nats://127.0.0.1:1"}, "--allow-target is missing"},
		{[]string{"worker", "--allow-target", "http://127.0.0.1:1"}, "--join is missing"},
		{[]string{"worker", "--join", "nats://nats.example:4222", "--allow-target", "http://127.0.0.1:1"}, "unencrypted to nats.example:4222: use tls://, or give the coordinator and the workers the same secret"},
		{[]string{"worker", "--join", "http://x", "--allow-target", "http://127.0.0.1:1"}, "is not a URL such as nats://host:4222"},
		{[]string{"worker", "--join", "nats://127.0.0.1:1", "--allow-target", "gateway"}, "is not a URL such as https://gateway.example"},
		{[]string{"worker", "--join", "nats://127.0.0.1:1", "--allow-target", "http://127.0.0.1:1", "--fleet-name", "a b"}, `gatecert: invalid fleet: the name "a b" must consist of 1 to 32 letters`},
		{[]string{"load", "soak", "--fleet", "nats://127.0.0.1:1"}, "add --workers N"},
		{[]string{"load", "soak", "--workers", "2", "--source", "here"}, "must be an IP address of this machine"},
		{[]string{"load", "soak", "--source", "127.0.0.2"}, "--source requires --workers: add --workers N"},
		{[]string{"load", "compare", "--show-workers"}, "--show-workers requires --workers"},
		{[]string{"load", "rate-limit", "--fleet-secret", "x"}, "--fleet-secret requires --workers"},
		{[]string{"load", "soak", "--workers", "-1"}, "must be between 1 and 10,000"},
		{[]string{"load", "capacity", "--workers", "2", "--ramp", "10s"}, "omit --ramp"},
		{[]string{"fleet", "yaml", "--image", "x y", "--allow-target", "http://x"}, "use image references such as registry.example/gatecert:1.0"},
	} {
		code, stdout, stderr := invoke(t.Context(), c.args...)
		assert.Equal(t, exitUsage, code, "%q: %s", c.args, stderr)
		assert.Contains(t, stderr, c.want, "%q", c.args)
		assert.Empty(t, stdout)
	}
}

func TestTheFleetIsLaunched(t *testing.T) {
	for command, want := range map[string]string{"yaml": "completionMode: Indexed", "compose": "replicas: 3"} {
		code, stdout, stderr := invoke(t.Context(), "fleet", command, "--workers", "3", "--image", "registry.example/gatecert:1.0", "--allow-target", "https://gateway.example")
		require.Equal(t, exitConformant, code, stderr)
		assert.Contains(t, stdout, want)
		assert.Contains(t, stdout, "--allow-target=https://gateway.example")
	}
	code, stdout, stderr := invoke(t.Context(), "fleet", "systemd", "--workers", "3", "--join", "tls://nats.example:4222", "--allow-target", "https://gateway.example")
	require.Equal(t, exitConformant, code, stderr)
	assert.Contains(t, stdout, "systemd-run")
}

// What exceeds the caps is refused before any worker is started.
func TestAPlanIsCheckedBeforeWorkersJoin(t *testing.T) {
	code, _, stderr := invoke(t.Context(), "load", "soak", "http://gateway.example", "--key", "sk-test-0123456789", "--model", "m", "--rate", "100000", "--workers", "2")
	assert.Equal(t, exitUsage, code)
	assert.NotContains(t, stderr, "joined")
	assert.Contains(t, stderr, "--yes")
}
