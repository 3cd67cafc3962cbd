//go:build !race

// These run cases one command after the other, as the tests of the root package do with the race detector.

package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// inFolder runs a command in a folder, with what the user answers; nobody is there to ask where that is "".
func inFolder(t *testing.T, dir, answers string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Chdir(dir)
	var out, errs bytes.Buffer
	c := &console{out: &out, err: &errs, width: 100}
	if answers != "" {
		c.in = strings.NewReader(answers)
	}
	code = execute(t.Context(), args, c)
	return code, out.String(), errs.String()
}

// A profile that nobody has named sends nothing anywhere before its user has agreed.
func TestAProfileInTheFolderNeedsConsent(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("GATECERT_SECRET_OF_MINE", "sk-nobody-elses-business")
	var asked atomic.Int64
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusTeapot)
	}))
	defer stranger.Close()
	dir := t.TempDir()
	text := "base_url: " + stranger.URL + "\nkeys: {valid: \"${GATECERT_SECRET_OF_MINE}\"}\nmodels: {default: m}\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, foundProfile), []byte(text), 0o600))
	const reach = ", with $GATECERT_SECRET_OF_MINE"

	for _, command := range [][]string{{"run"}, {"load", "rate-limit"}, {"load", "soak", "--for", "1s"}} {
		code, stdout, stderr := inFolder(t, dir, "", command...)
		assert.Equal(t, exitUsage, code)
		assert.Empty(t, stdout)
		assert.Contains(t, stderr, "you have not agreed to use the profile gatecert.yaml in the current directory (this profile sends requests to "+stranger.URL+reach)
		assert.Contains(t, stderr, "gatecert trust gatecert.yaml")
		assert.NotContains(t, stderr, "sk-nobody-elses-business")

		code, _, stderr = inFolder(t, dir, "n\n", command...)
		assert.Equal(t, exitUsage, code)
		assert.Contains(t, stderr, "  sends requests to "+stranger.URL+reach+"\nUse this profile? [y/N] ")
	}
	assert.Zero(t, asked.Load())

	_, _, stderr := inFolder(t, dir, "y\n", "run")
	assert.Contains(t, stderr, "the profile gatecert.yaml in the current directory")
	assert.Positive(t, asked.Load())
	_, _, stderr = inFolder(t, dir, "", "run")
	assert.Contains(t, stderr, "the profile gatecert.yaml in the current directory", "the answer is remembered")
	require.NoError(t, os.WriteFile(foundProfile, []byte(text+"limits: {timeout: 3s}\n"), 0o600))
	_, _, stderr = inFolder(t, dir, "", "run")
	assert.Contains(t, stderr, "the profile gatecert.yaml in the current directory", "and is about what the profile reaches")

	before := asked.Load()
	for name, changed := range map[string]string{
		"another host":     strings.Replace(text, "127.0.0.1", "localhost", 1),
		"another variable": strings.Replace(text, "GATECERT_SECRET_OF_MINE", "HOME", 1),
		"a database":       text + "store: {sqlite: mine.db}\n",
		"an open port":     text + "upstream: {listen: \"0.0.0.0:29999\"}\n",
	} {
		require.NoError(t, os.WriteFile(foundProfile, []byte(changed), 0o600))
		code, _, stderr := inFolder(t, dir, "", "run")
		assert.Equal(t, exitUsage, code, name)
		assert.Contains(t, stderr, "you have not agreed", name)
	}
	require.NoError(t, os.WriteFile(foundProfile, []byte(text), 0o600))
	code, _, _ := inFolder(t, dir, "", "trust", "--forget", foundProfile)
	require.Equal(t, exitConformant, code)
	_, _, stderr = inFolder(t, dir, "", "run")
	assert.Contains(t, stderr, "you have not agreed")
	assert.Equal(t, before, asked.Load())

	code, stdout, stderr := inFolder(t, dir, "", "trust", foundProfile)
	require.Equal(t, exitConformant, code, stderr)
	assert.Contains(t, stdout, "  sends requests to "+stranger.URL+reach+"\n")
	_, _, stderr = inFolder(t, dir, "", "run")
	assert.Contains(t, stderr, "the profile gatecert.yaml")
}

// Whoever names a gateway gets that, whatever the folder holds.
func TestTheProfileInTheFolderComesLast(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	served := serveGateway(t)
	url, key := baseURL(t, served)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, foundProfile), []byte("no profile: at all\n"), 0o600))
	few := []string{"--rows", "http:401", "--surfaces", "chat"}
	for name, args := range map[string][]string{
		"a URL": {"run", url, "--key", key, "--model", "gc-chat"}, "a profile": {"run", "--target", served}, "the built-in gateway": {"run", "--target", "reference"},
	} {
		code, _, stderr := inFolder(t, dir, "", append(args, few...)...)
		assert.Equal(t, exitConformant, code, "%s: %s", name, stderr)
		assert.NotContains(t, stderr, foundProfile)
	}
	code, _, stderr := inFolder(t, dir, "", append([]string{"run"}, few...)...)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, `unknown key "no profile"`)
	assert.Contains(t, stderr, "to test the built-in gateway, use --target reference")
}

// init writes the profile with which run goes on, and what it has asked once with, nobody asks about again.
func TestAfterInitARunNeedsNoMore(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	url, key := baseURL(t, serveGateway(t))
	t.Setenv("GATEWAY_KEY", key)
	dir := t.TempDir()
	code, stdout, stderr := inFolder(t, dir, "", "init", url, "--model", "gc-chat")
	require.Equal(t, exitConformant, code, stderr)
	assert.Contains(t, stdout, "; next: gatecert run --level edge\n")
	code, _, stderr = inFolder(t, dir, "", "run", "--level", "edge", "--rows", "http:401", "--surfaces", "chat")
	assert.Equal(t, exitConformant, code, stderr)
	assert.Contains(t, stderr, "note: using the profile gatecert.yaml in the current directory (for another profile, use --target FILE; for the built-in gateway, use --target reference)\n")

	code, stdout, stderr = inFolder(t, dir, "", "replay", "http:401/missing-key/chat", "--from", "reports/latest")
	assert.Equal(t, exitConformant, code, stderr)
	assert.Contains(t, stdout, "still passing")
	assert.Contains(t, stderr, "the profile gatecert.yaml in the current directory", "it is about the gateway of the run")
}
