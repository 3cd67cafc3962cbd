package zoo

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/internal/freeport"
	"github.com/gatecert/gatecert/targets/upstream"
)

// nginxLimiters are limits of one nginx, each on a port of its own. A burst of n lets n calls pass in addition to the first.
func nginxLimiters(t *testing.T) []species {
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		t.Log("nginx is not installed")
		return nil
	}
	client, dir, origin := newClient(t), t.TempDir(), serveUpstream(t)
	var config strings.Builder
	fmt.Fprintf(&config, `daemon off; worker_processes 1; pid %[1]s/pid; error_log %[1]s/error.log crit;
events { worker_connections 2048; }
http {
  access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  limit_req_zone $http_authorization zone=ten:1m rate=10r/s;
  limit_req_zone $http_authorization zone=ten2:1m rate=10r/s;
  limit_req_zone $http_authorization zone=ten3:1m rate=10r/s;
  limit_req_zone $http_authorization zone=ten4:1m rate=10r/s;
  limit_req_zone $http_authorization zone=minute:1m rate=60r/m;
  limit_req_zone $http_authorization zone=minute2:1m rate=60r/m;
  limit_conn_zone $http_authorization zone=inflight:1m;
  limit_req_status 429; limit_conn_status 429;
`, dir)
	all := []species{
		{name: "10r/s", truth: tokenBucket(10, time.Second, 1), burst1: true},
		{name: "10r/s burst=4 nodelay", truth: tokenBucket(10, time.Second, 5)},
		// The calls beyond the first wait for their turn.
		{name: "10r/s burst=4", truth: tokenBucket(10, time.Second, 5), loose: true, queues: true, rates: []float64{10}},
		{name: "60r/m burst=19 nodelay", truth: tokenBucket(20, 20*time.Second, 20)},
		{name: "10r/s burst=4 and 60r/m burst=19, nodelay", truth: tokenBucket(20, 20*time.Second, 20), loose: true, rates: []float64{1}},
		{name: "limit_conn 5", truth: concurrency(5)},
	}
	for i, limit := range []string{
		"limit_req zone=ten;",
		"limit_req zone=ten2 burst=4 nodelay;",
		"limit_req zone=ten3 burst=4;",
		"limit_req zone=minute burst=19 nodelay;",
		"limit_req zone=ten4 burst=4 nodelay; limit_req zone=minute2 burst=19 nodelay;",
		"limit_conn inflight 5;",
	} {
		address := freeport.Address(t)
		fmt.Fprintf(&config, `  server { listen %s; %s error_page 429 = @limited;
    location @limited { default_type application/json; return 429 '%s'; }
    location / { proxy_pass http://%s; proxy_http_version 1.1; proxy_buffering off; } }
`, address, limit, refusal, origin)
		all[i].library, all[i].real = "nginx", true
		all[i].keep = calling(client, "http://"+address)
		defer awaitListening(t, address)
	}
	config.WriteString("}\n")
	file := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(file, []byte(config.String()), 0o600))
	start(t, exec.Command(nginx, "-e", filepath.Join(dir, "error.log"), "-c", file))
	return all
}

// haproxyLimiters are limits of one HAProxy with stick tables, each on a port of its own.
func haproxyLimiters(t *testing.T) []species {
	haproxy, err := exec.LookPath("haproxy")
	if err != nil {
		t.Log("haproxy is not installed")
		return nil
	}
	client, dir, origin := newClient(t), t.TempDir(), serveUpstream(t)
	var config strings.Builder
	fmt.Fprintf(&config, `global
  maxconn 2000
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
backend upstream
  server one %s
`, origin)
	all := []species{
		// A call is counted when it is tracked, before it is refused.
		{name: "http_req_rate(2s) gt 20", truth: countingRefused(slidingCounter(20, 2*time.Second))},
		{name: "gpc0_rate(2s) ge 20", truth: slidingCounter(20, 2*time.Second)},
		{name: "conn_cur gt 5", truth: concurrency(5)},
	}
	for i, limit := range []struct{ store, refuseIf, then string }{
		{"http_req_rate(2s)", "sc_http_req_rate(0) gt 20", ""},
		{"gpc0,gpc0_rate(2s)", "sc_gpc0_rate(0) ge 20", "http-request sc-inc-gpc0(0)"},
		{"conn_cur", "sc_conn_cur(0) gt 5", ""},
	} {
		address := freeport.Address(t)
		fmt.Fprintf(&config, `backend table%[1]d
  stick-table type string len 64 size 10k expire 5m store %[2]s
frontend f%[1]d
  bind %[3]s
  http-request track-sc0 hdr(authorization) table table%[1]d
  http-request return status 429 content-type application/json string '%[4]s' if { %[5]s }
  %[6]s
  default_backend upstream
`, i, limit.store, address, refusal, limit.refuseIf, limit.then)
		all[i].library, all[i].real = "HAProxy", true
		all[i].keep = calling(client, "http://"+address)
		defer awaitListening(t, address)
	}
	file := filepath.Join(dir, "haproxy.cfg")
	require.NoError(t, os.WriteFile(file, []byte(config.String()), 0o600))
	start(t, exec.Command(haproxy, "-db", "-f", file))
	return all
}

// start starts a server, and ends it with the test.
func start(t *testing.T, server *exec.Cmd) {
	t.Helper()
	server.Stderr = os.Stderr
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGTERM) // an interrupt may be ignored: so it is inherited from a shell's background
		_ = server.Wait()
	})
}

// serveUpstream serves the mock upstream until the test ends, and returns its address.
func serveUpstream(t *testing.T) string {
	t.Helper()
	listener, err := upstream.Listen(t.Context(), "127.0.0.1:0", newUpstream())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	return strings.TrimPrefix(listener.URL(), "http://")
}

func awaitListening(t *testing.T, address string) {
	t.Helper()
	require.Eventually(t, func() bool {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			_ = connection.Close()
		}
		return err == nil
	}, 10*time.Second, 20*time.Millisecond, "nobody listens on %s", address)
}
