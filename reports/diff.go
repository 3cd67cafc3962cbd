package reports

import (
	"cmp"
	"io"
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Move states how a case changed between two runs.
type Move string

// The moves, worst first.
const (
	Worse    Move = "worse"   // a worse verdict
	Changed  Move = "changed" // the same verdict, other requirements violated
	Better   Move = "better"  // a better verdict
	Appeared Move = "new"     // only in the new run
	Gone     Move = "gone"    // only in the old run
	Same     Move = "same"    // the same verdict, the same requirements violated
)

// moves are those that a diff lists, in order.
func moves() []Move { return []Move{Worse, Changed, Better, Appeared, Gone} }

// Compare returns how a case changed. It compares verdicts and violated requirements, but not the text of findings, which differs from call to call.
func Compare(before, after runlog.Case) Move {
	b, a := before.Verdict.OrError(), after.Verdict.OrError()
	switch {
	case a.Worse(b):
		return Worse
	case b.Worse(a):
		return Better
	case !slices.Equal(violated(before), violated(after)):
		return Changed
	default:
		return Same
	}
}

// violated lists the requirements that a case violates, each once and without notes.
func violated(c runlog.Case) []contract.Requirement {
	var list []contract.Requirement
	for _, f := range c.Findings {
		if f.Level != contract.Note {
			list = append(list, f.Requirement)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Change is one case that changed.
type Change struct {
	ID   string
	Move Move
	// Before is nil for a new case. After is nil for a case that no longer exists.
	Before, After *runlog.Case
}

// Diff is the difference between two runs.
type Diff struct {
	Old, New runlog.Run
	// Changes are sorted by move, worst first, then by case id.
	Changes []Change
	// Unchanged is the number of cases that stayed the same.
	Unchanged int
}

// NewDiff compares two runs case by case. A case that was expected but never ran counts as an error.
func NewDiff(old, run runlog.Run) Diff {
	d := Diff{Old: old, New: run}
	before := make(map[string]*runlog.Case)
	oldCases, newCases := old.AllCases(), run.AllCases()
	for i := range oldCases {
		before[oldCases[i].ID] = &oldCases[i]
	}
	for i := range newCases {
		after := &newCases[i]
		was := before[after.ID]
		delete(before, after.ID)
		move := Appeared
		if was != nil {
			move = Compare(*was, *after)
		}
		if move == Same {
			d.Unchanged++
			continue
		}
		d.Changes = append(d.Changes, Change{after.ID, move, was, after})
	}
	for id, was := range before {
		d.Changes = append(d.Changes, Change{ID: id, Move: Gone, Before: was})
	}
	slices.SortFunc(d.Changes, func(a, b Change) int {
		return cmp.Or(inOrder(moves())(a.Move, b.Move), cmp.Compare(a.ID, b.ID))
	})
	return d
}

// Count returns the number of cases with a move.
func (d Diff) Count(move Move) int {
	if move == Same {
		return d.Unchanged
	}
	n := 0
	for _, c := range d.Changes {
		if c.Move == move {
			n++
		}
	}
	return n
}

// Compared returns the number of cases that are in both runs.
func (d Diff) Compared() int {
	return d.Unchanged + d.Count(Worse) + d.Count(Changed) + d.Count(Better)
}

// Replay contains the results of a case that ran again.
type Replay struct{ Before, After runlog.Case }

// ReplayOutcome is how the result of a case changed when it ran again.
type ReplayOutcome string

// The outcomes of a replay.
const (
	Fixed        ReplayOutcome = "fixed"         // it failed before and no longer fails
	StillFailing ReplayOutcome = "still failing" // it fails as before
	StillPassing ReplayOutcome = "still passing" // it passes, or warns, as before
	Different    ReplayOutcome = "different"     // it fails differently, or did not fail before
)

// Outcome compares the two results. An expected failure counts as a failure.
func (r Replay) Outcome() ReplayOutcome {
	before, after := r.Before, r.After
	if before.Verdict == contract.ExpectedFail {
		before.Verdict = contract.Fail
	}
	switch move := Compare(before, after); {
	case !before.Verdict.Conformant() && after.Verdict.OrError().Conformant():
		return Fixed
	case move == Same && !before.Verdict.Conformant():
		return StillFailing
	case move == Same:
		return StillPassing
	default:
		return Different
	}
}

// newAnswer writes what came back, marked where it is wrong.
func (t *terminal) newAnswer(after runlog.Case) {
	if after.Observation == nil || after.Observation.Status == 0 {
		return
	}
	only := Cause{Example: after}
	if len(after.Findings) > 0 {
		only.Finding = after.Findings[0]
		only.Requirement = only.Finding.Requirement
	}
	t.answer(only.example())
	t.line("")
}

// Terminal writes the new result with the new response, and the old result if it differs. It returns only errors of w.
func (r Replay) Terminal(w io.Writer, opts TerminalOptions) error {
	t := terminal{opts: opts.withDefaults()}
	t.failure(failureTextOf(r.After))
	t.newAnswer(r.After)
	outcome := r.Outcome()
	if outcome != StillFailing && outcome != StillPassing {
		t.line("before: %s %s", t.sign(r.Before.Verdict.OrError()), Headline(r.Before))
	}
	t.line("%s.", t.paint(r.After.Verdict.OrError(), string(outcome)))
	return flush(w, &t.out)
}
