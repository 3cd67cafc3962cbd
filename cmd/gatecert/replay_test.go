//go:build !race

// These run cases one command after the other, as the tests of the root package do with the race detector.

package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReplay(t *testing.T) {
	t.Parallel()
	const failing, passing = "code:model_not_found/absent-model/chat", "http:401/missing-key/chat"
	gateway := serveFaultyGateway(t)
	out := t.TempDir()
	code, _, stderr := gateway.run(t, out)
	require.Equal(t, exitNotConformant, code, stderr)

	code, stdout, stderr := invoke(t.Context(), "replay", failing, "--from", out, "--target", gateway.profile)
	assert.Equal(t, exitNotConformant, code, stderr)
	assert.Contains(t, stdout, "✗ "+failing+"\n")
	assert.Contains(t, stdout, "  curl     curl -sS")
	assert.Contains(t, stdout, "\nstill failing.\n")

	code, stdout, _ = invoke(t.Context(), "replay", passing, "--from", out, "--target", gateway.profile)
	assert.Equal(t, exitConformant, code)
	assert.Contains(t, stdout, "\nstill passing.\n")

	code, _, stderr = invoke(t.Context(), "replay", failing, "--from", out)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "logs do not contain keys: pass the profile of ")

	gateway.fixed.Store(true)
	code, stdout, stderr = invoke(t.Context(), "replay", failing, "--from", out, "--target", gateway.profile)
	assert.Equal(t, exitConformant, code, stderr)
	assert.Contains(t, stdout, "before: ✗ MUST status-class: got 503, want 404\nfixed.\n")

	repaired := t.TempDir()
	code, _, stderr = gateway.run(t, repaired)
	require.Equal(t, exitConformant, code, stderr)
	gateway.fixed.Store(false)
	code, stdout, _ = invoke(t.Context(), "replay", failing, "--from", repaired, "--target", gateway.profile)
	assert.Equal(t, exitNotConformant, code)
	assert.Contains(t, stdout, "\ndifferent.\n")

	code, _, stderr = invoke(t.Context(), "replay", "http:418/teapot/chat", "--from", out, "--target", gateway.profile)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, `the run contains no case "http:418/teapot/chat"`)
}

func TestReplayKnowsTheTargetFromTheLog(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	code, _, stderr := invoke(t.Context(), "run", "--rows", "http:401", "--surfaces", "chat", "--out", out)
	require.Equal(t, exitConformant, code, stderr)
	code, stdout, stderr := invoke(t.Context(), "replay", "http:401/missing-key/chat", "--from", out)
	assert.Equal(t, exitConformant, code, stderr)
	assert.Contains(t, stdout, "still passing")
}

func TestReplayOfABareURL(t *testing.T) {
	profile := serveGateway(t)
	url, key := baseURL(t, profile)
	ctx := t.Context()
	out := t.TempDir()
	code, _, stderr := invoke(ctx, "run", url, "--key", key, "--model", "gc-chat", "--surfaces", "chat", "--rows", "http:401", "--out", out)
	require.Equal(t, exitConformant, code, stderr)
	code, stdout, stderr := invoke(ctx, "replay", "http:401/missing-key/chat", "--from", out, "--key", key)
	assert.Equal(t, exitConformant, code, stderr)
	assert.Contains(t, stdout, "still passing")
	t.Setenv("GATEWAY_KEY", "")
	code, _, stderr = invoke(ctx, "replay", "http:401/missing-key/chat", "--from", out)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "logs do not contain keys: pass a valid key of "+url)
}
