//go:build !race

// The whole contract, which the root package plays too: make test-whole.

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/reports"
)

// Mutants with a few kinds of hook, and the permitted behaviour that changes most. make selftest tests all of them.
func TestSelftestTestsGateways(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	code, stdout, stderr := invoke(t.Context(), "selftest", "--parallel", "1", "--out", dir,
		"--mutant", "done-after-the-error", "--permitted", "http2")
	require.Equal(t, exitConformant, code, stdout+stderr)
	assert.Contains(t, stdout, "self-test passed: 1 mutant killed in exactly the expected cases; 1 permitted behaviour raised no false alarm (")
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

func TestAProfileFromTheGatewayCommandIsUsedAsItIs(t *testing.T) {
	t.Parallel()
	profile := serveGateway(t)
	code, stdout, stderr := invoke(t.Context(), "run", "--target", profile, "--out", t.TempDir())
	assert.Equal(t, exitConformant, code, stdout+stderr)
	assert.Contains(t, stdout, "conformant at level full without load cases: 32 of 32 rows pass.")
}

// The blocks of the documents, with all cases and with those that take long.
func TestTheDocumentsRunWhole(t *testing.T) {
	t.Parallel()
	runDocuments(t, true)
}
