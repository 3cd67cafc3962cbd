package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/internal/freeport"
)

// The log of the earlier run is evidence: it stays until the next run has a header.
func TestARunThatDoesNotBeginLeavesTheEarlierOne(t *testing.T) {
	dir := t.TempDir()
	code, _, stderr := invoke(t.Context(), "run", "--rows", "http:404", "--surfaces", "chat", "--out", dir)
	require.Equal(t, exitConformant, code, stderr)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600))
	before := contents(t, dir)
	code, _, stderr = invoke(t.Context(), "run", "http://"+freeport.Address(t), "--key", "k", "--model", "m", "--out", dir)
	assert.Equal(t, exitHarness, code, stderr)
	assert.Equal(t, before, contents(t, dir))
}

// A usage error says nothing about the earlier run in the folder.
func TestACommandLineThatIsRefusedLeavesTheEarlierRun(t *testing.T) {
	dir := t.TempDir()
	code, _, stderr := invoke(t.Context(), "run", "--rows", "http:404", "--surfaces", "chat", "--out", dir)
	require.Equal(t, exitConformant, code, stderr)
	before, err := os.ReadFile(filepath.Join(dir, "run.ndjson"))
	require.NoError(t, err)
	code, _, _ = invoke(t.Context(), "run", "--rows", "htp:404", "--out", dir)
	assert.Equal(t, exitUsage, code)
	after, err := os.ReadFile(filepath.Join(dir, "run.ndjson"))
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after))
	assert.FileExists(t, filepath.Join(dir, "report.html"))
}
