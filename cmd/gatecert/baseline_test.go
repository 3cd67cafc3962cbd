//go:build !race

// These run cases one command after the other, as the tests of the root package do with the race detector.

package main

import (
	"bytes"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/internal/freeport"
	"github.com/gatecert/gatecert/targets/reference"
)

// faultyGateway is a reference gateway that answers 503 where a model does not exist, until it is fixed.
type faultyGateway struct {
	profile string // the path of its profile
	fixed   atomic.Bool
}

func serveFaultyGateway(t *testing.T) *faultyGateway {
	t.Helper()
	upstream := freeport.Address(t)
	gateway, err := reference.New(t.Context(), reference.Options{Upstream: "http://" + upstream})
	require.NoError(t, err)
	b := &faultyGateway{profile: filepath.Join(t.TempDir(), "faulty.yaml")}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b.fixed.Load() {
			gateway.ServeHTTP(w, r)
			return
		}
		record := httptest.NewRecorder()
		gateway.ServeHTTP(record, r)
		maps.Copy(w.Header(), record.Header())
		if bytes.Contains(record.Body.Bytes(), []byte("model_not_found")) {
			record.Code = http.StatusServiceUnavailable
		}
		w.WriteHeader(record.Code)
		_, _ = w.Write(record.Body.Bytes())
	}))
	t.Cleanup(func() {
		server.Close()
		assert.NoError(t, gateway.Close())
	})
	profile, err := yaml.Marshal(gateway.Profile(server.URL, upstream))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(b.profile, profile, 0o600))
	return b
}

// run certifies a few rows of the gateway, of which two fail.
func (b *faultyGateway) run(t *testing.T, dir string, extra ...string) (code int, stdout, stderr string) {
	t.Helper()
	return invoke(t.Context(), append([]string{
		"run", "--target", b.profile, "--rows", "http:404,code:model_not_found,http:401", "--surfaces", "chat,embeddings", "--out", dir,
	}, extra...)...)
}

func TestABaselineFromTheFirstRunToItsLastEntry(t *testing.T) {
	t.Parallel()
	gateway := serveFaultyGateway(t)
	dir := t.TempDir()
	known := filepath.Join(dir, "known.yaml")

	code, stdout, stderr := gateway.run(t, dir)
	require.Equal(t, exitNotConformant, code, stdout+stderr)

	code, _, stderr = gateway.run(t, dir, "--baseline", known)
	assert.Equal(t, exitUsage, code, "a baseline that is not there is not an empty one")
	assert.Contains(t, stderr, "known.yaml: no such file")

	code, stdout, stderr = gateway.run(t, dir, "--baseline", known, "--update-baseline")
	require.Equal(t, exitConformant, code, stdout+stderr)
	assert.Contains(t, stdout, known+": 4 entries (previously 0)\n")
	written, err := os.ReadFile(known)
	require.NoError(t, err)
	assert.Contains(t, string(written), "  - case: code:model_not_found/absent-model/chat\n    reason: \"MUST status-class: got 503, want 404\"\n")

	code, stdout, stderr = gateway.run(t, dir, "--baseline", known)
	assert.Equal(t, exitConformant, code, stdout+stderr)
	assert.Contains(t, stdout, "2 fail as expected")
	code, _, _ = invoke(t.Context(), "report", dir)
	assert.Equal(t, exitConformant, code, "the log has the verdicts as the baseline left them")

	gateway.fixed.Store(true)
	code, stdout, _ = gateway.run(t, dir, "--baseline", known)
	assert.Equal(t, exitBaseline, code, "what is listed and passes is an error")
	assert.Contains(t, stdout, "note: Baseline out of date (exit 4): known.yaml:10: http:404/unknown-model/chat: the entry expects failures, but 1 of 1 case passed")
	code, _, _ = invoke(t.Context(), "report", dir)
	assert.Equal(t, exitBaseline, code, "and the log keeps it")

	code, stdout, stderr = gateway.run(t, dir, "--baseline", known, "--update-baseline")
	assert.Equal(t, exitConformant, code, stdout+stderr)
	assert.Contains(t, stdout, known+": 0 entries (previously 4)\n")
	code, _, _ = gateway.run(t, dir, "--baseline", known)
	assert.Equal(t, exitConformant, code)
}

func TestBaselinesThatDoNotHold(t *testing.T) {
	t.Parallel()
	gateway := serveFaultyGateway(t)
	for _, tt := range []struct {
		name, entries string
		code          int
		want          string
	}{
		{"everything is listed", "  - {case: '*/*-model/**', reason: known}\n", exitConformant, "fail as expected"},
		{"a failure is missing, and its entry is proposed", "  - {case: 'http:404/*-model/**', reason: known}\n", exitNotConformant,
			"To accept these failures, add these entries to the baseline and replace each reason with your own:\n  - case: code:model_not_found/absent-model/chat\n"},
		{"an entry names no case", "  - {case: '*/*-model/**', reason: known}\n  - {case: 'http:418/**', reason: tea}\n", exitBaseline, "known.yaml:3: http:418/**: the entry matches no case of the contract"},
		{"an entry has expired", "  - {case: '*/*-model/**', reason: known, expires: 2020-01-01}\n", exitBaseline, "known.yaml:2: */*-model/**: the entry expired on 2020-01-01"},
		{"a passing case is listed", "  - {case: '**', reason: all of it}\n", exitBaseline, "known.yaml:2: **: the entry expects failures, but"},
		{"a new failure matters more than a stale entry", "  - {case: 'http:418/**', reason: tea}\n", exitNotConformant, "matches no case of the contract"},
		{"entries about what was not asked for are left alone", "  - {case: '*/*-model/**', reason: known}\n  - {case: 'http:429/**', reason: no limits yet}\n", exitConformant, "fail as expected"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			known := filepath.Join(dir, "known.yaml")
			require.NoError(t, os.WriteFile(known, []byte("expected_failures:\n"+tt.entries), 0o600))
			code, stdout, stderr := gateway.run(t, dir, "--baseline", known)
			assert.Equal(t, tt.code, code, stdout+stderr)
			assert.Contains(t, stdout, tt.want)
		})
	}
}

func TestARunsOwnResultIsABaseline(t *testing.T) {
	t.Parallel()
	gateway := serveFaultyGateway(t)
	first := t.TempDir()
	code, _, _ := gateway.run(t, first)
	require.Equal(t, exitNotConformant, code)
	for _, file := range []string{"", "run.ndjson", "verdicts.txt"} {
		code, stdout, stderr := gateway.run(t, t.TempDir(), "--baseline", filepath.Join(first, file))
		assert.Equal(t, exitConformant, code, stdout+stderr)
	}
	code, _, stderr := gateway.run(t, t.TempDir(), "--baseline", filepath.Join(first, "verdicts.txt"), "--update-baseline")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, ", which is the result of a run: use --baseline to specify a YAML file")
}

func TestSetupErrorsAreNeverExcused(t *testing.T) {
	dir := t.TempDir()
	known := filepath.Join(dir, "known.yaml")
	require.NoError(t, os.WriteFile(known, []byte("expected_failures:\n  - {case: '**', reason: everything}\n"), 0o600))
	url, _ := baseURL(t, serveGateway(t))
	const key = "sk-was-never-issued"
	for _, extra := range [][]string{nil, {"--update-baseline"}} {
		// With a key that the gateway does not know no control succeeds, and nothing can be judged.
		code, stdout, stderr := invoke(t.Context(), append([]string{"run", url, "--key", key, "--model", "gc-chat", "--out", dir, "--baseline", known}, extra...)...)
		assert.Equal(t, exitHarness, code, stdout+stderr)
		assert.NotContains(t, stdout, "fails as expected")
	}
}

func TestCommandLinesAroundTheBaseline(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	require.NoError(t, os.WriteFile(bad, []byte("expected_failures:\n  - case: x\n    reson: y\n"), 0o600))
	code, _, stderr := invoke(t.Context(), "run", "--baseline", bad, "--out", t.TempDir())
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, `bad.yaml:3:5: unknown key "reson": did you mean "reason"?`)
	code, _, stderr = invoke(t.Context(), "run", "--update-baseline", "--out", t.TempDir())
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "--update-baseline needs a file to write to: add --baseline FILE")
}
