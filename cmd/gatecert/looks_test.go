//go:build !race

// These measure for seconds, and mostly wait.

package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A ramp ends where any term of the SLO is missed, and says which. The model's streams begin after 150 ms, with 20 ms between tokens.
func TestARampIsJudgedByEveryTerm(t *testing.T) {
	t.Parallel()
	for slo, want := range map[string]string{
		"ttft.p50<100ms":                `ramp      SLO missed at \S+/s with constant arrivals: p50 TTFT was \d\S*s`,
		"itl.mean<2ms":                  `ramp      SLO missed at \S+/s with constant arrivals: mean ITL was \d\S*s`,
		"goodput>50%,latency.p50<10ms":  `ramp      SLO missed at \S+/s with constant arrivals: goodput was 0 %`,
		"ttft.p50<20s,errors<50%":       `ramp      SLO met up to \S+/s with constant arrivals`,
		"tokens/s>1000000,ttft.p50<20s": `ramp      SLO missed at \S+/s with constant arrivals: tokens/s was \d`,
	} {
		t.Run(slo, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			code, stdout, stderr := invoke(t.Context(), "load", "capacity", "--ramp", "4s", "--from", "10", "--to", "20", "--surface", "chat-stream",
				"--upstream-profile", "ttft=150ms,itl=20ms,tokens=5", "--slo", slo, "--out", dir)
			require.Contains(t, []int{exitConformant, exitHarness}, code, stdout+stderr)
			assert.Regexp(t, want, stdout)
			assert.Regexp(t, `(?m)^ +\S+/s after \d+s +p50`, stderr, "a line for each step")
			assert.Positive(t, resultLines(t, filepath.Join(dir, resultsName)))
			_, stdout, _ = invoke(t.Context(), "report", dir, "--format", "json")
			assert.Contains(t, stdout, `"part": "ramp"`)
			assert.Contains(t, stdout, `"ttft"`, "a step has all that was measured in it")
		})
	}
}

// resultLines counts the complete lines of a file of results.
func resultLines(t *testing.T, path string) (n int) {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if bytes.HasPrefix(lines.Bytes(), []byte("{")) && bytes.HasSuffix(lines.Bytes(), []byte("}")) {
			n++
		}
	}
	return n
}

func TestAConcurrencySweep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	code, stdout, stderr := invoke(t.Context(), "load", "capacity", "--concurrency", "1,2,4", "--full", "500ms", "--to", "2000", "--slo", "latency.p99<30s,errors<50%",
		"--upstream-profile", "ttft=20ms,tokens=3", "--out", dir)
	require.Contains(t, []int{exitConformant, exitHarness}, code, stdout+stderr)
	assert.Regexp(t, `sweep     [\d.]+/s with [124] callers`, stdout)
	for _, callers := range []string{"1", "2", "4"} {
		assert.Regexp(t, `(?m)^ `+callers+` +[\d.]+ +\S+ +\S+ +0 +SLO met`, stdout)
		assert.Regexp(t, `(?m)^ +`+callers+` callers? +[\d.]+/s`, stderr)
	}
	assert.Positive(t, resultLines(t, filepath.Join(dir, resultsName)), "those of the best level")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		assert.NotContains(t, e.Name(), partSuffix)
	}
	for want, args := range map[string][]string{
		"--ramp and --concurrency cannot be combined":   {"--ramp", "1s", "--concurrency", "1"},
		"--concurrency 2,1: must be in ascending order": {"--concurrency", "2,1"},
	} {
		code, _, stderr := invoke(t.Context(), append([]string{"load", "capacity"}, args...)...)
		assert.Equal(t, exitUsage, code)
		assert.Contains(t, stderr, want)
	}
}

// A search leaves the results of its last probe at the lower bound, and nothing else.
func TestTheResultsOfACapacity(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, resultsName), []byte("{old}\n"), 0o600))
	code, stdout, stderr := invoke(t.Context(), "load", "capacity", "--from", "10", "--to", "40", "--short", "200ms", "--full", "400ms", "--repeats", "1", "--rounds", "0",
		"--slo", "latency.p99<30s,errors<50%", "--out", dir)
	require.Contains(t, []int{exitConformant, exitHarness}, code, stdout+stderr)
	if strings.Contains(stdout, "at least 40/s") {
		assert.Equal(t, 16, resultLines(t, filepath.Join(dir, resultsName)))
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"+partSuffix))
	require.NoError(t, err)
	assert.Empty(t, left)
}

// A soak that is killed keeps what its last checkpoint knew.
func TestASoakThatIsKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	command := process(t.Context(), "load", "soak", "--rate", "40", "--for", "10m", "--checkpoint", "300ms", "--out", dir)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	require.NoError(t, command.Start())
	part := filepath.Join(dir, resultsName+partSuffix)
	require.Eventually(t, func() bool {
		run, err := readMeasured(dir)
		if err != nil || len(run.Windows) < 2 {
			return false
		}
		_, err = os.Stat(part)
		return err == nil && resultLines(t, part) > 40
	}, 30*time.Second, 100*time.Millisecond, "%s", &stderr)
	require.NoError(t, command.Process.Signal(syscall.SIGKILL))
	_ = command.Wait()

	run, err := readMeasured(dir)
	require.NoError(t, err)
	assert.False(t, run.Complete())
	assert.GreaterOrEqual(t, len(run.Windows), 2)
	assert.NotEmpty(t, run.Metrics)
	code, stdout, _ := invoke(t.Context(), "report", dir)
	assert.Equal(t, exitIncomplete, code)
	assert.Regexp(t, `(?m)^ latency +chat +admitted +\d\d+ `, stdout, "the distributions so far")
	code, _, _ = invoke(t.Context(), "load", "soak", "--checkpoint", "0s")
	assert.Equal(t, exitUsage, code)
}

// The flags of load timeout say how much is sent, for how long, and how many calls hang.
func TestTheFlagsOfLoadTimeout(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := invoke(t.Context(), "load", "timeout", "--slow-calls", "20", "--outage", "1s", "--rate", "10", "--out", t.TempDir())
	require.Contains(t, []int{exitConformant, exitHarness}, code, stdout+stderr)
	assert.Contains(t, stdout, "10 healthy requests per second, for 1.5s without faulty requests and then for 1s with faulty requests (")
	assert.Contains(t, stdout, "); the upstream holds up to 20 faulty requests open")
	assert.Contains(t, stdout, "capacity-kept")
	for _, flag := range []string{"--rate=-1", "--outage=-1s", "--slow-calls=-1"} {
		code, _, stderr := invoke(t.Context(), "load", "timeout", flag)
		assert.Equal(t, exitUsage, code, flag)
		assert.Contains(t, stderr, "none of these values may be negative")
	}
}

// More than 4,096 connections need --yes, and descriptors that would run out are named before anything is sent.
func TestManyConnections(t *testing.T) {
	t.Parallel()
	gateway := serveGateway(t)
	code, _, stderr := invoke(t.Context(), "load", "soak", "--target", gateway, "--connections", "5000", "--for", "1s")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "it uses 5000 connections, but at most 4096 are allowed: add --yes to send the load anyway")
	code, _, stderr = invoke(t.Context(), "load", "soak", "--target", gateway, "--connections", "5000", "--for", "300ms", "--yes", "--out", t.TempDir())
	assert.Contains(t, []int{exitConformant, exitHarness}, code, stderr)
	command := process(t.Context(), "load", "soak", "--target", gateway, "--connections", "300", "--for", "1s")
	limited := exec.CommandContext(t.Context(), "bash", append([]string{"-c", `ulimit -n 200 && exec "$@"`, "bash"}, command.Args...)...)
	limited.Env = command.Env
	limited.Dir = t.TempDir()
	printed, err := limited.CombinedOutput()
	require.Error(t, err)
	assert.Equal(t, exitUsage, limited.ProcessState.ExitCode(), string(printed))
	assert.Contains(t, string(printed), "300 connections need about 364 file descriptors, but this process may open only 200: raise the limit with ulimit -n, or use at most 136 connections")
}
