package limits

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
)

// classifyRejections finds the calls that the limiter turned away: those refused with 429, and those that failed while the limit
// may have been used up, which are refusals gone wrong.
func (a *assessment) classifyRejections() {
	attempts := countAttempts(a.decisions)
	a.rejected = make([]bool, len(a.calls))
	for i, c := range a.calls {
		outcome := c.Outcome()
		a.rejected[i] = outcome == Refused || outcome == Failed && !a.hadCapacity(attempts, &a.decisions[i])
	}
}

// hadCapacity reports whether the limit was certainly not used up: fewer calls than it admits were made in the time in which any
// counts, or are in flight.
func (a *assessment) hadCapacity(attempts admissions, d *decision) bool {
	if a.declared.Kind == contract.Concurrency {
		return a.limiter.cannotRefuse(d)
	}
	oldest := d.from - max(a.declared.timeToReset(), a.declared.Window) - a.declared.Slack
	return oldest >= attempts.begin && attempts.atMostOthers(oldest, d.to) < min(a.declared.Limit, a.declared.capacity())
}

// checkRefusals judges every refusal as the contract judges one, and groups equal findings.
func (a *assessment) checkRefusals() {
	var ofRefusals, ofFailures groupedFindings
	refusals := 0
	for i, c := range a.calls {
		o := c.Observation
		switch {
		case c.Outcome() == Admitted:
			continue
		case !a.rejected[i]:
			ofFailures.add(contract.Finding{Requirement: contract.Recovery, Level: contract.Should, Want: "calls within the limit to succeed", Got: describeFailure(o)})
			continue
		}
		refusals++
		for _, f := range contract.Judge(contract.CaseOf(contract.OverRateLimit, o.Sent.Surface, ""), o).Findings {
			ofRefusals.add(f)
		}
	}
	if refusals > 0 && !slices.ContainsFunc(ofRefusals, func(g groupedFinding) bool { return isAnsweredAs429(g.Requirement) }) {
		a.held(contract.Answered, "all %d refusals are complete 429 responses", refusals)
	}
	a.findings = append(a.findings, ofRefusals.outOf(refusals, "refusal")...)
	a.findings = append(a.findings, ofFailures.outOf(len(a.calls), "call")...)
}

// isAnsweredAs429 reports whether a requirement is about the refusal being a complete 429, not about its body.
func isAnsweredAs429(r contract.Requirement) bool {
	switch r {
	case contract.Answered, contract.NotSuccess, contract.StatusClass, contract.StatusExact, contract.Whole:
		return true
	default:
		return false
	}
}

// groupedFindings counts equal findings.
type groupedFindings []groupedFinding

type groupedFinding struct {
	contract.Finding

	times int
}

func (g *groupedFindings) add(f contract.Finding) {
	i := slices.IndexFunc(*g, func(known groupedFinding) bool { return known.Finding == f })
	if i < 0 {
		i = len(*g)
		*g = append(*g, groupedFinding{Finding: f})
	}
	(*g)[i].times++
}

// outOf returns the findings, the most frequent first, each with its share of a total.
func (g groupedFindings) outOf(total int, of string) []contract.Finding {
	slices.SortStableFunc(g, func(a, b groupedFinding) int { return cmp.Compare(b.times, a.times) })
	findings := make([]contract.Finding, 0, len(g))
	for _, one := range g {
		one.Got += fmt.Sprintf(" (in %d of %s)", one.times, plain.Count(total, of))
		findings = append(findings, one.Finding)
	}
	return findings
}

// describeFailure is the kind of failure or the status line: "timeout", "500 Internal Server Error".
func describeFailure(o contract.Observation) string {
	if o.Failure != nil {
		return string(o.Failure.Kind)
	}
	return fmt.Sprintf("%d %s", o.Status, http.StatusText(o.Status))
}

// describeFailures counts what became of the calls that were not admitted: "3 × 429 Too Many Requests, 1 × timeout".
func describeFailures(calls []Call) string {
	times := map[string]int{}
	var kinds []string
	for _, c := range calls {
		if c.Outcome() == Admitted {
			continue
		}
		kind := describeFailure(c.Observation)
		if times[kind]++; times[kind] == 1 {
			kinds = append(kinds, kind)
		}
	}
	for i, kind := range kinds {
		kinds[i] = fmt.Sprintf("%d × %s", times[kind], kind)
	}
	return strings.Join(kinds, ", ")
}

// connected returns the calls that reached the gateway.
func connected(calls []Call) []Call {
	return slices.DeleteFunc(slices.Clone(calls), Call.couldNotConnect)
}
