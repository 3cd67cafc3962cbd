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
	"github.com/gatecert/gatecert/targets/reference"
)

// A deviation for each of a few kinds of bend, and the variation that changes most. All of them are make selftest's.
func TestSelftestTriesGateways(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the whole contract four times")
	}
	dir := t.TempDir()
	code, stdout, stderr := invoke(t.Context(), "selftest", "--parallel", "1", "--out", dir,
		"--deviation", "done-after-the-error", "--deviation", "provider-asked-before-the-money",
		"--deviation", "wrong-key-remembered-as-403", "--variation", "http2")
	require.Equal(t, exitConformant, code, stdout+stderr)
	assert.Contains(t, stdout, "the harness catches what it claims to: 3 deviations in exactly their cases, 1 variation without an alarm (")
	assert.Contains(t, stderr, "4 of 4 gateways tried")

	raw, err := os.ReadFile(filepath.Join(dir, "selftest.json"))
	require.NoError(t, err)
	var test reports.SelfTest
	require.NoError(t, json.Unmarshal(raw, &test))
	assert.Equal(t, reports.SelfTestSchema, test.Schema)
	assert.True(t, test.Partial)
	require.Len(t, test.Trials, 4)
	for _, trial := range test.Trials {
		assert.Empty(t, trial.Faults, trial.Name)
		assert.Equal(t, trial.Theme != "", len(trial.Turned) > 0, trial.Name)
	}
	page, err := os.ReadFile(filepath.Join(dir, "selftest.html"))
	require.NoError(t, err)
	assert.Contains(t, string(page), `<tr data-row="done-after-the-error">`)
}

func TestSelftestOfWhatThereIsNot(t *testing.T) {
	for name, args := range map[string][]string{
		"a deviation":  {"selftest", "--deviation", "nosuch"},
		"a variation":  {"selftest", "--variation", "nosuch"},
		"parallelism":  {"selftest", "--parallel", "0"},
		"to deviate":   {"gateway", "--listen", "127.0.0.1:0", "--deviate", "nosuch"},
		"no place for": {"gateway", "--listen", "127.0.0.1:0", "--deviate", "http2"},
	} {
		code, _, stderr := invoke(t.Context(), args...)
		assert.Equal(t, exitUsage, code, "%s: %s", name, stderr)
	}
}

func TestEveryDeviationAndVariationIsListed(t *testing.T) {
	code, deviations, _ := invoke(t.Context(), "list", "deviations")
	require.Equal(t, exitConformant, code)
	for _, d := range reference.Deviations() {
		assert.Contains(t, deviations, " "+d.Name+" ")
		assert.Contains(t, deviations, d.Sentence)
	}
	code, variations, _ := invoke(t.Context(), "list", "variations")
	require.Equal(t, exitConformant, code)
	for _, v := range reference.Variations() {
		assert.Contains(t, variations, " "+v.Name+" ")
	}
}

// A gateway that deviates in two ways over a connection that differs in a third, as others would certify it.
func TestADeviatingGatewayIsServed(t *testing.T) {
	profile := serveGateway(t, "--deviate", "unknown-model-as-503,retry-after-missing,http2")
	code, stdout, stderr := invoke(t.Context(), "run", "--target", profile, "--out", t.TempDir(), "--surfaces", "chat",
		"--rows", "http:404", "--rows", "http:429", "--rows", "code:bad_request_body")
	assert.Equal(t, exitNotConformant, code, stdout+stderr)
	for _, line := range []string{"✗ 404 ", "! 429 ", "✓ bad_request_body "} {
		assert.True(t, strings.Contains(stdout, "\n"+line), "%q in\n%s", line, stdout)
	}
}
