//go:build !race

// These run cases one command after the other, as the tests of the root package do with the race detector.

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The reference gateway without its codes is judged by table 1, in every report, in the certificate and in a replay.
func TestAClaimStandsInEveryReport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	code, stdout, stderr := invoke(t.Context(), "run", "--level", "relay", "--surfaces", "chat", "--claim", "codes=none", "--claim", "client_keys=false",
		"--format", "html,json,junit,md,badge", "--out", dir)
	require.Equal(t, exitConformant, code, stdout+stderr)
	assert.Contains(t, stdout, "level relay  table 1, no codes, no client keys\n")
	assert.Contains(t, stdout, "conformant at level relay to table 1; the gateway claims no codes; the gateway issues no client keys: ")
	for file, want := range map[string]string{
		"report.html": "table 1, no codes, no client keys", "report.json": `"claim": "table 1, no codes, no client keys"`,
		"junit.xml": "table 1, no codes, no client keys", "summary.md": ", table 1, no codes, no client keys\n", "badge.json": "gatecert relay, table 1",
		"run.ndjson": `"claims":{"codes":{"none":true},"no_client_keys":true}`,
	} {
		raw, err := os.ReadFile(filepath.Join(dir, file))
		require.NoError(t, err)
		assert.Contains(t, string(raw), want, file)
	}
	log, err := os.ReadFile(filepath.Join(dir, "run.ndjson"))
	require.NoError(t, err)
	assert.Contains(t, string(log), `"reason":"the gateway has no client keys (claims.client_keys: false)"`)

	code, stdout, stderr = invoke(t.Context(), "replay", "--from", dir, "code:model_not_found/absent-model/chat")
	require.Equal(t, exitConformant, code, stdout+stderr)
	assert.Contains(t, stdout, "still passing")
}

func TestExplainKnowsTheClaim(t *testing.T) {
	_, stdout, _ := invoke(t.Context(), "explain", "model_not_found", "--claim", "codes=none")
	assert.Contains(t, stdout, "claim         the gateway does not claim to use the contract's error codes, so everything except the code is judged\n")
	_, stdout, _ = invoke(t.Context(), "explain", "401", "--claim", "client_keys=false")
	assert.Contains(t, stdout, "claim         the gateway has no client keys, so the cases of this circumstance are not offered\n")
	own := filepath.Join(t.TempDir(), "own.yaml")
	require.NoError(t, os.WriteFile(own, []byte("base_url: http://a\nclaims: {codes: {model_not_found: [NoModel, Gone]}}\n"), 0o600))
	_, stdout, _ = invoke(t.Context(), "explain", "model_not_found", "--target", own)
	assert.Contains(t, stdout, `claim         the gateway's own code is "NoModel" or "Gone"`+"\n")
}
