package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/internal/recorded"
	"github.com/gatecert/gatecert/targets"
)

// newAPIProfile is a profile of a recorded new-api.
func newAPIProfile(t *testing.T, deployment *recorded.Deployment) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "new-api.yaml")
	require.NoError(t, os.WriteFile(path, []byte("name: my-new-api\ndriver: newapi\nbase_url: "+deployment.URL+
		"\nadmin: {token: \""+deployment.Token+"\"}\nsurfaces: [chat]\nconcurrency: 1\n"), 0o600))
	return path
}

var recordedRows = []string{"--rows", "http:401,http:403,code:model_not_found,code:access_denied,code:insufficient_user_quota"}

func TestRunPreparesAndCleansUpANewAPI(t *testing.T) {
	t.Parallel()
	deployment := recorded.Serve(t, "testdata/new-api")
	profile, dir := newAPIProfile(t, deployment), t.TempDir()
	code, stdout, stderr := invoke(t.Context(), append([]string{"run", "--target", profile, "--yes", "--out", dir}, recordedRows...)...)
	assert.Equal(t, exitNotConformant, code, stdout+stderr)
	assert.Contains(t, stderr, "This run changes the gateway:\n  users, tokens: created for the run, named gc-")
	assert.Contains(t, stdout, " ✗ 401 instead of 403\n    found in  1 case, 1 endpoint, such as http:403/revoked-key/chat\n")
	assert.Contains(t, stdout, " ✗ 503 instead of 404\n    found in  1 case, 1 endpoint, such as code:model_not_found/absent-model/chat\n")
	assert.NotContains(t, stdout, "is not in the cassette")
	assert.Contains(t, stdout, "✓ insufficient_user_quota")
	log, err := os.ReadFile(filepath.Join(dir, logName))
	require.NoError(t, err)
	assert.Contains(t, string(log), `"driver":"newapi"`)
	assert.NotContains(t, string(log), "sk-scrubbed", "no key is logged")

	journal, err := os.ReadFile(filepath.Join(dir, journalName))
	require.NoError(t, err)
	assert.Equal(t, strings.Count(string(journal), `"kind"`), strings.Count(string(journal), `"undone"`), string(journal))
	code, stdout, stderr = invoke(t.Context(), "clean", "--target", profile, "--from", dir)
	assert.Equal(t, exitConformant, code, stderr)
	assert.Equal(t, "nothing to undo\n", stdout)
}

func TestRunWithoutConsentChangesNothing(t *testing.T) {
	deployment := recorded.Serve(t, "testdata/new-api")
	if deployment.Recording() {
		t.Skip("replays what another test records")
	}
	dir := t.TempDir()
	code, stdout, stderr := invoke(t.Context(), "run", "--target", newAPIProfile(t, deployment), "--out", dir)
	assert.Equal(t, exitUsage, code, stdout+stderr)
	assert.Contains(t, stderr, "consent required: this run would make the following changes to "+deployment.URL+" (to approve the changes, use --yes):")
	assert.Contains(t, stderr, "option RetryTimes: 0 -> 1, only while the cases that need this value run")
	journal, err := os.ReadFile(filepath.Join(dir, journalName))
	require.NoError(t, err)
	assert.Empty(t, journal)
}

func TestConsentIsAskedFor(t *testing.T) {
	changes := []targets.Change{{What: "option RetryTimes", How: "0 -> 1", Why: "a retry"}}
	for _, tt := range []struct {
		name   string
		answer string
		want   bool
	}{{"yes", "y\n", true}, {"capital and spaces", " Y \n", true}, {"no", "n\n", false}, {"nothing", "\n", false}, {"the end of the input", "", false}} {
		t.Run(tt.name, func(t *testing.T) {
			var shown strings.Builder
			c := &console{err: &shown, in: strings.NewReader(tt.answer)}
			assert.Equal(t, tt.want, c.consent(false)(changes))
			assert.Contains(t, shown.String(), "option RetryTimes: 0 -> 1 (a retry)")
		})
	}
}

func TestCleanAfterARunThatDied(t *testing.T) {
	died := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(died, journalName), []byte(`{"seq":1,"kind":"users","name":"gc-5ca1ab"}`+"\n"+`{"seq":2,"ki`), 0o600))
	evidence := filepath.Join(died, logName)
	require.NoError(t, os.WriteFile(evidence, []byte("what it saw\n"), 0o600))
	dir := t.TempDir()
	unreachable := filepath.Join(dir, "new-api.yaml")
	require.NoError(t, os.WriteFile(unreachable, []byte("driver: newapi\nbase_url: http://127.0.0.1:1\nadmin: {token: any-token}\n"), 0o600))
	static := filepath.Join(dir, "static.yaml")
	require.NoError(t, os.WriteFile(static, []byte("base_url: http://127.0.0.1:1\n"), 0o600))
	for _, tt := range []struct {
		name string
		args []string
		code int
		text string
	}{
		{"a new run does not overwrite the journal", []string{"run", "--target", unreachable, "--yes", "--out", died}, exitUsage, "was killed and left 1 change on its gateway: to clean up first, run gatecert clean"},
		{"the gateway of the journal is unreachable", []string{"clean", "--target", unreachable, "--from", died}, exitHarness, "connection refused"},
		{"a driver that changes nothing", []string{"clean", "--target", static, "--from", died}, exitUsage, "does not change the gateway"},
		{"a folder without a journal", []string{"clean", "--target", unreachable, "--from", dir}, exitUsage, "contains no " + journalName},
		{"a missing profile", []string{"clean", "--target", dir + "/none", "--from", died}, exitUsage, "no such file"},
		{"the gateway of a run is unreachable", []string{"run", "--target", unreachable, "--yes", "--out", t.TempDir()}, exitHarness, "nothing is listening at http://127.0.0.1:1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := invoke(t.Context(), tt.args...)
			assert.Equal(t, tt.code, code, stdout+stderr)
			assert.Contains(t, stderr, tt.text)
		})
	}
	log, err := os.ReadFile(evidence)
	require.NoError(t, err)
	assert.Equal(t, "what it saw\n", string(log), "the log of the run that died is not overwritten before the clean-up")
}
