//go:build !race

// These measure for seconds, and mostly wait.

package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/targets/upstream"
)

// usageServer is the mock upstream as a server that counts what asks for the usage of a stream, and may refuse that.
type usageServer struct {
	*httptest.Server
	asked atomic.Int64
}

func newUsageServer(t *testing.T, refuses bool) *usageServer {
	t.Helper()
	s, mock := &usageServer{}, upstream.New(upstream.Options{})
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		asks := bytes.Contains(body, []byte("include_usage"))
		if asks {
			s.asked.Add(1)
		}
		if asks && refuses {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error":{"message":"unknown parameter: stream_options","type":"invalid_request_error","param":null,"code":"invalid_request"}}`)
			return
		}
		mock.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// behind writes the profile of a gateway whose mock upstream is a server that is there already.
func behind(t *testing.T, gateway, attached string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "behind.yaml")
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, `name: behind
base_url: %s
driver: static
surfaces: [chat-stream]
keys: {valid: sk-test-0123456789}
models: {default: m, relay: m}
upstream: {attach: "%s"}
`, gateway, attached), 0o600))
	return path
}

const usageNote = "rejects stream_options.include_usage, so gatecert counts stream tokens with its own tokenizer"

// Where a target refuses to be asked for the usage, nothing that is measured asks for it, whatever the command and whichever target.
func TestATargetThatRefusesTheUsage(t *testing.T) {
	common := []string{"--key", "sk-test-0123456789", "--model", "m", "--surface", "chat-stream", "--rate", "20", "--rounds", "5", "--duration", "200ms"}
	for _, row := range []struct {
		sentence string
		// refuse says whether A and B do.
		refuse [2]bool
		note   string
	}{
		{"neither", [2]bool{false, false}, ""},
		{"A", [2]bool{true, false}, "note: the gateway (A) " + usageNote},
		{"B", [2]bool{false, true}, "note: the gateway (B) " + usageNote},
		{"both", [2]bool{true, true}, "note: the gateway (A) " + usageNote},
	} {
		t.Run("compare, refused by "+row.sentence, func(t *testing.T) {
			a, b := newUsageServer(t, row.refuse[0]), newUsageServer(t, row.refuse[1])
			code, stdout, stderr := invoke(t.Context(), append([]string{"load", "compare", a.URL, b.URL, "--out", t.TempDir()}, common...)...)
			require.Contains(t, []int{exitConformant, exitHarness}, code, stdout+stderr)
			assert.Regexp(t, `(?m)^ errors +0 % +0 %`, stdout)
			if row.note == "" {
				assert.NotContains(t, stderr, usageNote)
				assert.Greater(t, a.asked.Load(), int64(20))
				assert.Greater(t, b.asked.Load(), int64(20))
				return
			}
			assert.Contains(t, stderr, row.note)
			assert.LessOrEqual(t, a.asked.Load(), int64(1), "the first request alone")
			assert.LessOrEqual(t, b.asked.Load(), int64(1), "both get the same requests")
		})
	}
	for _, row := range []struct {
		sentence                  string
		gateway, attached         bool
		note                      string
		askedGateway, askedDirect int64
	}{
		{"the gateway", true, false, "note: the gateway " + usageNote, 1, 0},
		{"its upstream", false, true, "note: the upstream " + usageNote, 1, 1},
	} {
		for _, command := range [][]string{
			{"load", "compare", "--rate", "20", "--rounds", "5", "--duration", "200ms"},
			{"load", "capacity", "--from", "10", "--to", "20", "--short", "200ms", "--full", "300ms", "--rounds", "5", "--repeats", "1"},
		} {
			t.Run(command[1]+", refused by "+row.sentence, func(t *testing.T) {
				gateway, attached := newUsageServer(t, row.gateway), newUsageServer(t, row.attached)
				code, stdout, stderr := invoke(t.Context(), append(command, "--surface", "chat-stream", "--out", t.TempDir(),
					"--target", behind(t, gateway.URL, attached.URL))...)
				require.Contains(t, []int{exitConformant, exitHarness}, code, stdout+stderr)
				assert.Contains(t, stderr, row.note)
				assert.Regexp(t, `(?m)^ errors +0 % +0 %`, stdout)
				assert.LessOrEqual(t, gateway.asked.Load(), row.askedGateway)
				assert.LessOrEqual(t, attached.asked.Load(), row.askedDirect)
			})
		}
	}
}

// A request that fails for another reason is not blamed on the usage.
func TestAFirstRequestThatFails(t *testing.T) {
	healthy := gatewayAfter(t, 100, nil)
	failing := gatewayAfter(t, 1, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	code, _, stderr := invoke(t.Context(), "load", "compare", healthy, failing, "--key", "sk-test-0123456789", "--model", "m", "--out", t.TempDir())
	assert.Equal(t, exitHarness, code)
	assert.Contains(t, stderr, "the control call succeeded, but the first request of this measurement to the gateway (B) failed: 1 error-5xx")
	assert.NotContains(t, stderr, usageNote)
}
