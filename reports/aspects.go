package reports

import (
	"fmt"
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// aspectTotal is how often an aspect held in a run.
type aspectTotal struct {
	Aspect contract.Aspect
	// Held is the number of cases in which it held, of the Of in which it was tested.
	Held, Of int
}

// Counts are the cases as the parts of a bar. What did not hold may have been a SHOULD only.
func (a aspectTotal) Counts() runlog.Counts {
	return runlog.Counts{contract.Pass: a.Held, contract.Warn: a.Of - a.Held}
}

// aspectTotals sums up the tested cases of a run by aspect. Aspects that no case tested are left out. A gateway with codes of
// its own may be right in everything else, which the verdicts do not show.
func aspectTotals(run runlog.Run) []aspectTotal {
	var totals []aspectTotal
	for _, a := range contract.Aspects() {
		total := aspectTotal{Aspect: a}
		for _, c := range run.Cases {
			if !slices.Contains(testedVerdicts, c.Verdict) {
				continue
			}
			switch c.Aspects[a] {
			case contract.Held:
				total.Held, total.Of = total.Held+1, total.Of+1
			case contract.Violated:
				total.Of++
			case contract.Untested: // counts for neither
			}
		}
		if total.Of > 0 {
			totals = append(totals, total)
		}
	}
	return totals
}

func (a aspectTotal) String() string { return fmt.Sprintf("%s %d of %d", a.Aspect, a.Held, a.Of) }

// passedOnSentence counts the answers that are the upstream's own, passed on; "" for none. What passes because its upstream
// kept the contract shows nothing of the gateway.
func passedOnSentence(run runlog.Run) string {
	var parts []string
	for _, of := range []struct {
		verdict contract.Verdict
		name    string
	}{{contract.Pass, "passes"}, {contract.Warn, "warnings"}, {contract.Fail, "failures"}} {
		all, theirs := 0, 0
		for _, c := range run.Cases {
			if c.Verdict != of.verdict || c.Load != nil {
				continue
			}
			all++
			if slices.ContainsFunc(c.Findings, func(f contract.Finding) bool { return f.Requirement == contract.PassedOn }) {
				theirs++
			}
		}
		if theirs > 0 {
			parts = append(parts, fmt.Sprintf("%d of %d %s", theirs, all, of.name))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return plain.Joined(parts) + " are the upstream's own answers, passed on"
}
