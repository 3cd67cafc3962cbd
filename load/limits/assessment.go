package limits

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// assessment checks a transcript against the declared limit.
type assessment struct {
	transcript

	declared DeclaredLimit
	// decisions are those about the calls, in the same order.
	decisions []decision
	// model and limiter are the declared limit as the limiter that explains the calls best.
	model   LimiterModel
	limiter limiter
	// rejected says of each call whether the limiter turned it away, with a 429 or with something else.
	rejected []bool
	// cause is what explains the calls in place of the declared limit, where that does not.
	cause cause
	// refusedCount says that refused calls were found to count against the limit, which was not declared.
	refusedCount bool
	// indistinct says which other limit explains all calls as well as the declared one, "" for none.
	indistinct string
	// others are the limits beside the declared one, nil for none.
	others *others
	// limiters are the models of several limits, "" for one.
	limiters string

	findings []contract.Finding
	checks   []runlog.Check
	// times are the latencies that were compared.
	times []runlog.Times
}

// assess makes all checks that the transcript allows. Where other limits act, those that are not about the limit itself are made for
// all of them together.
func assess(d DeclaredLimit, t transcript, others *others) *assessment {
	a := &assessment{transcript: t, declared: d, others: others}
	if others == nil {
		a.checkAround()
	}
	if len(a.calls) > 0 {
		a.checkDeclared()
	}
	if len(a.calls) > 0 && others == nil {
		a.checkRefusals()
	}
	a.orderChecks()
	return a
}

// checkAround checks what does not depend on the limit itself.
func (a *assessment) checkAround() {
	a.checkRefusedCost()
	a.checkUpstream429s()
	a.checkIsolation()
	a.checkStreams()
}

// checkDeclared checks whether the limit holds, and what the gateway says of it.
func (a *assessment) checkDeclared() {
	if a.declared.Tokens {
		a.checkTokens()
	} else {
		a.checkLimit()
	}
	a.checkDepartures()
	a.checkRetryAfter()
	a.checkQuotas()
}

func (a *assessment) find(r contract.Requirement, level contract.RequirementLevel, want, got string) {
	a.findings = append(a.findings, contract.Finding{Requirement: r, Level: level, Want: want, Got: got})
}

// held records that a requirement was checked. orderChecks replaces the result where a finding says otherwise.
func (a *assessment) held(r contract.Requirement, format string, values ...any) {
	a.checks = append(a.checks, runlog.Check{Requirement: r, Result: contract.Held, Sentence: fmt.Sprintf(format, values...)})
}

// untested records why a requirement could not be checked.
func (a *assessment) untested(r contract.Requirement, format string, values ...any) {
	a.checks = append(a.checks, runlog.Check{Requirement: r, Result: contract.Untested, Sentence: fmt.Sprintf(format, values...)})
}

// orderChecks leaves one check for each requirement of a rate limit, and for each of the contract's other requirements that was
// checked or violated. A violated check has the findings as its sentence; notes violate nothing.
func (a *assessment) orderChecks() {
	recorded := a.checks
	a.checks = nil
	requirements := contract.LoadRequirements(contract.LimitLoad)
	for _, r := range contract.Requirements() {
		if a.violation(r) != "" || slices.ContainsFunc(recorded, func(c runlog.Check) bool { return c.Requirement == r }) {
			requirements = append(requirements, r)
		}
	}
	for _, r := range requirements {
		check := runlog.Check{Requirement: r, Result: contract.Untested, Sentence: "no call tested this requirement"}
		if i := slices.IndexFunc(recorded, func(c runlog.Check) bool { return c.Requirement == r }); i >= 0 {
			check = recorded[i]
		}
		if violation := a.violation(r); violation != "" {
			check.Result, check.Sentence = contract.Violated, violation
		}
		a.checks = append(a.checks, check)
	}
}

// violation joins the findings of a requirement, "" where there are none.
func (a *assessment) violation(r contract.Requirement) string {
	var sentences []string
	for _, f := range a.findings {
		if f.Requirement == r && f.Level != contract.Note {
			sentences = append(sentences, "got "+f.Got+", want "+f.Want)
		}
	}
	return strings.Join(sentences, "; ")
}

// inconclusive returns [ErrInconclusive] when the calls of a whole verification do not show what the limit is. A limit that does
// not hold is a finding instead.
func (a *assessment) inconclusive() error {
	ofLimit := func(r contract.Requirement) bool { return r == contract.LimitExact || r == contract.LimitBurst }
	violated := slices.ContainsFunc(a.findings, func(f contract.Finding) bool { return ofLimit(f.Requirement) })
	tested := slices.ContainsFunc(a.checks, func(c runlog.Check) bool { return ofLimit(c.Requirement) && c.Result != contract.Untested })
	switch admitted := count(a.calls, Admitted); {
	case admitted == 0:
		return fmt.Errorf("%w: none of the %d calls was admitted", ErrInconclusive, len(a.calls))
	case !slices.Contains(a.rejected, true) && !violated:
		return fmt.Errorf("%w: the limit was never reached: %s admitted and none was refused", ErrInconclusive, plain.Were(admitted, "call"))
	case a.indistinct != "" && !violated:
		return fmt.Errorf("%w: %s", ErrInconclusive, a.indistinct)
	case !tested && !a.refusedCount: // where refused calls count, a caller that goes on is never admitted again
		return fmt.Errorf("%w: neither the sequential calls nor the burst used up the limit", ErrInconclusive)
	}
	return nil
}
