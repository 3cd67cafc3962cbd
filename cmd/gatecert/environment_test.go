package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// parseRun parses arguments of run, as execute does, with some variables set.
func parseRun(t *testing.T, variables map[string]string, args ...string) (runCommand, error) {
	t.Helper()
	for name, value := range variables {
		t.Setenv(name, value)
	}
	parser, err := newParser(t.Context(), &console{out: io.Discard, err: io.Discard})
	require.NoError(t, err)
	_, err = parser.Parse(append([]string{"run"}, args...))
	return parser.Model.Target.Addr().Interface().(*cli).Run, err
}

func TestFlagsComeFromTheEnvironment(t *testing.T) {
	r, err := parseRun(t, map[string]string{
		"GATECERT_LEVEL": "edge", "GATECERT_ROWS": "http:404,http:401", "GATECERT_TIME_LIMIT": "1m", "GATECERT_YES": "true", "GATECERT_CONCURRENCY": "",
		"GATECERT_KEY": "sk-environment", "GATEWAY_KEY": "sk-older",
	}, "--rows", "http:400")
	require.NoError(t, err)
	assert.Equal(t, "edge", r.Level)
	assert.Equal(t, []string{"http:400"}, r.Rows, "a flag comes first")
	assert.Equal(t, "1m0s", r.TimeLimit.String())
	assert.True(t, r.Yes)
	assert.Zero(t, r.Concurrency, "an empty variable counts as unset")
	assert.Equal(t, "sk-environment", r.Key)
}

func TestTheGatewayComesFromTheEnvironmentUnlessTheCommandLineNamesOne(t *testing.T) {
	both := map[string]string{"GATECERT_URL": "http://a", "GATECERT_MODEL": "m"}
	for name, tt := range map[string]struct {
		args               []string
		url, target, model string
	}{
		"nothing":   {nil, "http://a", "", "m"},
		"a URL":     {[]string{"http://b"}, "http://b", "", "m"},
		"a profile": {[]string{"--target", "/p.yaml"}, "", "/p.yaml", ""},
		"a model":   {[]string{"--model", "n"}, "http://a", "", "n"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := parseRun(t, both, tt.args...)
			require.NoError(t, err)
			assert.Equal(t, tt.url, r.URL)
			assert.Equal(t, tt.target, r.Target)
			assert.Equal(t, tt.model, strings.Join(r.Model, " "))
		})
	}
	r, err := parseRun(t, map[string]string{"GATECERT_URL": "", "GATECERT_TARGET": "/p.yaml"}, "http://b", "--model", "m")
	require.NoError(t, err)
	assert.Empty(t, r.Target)
	_, err = parseRun(t, map[string]string{"GATECERT_URL": "http://a", "GATECERT_TARGET": "/p.yaml"})
	assert.ErrorContains(t, err, "$GATECERT_URL and $GATECERT_TARGET both specify a gateway: unset one of the two")
}

func TestAVariableThatMakesNoSenseIsNamed(t *testing.T) {
	_, err := parseRun(t, map[string]string{"GATECERT_CONCURRENCY": "many"})
	require.ErrorContains(t, err, "--concurrency: $GATECERT_CONCURRENCY: ")
	assert.Equal(t, 1, strings.Count(err.Error(), "--concurrency"))
}

func TestTheHelpNamesTheVariables(t *testing.T) {
	stdout := helpOf(t, "run")
	for _, name := range []string{"$GATECERT_URL", "$GATECERT_TARGET", "$GATECERT_LEVEL", "$GATECERT_UPDATE_BASELINE", "$GATECERT_FORMAT"} {
		assert.Contains(t, stdout, name)
	}
	stdout = helpOf(t, "load", "capacity")
	assert.Contains(t, stdout, "$GATECERT_TARGET")
	assert.NotContains(t, stdout, "$GATECERT_OUT", "it is the folder of a run")
}

// helpOf is the help of a command, from a process of its own: kong ends the process after it.
func helpOf(t *testing.T, command ...string) string {
	t.Helper()
	out, err := process(t.Context(), append(command, "--help")...).Output()
	require.NoError(t, err)
	return string(out)
}

func TestReadyFilesAreThereWhileAServerIs(t *testing.T) {
	t.Parallel()
	ready := filepath.Join(t.TempDir(), "ready")
	require.NoError(t, os.WriteFile(ready, []byte("left by another"), 0o600))
	t.Run("while it serves", func(t *testing.T) {
		url, _ := baseURL(t, serveGateway(t, "--ready-file", ready))
		require.Eventually(t, func() bool {
			text, err := os.ReadFile(ready)
			return err == nil && string(text) == url+"\n"
		}, waitForServer, knockEvery)
	})
	assert.True(t, gone(ready), "the gateway has ended")
}

// A run that waits takes the profile of the gateway that is starting, not what an earlier one left.
func TestARunWaitsForItsGateway(t *testing.T) {
	t.Parallel()
	stale := serveGateway(t)
	raw, err := os.ReadFile(stale)
	require.NoError(t, err)
	url, _ := baseURL(t, stale)
	target := filepath.Join(t.TempDir(), "gateway.yaml")
	require.NoError(t, os.WriteFile(target, []byte(strings.ReplaceAll(string(raw), url, "http://127.0.0.1:1")), 0o600))

	type result struct {
		code   int
		output string
	}
	ended := make(chan result)
	out := t.TempDir()
	go func() {
		code, stdout, stderr := invoke(t.Context(), "run", "--target", target, "--wait", waitForServer.String(), "--rows", "http:401", "--surfaces", "chat", "--out", out)
		ended <- result{code, stdout + stderr}
	}()
	served, err := os.ReadFile(serveGateway(t))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(target, served, 0o600))
	r := <-ended
	assert.Equal(t, exitConformant, r.code, r.output)
}

func TestARunDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	code, _, stderr := invoke(t.Context(), "run", "--target", filepath.Join(t.TempDir(), "none.yaml"), "--wait", "150ms")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "no such file")
	code, _, stderr = invoke(t.Context(), "run", "http://127.0.0.1:1", "--key", "k", "--model", "m", "--wait", "150ms", "--out", t.TempDir())
	assert.Equal(t, exitHarness, code)
	assert.Contains(t, stderr, "nothing is listening")
}
