package limits

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
)

// sortOut says which calls were turned away: those that were refused, and those that failed while the limit may have been
// used up, which are refusals gone wrong.
func (v *verification) sortOut() {
	book := newLedger(v.all, true)
	v.turnedAway = make([]bool, len(v.calls))
	for i, c := range v.calls {
		outcome := c.Outcome()
		v.turnedAway[i] = outcome == Refused || outcome == Failed && !v.hadRoom(book, v.all[i])
	}
}

// judgeRefusals asks of every refusal what the contract asks of one, and folds what is the same.
func (v *verification) judgeRefusals() {
	var refused, failed folds
	refusals := 0
	for i, c := range v.calls {
		o := c.Observation
		switch {
		case c.Outcome() == Admitted:
			continue
		case !v.turnedAway[i]:
			failed.add(contract.Finding{Requirement: contract.Recovery, Level: contract.Should, Want: "no call to fail that is within the limit", Got: failure(o)})
			continue
		}
		refusals++
		for _, f := range contract.Judge(contract.Case{Row: "http:429", Circumstance: "over-rate-limit", Surface: o.Sent.Surface}, o).Findings {
			refused.add(f)
		}
	}
	if refusals > 0 && !slices.ContainsFunc(refused, spoilt) {
		v.checked(contract.Answered, "all %d refusals are whole 429s", refusals)
	}
	v.findings = append(v.findings, refused.all("refusals", refusals)...)
	v.findings = append(v.findings, failed.all("calls", len(v.calls))...)
}

// spoilt reports whether a finding says that a refusal is no 429 that arrived to its end, whatever its envelope holds.
func spoilt(f fold) bool {
	switch f.Requirement {
	case contract.Answered, contract.NotSuccess, contract.StatusClass, contract.StatusExact, contract.Whole:
		return true
	default:
		return false
	}
}

// hadRoom reports whether the limit was certainly not used up: fewer calls than it admits were made in as long as any
// counts, or are under way.
func (v *verification) hadRoom(book ledger, d decision) bool {
	if v.declared.Kind == contract.Concurrency {
		return v.rule.under(d)
	}
	oldest := d.from - max(v.declared.full(), v.declared.Window) - v.declared.Slack
	return oldest >= book.begin && book.others(oldest, d.to) < min(v.declared.Limit, v.declared.most())
}

// folds counts findings that are the same.
type folds []fold

type fold struct {
	contract.Finding

	times int
}

func (f *folds) add(finding contract.Finding) {
	i := slices.IndexFunc(*f, func(known fold) bool { return known.Finding == finding })
	if i < 0 {
		i = len(*f)
		*f = append(*f, fold{Finding: finding})
	}
	(*f)[i].times++
}

// all are the findings, the most frequent first, and of how many each was made.
func (f folds) all(of string, total int) []contract.Finding {
	slices.SortStableFunc(f, func(a, b fold) int { return cmp.Compare(b.times, a.times) })
	findings := make([]contract.Finding, 0, len(f))
	for _, one := range f {
		one.Got += fmt.Sprintf(" (on %d of %d %s)", one.times, total, of)
		findings = append(findings, one.Finding)
	}
	return findings
}

func failure(o contract.Observation) string {
	if o.Failure != nil {
		return string(o.Failure.Kind)
	}
	return fmt.Sprintf("%d %s", o.Status, http.StatusText(o.Status))
}

// failures counts what became of the calls that were not admitted: "3 times 429 Too Many Requests, once timeout".
func failures(calls []Call) string {
	times := map[string]int{}
	var order []string
	for _, c := range calls {
		if c.Outcome() == Admitted {
			continue
		}
		what := failure(c.Observation)
		if times[what]++; times[what] == 1 {
			order = append(order, what)
		}
	}
	for i, what := range order {
		order[i] = fmt.Sprintf("%d times %s", times[what], what)
		if times[what] == 1 {
			order[i] = "once " + what
		}
	}
	return strings.Join(order, ", ")
}
