package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestADeclaredRateLimitIsVerified(t *testing.T) {
	profile, dir := serveGateway(t, "--limiter", "fixed-window", "--rate", "5", "--window", "1s"), t.TempDir()
	code, stdout, stderr := invoke(t.Context(), "load", "rate-limit", "--target", profile, "--out", dir)
	assert.Equal(t, exitConformant, code, stdout+stderr)
	assert.Regexp(t, `plan: load cases on http://127.0.0.1:\d+: at most \d+ calls over the limit of 5 in 1s, for at most [\dms]+ on chat\n`, stderr)
	assert.Contains(t, stdout, "fixed-window of 5 in 1s")
	assert.Contains(t, stdout, "held     limit-exact")
	assert.Contains(t, stdout, "held     key-isolation")
	assert.Contains(t, stdout, "responses/s   + admitted   - refused", "the course is drawn")
	assert.Contains(t, stdout, "PASS: 1 of 1 selected case passes (http:429, level full).")
	assertLogHolds(t, dir, "http:429/over-rate-limit/chat/under-load")
}

// assertLogHolds checks that a folder has the log of a complete run of exactly these cases, with a load summary each.
func assertLogHolds(t *testing.T, dir string, ids ...string) {
	t.Helper()
	run, err := readLog(dir)
	require.NoError(t, err)
	assert.True(t, run.Complete(), run.Incomplete())
	var got []string
	for _, c := range run.Cases {
		got = append(got, c.ID)
		if assert.NotNil(t, c.Load, c.ID) {
			assert.NotEmpty(t, c.Load.Spans, c.ID)
		}
	}
	assert.Equal(t, ids, got)
	assert.FileExists(t, filepath.Join(dir, "report.html"))
	assert.FileExists(t, filepath.Join(dir, "junit.xml"))
}

func TestALimitThatNobodyDeclaresIsInferred(t *testing.T) {
	url, key := baseURL(t, serveGateway(t))
	code, stdout, stderr := invoke(t.Context(), "load", "rate-limit", url, "--key", key, "--model", "gc-chat", "--calls", "300", "--for", "20s", "--out", t.TempDir())
	assert.Equal(t, exitConformant, code, stdout+stderr)
	assert.Contains(t, stderr, "plan: at most 300 calls in at most 20s, to "+url)
	assert.Contains(t, stdout, "limiter   none", "the valid key has no limit")
}

func TestALoadIsNotSentElsewhereWithoutAYes(t *testing.T) {
	code, _, stderr := invoke(t.Context(), "load", "rate-limit", "http://gateway.invalid", "--key", "k", "--model", "m")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "--yes sends it")
}

func TestALimiterThatMakesNoSense(t *testing.T) {
	for _, flags := range [][]string{{"--burst", "3"}, {"--limiter", "leaky"}, {"--rate", "0", "--window", "1s"}, {"--window", "1h"}} {
		code, _, stderr := invoke(t.Context(), append([]string{"gateway", "--listen", "127.0.0.1:0"}, flags...)...)
		assert.Equal(t, exitUsage, code, "%v: %s", flags, stderr)
	}
}
