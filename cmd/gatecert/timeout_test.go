package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEndpointsWithoutLoadCases(t *testing.T) {
	for _, args := range [][]string{
		{"load", "timeout", "--surface", "embeddings"},
		{"load", "timeout", "--surface", "telegraph"},
		{"load", "rate-limit", "--surface", "chat-stream"},
	} {
		code, _, stderr := invoke(t.Context(), append(args, "--out", t.TempDir())...)
		assert.Equal(t, exitUsage, code, "%v: %s", args, stderr)
		assert.Contains(t, stderr, `use one of chat, responses, messages, gemini`, args)
	}
}
