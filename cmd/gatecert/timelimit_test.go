package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestARunEndsAtItsTimeLimit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	code, stdout, stderr := invoke(t.Context(), append(shortRun, "--time-limit", "1ms", "--out", dir)...)
	assert.Equal(t, exitIncomplete, code, stdout+stderr)
	assert.NotContains(t, stderr, "the run stops after", "it never began")
	assert.Contains(t, stderr, "the time limit was exceeded: the run took longer than 1ms; increase --time-limit")
	assert.Empty(t, contents(t, dir), "it never began")

	// Two seconds are enough for the control calls, on most machines, and for no whole run.
	code, stdout, stderr = invoke(t.Context(), "run", "--time-limit", "2s", "--concurrency", "1", "--out", dir)
	assert.Equal(t, exitIncomplete, code, stderr)
	if run, err := readLog(dir); err == nil {
		assert.Contains(t, stdout, "INCOMPLETE")
		assert.Contains(t, stderr, "the run takes at most 2s (--time-limit)\n")
		require.NotNil(t, run.Footer)
		assert.True(t, run.Footer.Interrupted)
		assert.Contains(t, run.Footer.Notes, "the time limit was exceeded: the run took longer than 2s; increase --time-limit")
	}
	code, _, _ = invoke(t.Context(), append(shortRun, "--time-limit=-1s", "--out", dir)...)
	assert.Equal(t, exitUsage, code)
}
