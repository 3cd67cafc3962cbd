//go:build !race

// With the race detector this takes five times as long.

package gatecert_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/freeport"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/profile"
)

// nginxConfig limits all calls to a rate, whosever key they have.
const nginxConfig = `daemon off; worker_processes 1; pid %[1]s/pid; error_log %[1]s/error.log;
events { worker_connections 128; }
http {
  access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  limit_req_zone all zone=all:1m rate=%[2]s;
  server { listen %[3]s; location / { limit_req zone=all; limit_req_status %[4]d; proxy_pass http://%[5]s; proxy_http_version 1.1; proxy_buffering off; } }
}`

// A hosted gateway limits every key. With nginx's limit in front of a gateway no verdict differs from those without it.
func TestALimitOnEveryKeyBlamesNobody(t *testing.T) {
	t.Parallel() // it mostly waits
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("nginx is not installed")
	}
	behind := served(t, func(g http.Handler) http.Handler { return g })
	// The limit of the limited key would be another one here, so that its row is left out.
	rows := []string{"http:401", "http:404", "code:bad_request_body", "code:get_channel_failed"}
	want := verdicts(run(t, gatecert.Config{Target: behind, Rows: rows, Surfaces: []string{"chat", "messages-stream"}}))
	for _, tt := range []struct {
		// note is that of a limit which a slow machine hits too.
		rate, note string
		status     int
		rows       []string
		surfaces   []string
	}{
		{"10r/s", "", 429, rows, []string{"chat", "messages-stream"}},
		{"10r/s", "", 503, rows, []string{"chat", "messages-stream"}},
		{"60r/m", "the valid key is rate-limited, so the run made only one call every", 503, rows[:1], []string{"chat"}},
	} {
		t.Run(fmt.Sprintf("%s with %d", strings.ReplaceAll(tt.rate, "/", " per "), tt.status), func(t *testing.T) {
			target := behind
			target.BaseURL = serveNginx(t, nginx, tt.rate, tt.status, behind)
			r := run(t, gatecert.Config{Target: target, Rows: tt.rows, Surfaces: tt.surfaces})
			for id, verdict := range verdicts(r) {
				assert.Equal(t, want[id], verdict, id)
			}
			assert.Contains(t, strings.Join(r.Footer.Notes, "\n"), tt.note)
		})
	}
}

func verdicts(r runlog.Run) map[string]contract.Verdict {
	out := make(map[string]contract.Verdict)
	for _, c := range r.Cases {
		out[c.ID] = c.Verdict
	}
	return out
}

// serveNginx serves nginx in front of a target until the test ends, and returns its URL.
func serveNginx(t *testing.T, nginx, rate string, status int, behind profile.Profile) string {
	t.Helper()
	origin, err := url.Parse(behind.BaseURL)
	require.NoError(t, err)
	for range 5 { // a free address may be taken by another test before nginx listens on it
		address, dir := freeport.Address(t), t.TempDir()
		file := filepath.Join(dir, "nginx.conf")
		require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, nginxConfig, dir, rate, address, status, origin.Host), 0o600))
		server := exec.Command(nginx, "-e", filepath.Join(dir, "error.log"), "-c", file)
		require.NoError(t, server.Start())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = server.Wait()
		}()
		t.Cleanup(func() {
			_ = server.Process.Signal(os.Interrupt)
			<-ended
		})
		if started(filepath.Join(dir, "pid"), ended) {
			return "http://" + address
		}
	}
	require.Fail(t, "nginx does not listen")
	return ""
}

// started waits until nginx has written its process id, which it does when it listens, and reports false if it ends before.
func started(pid string, ended <-chan struct{}) bool {
	for range 250 {
		if _, err := os.Stat(pid); err == nil {
			return true
		}
		select {
		case <-ended: // it could not listen
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	return false
}
