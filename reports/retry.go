package reports

import (
	"fmt"
	"io"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Retry compares the results of cases that failed in an earlier run with their new results.
type Retry struct {
	replays []Replay
	later   runlog.Run
}

// NewRetry compares some cases of an earlier run, which failed or never ran in that run, with the same cases of a later run.
func NewRetry(earlier, later runlog.Run, cases []string) Retry {
	r := Retry{later: later}
	for _, id := range cases {
		after, ok := later.Case(id)
		if !ok {
			continue // the selection left it out
		}
		before, ok := earlier.Case(id)
		if !ok {
			before.CaseKey, before.Verdict = after.CaseKey, contract.Error
		}
		r.replays = append(r.replays, Replay{Before: before, After: after})
	}
	return r
}

// retryLines is how many fixed cases are named.
const retryLines = 10

// Terminal writes how many of the cases are fixed, and which. The cases that still fail are described in the report of the run; if causes is set,
// Terminal writes them too. It returns only errors of w.
func (r Retry) Terminal(w io.Writer, opts TerminalOptions, causes bool) error {
	t := terminal{opts: opts.withDefaults()}
	if causes {
		t.causes(r.later)
	}
	say := t.opts.Language.text
	counts := make(map[ReplayOutcome]int)
	var fixed []Replay
	notOffered := 0
	for _, replay := range r.replays {
		outcome := replay.Outcome()
		switch {
		case replay.After.Verdict == contract.NotOffered:
			notOffered++
		case outcome == Fixed:
			fixed = append(fixed, replay)
		default:
			counts[outcome]++
		}
	}
	for _, f := range fixed[:min(len(fixed), retryLines)] {
		t.line("%s %s", t.sign(f.After.Verdict), say("fixed: "+plain.Text(f.After.ID, nameLimit)))
	}
	if rest := len(fixed) - retryLines; rest > 0 {
		t.line("  %s", say(fmt.Sprintf("… and %d more", rest)))
	}
	parts := []string{fmt.Sprintf("%d fixed", len(fixed))}
	for _, outcome := range []ReplayOutcome{StillFailing, Different} {
		if n := counts[outcome]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, outcome))
		}
	}
	if notOffered > 0 {
		parts = append(parts, fmt.Sprintf("%d not offered", notOffered))
	}
	t.line("%s", say(fmt.Sprintf("%s did not pass in the earlier run: %s", plain.Count(len(r.replays), "case"), strings.Join(parts, ", "))))
	return flush(w, &t.out)
}
