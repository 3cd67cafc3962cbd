package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestADeclaredRateLimitIsVerified(t *testing.T) {
	profile := serveGateway(t, "--limiter", "fixed-window", "--rate", "5", "--window", "1s")
	code, stdout, stderr := invoke(t.Context(), "load", "rate-limit", "--target", profile)
	assert.Equal(t, exitConformant, code, stdout+stderr)
	assert.Contains(t, stderr, "plan: at most 4000 calls in at most 3m0s")
	assert.Contains(t, stdout, "fixed-window of 5 in 1s")
	assert.Contains(t, stdout, "held      limit-exact")
	assert.Contains(t, stdout, "held      key-isolation")
}

func TestALoadIsNotSentElsewhereWithoutAYes(t *testing.T) {
	code, _, stderr := invoke(t.Context(), "load", "rate-limit", "http://gateway.invalid", "--key", "k", "--model", "m")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "--yes sends it")
	code, _, stderr = invoke(t.Context(), "load", "rate-limit", "--surface", "telegraph")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, `no surface "telegraph"`)
}

func TestALimiterThatMakesNoSense(t *testing.T) {
	for _, flags := range [][]string{{"--burst", "3"}, {"--limiter", "leaky"}, {"--rate", "0", "--window", "1s"}, {"--window", "1h"}} {
		code, _, stderr := invoke(t.Context(), append([]string{"gateway", "--listen", "127.0.0.1:0"}, flags...)...)
		assert.Equal(t, exitUsage, code, "%v: %s", flags, stderr)
	}
}

func TestWhatStaysOnThisMachine(t *testing.T) {
	for url, want := range map[string]bool{
		"http://127.0.0.1:1": true, "http://localhost": true, "http://[::1]:8080/x": true,
		"http://10.0.0.1": false, "https://gateway.example": false, "http://127.0.0.1.example": false, "://": false,
	} {
		assert.Equal(t, want, staysHere(url), url)
	}
}
