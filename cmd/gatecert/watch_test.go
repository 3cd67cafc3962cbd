//go:build !race

package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/internal/watch"
)

// A gateway is mended between two rounds, and gone before a third. Each change comes once, on the terminal and at the webhook.
func TestWatch(t *testing.T) {
	gateway := serveFaultyGateway(t)
	var mu sync.Mutex
	var got []watch.Message
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var m watch.Message
		if err != nil || json.Unmarshal(body, &m) != nil || r.Header.Get(watch.SignatureHeader) != watch.Signature("s3cret-of-the-hook", body) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		got = append(got, m)
	}))
	t.Cleanup(hook.Close)
	t.Setenv(secretVariable, "s3cret-of-the-hook")
	dir := filepath.Join(t.TempDir(), "watch")
	round := func(target string) (code int, stdout, stderr string) {
		return invoke(t.Context(), "watch", "--target", target, "--rows", "http:404", "--surfaces", "chat", "--rounds", "1", "--dir", dir,
			"--listen", "127.0.0.1:0", "--webhook", hook.URL+"/?token=hidden-in-the-url")
	}

	code, stdout, stderr := round(gateway.profile)
	require.Equal(t, exitConformant, code, stderr)
	assert.Contains(t, stdout, "FAIL: ", "the first round says what it found")
	assert.Contains(t, stderr, "metrics: http://127.0.0.1:")

	gateway.fixed.Store(true)
	code, stdout, stderr = round(gateway.profile)
	require.Equal(t, exitConformant, code, stderr)
	assert.Contains(t, stdout, "\n  not-conformant -> conformant\n  http:404/chat: fail -> pass\n")

	dead := filepath.Join(t.TempDir(), "dead.yaml")
	require.NoError(t, os.WriteFile(dead, []byte("name: dead\nbase_url: http://127.0.0.1:1\nsurfaces: [chat]\nkeys: {valid: sk-of-the-dead-gateway}\nmodels: {default: m}\n"), 0o600))
	code, stdout, stderr = round(dead)
	require.Equal(t, exitConformant, code, stderr)
	assert.Contains(t, stdout, "\n  conformant -> unreachable\n")

	mu.Lock()
	defer mu.Unlock()
	require.Len(t, got, 2, "nothing changed in the first round")
	assert.Equal(t, "not-conformant -> conformant", got[0].Changes[0].String())
	assert.Equal(t, watch.Unreachable, got[1].Outcome)

	kept, err := filepath.Glob(filepath.Join(dir, "runs", "*", "*"))
	require.NoError(t, err)
	assert.Len(t, kept, 2*2, "a log and a report of each of the two runs")
	for _, name := range append(kept, filepath.Join(dir, "history.ndjson"), filepath.Join(dir, "state.json")) {
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.NotContains(t, string(content), "hidden-in-the-url")
		assert.NotContains(t, string(content), "s3cret-of-the-hook")
	}
}

func TestAWatchThatMakesNoSense(t *testing.T) {
	for want, args := range map[string][]string{
		"--every 1s: must be at least 5s":                  {"--every", "1s"},
		"--keep 0: must be at least 1":                     {"--keep", "0"},
		"--level full: a watch runs no load cases":         {"--level", "full"},
		"--webhook: the value is not an http or https URL": {"--webhook", "hooks.example/secret-token"},
		"--listen 127.0.0.1:99999":                         {"--listen", "127.0.0.1:99999"},
		"no row matches \"http:999\"":                      {"--rows", "http:999", "--rounds", "1"},
	} {
		code, stdout, stderr := invoke(t.Context(), append([]string{"watch", "--dir", t.TempDir()}, args...)...)
		assert.Contains(t, stderr+stdout, want, args)
		assert.NotContains(t, stderr, "secret-token")
		assert.Equal(t, exitUsage, code, args)
	}
}
