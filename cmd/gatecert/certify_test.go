//go:build !race

// These run cases one command after the other, as the tests of the root package do with the race detector.

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestACertificateFromTheKeyToItsVerification(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	code, stdout, stderr := invoke(t.Context(), "keygen", key)
	require.Equal(t, exitConformant, code, stderr)
	assert.Equal(t, key+".pem\n"+key+".pub.pem\n", stdout)
	info, err := os.Stat(key + ".pem")
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	code, _, stderr = invoke(t.Context(), "keygen", key)
	assert.Equal(t, exitUsage, code, "a key is not overwritten")
	assert.Contains(t, stderr, "exists, and gatecert does not overwrite keys")

	out := filepath.Join(dir, "run")
	code, _, stderr = invoke(t.Context(), "run", "--surfaces", "chat", "--level", "relay", "--out", out)
	require.Equal(t, exitConformant, code, stderr)
	code, stdout, stderr = invoke(t.Context(), "certify", out, "--key", key+".pem")
	require.Equal(t, exitConformant, code, stderr)
	assert.Contains(t, stdout, "certified with the result partial: conformant at level relay")
	code, stdout, stderr = invoke(t.Context(), "verify", out, "--key", key+".pub.pem")
	assert.Equal(t, exitConformant, code, stderr)
	assert.Contains(t, stdout, "verified, partial: reference")

	t.Run("one changed byte of the log is found", func(t *testing.T) {
		log, err := os.ReadFile(filepath.Join(out, "run.ndjson"))
		require.NoError(t, err)
		forged := filepath.Join(t.TempDir(), "run.ndjson")
		require.NoError(t, os.WriteFile(forged, bytes.Replace(log, []byte(`"verdict":"pass"`), []byte(`"verdict":"warn"`), 1), 0o600))
		code, stdout, stderr := invoke(t.Context(), "verify", forged, "--key", key+".pub.pem", "--certificate", out)
		assert.Equal(t, exitNotConformant, code)
		assert.Empty(t, stdout)
		assert.Contains(t, stderr, "not verified: ")
		assert.Contains(t, stderr, "has the verdict warn, but the verdict computed from its observation is pass")
		code, _, stderr = invoke(t.Context(), "certify", forged, "--key", key+".pem")
		assert.Equal(t, exitNotConformant, code)
		assert.Contains(t, stderr, "the log does not prove its verdicts")
	})
	t.Run("a log cut off is found", func(t *testing.T) {
		log, err := os.ReadFile(filepath.Join(out, "run.ndjson"))
		require.NoError(t, err)
		cut := filepath.Join(t.TempDir(), "run.ndjson")
		require.NoError(t, os.WriteFile(cut, log[:len(log)/2], 0o600))
		code, _, _ := invoke(t.Context(), "verify", cut, "--key", key+".pub.pem", "--certificate", out)
		assert.Equal(t, exitNotConformant, code)
	})
	t.Run("what is missing or no key is a usage error", func(t *testing.T) {
		for _, args := range [][]string{
			{"verify", out, "--key", key + ".none"},
			{"verify", out, "--key", filepath.Join(out, "run.ndjson")},
			{"verify", dir, "--key", key + ".pub.pem"},
			{"verify", out, "--key", key + ".pub.pem", "--certificate", dir},
			{"certify", out, "--key", key + ".pub.pem"},
			{"certify", out},
		} {
			code, _, stderr := invoke(t.Context(), args...)
			assert.Equal(t, exitUsage, code, "%v: %s", args, stderr)
		}
	})
}

func TestAFailingGatewayIsCertifiedAsFailing(t *testing.T) {
	t.Parallel()
	gateway := serveFaultyGateway(t)
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	known := filepath.Join(dir, "known.yaml")
	code, _, stderr := invoke(t.Context(), "keygen", key)
	require.Equal(t, exitConformant, code, stderr)
	require.NoError(t, os.WriteFile(known, []byte("expected_failures:\n  - {case: '*/*-model/**', reason: known}\n"), 0o600))
	for _, extra := range [][]string{nil, {"--baseline", known}} {
		out := t.TempDir()
		gateway.run(t, out, extra...)
		code, stdout, stderr := invoke(t.Context(), "certify", out, "--key", key+".pem")
		assert.Equal(t, exitNotConformant, code, stderr)
		assert.Contains(t, stdout, "certified with the result failure")
		assert.Empty(t, stderr)
		code, stdout, stderr = invoke(t.Context(), "verify", out, "--key", key+".pub.pem")
		assert.Equal(t, exitNotConformant, code, stderr)
		assert.Contains(t, stdout, "verified, failure")
	}
}
