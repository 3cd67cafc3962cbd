package gatecerttest

import (
	"context"
	"strings"
	"testing"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Test certifies a target inside a gateway's own go test: one subtest a case, named by its id, so that
//
//	go test -run 'TestContract/code:model_not_found'
//
// shows that row (all cases are run; the subtests report them). Cases that are not offered are skipped subtests, every
// other verdict worse than a warning fails its subtest. A run without a verdict fails t at once.
func Test(t *testing.T, cfg runner.Config) runlog.Run {
	t.Helper()
	ctx, cancel := testContext(t)
	defer cancel()
	run, err := runner.Run(ctx, cfg)
	if err != nil {
		t.Fatalf("gatecert: %v", err)
	}
	for _, c := range run.Cases {
		t.Run(c.ID, func(t *testing.T) { reportCase(t, c) })
	}
	if !run.Complete() {
		t.Errorf("gatecert: the run is incomplete: %s", run.Incomplete())
	}
	if run.Footer != nil {
		for _, s := range run.Footer.Stale {
			t.Errorf("gatecert: the baseline does not hold: %s", s)
		}
	}
	return run
}

// testContext ends with the test's own deadline, if it has one.
func testContext(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	if deadline, ok := t.Deadline(); ok {
		return context.WithDeadline(t.Context(), deadline)
	}
	return context.WithCancel(t.Context())
}

func reportCase(t *testing.T, c runlog.Case) {
	t.Helper()
	var lines []string
	if c.Reason != "" {
		lines = append(lines, c.Reason)
	}
	for _, f := range c.Findings {
		lines = append(lines, reports.Plain(f.String(), maxFindingText))
	}
	if c.Observation != nil && c.Verdict.Worse(contract.Pass) {
		lines = append(lines, c.Observation.Sent.Curl)
	}
	text := string(c.Verdict) + "\n" + strings.Join(lines, "\n")
	switch {
	case c.Verdict == contract.NotOffered:
		t.Skip(text)
	case !c.Verdict.Conformant():
		t.Error(text)
	case len(lines) > 0:
		t.Log(text)
	}
}

// maxFindingText keeps a finding of a hostile gateway to a few lines of a test log.
const maxFindingText = 500
