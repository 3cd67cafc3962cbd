package reports

import (
	"fmt"
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// aspectTotal is how often an aspect held in a list of cases.
type aspectTotal struct {
	Aspect contract.Aspect
	// Held is the number of cases in which the aspect held, out of the Of cases in which it was tested.
	Held, Of int
	// Broken is the number of cases in which a MUST of the aspect was violated.
	Broken int
}

// Verdict determines the colour of the total. If only a SHOULD was violated, it is a warning.
func (a aspectTotal) Verdict() contract.Verdict {
	switch {
	case a.Of == 0:
		return NotRun
	case a.Broken > 0:
		return contract.Fail
	case a.Held < a.Of:
		return contract.Warn
	default:
		return contract.Pass
	}
}

// Minority reports whether the aspect was violated, but in at most half of the cases.
func (a aspectTotal) Minority() bool { return a.Broken > 0 && 2*a.Broken <= a.Of }

// add counts a case. Only tested cases count.
func (a *aspectTotal) add(c runlog.Case) {
	if !slices.Contains(testedVerdicts, c.Verdict) {
		return
	}
	switch c.Aspects[a.Aspect] {
	case contract.Held:
		a.Held, a.Of = a.Held+1, a.Of+1
	case contract.Violated:
		a.Of++
		if breaks(c, a.Aspect) {
			a.Broken++
		}
	case contract.Untested: // counts for neither
	}
}

// breaks reports whether a MUST of an aspect is among the findings of a case.
func breaks(c runlog.Case, a contract.Aspect) bool {
	return slices.ContainsFunc(c.Findings, func(f contract.Finding) bool {
		return f.Level == contract.Must && f.Requirement.Aspect() == a
	})
}

// aspectTotals sums up the tested cases of a run by aspect. Aspects that no case tested are left out. A gateway with codes of
// its own may be right in everything else, which the verdicts do not show.
func aspectTotals(run runlog.Run) []aspectTotal {
	return slices.DeleteFunc(allAspects(run.Cases), func(a aspectTotal) bool { return a.Of == 0 })
}

// allAspects has a total for every aspect, tested or not, in the contract's order.
func allAspects(cases []runlog.Case) []aspectTotal {
	var totals []aspectTotal
	for _, a := range contract.Aspects() {
		total := aspectTotal{Aspect: a}
		for _, c := range cases {
			total.add(c)
		}
		totals = append(totals, total)
	}
	return totals
}

// Share returns a fraction such as "128/227", or "" if no case tested the aspect.
func (a aspectTotal) Share() string {
	if a.Of == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", a.Held, a.Of)
}

func (a aspectTotal) String() string { return fmt.Sprintf("%s %d of %d", a.Aspect, a.Held, a.Of) }

// passedOnSentence counts the answers that are the upstream's response, passed on; "" for none. What passes because its upstream
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
	return plain.Joined(parts) + " are the upstream's own responses, forwarded by the gateway"
}
