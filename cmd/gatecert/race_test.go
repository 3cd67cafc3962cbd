//go:build race

package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What clock_test.go judges, for the race detector. The verdicts depend on how busy this machine is.
func TestLoadWithTheRaceDetector(t *testing.T) {
	t.Parallel() // it mostly waits
	for _, args := range [][]string{
		{"load", "rate-limit"},
		{"load", "timeout", "--surface", "messages"},
	} {
		dir := t.TempDir()
		_, stdout, stderr := invoke(t.Context(), append(args, "--out", dir)...)
		run, err := readLog(dir)
		require.NoError(t, err, stdout+stderr)
		assert.True(t, run.Complete(), run.Incomplete())
	}
	for _, args := range [][]string{
		{"load", "capacity", "--from", "10", "--to", "20", "--latency", "20s", "--short", "100ms", "--full", "200ms", "--repeats", "2", "--rounds", "5"},
		{"load", "soak", "--rate", "20", "--for", "1s", "--surface", "messages-stream"},
	} {
		code, stdout, stderr := invoke(t.Context(), append(args, "--out", t.TempDir())...)
		assert.Contains(t, []int{exitConformant, exitHarness}, code, stdout+stderr)
		assert.Contains(t, stdout, "verdict   ")
	}
}
