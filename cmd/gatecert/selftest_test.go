package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/targets/mutants"
)

func TestSelftestWithWrongArguments(t *testing.T) {
	for name, args := range map[string][]string{
		"a mutant":     {"selftest", "--mutant", "nosuch"},
		"a permitted":  {"selftest", "--permitted", "nosuch"},
		"parallelism":  {"selftest", "--parallel", "0"},
		"to serve":     {"gateway", "--listen", "127.0.0.1:0", "--mutant", "nosuch"},
		"no place for": {"gateway", "--listen", "127.0.0.1:0", "--mutant", "http2"},
	} {
		code, _, stderr := invoke(t.Context(), args...)
		assert.Equal(t, exitUsage, code, "%s: %s", name, stderr)
	}
}

func TestEveryMutantAndPermittedBehaviourIsListed(t *testing.T) {
	code, listed, _ := invoke(t.Context(), "list", "mutants")
	require.Equal(t, exitConformant, code)
	for _, m := range mutants.All() {
		assert.Contains(t, listed, " "+m.Name+" ")
		assert.Contains(t, listed, m.Sentence)
	}
	code, listed, _ = invoke(t.Context(), "list", "permitted")
	require.Equal(t, exitConformant, code)
	for _, p := range mutants.Permitted() {
		assert.Contains(t, listed, " "+p.Name+" ")
	}
}

// A gateway with two mutants and a permitted behaviour, as others would certify it.
func TestAMutantIsServed(t *testing.T) {
	t.Parallel()
	profile := serveGateway(t, "--mutant", "unknown-model-as-503,retry-after-missing,http2")
	code, stdout, stderr := invoke(t.Context(), "run", "--target", profile, "--out", t.TempDir(), "--surfaces", "chat",
		"--rows", "http:404", "--rows", "http:429", "--rows", "code:bad_request_body")
	assert.Equal(t, exitNotConformant, code, stdout+stderr)
	for _, line := range []string{"✗ 404 ", "! 429 ", "✓ bad_request_body "} {
		assert.True(t, strings.Contains(stdout, "\n"+line), "%q in\n%s", line, stdout)
	}
}
