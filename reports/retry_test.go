package reports_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
)

// mendedRun is the failing run, in which some of its failures pass now.
func mendedRun(mended int) (before, after runlog.Run, failed []string) {
	before = failingRun()
	after = before
	after.Cases = append([]runlog.Case(nil), before.Cases...)
	for i, c := range after.Cases {
		if c.Verdict.Conformant() {
			continue
		}
		failed = append(failed, c.ID)
		if len(failed) <= mended {
			after.Cases[i].Verdict, after.Cases[i].Findings, after.Cases[i].Reason = contract.Pass, nil, ""
		}
	}
	return before, after, failed
}

func TestRetry(t *testing.T) {
	before, after, failed := mendedRun(2)
	require.Greater(t, len(failed), 3)
	var out bytes.Buffer
	require.NoError(t, reports.NewRetry(before, after, failed).Terminal(&out, reports.TerminalOptions{}, false))
	golden(t, "retry.txt", out.Bytes())
	assert.NotContains(t, out.String(), "Fix these first")

	out.Reset()
	require.NoError(t, reports.NewRetry(before, after, failed).Terminal(&out, reports.TerminalOptions{}, true))
	assert.Contains(t, out.String(), "Fix these first")
	assert.ErrorIs(t, reports.NewRetry(before, after, failed).Terminal(brokenWriter{}, reports.TerminalOptions{}, false), errBroken)
}

func TestRetryOfManyCases(t *testing.T) {
	cases := every(contract.Rows(), dialect.Chat)
	run := concluded(header(contract.Relay), cases)
	earlier := run
	earlier.Cases = nil // none of them ran
	var ids []string
	for _, c := range cases {
		ids = append(ids, c.ID)
	}
	var out bytes.Buffer
	require.NoError(t, reports.NewRetry(earlier, run, append(ids, "http:404/unknown-model/left-out")).Terminal(&out, reports.TerminalOptions{}, false))
	assert.Equal(t, 10, strings.Count(out.String(), "✓ fixed: "))
	assert.Contains(t, out.String(), "  … and 22 more\n32 cases did not pass in the earlier run: 32 fixed\n")
}

func TestAReplayShowsTheNewAnswer(t *testing.T) {
	cases := failingRun().Cases
	c := cases[slices.IndexFunc(cases, func(c runlog.Case) bool { return c.Verdict == contract.Fail && len(c.Findings) > 0 })]
	var out bytes.Buffer
	require.NoError(t, reports.Replay{Before: c, After: c}.Terminal(&out, reports.TerminalOptions{}))
	golden(t, "replay.txt", out.Bytes())
}
