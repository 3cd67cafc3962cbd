package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/runlog"
)

// shortSoak soaks the reference gateway into a folder.
func shortSoak(t *testing.T, dir string, extra ...string) (code int, stdout, stderr string) {
	t.Helper()
	return invoke(t.Context(), append([]string{
		"load", "soak", "--surface", "chat-stream", "--rate", "20", "--for", "250ms", "--out", dir,
		"--upstream-profile", "ttft=5ms,itl=1ms,tokens=5",
	}, extra...)...)
}

func TestAMeasurementWritesARun(t *testing.T) {
	dir := t.TempDir()
	// What an earlier run left would be taken for this one's.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "junit.xml"), []byte("old"), 0o600))
	code, stdout, stderr := shortSoak(t, dir, "--slo", "ttft.p99<30s,errors<50%")
	require.Contains(t, []int{exitConformant, exitHarness}, code, stderr)
	assert.Contains(t, stdout, "gate      SLO p99 TTFT <= 30s, errors <= 50 % met: every condition is met\n")
	assert.Contains(t, stdout, "reports: "+filepath.Join(dir, "report.html"))
	for _, name := range []string{"run.ndjson", "report.html", "report.json", "summary.md", "metrics.txt", "latency.hgrm", "service-time.hgrm", "ttft.hgrm", "itl.hgrm", "results.json"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.NotEmpty(t, content)
		assert.NotContains(t, string(content), "sk-", "no key is in %s", name)
	}
	assert.NoFileExists(t, filepath.Join(dir, "junit.xml"))

	// The log alone gives the same reports, byte for byte.
	again := t.TempDir()
	_, _, stderr = invoke(t.Context(), "report", dir, "--out", again)
	for _, name := range []string{"report.html", "report.json", "summary.md", "metrics.txt", "itl.hgrm"} {
		want, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err, stderr)
		got, err := os.ReadFile(filepath.Join(again, name))
		require.NoError(t, err, stderr)
		assert.Equal(t, string(want), string(got), name)
	}
	_, stdout, _ = invoke(t.Context(), "report", dir)
	assert.Contains(t, stdout, "soak      20/s for 250ms: 5 of 5 requests admitted")
	_, stdout, _ = invoke(t.Context(), "report", dir, "--format", "json")
	var report struct {
		Kind    string
		Counted map[string]int
		Tokens  int
		Facts   []struct{ Name, Text string }
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &report))
	assert.Equal(t, "soak", report.Kind)
	assert.Equal(t, map[string]int{"usage": 5}, report.Counted)
	assert.Equal(t, 25, report.Tokens)
	code, _, stderr = invoke(t.Context(), "report", dir, "--format", "junit")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, `measurements have no report format "junit": use one of `)
	code, _, stderr = invoke(t.Context(), "report", dir, "--format", "jsn")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, `measurements have no report format "jsn": did you mean "json"?`)
	code, _, stderr = invoke(t.Context(), "diff", dir, dir)
	assert.Equal(t, exitIncomplete, code, "a quarter of a second has too few windows")
	assert.Contains(t, stderr, "no metric has at least 8 time windows")
	code, _, _ = invoke(t.Context(), "diff", dir, filepath.Join(again, "report.json"))
	assert.Equal(t, exitIncomplete, code, "and a report is not a log")
}

func TestASoakThatMissesItsSLO(t *testing.T) {
	code, stdout, stderr := shortSoak(t, t.TempDir(), "--slo", "ttft.p50<1us")
	require.Contains(t, []int{exitNotConformant, exitHarness}, code, stderr)
	assert.Regexp(t, `gate      SLO errors <= 0.1 %, p50 TTFT <= 1µs (NOT MET|undecided): p50 TTFT was`, stdout)
}

func TestTheGateOfACapacity(t *testing.T) {
	for _, row := range []struct {
		found load.Capacity
		want  contract.Result
		code  int
	}{
		{load.Capacity{Lower: 200, Upper: 220}, contract.Held, exitConformant},
		{load.Capacity{Lower: 100, Upper: 110}, contract.Violated, exitNotConformant},
		{load.Capacity{Lower: 190, Upper: 210}, contract.Untested, exitHarness},
		{load.Capacity{Lower: 100, Upper: 110, GeneratorLimited: true}, contract.Untested, exitHarness},
		{load.Capacity{Lower: 100, Upper: 110, Partial: true}, contract.Untested, exitHarness},
		{load.Capacity{Lower: 300}, contract.Held, exitConformant},
		{load.Capacity{Upper: 100}, contract.Violated, exitNotConformant},
	} {
		g := capacityCommand{AtLeast: 200}.gate(row.found)
		assert.Equal(t, row.want, g.Result, "%v", row.found)
		err := gateOutcome([]runlog.Gate{g})
		assert.Equal(t, row.code, exitCode(err))
	}
	code, _, stderr := invoke(t.Context(), "load", "capacity", "--at-least", "fast")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, `"fast" is not a rate: use a value such as 200/s`)
}

func TestAWorkload(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "asked.jsonl")
	require.NoError(t, os.WriteFile(file, []byte(`{"messages":[{"role":"user","content":"hello"},{"role":"assistant","content":"hi there"}]}`+"\n"), 0o600))
	code, stdout, stderr := invoke(t.Context(), "load", "soak", "--surface", "chat-stream=3,messages=1", "--dataset", file, "--shared-prefix", "20",
		"--rate", "20", "--for", "400ms", "--out", filepath.Join(dir, "out"))
	require.Contains(t, []int{exitConformant, exitHarness}, code, stdout+stderr)
	_, stdout, _ = invoke(t.Context(), "report", filepath.Join(dir, "out"))
	assert.Regexp(t, `(?m)^ latency +chat-stream +admitted +6 `, stdout)
	assert.Regexp(t, `(?m)^ latency +messages +admitted +2 `, stdout)
	content, err := os.ReadFile(filepath.Join(dir, "out", "report.json"))
	require.NoError(t, err)
	assert.Contains(t, string(content), `"text": "the same 20 tokens at the start of all prompts"`)

	for want, args := range map[string][]string{
		"--surface: \"chat=0\": the weight must be a whole number": {"--surface", "chat=0"},
		"may be used only once":                    {"--surface", "chat,chat=2"},
		"--surface: there is no endpoint \"talk\"": {"--surface", "chat=1,talk=2"},
		`--prompt-tokens: invalid distribution: "many": "many" is not a whole number such as 512`: {"--prompt-tokens", "many"},
		"--dataset and --prompt-tokens cannot be combined":                                        {"--prompt-tokens", "5", "--dataset", file},
		"invalid data set: line 1":                  {"--dataset", filepath.Join("testdata", "new-api.yaml")},
		"--dataset: open":                           {"--dataset", filepath.Join(dir, "nothing.jsonl")},
		"embeddings does not generate text":         {"--surface", "embeddings", "--output-tokens", "5"},
		"--shared-prefix -1: must be between 1 and": {"--shared-prefix=-1"},
	} {
		code, _, stderr := invoke(t.Context(), append([]string{"load", "soak", "--out", dir}, args...)...)
		assert.Equal(t, exitUsage, code, stderr)
		assert.Contains(t, stderr, want)
	}
}
