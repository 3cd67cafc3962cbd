package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestALimitThatNobodyDeclaresIsInferred(t *testing.T) {
	t.Parallel()
	url, key := baseURL(t, serveGateway(t))
	code, stdout, stderr := invoke(t.Context(), "load", "rate-limit", url, "--key", key, "--model", "gc-chat", "--calls", "300", "--for", "45s", "--out", t.TempDir())
	assert.Equal(t, exitConformant, code, stdout+stderr)
	assert.Contains(t, stderr, "plan: at most 300 calls in at most 45s, to "+url)
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
