//go:build !race

// These run cases one command after the other, as the tests of the root package do with the race detector.

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/reports/hall"
)

func TestAHallFromRunsToPages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	logs, site, key := filepath.Join(dir, "logs"), filepath.Join(dir, "site"), filepath.Join(dir, "key")
	run := filepath.Join(logs, "reference")
	code, _, stderr := invoke(t.Context(), "run", "--level", "edge", "--out", run)
	require.Equal(t, exitConformant, code, stderr)
	publish := func(extra ...string) (code int, stdout, stderr string) {
		return invoke(t.Context(), append([]string{"hall", logs, "--out", site}, extra...)...)
	}

	code, stdout, stderr := publish()
	require.Equal(t, exitConformant, code, stderr)
	assert.Contains(t, stdout, "✓ reference: conformant at level edge")
	assert.Contains(t, stdout, "1 gateway is listed at level edge: "+filepath.Join(site, "index.html"))
	assert.FileExists(t, filepath.Join(site, "index.html"))
	assert.Empty(t, stderr)

	t.Run("a log that is not listed is exit 1, with its reason", func(t *testing.T) {
		require.NoError(t, os.WriteFile(filepath.Join(logs, "bad\x1b[31m.ndjson"), []byte("{}\n"), 0o600))
		code, _, stderr := publish()
		assert.Equal(t, exitNotConformant, code)
		assert.Contains(t, stderr, `not listed (unreadable): bad\x1b[31m.ndjson: the log has no header`)
		require.NoError(t, os.Remove(filepath.Join(logs, "bad\x1b[31m.ndjson")))
	})
	t.Run("nothing to list is exit 3, and the pages stay", func(t *testing.T) {
		before, err := os.ReadFile(filepath.Join(site, "index.html"))
		require.NoError(t, err)
		code, stdout, stderr := publish("--now", "2099-01-01")
		assert.Equal(t, exitIncomplete, code)
		assert.Empty(t, stdout)
		assert.Contains(t, stderr, "not listed (expired): reference/run.ndjson: the run ended on ")
		assert.Contains(t, stderr, "nothing to list")
		after, err := os.ReadFile(filepath.Join(site, "index.html"))
		require.NoError(t, err)
		assert.Equal(t, string(before), string(after))
		code, _, stderr = publish("--level", "relay")
		assert.Equal(t, exitIncomplete, code)
		assert.Contains(t, stderr, "not listed (other-level): reference/run.ndjson: the run is at level edge, but this hall lists only level relay")
	})
	t.Run("certificates count with the key that signed them", func(t *testing.T) {
		code, _, stderr := invoke(t.Context(), "keygen", key)
		require.Equal(t, exitConformant, code, stderr)
		code, _, stderr = invoke(t.Context(), "certify", run, "--key", key+".pem")
		require.Equal(t, exitConformant, code, stderr)
		code, _, stderr = publish()
		assert.Equal(t, exitIncomplete, code)
		assert.Contains(t, stderr, "there is no key to verify it")
		code, _, stderr = publish("--key", key+".pub.pem", "--signed", "--url", "https://results.example")
		assert.Equal(t, exitConformant, code, stderr)
		feed, err := os.ReadFile(filepath.Join(site, "feed.atom"))
		require.NoError(t, err)
		assert.Contains(t, string(feed), `href="https://results.example/feed.atom"`)
	})
	t.Run("what makes no sense is exit 2", func(t *testing.T) {
		other := filepath.Join(dir, "other")
		require.NoError(t, os.MkdirAll(other, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(other, "thesis.txt"), nil, 0o600))
		for _, args := range [][]string{
			{"hall", logs},
			{"hall", logs, "--out", other, "--key", key + ".pub.pem"},
			{"hall", logs, "--out", filepath.Join(logs, "site")},
			{"hall", logs, "--out", logs},
			{"hall", filepath.Join(dir, "none"), "--out", site},
			{"hall", filepath.Join(run, "run.ndjson"), "--out", site},
			{"hall", logs, "--out", site, "--now", "yesterday"},
			{"hall", logs, "--out", site, "--level", "top"},
			{"hall", logs, "--out", site, "--url", "results.example"},
			{"hall", logs, "--out", site, "--signed"},
			{"hall", logs, "--out", site, "--key", key + ".pem"},
			{"hall", logs, "--out", site, "--key", filepath.Join(run, "run.ndjson")},
		} {
			code, stdout, stderr := invoke(t.Context(), args...)
			assert.Equal(t, exitUsage, code, "%v: %s", args, stderr)
			assert.Empty(t, stdout)
		}
		assert.FileExists(t, filepath.Join(other, "thesis.txt"))
	})
}

// TestTheKeptLogs reads those of docs/hall on the day after they were recorded. They stay readable; a later contract, or requests that are
// made in another way since, are reported as such.
func TestTheKeptLogs(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("../../docs/hall/*.ndjson.gz")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		info, err := os.Stat(name)
		require.NoError(t, err)
		assert.Less(t, info.Size(), int64(1<<20), name)
	}
	h, err := hall.Read(t.Context(), os.DirFS("../../docs/hall"), hall.Options{Auditor: auditor, Today: time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		require.ErrorIs(t, err, hall.ErrNothingListed)
	}
	for _, r := range h.Refused {
		assert.Contains(t, []hall.Kind{hall.OtherContract, hall.Unverified}, r.Kind, "%s: %s", r.Path, r.Reason)
		t.Logf("%s is not listed: %s; docs/hall/README.md says how to record it again", r.Path, r.Reason)
	}
	listed := 0
	for _, g := range h.Gateways {
		listed += len(g.Runs)
	}
	assert.Equal(t, len(names), listed+len(h.Refused))
}
