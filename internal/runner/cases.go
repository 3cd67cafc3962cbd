package runner

import (
	"context"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/features"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/steps"
)

// runCases runs the cases of the plan, phase by phase. It returns why it was interrupted, or nil.
func (r *runner) runCases(ctx context.Context) error {
	for _, part := range []struct {
		phase       string
		cases       []contract.Case
		concurrency int
	}{
		{PhaseConcurrent, r.plan.concurrent, r.session.Profile.Concurrency},
		{PhaseExclusive, r.plan.exclusive, 1},
		{PhaseLoad, r.plan.load, 1},
	} {
		selected := make(map[string]bool)
		for _, c := range part.cases {
			if reason, failed := r.before.failed[c.Surface]; failed {
				r.record(part.phase, steps.Outcome{Case: notRun(c, contract.Error, reason)})
				continue
			}
			selected[c.ID()] = true
		}
		suite := steps.Suite{
			Features: features.FS, Session: loadSession{Session: r.session, runner: r}, Selected: selected, Concurrency: part.concurrency,
			Sink: func(o steps.Outcome) { r.record(part.phase, o) },
		}
		if err := suite.Run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// record logs an outcome and reports it. Failures that the baseline lists are expected in every report of the run.
func (r *runner) record(phase string, o steps.Outcome) {
	result := r.job.Baseline.Excused(o.Case)
	r.journal.wrote(r.journal.log.Case(result))
	for _, note := range o.Notes {
		r.journal.note("%s", note)
	}
	r.progress.report(Progress{Phase: phase, Last: &result})
}

// notRun is the outcome of a case that was not run.
func notRun(c contract.Case, verdict contract.Verdict, reason string) runlog.Case {
	result := runlog.NewCase(c)
	result.Verdict, result.Reason, result.Started = verdict, reason, time.Now()
	return result
}
