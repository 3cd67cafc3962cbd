//go:build !race

// These run cases one command after the other, as the tests of the root package do with the race detector.

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMatrixAndDiffOfTwoRuns(t *testing.T) {
	t.Parallel()
	gateway := serveFaultyGateway(t)
	broken, repaired, dir := t.TempDir(), t.TempDir(), t.TempDir()
	code, _, stderr := gateway.run(t, broken)
	require.Equal(t, exitNotConformant, code, stderr)
	gateway.fixed.Store(true)
	code, _, stderr = gateway.run(t, repaired)
	require.Equal(t, exitConformant, code, stderr)

	t.Run("diff says what got better", func(t *testing.T) {
		code, stdout, stderr := invoke(t.Context(), "diff", broken, repaired)
		assert.Equal(t, exitConformant, code, stderr)
		assert.Contains(t, stdout, "code:model_not_found/absent-model/chat\n      fail → pass\n")
		assert.Contains(t, stdout, "4 better, ")
	})
	t.Run("and exits 1 when something got worse", func(t *testing.T) {
		code, stdout, stderr := invoke(t.Context(), "diff", repaired, filepath.Join(broken, "run.ndjson"))
		assert.Equal(t, exitNotConformant, code)
		assert.Contains(t, stdout, "pass → fail  MUST status-class: got 503, want 404")
		assert.Empty(t, stderr, "it was told already")
	})
	t.Run("a run against itself has not changed", func(t *testing.T) {
		code, stdout, _ := invoke(t.Context(), "diff", broken, broken)
		assert.Equal(t, exitConformant, code)
		assert.Regexp(t, `\n\d+ unchanged\.\n$`, stdout)
	})
	t.Run("formats go into a file", func(t *testing.T) {
		out := filepath.Join(dir, "diff.json")
		code, stdout, _ := invoke(t.Context(), "diff", repaired, broken, "--format", "json", "--out", out)
		assert.Equal(t, exitNotConformant, code)
		assert.Empty(t, stdout)
		var diff struct {
			Schema string
			Counts map[string]int
		}
		raw, err := os.ReadFile(out)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(raw, &diff))
		assert.Equal(t, "gatecert.diff/1", diff.Schema)
		assert.Equal(t, 4, diff.Counts["worse"])
	})
	t.Run("an incomplete new run is not a success", func(t *testing.T) {
		cut := filepath.Join(dir, "cut.ndjson")
		raw, err := os.ReadFile(filepath.Join(repaired, "run.ndjson"))
		require.NoError(t, err)
		lines := strings.SplitAfter(string(raw), "\n")
		require.NoError(t, os.WriteFile(cut, []byte(strings.Join(lines[:len(lines)-2], "")), 0o600))
		code, stdout, _ := invoke(t.Context(), "diff", broken, cut)
		assert.Equal(t, exitIncomplete, code, stdout)
	})
	t.Run("runs with nothing in common cannot be compared", func(t *testing.T) {
		other := t.TempDir()
		code, _, stderr := invoke(t.Context(), "run", "--target", gateway.profile, "--rows", "http:400", "--surfaces", "messages", "--out", other)
		require.Equal(t, exitConformant, code, stderr)
		code, _, stderr = invoke(t.Context(), "diff", broken, other)
		assert.Equal(t, exitIncomplete, code)
		assert.Contains(t, stderr, "the runs have no case in common")
	})
	t.Run("matrix has a column for each", func(t *testing.T) {
		code, stdout, stderr := invoke(t.Context(), "matrix", broken, repaired)
		assert.Equal(t, exitConformant, code, stderr)
		assert.Contains(t, stdout, "✗ model_not_found                ✗ ✓\n")
		assert.Contains(t, stdout, "2 targets: 30 of 32 rows agree, 2 differ.")
		for format, want := range map[string]string{"html": "<!doctype html>", "md": "## gatecert: 2 targets side by side", "json": `"schema": "gatecert.matrix/1"`} {
			code, stdout, stderr := invoke(t.Context(), "matrix", broken, repaired, "--format", format)
			assert.Equal(t, exitConformant, code, stderr)
			assert.Contains(t, stdout, want)
		}
	})
	t.Run("a file that is not a run is refused", func(t *testing.T) {
		code, _, _ := invoke(t.Context(), "matrix", broken, dir)
		assert.Equal(t, exitUsage, code)
		code, _, _ = invoke(t.Context(), "matrix", broken, "--format", "pdf")
		assert.Equal(t, exitUsage, code)
	})
}
