package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/targets/mutants"
)

// Mutants with a few kinds of hook, and the permitted behaviour that changes most. make selftest tests all of them.
func TestSelftestTestsGateways(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the whole contract twice")
	}
	dir := t.TempDir()
	code, stdout, stderr := invoke(t.Context(), "selftest", "--parallel", "1", "--out", dir,
		"--mutant", "done-after-the-error", "--permitted", "http2")
	require.Equal(t, exitConformant, code, stdout+stderr)
	assert.Contains(t, stdout, "self-test passed: 1 mutant killed in exactly the expected cases, 1 permitted behaviour without a false alarm (")
	assert.Contains(t, stderr, "2 of 2 gateways tested")

	raw, err := os.ReadFile(filepath.Join(dir, "selftest.json"))
	require.NoError(t, err)
	var test reports.SelfTest
	require.NoError(t, json.Unmarshal(raw, &test))
	assert.Equal(t, reports.SelfTestSchema, test.Schema)
	assert.True(t, test.Partial)
	require.Len(t, test.Gateways, 2)
	for _, g := range test.Gateways {
		assert.Empty(t, g.Mistakes, g.Name)
		assert.Equal(t, g.Theme != "", len(g.Kills) > 0, g.Name)
	}
	page, err := os.ReadFile(filepath.Join(dir, "selftest.html"))
	require.NoError(t, err)
	assert.Contains(t, string(page), `<tr data-row="done-after-the-error">`)
}

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
	profile := serveGateway(t, "--mutant", "unknown-model-as-503,retry-after-missing,http2")
	code, stdout, stderr := invoke(t.Context(), "run", "--target", profile, "--out", t.TempDir(), "--surfaces", "chat",
		"--rows", "http:404", "--rows", "http:429", "--rows", "code:bad_request_body")
	assert.Equal(t, exitNotConformant, code, stdout+stderr)
	for _, line := range []string{"✗ 404 ", "! 429 ", "✓ bad_request_body "} {
		assert.True(t, strings.Contains(stdout, "\n"+line), "%q in\n%s", line, stdout)
	}
}
