package reports

import (
	"io"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Replay is a case that ran again.
type Replay struct{ Before, After runlog.Case }

// ReplayOutcome is how the result of a case changed when it ran again.
type ReplayOutcome string

// The outcomes of a replay.
const (
	Fixed        ReplayOutcome = "fixed"         // it failed before and does not fail now
	StillFailing ReplayOutcome = "still failing" // it fails as before
	StillPassing ReplayOutcome = "still passing" // it passes, or warns, as before
	Different    ReplayOutcome = "different"     // it fails in another way, or did not fail before
)

// Outcome compares the two results. An expected failure counts as a failure.
func (r Replay) Outcome() ReplayOutcome {
	before, after := r.Before, r.After
	if before.Verdict == contract.ExpectedFail {
		before.Verdict = contract.Fail
	}
	switch move := Compare(before, after); {
	case failed(before.Verdict) && !failed(after.Verdict.OrError()):
		return Fixed
	case move == Same && failed(before.Verdict):
		return StillFailing
	case move == Same:
		return StillPassing
	default:
		return Different
	}
}

// Terminal writes the new result, and the old one if it differs. It fails only when w does.
func (r Replay) Terminal(w io.Writer, opts TerminalOptions) error {
	t := terminal{opts: opts.withDefaults()}
	t.failure(failureTextOf(r.After))
	outcome := r.Outcome()
	if outcome != StillFailing && outcome != StillPassing {
		t.line("before: %s %s", t.sign(r.Before.Verdict.OrError()), Headline(r.Before))
	}
	t.line("%s.", t.paint(r.After.Verdict.OrError(), string(outcome)))
	return t.flush(w)
}
