package limits

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load"
)

// judge looks at all calls of the limited key together.
func (v *verification) judge() {
	v.evidence.Calls = len(v.calls)
	v.evidence.Admitted, v.evidence.Refused, v.evidence.Failed = count(v.calls, Admitted), count(v.calls, Refused), count(v.calls, Failed)
	for _, c := range v.calls {
		if Foreign(c.Observation) {
			v.evidence.Foreign++
		}
	}
	if len(v.calls) > 0 {
		v.judgeLimit()
		v.judgeRetryAfter()
		v.judgeQuotas()
		v.judgeRefusals()
	}
	v.conclude()
}

// judgeLimit asks which calls the declared limit cannot explain.
func (v *verification) judgeLimit() {
	v.all = decisions(v.calls, v.calls[0].Earliest)
	m, found := v.explain(v.declared)
	v.evidence.Model = m
	under := found.under
	switch {
	case len(under) == 0:
	case v.less():
		// Whatever phase its windows are given, some refusals of a limit that is too low seem to be of other stages.
		v.judgeUnder(LimitExact, m, under)
		under = nil
	case !v.declared.RefusedCount:
		counting := v.declared
		counting.RefusedCount = true
		if _, counted := v.explain(counting); len(counted.under) == 0 && len(counted.over) <= len(found.over) {
			v.find(RefusedFree, contract.Should, "refused calls to use up nothing",
				fmt.Sprintf("%d calls refused that only refused calls leave no room for", len(under)))
			under, v.refusedCount = nil, true
		}
	}
	book := newLedger(v.all, v.declared.RefusedCount)
	v.rule = v.limiter(m, v.all, book)
	v.judgeOvers(m, book, found.over)
	v.judgeUnders(m, under)
	v.checkedLimit(LimitExact, sequence)
	v.checkedLimit(LimitBurst, together)
	if v.evidence.Refused > 0 {
		v.checked(RefusedFree, "%d calls made when the limit was used up", v.evidence.Refused)
	}
	if v.evidence.Recovery > 0 {
		v.checked(Recovery, "the first call was admitted %s after the storm", round(v.evidence.Recovery))
	}
}

// less reports whether a lower limit than the declared one explains all answers.
func (v *verification) less() bool {
	lower := func(limit int) contradictions {
		d := v.declared
		if d.Kind == TokenBucket {
			d.Burst = limit
		} else {
			d.Limit, d.Burst = limit, 0
		}
		_, found := v.explain(d)
		return found
	}
	// The lower the limit, the fewer refusals it cannot explain.
	limit := sort.Search(v.declared.most(), func(n int) bool { return len(lower(n+1).under) > 0 })
	return limit > 0 && lower(limit).count() == 0
}

// only are those calls that were made in certain stages.
func (v *verification) only(indices []int, at ...stage) []int {
	var some []int
	for _, i := range indices {
		if slices.Contains(at, v.stages[i]) {
			some = append(some, i)
		}
	}
	return some
}

// judgeOvers gives the calls that went over the limit to the obligations of their stages. Those that were made one by
// one after others had gone over it follow from these.
func (v *verification) judgeOvers(m Model, book ledger, calls []int) {
	exactly, atOnce, streams := v.only(calls, sequence), v.only(calls, storm, together), v.only(calls, streamed)
	if len(exactly) > 0 {
		exactly, streams = append(exactly, streams...), nil
	}
	switch rest := v.only(calls, recovery, refusals); {
	case len(atOnce) > 0:
		atOnce = append(atOnce, rest...)
	case len(streams) == 0:
		exactly = append(exactly, rest...)
	}
	v.judgeOver(LimitExact, contract.Must, m, book, exactly)
	v.judgeOver(LimitBurst, contract.Must, m, book, atOnce)
	// That streams use up the same limit is for the target to say, not for the contract.
	v.judgeOver(StreamShare, contract.Should, m, book, streams)
}

// judgeUnders gives the calls that were refused below the limit to the obligations of their stages. When call by call a
// part of the limit is to be had and not all of it, all refusals are due to that. When nothing is to be had where time has
// freed it, it recovers late, for streams too.
func (v *verification) judgeUnders(m Model, calls []int) {
	if row := v.only(calls, sequence); len(row) > 0 && v.admittedIn(sequence, row[len(row)-1]) {
		v.judgeUnder(LimitExact, m, calls)
		return
	}
	late := v.only(calls, recovery, sequence, storm, refusals)
	if burst := v.only(calls, together); v.admittedIn(together, len(v.all)) {
		v.judgeUnder(LimitBurst, m, burst)
	} else {
		late = append(late, burst...)
	}
	if streams := v.only(calls, streamed); len(late) == 0 {
		v.judgeUnder(StreamShare, m, streams)
	} else {
		late = append(late, streams...)
	}
	v.judgeUnder(Recovery, m, late)
}

// admittedIn reports whether anything was admitted in a stage, among the first n calls.
func (v *verification) admittedIn(at stage, n int) bool {
	for i, d := range v.all[:n] {
		if v.stages[i] == at && d.outcome == Admitted {
			return true
		}
	}
	return false
}

// judgeOver finds calls that went over the limit.
func (v *verification) judgeOver(o contract.Obligation, severity contract.Severity, m Model, book ledger, calls []int) {
	if len(calls) == 0 {
		return
	}
	got := fmt.Sprintf("%d calls admitted that are too many", len(calls))
	if m.Kind != Concurrency {
		most := 0
		for _, i := range calls {
			most = max(most, book.atLeast(v.all[i].to-m.Window+1, v.all[i].to))
		}
		got += fmt.Sprintf("; as many as %d within %s", most, round(m.Window))
	}
	v.find(o, severity, "no more admitted than a "+m.String()+" does", got)
}

// judgeUnder finds calls that were refused below the limit.
func (v *verification) judgeUnder(o contract.Obligation, m Model, calls []int) {
	if len(calls) > 0 {
		v.find(o, contract.Should, "calls admitted as long as a "+m.String()+" has room",
			fmt.Sprintf("%d refused that certainly had room", len(calls)))
	}
}

// explain finds the model of the declared limit that explains the calls best: the kind where it is not declared, and
// the phase where windows go by the clock. Streaming calls may belong to another limit, so they have no say in that:
// those that were admitted may have used this one up, and may have not. When they went over it, they did not, and what
// came after them is not held against them.
func (v *verification) explain(declared Declared) (Model, contradictions) {
	plain := slices.Clone(v.all)
	for i := range plain {
		switch {
		case v.stages[i] != streamed:
		case plain[i].outcome == Admitted:
			plain[i].outcome = Failed
		default:
			plain[i].outcome = foreign
		}
	}
	book := newLedger(plain, declared.RefusedCount)
	var best tie[Model]
	for _, kind := range declared.kinds() {
		m := declared.model(kind)
		if kind == FixedWindow || kind == SlidingCounter {
			m.Phase = v.phase(m, plain, book)
		}
		best.add(m, contradicting(v.limiter(m, plain, book), plain, best.bound()).count())
		if kind == FixedWindow {
			m.Phase, m.Anchored = 0, true
			best.add(m, contradicting(v.limiter(m, plain, book), plain, best.bound()).count())
		}
	}
	m := best.all[0]
	found := contradicting(v.limiter(m, v.all, newLedger(v.all, declared.RefusedCount)), v.all, len(v.all))
	if over := v.only(found.over, streamed); len(over) > 0 {
		found.over = slices.Concat(over, contradicting(v.limiter(m, plain, book), plain, len(plain)).over)
	}
	return m, found
}

func (v *verification) limiter(m Model, all []decision, book ledger) limiter {
	return newLimiter(m, all, book, v.declared.Slack)
}

// phase is where the windows begin that leave the fewest calls unexplained: by a 256th of the window, then by a 4096th
// around the best.
func (v *verification) phase(m Model, all []decision, book ledger) time.Duration {
	at := func(fraction float64) Model {
		m := m
		m.Phase = time.Duration(fraction * float64(m.Window))
		return m
	}
	best := tie[float64]{}
	for i := range 256 {
		f := float64(i) / 256
		best.add(f, contradicting(v.limiter(at(f), all, book), all, best.bound()).count())
	}
	around := best.middle()
	best = tie[float64]{}
	for i := -16; i <= 16; i++ {
		f := around + float64(i)/4096
		best.add(f, contradicting(v.limiter(at(f), all, book), all, best.bound()).count())
	}
	return at(best.middle()).Phase
}

// judgeRefusals asks of every refusal what the contract asks of one, and folds what is the same. A call that failed
// while the limit may have been used up is a refusal gone wrong.
func (v *verification) judgeRefusals() {
	var refused, failed folds
	refusals := 0
	for i, c := range v.calls {
		o := c.Observation
		switch c.Outcome() {
		case Admitted:
			continue
		case Failed:
			if v.hadRoom(v.all[i]) {
				failed.add(contract.Finding{Obligation: Recovery, Severity: contract.Should, Want: "no call to fail that is within the limit", Got: failure(o)})
				continue
			}
		case Refused:
		}
		refusals++
		for _, f := range contract.Judge(contract.Case{Row: "http:429", Circumstance: "over-rate-limit", Surface: o.Sent.Surface}, o) {
			refused.add(f)
		}
	}
	v.findings = append(v.findings, refused.all("refusals", refusals)...)
	v.findings = append(v.findings, failed.all("calls", len(v.calls))...)
}

// hadRoom reports whether the limit was certainly not used up: fewer calls than it admits were made in as long as any
// counts, or are under way.
func (v *verification) hadRoom(d decision) bool {
	if v.declared.Kind == Concurrency {
		return v.rule.under(d)
	}
	book := newLedger(v.all, true)
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

// checkedLimit says what a stage was.
func (v *verification) checkedLimit(o contract.Obligation, at stage) {
	var admitted, refused int
	for i, c := range v.calls {
		if v.stages[i] != at {
			continue
		}
		switch c.Outcome() {
		case Admitted:
			admitted++
		case Refused:
			refused++
		case Failed:
		}
	}
	switch {
	case admitted+refused == 0:
		v.untested(o, "the calls for it were not made")
	case admitted == 0:
		v.untested(o, "none of %d calls was admitted", refused)
	case refused == 0 && o == LimitBurst:
		v.untested(o, "%d calls did not reach the limit", admitted)
	default:
		v.checked(o, "%d calls admitted and %d refused", admitted, refused)
	}
}

func (v *verification) checked(o contract.Obligation, format string, values ...any) {
	v.evidence.Checks = append(v.evidence.Checks, load.Check{Obligation: o, Result: load.Held, Sentence: fmt.Sprintf(format, values...)})
}

func (v *verification) untested(o contract.Obligation, format string, values ...any) {
	v.evidence.Checks = append(v.evidence.Checks, load.Check{Obligation: o, Result: load.Untested, Sentence: fmt.Sprintf(format, values...)})
}

// conclude puts the checks in order: each obligation has one, broken when there is a finding.
func (v *verification) conclude() {
	made := v.evidence.Checks
	v.evidence.Checks = nil
	for _, o := range Obligations() {
		check := load.Check{Obligation: o, Result: load.Untested, Sentence: "no call showed it"}
		if i := slices.IndexFunc(made, func(c load.Check) bool { return c.Obligation == o }); i >= 0 {
			check = made[i]
		}
		if slices.ContainsFunc(v.findings, func(f contract.Finding) bool { return f.Obligation == o }) {
			check.Result = load.Violated
		}
		v.evidence.Checks = append(v.evidence.Checks, check)
	}
}
