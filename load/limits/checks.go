package limits

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// checkedLimit says what a stage was, and when the rule explains all calls, why less than the limit was admitted in it.
func (v *verification) checkedLimit(o contract.Requirement, at stage, explained bool) {
	var admitted, refused, first int
	for i, c := range v.calls {
		if v.stages[i] != at {
			continue
		}
		if admitted+refused == 0 {
			first = i
		}
		switch {
		case c.Outcome() == Admitted:
			admitted++
		case v.turnedAway[i]:
			refused++
		}
	}
	switch {
	case admitted+refused == 0:
		v.untested(o, "the calls for it were not made")
	case admitted == 0:
		v.untested(o, "none of %d calls was admitted", refused)
	case refused == 0 && (o == contract.LimitBurst || v.declared.Kind != contract.Concurrency): // one at a time, these are never refused
		v.untested(o, "%d calls did not reach the limit", admitted)
	case explained && refused > 0 && v.declared.Kind != contract.Concurrency:
		v.checked(o, "%d calls admitted and %d refused%s", admitted, refused, v.taken(v.declared.most(), admitted, first))
	default:
		v.checked(o, "%d calls admitted and %d refused", admitted, refused)
	}
}

// taken says why fewer calls were admitted than the limit, from a certain call on: to find out when it is free again, it has to
// be asked until a call is admitted, and that one takes a place. "" where as many were admitted.
func (v *verification) taken(limit, admitted, from int) string {
	switch {
	case admitted >= limit:
		return ""
	case admitted == limit-1 && from > 0 && v.stages[from-1] == recovery && v.calls[from-1].Outcome() == Admitted:
		return fmt.Sprintf(": the last of %d places was still taken by the call that found the recovery", limit)
	default:
		return fmt.Sprintf(": not all of %d places were free again for certain", limit)
	}
}

func (v *verification) checked(o contract.Requirement, format string, values ...any) {
	v.evidence.Checks = append(v.evidence.Checks, runlog.Check{Requirement: o, Result: runlog.Held, Sentence: fmt.Sprintf(format, values...)})
}

func (v *verification) untested(o contract.Requirement, format string, values ...any) {
	v.evidence.Checks = append(v.evidence.Checks, runlog.Check{Requirement: o, Result: runlog.Untested, Sentence: fmt.Sprintf(format, values...)})
}

// checkedFree says what was looked at of what refused calls take.
func (v *verification) checkedFree() {
	n := v.evidence.Refused
	if n == 0 {
		return
	}
	used := "used up nothing"
	if v.declared.RefusedCount {
		used = "used up the limit, as declared"
	}
	if v.costLooked {
		v.checked(contract.RefusedFree, "%d refused calls %s, and %d of them in a row cost nothing", n, used, further)
		return
	}
	v.checked(contract.RefusedFree, "%d refused calls %s; what they cost was not looked at", n, used)
}

// checkedRecovery says when the limit was free again, if it had been used up.
func (v *verification) checkedRecovery() {
	first := slices.Index(v.stages, recovery)
	switch {
	case first < 0:
	case !slices.Contains(v.turnedAway[:first], true):
		v.untested(contract.Recovery, "nothing was refused in the storm")
	case v.evidence.Recovery > 0:
		v.checked(contract.Recovery, "the first call was admitted %s after the storm", round(v.evidence.Recovery))
	}
}

// conclude puts the checks in order: each obligation of the package has one, and of the contract's those that are broken,
// or that all refusals keep. What is broken is told as it was found. Notes break nothing.
func (v *verification) conclude() {
	made := v.evidence.Checks
	v.evidence.Checks = nil
	all := contract.LoadRequirements(contract.LimitLoad)
	for _, o := range contract.Requirements() {
		if v.broken(o) != "" || slices.ContainsFunc(made, func(c runlog.Check) bool { return c.Requirement == o }) {
			all = append(all, o)
		}
	}
	for _, o := range all {
		check := runlog.Check{Requirement: o, Result: runlog.Untested, Sentence: "no call showed it"}
		if i := slices.IndexFunc(made, func(c runlog.Check) bool { return c.Requirement == o }); i >= 0 {
			check = made[i]
		}
		if broken := v.broken(o); broken != "" {
			check.Result, check.Sentence = runlog.Violated, broken
		}
		v.evidence.Checks = append(v.evidence.Checks, check)
	}
}

// broken tells what was found of an obligation, "" where nothing was.
func (v *verification) broken(o contract.Requirement) string {
	var all []string
	for _, f := range v.findings {
		if f.Requirement == o && f.Level != contract.Note {
			all = append(all, "got "+f.Got+", want "+f.Want)
		}
	}
	return strings.Join(all, "; ")
}

// unclear is why the calls of a whole verification say nothing about the limit, nil when they do. A limit that is seen
// not to hold is told by findings.
func (v *verification) unclear() error {
	tested := func(c runlog.Check) bool {
		return (c.Requirement == contract.LimitExact || c.Requirement == contract.LimitBurst) && c.Result != runlog.Untested
	}
	over := func(f contract.Finding) bool {
		return f.Requirement == contract.LimitExact || f.Requirement == contract.LimitBurst
	}
	switch n := len(v.calls); {
	case v.evidence.Admitted == 0:
		return fmt.Errorf("%w: none of %d calls was admitted", ErrUnclear, n)
	case !slices.Contains(v.turnedAway, true) && !slices.ContainsFunc(v.findings, over):
		return fmt.Errorf("%w: the limit was never seen to hold: %d calls admitted, none refused", ErrUnclear, v.evidence.Admitted)
	case !slices.ContainsFunc(v.evidence.Checks, tested) && !v.refusedCount: // who keeps asking is never admitted again
		return fmt.Errorf("%w: neither one by one nor at once was the limit both kept and used up", ErrUnclear)
	}
	return nil
}
