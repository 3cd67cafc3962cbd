package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAnOutageIsPlayed(t *testing.T) {
	dir := t.TempDir()
	code, stdout, stderr := invoke(t.Context(), "load", "timeout", "--surface", "messages", "--out", dir)
	assert.Equal(t, exitConformant, code, stdout+stderr)
	assert.Regexp(t, `plan: load cases on http://127.0.0.1:\d+: usually \d+ requests in about`, stderr)
	assert.Contains(t, stdout, "held     in-time")
	assert.Contains(t, stdout, "held     healthy-served")
	assert.Contains(t, stdout, "PASS: 2 of 2 selected cases pass (http:5xx, code:channel:response_time_exceeded, level full).")
	assertLogHolds(t, dir, "http:5xx/upstream-error/messages/under-load", "code:channel:response_time_exceeded/slow-upstream/messages/under-load")
}

func TestEndpointsWithoutLoadCases(t *testing.T) {
	for _, args := range [][]string{
		{"load", "timeout", "--surface", "embeddings"},
		{"load", "timeout", "--surface", "telegraph"},
		{"load", "rate-limit", "--surface", "chat-stream"},
	} {
		code, _, stderr := invoke(t.Context(), append(args, "--out", t.TempDir())...)
		assert.Equal(t, exitUsage, code, "%v: %s", args, stderr)
		assert.Contains(t, stderr, `must be one of ["chat" "responses" "messages" "gemini"]`, args)
	}
}
