//go:build !race

// The race detector watches one process, and these tests start others.

package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/reports"
)

// TestTwoProcessesInOneFolder starts two runs at the same time. One of them runs; the other is refused with a sentence, and
// the log and the reports are those of the one.
func TestTwoProcessesInOneFolder(t *testing.T) {
	t.Parallel()
	key := filepath.Join(t.TempDir(), "key")
	code, _, stderr := invoke(t.Context(), "keygen", key)
	require.Equal(t, exitConformant, code, stderr)
	for n := range 3 {
		dir := t.TempDir()
		var together sync.WaitGroup
		codes, printed := make([]int, 2), make([]string, 2)
		for i := range codes {
			together.Go(func() {
				command := process(t.Context(), "run", "--rows", "http:404,http:401", "--surfaces", "chat,messages", "--out", dir)
				out, err := command.CombinedOutput()
				if command.ProcessState != nil {
					codes[i] = command.ProcessState.ExitCode()
				}
				printed[i] = fmt.Sprintf("%s%v", out, err)
			})
		}
		together.Wait()
		refused := slices.Index(codes, exitUsage)
		require.GreaterOrEqual(t, refused, 0, "%d: %v %v", n, codes, printed)
		assert.Equal(t, exitConformant, codes[1-refused], printed[1-refused])
		assert.Regexp(t, `(?m)^gatecert: the folder is in use: `+regexp.QuoteMeta(dir)+`: (process \d+ \(since .*\)|another process) is writing to this folder; wait until that process ends, or choose another folder with --out \(gatecert watch: --dir\)$`, printed[refused])

		run, err := readLog(dir)
		require.NoError(t, err)
		assert.True(t, run.Complete(), run.Incomplete())
		raw, err := os.ReadFile(filepath.Join(dir, logName))
		require.NoError(t, err)
		assert.Equal(t, 1, bytes.Count(raw, []byte(`{"type":"header"`)))
		code, _, stderr = invoke(t.Context(), "certify", dir, "--key", key+".pem") // it is the chain of one run
		assert.Equal(t, exitConformant, code, stderr)
		var report bytes.Buffer
		require.NoError(t, reports.Verdicts(&report, run))
		assert.Equal(t, report.String(), contents(t, dir)["verdicts.txt"])
	}
}

// repetitions is how many full runs have to give the same verdicts.
func repetitions(t *testing.T) int {
	t.Helper()
	if os.Getenv("GATECERT_ACCEPTANCE") == "" {
		t.Skip("it takes an hour: make accept-repeat")
	}
	n, err := strconv.Atoi(os.Getenv("GATECERT_RUNS"))
	if err != nil || n < 2 {
		return 50
	}
	return n
}

// TestFullRunsGiveTheSameVerdicts runs all cases again and again, every second time with all cores of the machine busy.
func TestFullRunsGiveTheSameVerdicts(t *testing.T) {
	n := repetitions(t)
	var first string
	differing := 0
	for i := range n {
		dir, busy := t.TempDir(), i%2 == 1
		rest := func() {}
		if busy {
			rest = keepBusy()
		}
		command := process(t.Context(), "run", "--level", "full", "--time-limit", "30m", "--out", dir)
		printed, err := command.CombinedOutput()
		rest()
		require.NotNil(t, command.ProcessState, "%v", err)
		verdicts := contents(t, dir)["verdicts.txt"]
		require.NotEmpty(t, verdicts, "run %d left no verdicts:\n%s", i+1, printed)
		if i == 0 {
			first = verdicts
		}
		t.Logf("run %d of %d, busy %t: exit %d, %d cases", i+1, n, busy, command.ProcessState.ExitCode(), strings.Count(verdicts, "\n"))
		if verdicts != first {
			differing++
			t.Errorf("run %d of %d, busy %t, differs from the first:\n%s", i+1, n, busy, differences(t, first, verdicts, dir))
		}
	}
	t.Logf("%d of %d runs have the verdicts of the first", n-differing, n)
}

// keepBusy lets all cores work until the function that it returns is called.
func keepBusy() (rest func()) {
	stop := make(chan struct{})
	var working sync.WaitGroup
	for range runtime.NumCPU() {
		working.Go(func() {
			for sum := 0; ; sum++ {
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	return func() {
		close(stop)
		working.Wait()
	}
}

// differences lists the cases with another verdict than before, each with the reason in the log.
func differences(t *testing.T, before, after, dir string) string {
	t.Helper()
	run, err := readLog(dir)
	require.NoError(t, err)
	verdicts := func(text string) map[string]string {
		all := make(map[string]string)
		for line := range strings.Lines(text) {
			verdict, id, _ := strings.Cut(strings.TrimSpace(line), " ")
			all[strings.TrimSpace(id)] = verdict
		}
		return all
	}
	old, now := verdicts(before), verdicts(after)
	all := maps.Clone(old)
	maps.Copy(all, now)
	var out strings.Builder
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if old[id] == now[id] {
			continue
		}
		c, _ := run.Case(id)
		fmt.Fprintf(&out, "%s: %q before, %q now: %s\n", id, old[id], now[id], reports.Headline(c))
	}
	if run.Footer != nil {
		fmt.Fprintf(&out, "notes of the run: %s\n", strings.Join(run.Footer.Notes, "; "))
	}
	return out.String()
}
