package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/internal/freeport"
	"github.com/gatecert/gatecert/targets/reference"
	"github.com/gatecert/gatecert/targets/upstream"
)

// newcomer is what a first run has: a reference gateway behind a middleware, and its mock upstream.
type newcomer struct {
	url, key, upstream string
	keys               []string
}

// arrives serves a reference gateway whose upstream is at an address where nobody listens yet.
func arrives(t *testing.T, middleware func(http.Handler) http.Handler) newcomer {
	t.Helper()
	listen := freeport.Address(t)
	gateway, err := reference.New(t.Context(), reference.Options{Upstream: "http://" + listen})
	require.NoError(t, err)
	var handler http.Handler = gateway
	if middleware != nil {
		handler = middleware(gateway)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, gateway.Close())
	})
	p := gateway.Profile(server.URL, listen)
	return newcomer{server.URL, p.Keys.Valid, listen, p.Upstream.Keys}
}

// withUpstream serves the upstream of the gateway.
func (n newcomer) withUpstream(t *testing.T) newcomer {
	t.Helper()
	server, err := upstream.Listen(t.Context(), n.upstream, upstream.New(upstream.Options{Keys: n.keys}))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, server.Close()) })
	return n
}

// profile writes a profile of chat. The lines come after it.
func (n newcomer) profile(t *testing.T, lines ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	text := fmt.Sprintf("name: newcomer\nbase_url: %s\nsurfaces: [chat]\nkeys: {valid: %s}\nmodels: {default: gc-chat}\nsettle: {recovery: 100ms}\n%s\n",
		n.url, n.key, strings.Join(lines, "\n"))
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func (n newcomer) run(more ...string) []string {
	return append([]string{"run", n.url, "--key", n.key, "--model", "gc-chat"}, more...)
}

// serves serves a handler and returns its URL.
func serves(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// overTLS serves a handler over TLS. Its certificate is httptest's: for example.com and 127.0.0.1, signed by itself.
func overTLS(t *testing.T, h http.HandlerFunc) (server *httptest.Server, ca string) {
	t.Helper()
	server = httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	ca = filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	return server, ca
}

func answer(status int, media, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", media)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// changed answers like a gateway, but for some requests.
func changed(which func(r *http.Request) bool, otherwise http.HandlerFunc) func(http.Handler) http.Handler {
	return func(g http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if which(r) {
				otherwise(w, r)
				return
			}
			g.ServeHTTP(w, r)
		})
	}
}

func under(prefix string) func(*http.Request) bool {
	return func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, prefix) }
}

// mostLines is how many lines the terminal shows of a first mistake.
const mostLines = 12

// Every first mistake gets one sentence: what happened, where, and what to do.
func TestFirstMistakes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		args func(t *testing.T) []string
		code int
		want string // a regular expression
	}{
		{"nothing listens", func(t *testing.T) []string {
			return []string{"run", "http://" + freeport.Address(t), "--key", "k-1234567890", "--model", "m"}
		}, exitHarness, `nothing is listening at http://127\.0\.0\.1:\d+ \(connection refused\): start the gateway, or correct the host and port`},
		{"the URL of a dashboard", func(t *testing.T) []string {
			return []string{"run", serves(t, answer(200, "text/html; charset=utf-8", "<!doctype html><title>Console</title>")), "--key", "k-1234567890", "--model", "m"}
		}, exitHarness, `returns a web page, not an API response \(200 "text/html; charset=utf-8", on all 17 endpoints\): use the URL of the API, not of the dashboard`},
		{"an authority that nobody knows", func(t *testing.T) []string {
			server, _ := overTLS(t, answer(404, "application/json", "{}"))
			return []string{"run", server.URL, "--key", "k-1234567890", "--model", "m"}
		}, exitHarness, `the certificate of https://127\.0\.0\.1:\d+ is signed by a CA that this machine does not trust: set the CA's PEM file in a profile \(tls: \{ca: FILE\}\)`},
		{"a certificate for another host", func(t *testing.T) []string {
			server, ca := overTLS(t, answer(404, "application/json", "{}"))
			_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
			return []string{"run", "--target", newcomer{url: "https://localhost:" + port, key: "k-1234567890"}.profile(t, "tls: {ca: "+ca+"}")}
		}, exitHarness, `the certificate of https://localhost:\d+ is for another host \(.*certificate is valid for example\.com.*\): use a host name that the certificate covers`},
		{"https for a port that speaks plain HTTP", func(t *testing.T) []string {
			n := arrives(t, nil)
			return []string{"run", strings.Replace(n.url, "http://", "https://", 1), "--key", n.key, "--model", "gc-chat"}
		}, exitHarness, `answers in plain HTTP, but the URL says https: use http://127\.0\.0\.1:\d+$`},
		{"plain HTTP for a port that speaks TLS", func(t *testing.T) []string {
			server, _ := overTLS(t, answer(404, "application/json", "{}"))
			return []string{"run", strings.Replace(server.URL, "https://", "http://", 1), "--key", "k-1234567890", "--model", "m"}
		}, exitHarness, `expects TLS, but the URL says http: use https://127\.0\.0\.1:\d+$`},
		{"a key that the gateway does not know", func(t *testing.T) []string {
			n := arrives(t, nil)
			return []string{"run", n.url, "--key", "sk-not-issued-0123456789", "--model", "gc-chat"}
		}, exitHarness, `rejects the key \(401 "The key is not valid\.", on all 17 endpoints\): set a valid key with --key, \$GATEWAY_KEY or keys\.valid in the profile`},
		{"a key that is refused where models are listed to everybody", func(t *testing.T) []string {
			n := arrives(t, changed(under("/v1/models/"), answer(200, "application/json", `{"id":"gc-chat","object":"model"}`)))
			return []string{"run", n.url, "--key", "sk-not-issued-0123456789", "--model", "gc-chat"}
		}, exitHarness, `rejects the key \(401 "The key is not valid\.", on all 16 endpoints\): set a valid key`},
		{"a model that the gateway does not serve", func(t *testing.T) []string {
			n := arrives(t, nil).withUpstream(t)
			return []string{"run", n.url, "--key", n.key, "--model", "gc-chta"}
		}, exitHarness, `does not serve the model "gc-chta" with this key \(404 "The model does not exist\."\): choose a model that GET /v1/models lists \(gc-chat, .* and \d+ more\), with --model or with models in the profile`},
		{"a gateway that cannot reach the mock upstream", func(t *testing.T) []string {
			return []string{"run", "--level", "relay", "--target", arrives(t, nil).profile(t, "upstream: {listen: "+freeport.Address(t)+"}")}
		}, exitHarness, `answers valid calls with 50\d ".+" and has not called the mock upstream at 127\.0\.0\.1:\d+ \(upstream\.listen\): point the gateway's channel for model "gc-chat" to http://127\.0\.0\.1:\d+; if the gateway runs in a container, .*upstream\.url to .*host\.docker\.internal`},
		{"a model that leads to another upstream", func(t *testing.T) []string {
			return []string{"run", "--level", "relay", "--target", arrives(t, nil).withUpstream(t).profile(t, "upstream: {listen: "+freeport.Address(t)+"}")}
		}, exitHarness, `model "gc-chat" is served, but not by the mock upstream at 127\.0\.0\.1:\d+ \(upstream\.listen\), which received no request: point the gateway's channel for this model to http://127.*or use --level edge`},
		{"a port of upstream.listen that is in use", func(t *testing.T) []string {
			n := arrives(t, nil).withUpstream(t)
			return []string{"run", "--level", "relay", "--target", n.profile(t, "upstream: {listen: "+n.upstream+"}")}
		}, exitHarness, `127\.0\.0\.1:\d+ \(upstream\.listen\) is in use: stop the process that listens there or, if it is gatecert upstream, set upstream\.attach to http://127`},
		{"a gateway that limits the key", func(t *testing.T) []string {
			limited := func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Retry-After", "30")
				answer(429, "application/json", `{"error":{"message":"Rate limit reached.","type":"rate_limit_error","param":null,"code":"too_many"}}`)(w, r)
			}
			return []string{"run", "--level", "edge", "--target", newcomer{url: serves(t, limited), key: "k-1234567890"}.profile(t)}
		}, exitHarness, `refuses healthy calls with 429, even one at a time \(429 "Rate limit reached\.", Retry-After: 30\): wait, use a key with a higher limit, or declare the limit in the profile \(limits\.valid\)`},
		{"a gateway that answers from a cache", func(t *testing.T) []string {
			n := arrives(t, cachesBy(func(_ *http.Request, model string) string { return model }))
			return []string{"run", "--level", "relay", "--target", n.profile(t, "upstream: {listen: "+n.upstream+", keys: ["+strings.Join(n.keys, ",")+"]}")}
		}, exitHarness, `answers from a cache: two healthy calls for model "gc-chat", with different prompts, received the same response, and neither reached the mock upstream at 127.*: turn off the gateway's response cache for the run`},
		{"a gateway that answers from a cache, but not at once", func(t *testing.T) []string {
			n := arrives(t, cachesBy(func(_ *http.Request, model string) string { return model }))
			profile := n.profile(t, "upstream: {listen: "+n.upstream+", keys: ["+strings.Join(n.keys, ",")+"]}")
			text, err := os.ReadFile(profile)
			require.NoError(t, err)
			// The control calls have filled the cache for the default model, but not for this one.
			text = bytes.Replace(text, []byte("{default: gc-chat}"), []byte("{default: gc-chat, relay: [gc-via-openai]}"), 1)
			require.NoError(t, os.WriteFile(profile, text, 0o600))
			return []string{"run", "--level", "relay", "--target", profile}
		}, exitHarness, `answers from a cache: a healthy call for model ".*" reached the mock upstream at 127.* but a second call, with another prompt, succeeded without reaching it: turn off the gateway's response cache for the run`},
		{"a cache that looks at the question alone", func(t *testing.T) []string {
			return arrives(t, cachesBy(func(r *http.Request, _ string) string { return r.URL.Path })).withUpstream(t).run("--surfaces", "chat,messages")
		}, exitHarness, `returned the same response for the model "gc-chat" and for a model that does not exist, because it answers from a cache or ignores the model: turn off the gateway's response cache`},
		{"a gateway with a model for all names", func(t *testing.T) []string {
			var n atomic.Int64
			every := func(w http.ResponseWriter, r *http.Request) {
				answer(200, "application/json", fmt.Sprintf(`{"id":"c-%d","choices":[{"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}]}`, n.Add(1)))(w, r)
			}
			return []string{"run", serves(t, every), "--key", "k-1234567890", "--model", "m", "--surfaces", "chat"}
		}, exitHarness, `accepts requests for a model that does not exist, so its errors for unknown models cannot be tested: turn off the model that the gateway serves in place of unknown models`},
		{"a level that a URL is not enough for", func(t *testing.T) []string {
			return arrives(t, nil).run("--level", "relay")
		}, exitUsage, `--level relay needs more than a URL: create a profile with upstream\.listen and a model that the gateway routes to that address \(gatecert init URL writes a profile to start from\), or use --level edge`},
		{"rows that need another level", func(t *testing.T) []string {
			return arrives(t, nil).withUpstream(t).run("--rows", "code:do_request_failed")
		}, exitIncomplete, `the selected cases need level relay, but this run is at level edge: add --level relay and a profile with upstream\.listen and a model that the gateway routes to that address`},
		{"the wrong path", func(t *testing.T) []string {
			n := arrives(t, nil).withUpstream(t)
			return []string{"run", n.url + "/api", "--key", n.key, "--model", "gc-chat"}
		}, exitHarness, `there is no API at http://127\.0\.0\.1:\d+/api \(404 ".*", on all 17 endpoints\): check the port, and whether the URL lacks a path prefix before /v1`},
		{"a profile whose base_url ends in /v1", func(t *testing.T) []string {
			n := arrives(t, nil).withUpstream(t)
			n.url += "/v1"
			return []string{"run", "--level", "edge", "--target", n.profile(t)}
		}, exitHarness, `is not the root of the API: healthy calls succeed at http://127\.0\.0\.1:\d+, so use that URL \(gatecert appends /v1/… itself\)`},
		{"an upstream that is down", func(t *testing.T) []string {
			return []string{"run", "--level", "edge", "--target", arrives(t, nil).profile(t)}
		}, exitHarness, `answers valid calls with 50\d ".+": the upstream of model "gc-chat" seems to be down; repair that upstream first`},
		{"no mock upstream at upstream.attach", func(t *testing.T) []string {
			n := arrives(t, nil).withUpstream(t)
			return []string{"run", "--level", "relay", "--target", n.profile(t, "upstream: {attach: \"http://"+freeport.Address(t)+"\"}")}
		}, exitHarness, `the mock upstream at http://127\S+ \(upstream\.attach\) cannot be queried \(.*connection refused\): start gatecert upstream there, set upstream\.token if the mock upstream requires a token, or set upstream\.listen instead`},
		{"neither the gateway nor its mock upstream", func(t *testing.T) []string {
			n := arrives(t, nil)
			n.url = "http://" + freeport.Address(t)
			return []string{"run", "--level", "relay", "--target", n.profile(t, "upstream: {attach: \"http://"+freeport.Address(t)+"\"}")}
		}, exitHarness, `nothing is listening at http://127\S+ \(connection refused\): start the gateway, or correct the host and port`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			code, stdout, stderr := invoke(context.WithoutCancel(t.Context()), append(tt.args(t), "--out", dir)...)
			t.Logf("exit %d\n%s%s", code, stdout, stderr)
			assert.Equal(t, tt.code, code)
			assert.Empty(t, stdout, "nothing was judged, and so nothing is reported")
			lines := strings.Split(strings.TrimSpace(stderr), "\n")
			assert.LessOrEqual(t, len(lines), mostLines)
			sentence := lines[len(lines)-1]
			assert.Regexp(t, regexp.MustCompile(tt.want), sentence)
			if tt.code == exitHarness {
				assert.True(t, strings.HasPrefix(sentence, "gatecert: INCONCLUSIVE: "), sentence)
			}
			files, err := os.ReadDir(dir)
			require.NoError(t, err)
			assert.Empty(t, files, "a run that never begins leaves nothing")
		})
	}
}

// cachesBy gives the first good answer to a request with a certain key to all further ones with that key.
func cachesBy(key func(r *http.Request, model string) string) func(http.Handler) http.Handler {
	var mu sync.Mutex
	cache := make(map[string]*httptest.ResponseRecorder)
	return func(g http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			var asked struct{ Model string }
			_ = json.Unmarshal(body, &asked)
			k := key(r, asked.Model)
			got := cache[k]
			if got == nil {
				got = httptest.NewRecorder()
				g.ServeHTTP(got, r)
				if got.Code == http.StatusOK && r.Method == http.MethodPost {
					cache[k] = got
				}
			}
			maps.Copy(w.Header(), got.Header())
			w.WriteHeader(got.Code)
			_, _ = w.Write(got.Body.Bytes())
		})
	}
}

// What a gateway may do, or a profile may say, is not a first mistake.
func TestWhatIsNotAFirstMistake(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		args func(t *testing.T) []string
		says string
	}{
		{"a URL that ends in /v1", func(t *testing.T) []string {
			n := arrives(t, nil).withUpstream(t)
			n.url += "/v1"
			return n.run("--rows", "http:404")
		}, `/v1 already ends with a path that gatecert adds, so the run uses http://127\.0\.0\.1:\d+\n`},
		{"a URL of an endpoint", func(t *testing.T) []string {
			n := arrives(t, nil).withUpstream(t)
			n.url += "/v1/chat/completions/"
			return n.run("--rows", "http:404")
		}, `/v1/chat/completions/ already ends with a path that gatecert adds, so the run uses http://127\.0\.0\.1:\d+\n`},
		{"a gateway whose path is /openai/v1", func(t *testing.T) []string {
			n := arrives(t, func(g http.Handler) http.Handler { return http.StripPrefix("/openai/v1", g) }).withUpstream(t)
			n.url += "/openai/v1"
			return []string{"run", "--level", "edge", "--target", n.profile(t)}
		}, `sending control calls to http://127\.0\.0\.1:\d+/openai/v1\n`},
		{"a key that one endpoint of many refuses", func(t *testing.T) []string {
			refuses := answer(401, "application/json", `{"error":{"code":"access_denied","message":"The key is not valid.","type":"authentication_error","param":null}}`)
			return arrives(t, changed(under("/v1/images"), refuses)).withUpstream(t).run("--rows", "http:404")
		}, ""},
		{"an endpoint of many that is down", func(t *testing.T) []string {
			return arrives(t, changed(under("/v1/rerank"), answer(404, "text/html", "<h1>Not Found</h1>"))).withUpstream(t).run("--rows", "http:404")
		}, ""},
		{"a cache that looks at the whole request", func(t *testing.T) []string {
			n := arrives(t, cachesBy(func(r *http.Request, _ string) string {
				body, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(body))
				return r.URL.Path + string(body)
			}))
			return []string{"run", "--level", "relay", "--rows", "code:bad_response", "--target", n.profile(t, "upstream: {listen: "+n.upstream+", keys: ["+strings.Join(n.keys, ",")+"]}")}
		}, ""},
		{"a model of another upstream, at level edge", func(t *testing.T) []string {
			n := arrives(t, nil).withUpstream(t)
			return []string{"run", "--level", "edge", "--rows", "http:404", "--target", n.profile(t, "upstream: {listen: "+freeport.Address(t)+"}")}
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := invoke(context.WithoutCancel(t.Context()), append(tt.args(t), "--out", t.TempDir())...)
			assert.Equal(t, exitConformant, code, stdout+stderr)
			assert.Regexp(t, tt.says, stderr)
			assert.NotContains(t, stdout+stderr, "INCONCLUSIVE")
		})
	}
}
