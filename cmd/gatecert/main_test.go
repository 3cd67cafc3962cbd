package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/freeport"
	"github.com/gatecert/gatecert/reports"
)

// invoke runs one command line as main does and returns its exit code and what it printed.
func invoke(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = execute(ctx, args, &console{out: &out, err: &errs, width: 100})
	return code, out.String(), errs.String()
}

// serveGateway starts the reference gateway as its command does and returns the profile it wrote.
func serveGateway(t *testing.T, extra ...string) (profile string) {
	t.Helper()
	profile = filepath.Join(t.TempDir(), "gateway.yaml")
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() {
		code, _, stderr := invoke(ctx, append([]string{
			"gateway", "--listen", "127.0.0.1:0", "--upstream", freeport.Address(t), "--profile-out", profile,
		}, extra...)...)
		assert.Equal(t, exitConformant, code, stderr)
	})
	t.Cleanup(func() {
		cancel()
		done.Wait()
	})
	require.Eventually(t, func() bool {
		raw, err := os.ReadFile(profile)
		return err == nil && bytes.Contains(raw, []byte("circumstances:"))
	}, waitForServer, 10*time.Millisecond)
	return profile
}

// waitForServer is how long a test waits for a server of its own, on a busy machine.
const waitForServer = 20 * time.Second

func baseURL(t *testing.T, profile string) (url, key string) {
	t.Helper()
	raw, err := os.ReadFile(profile)
	require.NoError(t, err)
	for line := range strings.Lines(string(raw)) {
		if value, ok := strings.CutPrefix(line, "base_url: "); ok {
			url = strings.TrimSpace(value)
		}
		if value, ok := strings.CutPrefix(line, "  valid: "); ok {
			key = strings.TrimSpace(value)
		}
	}
	require.NotEmpty(t, url)
	require.NotEmpty(t, key)
	return url, key
}

func TestRunCertifiesTheReferenceGatewayAndLeavesItsReports(t *testing.T) {
	dir := t.TempDir()
	code, stdout, stderr := invoke(t.Context(), "run", "--out", dir, "--rows", "code:model_not_found", "--surfaces", "chat,messages")
	assert.Equal(t, exitConformant, code, stdout+stderr)
	assert.Contains(t, stdout, "PASS: 1 of 1 selected row passes (code:model_not_found, level full without load cases).")
	for _, name := range []string{"run.ndjson", "report.html", "report.json", "junit.xml", "summary.md"} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Positive(t, info.Size(), name)
	}
	assert.Contains(t, stderr, "2 cases done")
}

func TestABareURLIsCertifiedAtEdge(t *testing.T) {
	t.Parallel()
	url, key := baseURL(t, serveGateway(t))
	code, stdout, stderr := invoke(t.Context(), "run", url, "--key", key, "--model", "gc-chat", "--out", t.TempDir())
	assert.Equal(t, exitConformant, code, stdout+stderr)
	assert.Contains(t, stdout, "conformant at level edge: 6 of 32 rows pass, 1 not offered (1 in part), 25 not run.")

	dir := t.TempDir()
	code, stdout, stderr = invoke(t.Context(), "run", url, "--key", key, "--model", "anthropic=gc-messages", "--rows", "http:404", "--out", dir)
	assert.Equal(t, exitConformant, code, stdout+stderr)
	assert.NotContains(t, stdout, " chat ")
	code, stdout, stderr = invoke(t.Context(), "replay", "--from", dir, "--key", key, "http:404/unknown-model/messages")
	assert.Equal(t, exitConformant, code, stdout+stderr)

	code, stdout, stderr = invoke(t.Context(), "run", url, "--key", "sk-not-issued", "--model", "gc-chat", "--out", t.TempDir())
	assert.Equal(t, exitHarness, code, "a key that does not work says nothing about the gateway")
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "rejects the key")
}

func TestExitCodesOfThingsThatGoWrong(t *testing.T) {
	dir := t.TempDir()
	typo := filepath.Join(dir, "typo.yaml")
	require.NoError(t, os.WriteFile(typo, []byte("base_url: http://127.0.0.1:1\nsurfacs: [chat]\n"), 0o600))
	older := filepath.Join(dir, "older.ndjson")
	require.NoError(t, os.WriteFile(older, []byte(`{"type":"header","schema":"gatecert.run/1","run_id":"r","tool":"gatecert 0.1.0","expected":[]}`+"\n"), 0o600))
	for _, tt := range []struct {
		name string
		args []string
		code int
		text string
	}{
		{"a dead port", []string{"run", "http://127.0.0.1:1", "--key", "k", "--model", "m"}, exitHarness, "INCONCLUSIVE: nothing is listening at http://127.0.0.1:1 (connection refused)"},
		{"a typo in a profile", []string{"run", "--target", typo}, exitUsage, `typo.yaml:2:1: unknown key "surfacs": did you mean "surfaces"?`},
		{"a missing profile", []string{"run", "--target", typo + ".none"}, exitUsage, "no such file"},
		{"a row that does not exist", []string{"run", "--rows", "nosuch"}, exitUsage, `no row matches "nosuch"`},
		{"a surface that does not exist", []string{"run", "--surfaces", "nosuch"}, exitUsage, `no endpoint "nosuch"`},
		{"a selection that leaves nothing", []string{"run", "--rows", "http:429", "--level", "edge"}, exitIncomplete, "nothing to run"},
		{"a URL and a profile", []string{"run", "http://127.0.0.1:1", "--target", typo}, exitUsage, "use only one of them"},
		{"a URL without a model", []string{"run", "http://127.0.0.1:1", "--key", "k"}, exitUsage, "a URL requires --model"},
		{"a URL without a key", []string{"run", "http://127.0.0.1:1", "--model", "m", "--key="}, exitUsage, "requires --key"},
		{"a gateway without keys", []string{"run", "http://127.0.0.1:1", "--model", "m", "--claim", "client_keys=false"}, exitHarness, "nothing is listening at http://127.0.0.1:1"},
		{"a model for nothing", []string{"run", "http://127.0.0.1:1", "--key", "k", "--model", "mesages=m"}, exitUsage, `"mesages" is neither an endpoint nor an API format: did you mean "messages"?`},
		{"a model without a URL", []string{"run", "--model", "m"}, exitUsage, "--model needs a URL"},
		{"a claim that is none", []string{"run", "--claim", "codes=some"}, exitUsage, `claim "codes=some": must be codes=none`},
		{"an invalid URL", []string{"run", "gateway", "--key", "k", "--model", "m"}, exitUsage, `"gateway" is not an http or https URL; did you mean http://gateway?`},
		{"an unknown flag", []string{"run", "--levels", "edge"}, exitUsage, "--levels"},
		{"an unknown command", []string{"rnu"}, exitUsage, "rnu"},
		{"an invalid concurrency", []string{"run", "--concurrency", "9999"}, exitUsage, "--concurrency 9999: must be between 1 and 256"},
		{"a missing log", []string{"report", dir + "/none"}, exitUsage, "does not exist"},
		{"a file that is not a log", []string{"report", typo}, exitIncomplete, "typo.yaml"},
		{"a log of an older gatecert", []string{"report", older}, exitIncomplete,
			`older.ndjson: the format of the log is not supported: the log has the format "gatecert.run/1" and was written by "gatecert 0.1.0", but this version of gatecert reads only "gatecert.run/2". Render the log with the gatecert version that wrote it, or run again`},
		{"an unknown row to explain", []string{"explain", "http:418"}, exitUsage, `no row "http:418"`},
		{"an unknown thing to list", []string{"list", "everything"}, exitUsage, `cannot list "everything"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := tt.args
			if args[0] == "run" {
				args = append(args, "--out", t.TempDir())
			}
			code, stdout, stderr := invoke(t.Context(), args...)
			assert.Equal(t, tt.code, code, stdout+stderr)
			assert.Contains(t, stderr, tt.text)
		})
	}
}

func TestReportRendersTheSameBytesAgain(t *testing.T) {
	t.Parallel()
	dir, again := t.TempDir(), t.TempDir()
	var names []string
	for _, f := range reports.Formats() {
		names = append(names, f.Name)
	}
	every := strings.Join(names, ",")
	code, _, stderr := invoke(t.Context(), "run", "--out", dir, "--rows", "http:404", "--surfaces", "chat-stream,chat", "--format", every)
	require.Equal(t, exitConformant, code, stderr)
	code, _, stderr = invoke(t.Context(), "report", dir, "--out", again, "--format", every)
	require.Equal(t, exitConformant, code, stderr)
	for _, f := range reports.Formats() {
		first, err := os.ReadFile(filepath.Join(dir, f.File))
		require.NoError(t, err)
		second, err := os.ReadFile(filepath.Join(again, f.File))
		require.NoError(t, err)
		assert.Equal(t, string(first), string(second), f.Name)
		_, printed, _ := invoke(t.Context(), "report", filepath.Join(dir, "run.ndjson"), "--format", f.Name)
		assert.Equal(t, string(first), printed, f.Name)
	}
	code, _, stderr = invoke(t.Context(), "report", dir, "--format", every)
	assert.Equal(t, exitUsage, code, "formats cannot be printed at once")
	assert.Contains(t, stderr, "write files with --out DIR")
	some := t.TempDir()
	code, stdout, stderr := invoke(t.Context(), "run", "--out", some, "--rows", "http:404", "--surfaces", "chat", "--format", "badge,junit")
	assert.Equal(t, exitConformant, code, stderr)
	assert.Contains(t, stdout, "junit.xml")
	files, err := os.ReadDir(some)
	require.NoError(t, err)
	assert.Len(t, files, 3, "the log and what was asked for")
	code, _, stderr = invoke(t.Context(), "report", dir, "--format", "pdf")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, `no format "pdf"`)
}

func TestListAndExplain(t *testing.T) {
	for what, want := range map[string]string{
		"rows": "code:channel:response_time_exceeded", "circumstances": "truncated-upstream-response", "surfaces": "responses-stream",
		"levels": "relay", "directives": "truncate", "cases": "http:404/unknown-path/chat/wrong-method",
	} {
		code, stdout, stderr := invoke(t.Context(), "list", what)
		assert.Equal(t, exitConformant, code, stderr)
		assert.Contains(t, stdout, want)
	}
	_, stdout, _ := invoke(t.Context(), "list", "cases")
	assert.Len(t, strings.Fields(stdout), len(contract.Cases()))
	for _, row := range contract.Rows() {
		code, stdout, stderr := invoke(t.Context(), "explain", string(row.ID))
		assert.Equal(t, exitConformant, code, stderr)
		assert.Contains(t, stdout, row.Advice)
		assert.Contains(t, stdout, "Scenario Outline: <case>")
		contractPart, _, _ := strings.Cut(stdout, "\nscenario\n")
		for line := range strings.Lines(contractPart) {
			if strings.HasPrefix(line, strings.Repeat(" ", 16)) && strings.Contains(line, "chat") {
				assert.LessOrEqual(t, len(strings.TrimRight(line, "\n")), 100, line)
			}
		}
	}
	_, stdout, _ = invoke(t.Context(), "version")
	assert.Contains(t, stdout, contract.Digest())
}
