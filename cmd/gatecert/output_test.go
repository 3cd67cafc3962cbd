package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/internal/folderlock"
	"github.com/gatecert/gatecert/internal/freeport"
	"github.com/gatecert/gatecert/reports/certificate"
	"github.com/gatecert/gatecert/targets/profile"
)

// contents are the files of a folder by their names.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		files[e.Name()] = string(raw)
	}
	return files
}

var shortRun = []string{"run", "--rows", "http:404", "--surfaces", "chat", "--format", "verdicts"}

func TestEachRunHasAFolderOfItsOwn(t *testing.T) {
	t.Chdir(t.TempDir())
	// An earlier gatecert wrote every run into the folder that is now a link.
	code, _, stderr := invoke(t.Context(), append(shortRun, "--out", "reports/before")...)
	require.Equal(t, exitConformant, code, stderr)
	require.NoError(t, os.Rename("reports/before", "reports/latest"))

	var latest []string
	for range 3 {
		code, stdout, stderr := invoke(t.Context(), shortRun...)
		require.Equal(t, exitConformant, code, stderr)
		assert.Regexp(t, `(?m)^reports: reports/\d{8}T\d{6}-reference(\+\d)?/verdicts.txt \(reports/latest/verdicts.txt\)$`, stdout)
		target, err := os.Readlink("reports/latest")
		require.NoError(t, err)
		latest = append(latest, target)
		assert.FileExists(t, "reports/latest/run.ndjson")
	}
	runs, err := filepath.Glob("reports/2*-reference*")
	require.NoError(t, err)
	assert.Len(t, runs, 4, "three runs and the one of the folder that was in the way")
	assert.Equal(t, filepath.Join("reports", latest[2]), runs[3])
	code, _, stderr = invoke(t.Context(), "diff", runs[0], "reports/latest")
	assert.Equal(t, exitConformant, code, stderr)

	// A run that never begins changes nothing, and leaves no folder.
	code, _, _ = invoke(t.Context(), "run", "http://"+freeport.Address(t), "--key", "k", "--model", "m")
	assert.Equal(t, exitHarness, code)
	left, err := filepath.Glob("reports/*")
	require.NoError(t, err)
	assert.Len(t, left, 5, left)

	// The old name of the folder overwrites no run. Certified runs are kept.
	require.NoError(t, os.WriteFile(filepath.Join(runs[1], certificate.EnvelopeFile), nil, 0o600))
	code, _, stderr = invoke(t.Context(), append(shortRun, "--out", "reports/latest")...)
	require.Equal(t, exitConformant, code, stderr)
	code, _, stderr = invoke(t.Context(), append(shortRun, "--keep", "2")...)
	require.Equal(t, exitConformant, code, stderr)
	assert.Contains(t, stderr, "3 earlier runs removed")
	left, err = filepath.Glob("reports/2*")
	require.NoError(t, err)
	assert.Len(t, left, 3, left)
	assert.Contains(t, left, runs[1])
	code, _, stderr = invoke(t.Context(), append(shortRun, "--keep", "2", "--out", "x")...)
	assert.Equal(t, exitUsage, code, stderr)
}

func TestFoldersAreNamedAfterTheirTarget(t *testing.T) {
	for name, want := range map[string]string{
		"": "reference", "my gateway": "my-gateway", "https://user:pw@Gateway.example:8443/v1?key=x": "gateway.example-8443",
		"../../etc": "etc", "💥": "gateway", "..": "gateway", strings.Repeat("a", 99): strings.Repeat("a", 40),
	} {
		assert.Equal(t, want, folderPart(profile.Profile{Name: name}))
	}
}

func TestTwoRunsCannotWriteIntoOneFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lock, err := folderlock.Take(dir)
	require.NoError(t, err)
	code, _, stderr := invoke(t.Context(), append(shortRun, "--out", dir)...)
	assert.Equal(t, exitUsage, code)
	assert.Regexp(t, `the folder is in use: .*: process \d+ \(since .*\) is writing to this folder; wait until that process ends, or choose another folder with --out \(gatecert watch: --dir\)`, stderr)
	require.NoError(t, lock.Release())

	require.NoError(t, os.WriteFile(filepath.Join(dir, folderlock.Name), []byte("process 4711, since yesterday"), 0o600))
	code, _, stderr = invoke(t.Context(), append(shortRun, "--out", dir)...)
	assert.Equal(t, exitConformant, code, stderr)
	assert.Contains(t, stderr, "note: the folder "+dir+" was locked by process 4711, since yesterday, which is no longer running")
	assert.NoFileExists(t, filepath.Join(dir, folderlock.Name))
}

func TestALogThatIsALinkIsNotFollowed(t *testing.T) {
	t.Parallel()
	dir, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "precious")
	require.NoError(t, os.WriteFile(elsewhere, []byte("precious"), 0o600))
	for _, name := range []string{logName, partName, "verdicts.txt"} {
		require.NoError(t, os.Symlink(elsewhere, filepath.Join(dir, name)))
	}
	code, _, stderr := invoke(t.Context(), append(shortRun, "--out", dir)...)
	assert.Equal(t, exitConformant, code, stderr)
	raw, err := os.ReadFile(elsewhere)
	require.NoError(t, err)
	assert.Equal(t, "precious", string(raw))
	assert.Len(t, contents(t, dir), 2)
}

func TestCleanFindsTheRunThatDied(t *testing.T) {
	t.Chdir(t.TempDir())
	died, err := newFolder(time.Now(), "new-api")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(died, journalName), []byte(`{"seq":1,"kind":"users","name":"gc-5ca1ab"}`+"\n"), 0o600))
	require.NoError(t, os.WriteFile("p.yaml", []byte("driver: newapi\nbase_url: http://127.0.0.1:1\nadmin: {token: any-token}\n"), 0o600))
	code, _, stderr := invoke(t.Context(), "run", "--target", "p.yaml", "--yes")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "to clean up first, run gatecert clean --target PROFILE --from "+died)
	code, _, stderr = invoke(t.Context(), "clean", "--target", "p.yaml")
	assert.Equal(t, exitHarness, code)
	assert.Contains(t, stderr, "clean up after the run in "+died)
	again, err := newFolder(time.Now(), "new-api")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(again, journalName), []byte(`{"seq":1,"kind":"users","name":"gc-5ca1ab"}`+"\n"), 0o600))
	code, _, stderr = invoke(t.Context(), "clean", "--target", "p.yaml")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, died+", "+again)
}
