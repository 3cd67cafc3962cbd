package limits

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/gatecert/gatecert/contract"
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
	v.judgeCompany()
	v.judgeStreams()
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
		// Whatever phase its windows are given, some refusals of a limit that is too low seem to be of other stages, and some
		// admissions to be too many.
		v.judgeUnder(contract.LimitExact, m, under)
		under, found.over = nil, nil
	case !v.declared.RefusedCount && v.evidence.Admitted > 0:
		counting := v.declared
		counting.RefusedCount = true
		if _, counted := v.explain(counting); len(counted.under) == 0 && len(counted.over) <= len(found.over) {
			v.find(contract.RefusedFree, contract.Should, "refused calls to use up nothing",
				fmt.Sprintf("%d calls refused that only refused calls leave no room for", len(under)))
			under, v.refusedCount = nil, true
		}
	}
	book := newLedger(v.all, v.declared.RefusedCount)
	v.rule = v.limiter(m, v.all, book)
	v.judgeOvers(m, book, found.over)
	v.judgeUnders(m, under)
	v.sortOut()
	v.checkedLimit(contract.LimitExact, sequence, found.count() == 0)
	v.checkedLimit(contract.LimitBurst, together, found.count() == 0)
	v.checkedFree()
	v.checkedRecovery()
}

// less reports whether a lower limit than the declared one explains all answers.
func (v *verification) less() bool {
	lower := func(limit int) contradictions {
		d := v.declared
		if d.Kind == contract.TokenBucket {
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
	v.judgeOver(contract.LimitExact, contract.Must, m, book, exactly)
	v.judgeOver(contract.LimitBurst, contract.Must, m, book, atOnce)
	// That streams use up the same limit is for the target to say, not for the contract.
	v.judgeOver(contract.StreamShare, contract.Should, m, book, streams)
}

// judgeUnders gives the calls that were refused below the limit to the obligations of their stages. When call by call a
// part of the limit is to be had and not all of it, all refusals are due to that. When nothing is to be had where time has
// freed it, it recovers late, for streams too.
func (v *verification) judgeUnders(m Model, calls []int) {
	if row := v.only(calls, sequence); len(row) > 0 && v.admittedIn(sequence, row[len(row)-1]) {
		v.judgeUnder(contract.LimitExact, m, calls)
		return
	}
	late := v.only(calls, recovery, sequence, storm, refusals)
	if burst := v.only(calls, together); v.admittedIn(together, len(v.all)) {
		v.judgeUnder(contract.LimitBurst, m, burst)
	} else {
		late = append(late, burst...)
	}
	if streams := v.only(calls, streamed); len(late) == 0 {
		v.judgeUnder(contract.StreamShare, m, streams)
	} else {
		late = append(late, streams...)
	}
	v.judgeUnder(contract.Recovery, m, late)
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
func (v *verification) judgeOver(o contract.Requirement, severity contract.RequirementLevel, m Model, book ledger, calls []int) {
	if len(calls) == 0 {
		return
	}
	got := fmt.Sprintf("%d calls admitted that are too many", len(calls))
	if m.Kind != contract.Concurrency {
		most := 0
		for _, i := range calls {
			most = max(most, book.atLeast(v.all[i].to-m.Window+1, v.all[i].to))
		}
		got += fmt.Sprintf("; as many as %d within %s", most, round(m.Window))
	}
	v.find(o, severity, "no more admitted than a "+m.String()+" does", got)
}

// judgeUnder finds calls that were refused below the limit.
func (v *verification) judgeUnder(o contract.Requirement, m Model, calls []int) {
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
		if kind == contract.FixedWindow || kind == contract.SlidingCounter {
			m.Phase = v.phase(m, plain, book)
		}
		best.add(m, contradicting(v.limiter(m, plain, book), plain, best.bound()).count())
		if kind == contract.FixedWindow {
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
