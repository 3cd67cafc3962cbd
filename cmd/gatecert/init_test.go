package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInitWritesAProfileThatRuns(t *testing.T) {
	n := arrives(t, changed(under("/v1/rerank"), answer(http.StatusNotFound, "text/html", "<h1>Not Found</h1>"))).withUpstream(t)
	for _, models := range [][]string{nil, {"--model", "gc-chat"}} {
		file := filepath.Join(t.TempDir(), "found.yaml")
		args := append([]string{"init", n.url + "/v1/", "--key", n.key, "--out", file}, models...)
		code, stdout, stderr := invoke(t.Context(), args...)
		require.Equal(t, exitConformant, code, stdout+stderr)
		assert.Contains(t, stdout, "next: gatecert run --target "+file+" --level edge")
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		text := string(raw)
		assert.NotContains(t, text, n.key)
		assert.Contains(t, text, `base_url: "`+n.url+`"`)
		assert.Contains(t, text, "#   rerank: the healthy call on rerank: 404")
		assert.Contains(t, text, "# The gateway's model list contains ")
		assert.NotContains(t, strings.SplitN(text, "# These endpoints did not serve", 2)[0], "- rerank")

		t.Setenv("GATEWAY_KEY", n.key)
		code, stdout, stderr = invoke(t.Context(), "run", "--target", file, "--level", "edge", "--rows", "http:404", "--out", t.TempDir())
		assert.Equal(t, exitConformant, code, stdout+stderr)
		code, _, stderr = invoke(t.Context(), args...)
		assert.Equal(t, exitUsage, code, "a file is not overwritten")
		assert.Contains(t, stderr, "exists: choose another file with --out")
	}
}

func TestInitNamesFirstMistakesToo(t *testing.T) {
	t.Parallel()
	n := arrives(t, nil)
	code, _, stderr := invoke(context.WithoutCancel(t.Context()), "init", n.url, "--key", "sk-not-issued-0123456789", "--out", filepath.Join(t.TempDir(), "x.yaml"))
	assert.Equal(t, exitHarness, code)
	assert.Contains(t, stderr, "INCONCLUSIVE: the gateway at "+n.url+" rejects the key")
}

func TestInitNeedsAModel(t *testing.T) {
	t.Parallel()
	n := arrives(t, changed(func(r *http.Request) bool { return r.URL.Path == "/v1/models" }, answer(http.StatusNotFound, "text/plain", "no")))
	code, _, stderr := invoke(context.WithoutCancel(t.Context()), "init", n.url, "--key", n.key, "--out", filepath.Join(t.TempDir(), "x.yaml"))
	assert.Equal(t, exitUsage, code, stderr)
	assert.Contains(t, stderr, "the gateway at "+n.url+" lists no models: use --model to specify a model that the gateway serves")
}

// A gateway could name a model so that the profile reads a variable of whoever runs it.
func TestInitWritesOrdinaryNamesOnly(t *testing.T) {
	t.Parallel()
	list := answer(http.StatusOK, "application/json", `{"data":[{"id":"${HOME}"},{"id":"a\nkeys: x"},{"id":"gc-chat"}]}`)
	n := arrives(t, changed(func(r *http.Request) bool { return r.URL.Path == "/v1/models" }, list)).withUpstream(t)
	code, stdout, stderr := invoke(context.WithoutCancel(t.Context()), "init", n.url, "--key", n.key, "--out", "-")
	require.Equal(t, exitConformant, code, stdout+stderr)
	assert.NotContains(t, stdout, "HOME")
	assert.NotContains(t, stdout, "keys: x")
	assert.Contains(t, stdout, "# The gateway's model list contains 1 model: gc-chat\n")
}
