package limits

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// checkLimit finds the calls that contradict the declared limit.
func (a *assessment) checkLimit() {
	a.decisions = decisionsOf(a.calls, a.calls[0].Earliest)
	m, found := a.bestModel(a.declared)
	a.model = m
	spurious := found.spurious
	switch {
	case len(spurious) == 0:
	case a.lowerLimitExplains():
		// Wherever its windows begin, a limit that is too low makes some refusals seem to belong to other phases, and some
		// admissions excessive.
		a.findSpurious(contract.LimitExact, spurious)
		spurious, found.excess = nil, nil
	case !a.declared.RefusedCount && count(a.calls, Admitted) > 0:
		counting := a.declared
		counting.RefusedCount = true
		if _, counted := a.bestModel(counting); len(counted.spurious) == 0 && len(counted.excess) <= len(found.excess) {
			a.find(contract.RefusedFree, contract.Should, "refused calls not to count against the limit",
				fmt.Sprintf("%d calls refused that had capacity unless refused calls count", len(spurious)))
			spurious, a.refusedCount = nil, true
		}
	}
	a.limiter = a.newLimiter(m, a.decisions, a.declared.usage(a.decisions))
	a.attributeExcess(found.excess)
	a.attributeSpurious(spurious)
	a.classifyRejections()
	a.recordLimit(contract.LimitExact, phaseSequential, found.count() == 0)
	a.recordLimit(contract.LimitBurst, phaseBurst, found.count() == 0)
	a.recordRefusedFree()
	a.recordRecovery()
}

// attributeExcess assigns the excess calls to the requirements of their phases. Single calls in excess that come after a burst in
// excess follow from it.
func (a *assessment) attributeExcess(calls []int) {
	sequential, burst, streaming := a.only(calls, phaseSequential), a.only(calls, phaseInitialBurst, phaseBurst), a.only(calls, phaseStreaming)
	if len(sequential) > 0 {
		sequential, streaming = append(sequential, streaming...), nil
	}
	switch singles := a.only(calls, phaseRecovery, phaseOverLimit); {
	case len(burst) > 0:
		burst = append(burst, singles...)
	case len(streaming) == 0:
		sequential = append(sequential, singles...)
	}
	a.findExcess(contract.LimitExact, contract.Must, sequential)
	a.findExcess(contract.LimitBurst, contract.Must, burst)
	// Whether streaming calls share the limit is the target's choice, not the contract's.
	a.findExcess(contract.StreamShare, contract.Should, streaming)
}

// attributeSpurious assigns the spurious refusals to the requirements of their phases. When a part of the limit is admitted one
// call at a time, but not all of it, all refusals follow from that. When nothing is admitted although time has freed the limit, it
// recovers late, for streaming calls too.
func (a *assessment) attributeSpurious(calls []int) {
	if sequential := a.only(calls, phaseSequential); len(sequential) > 0 && a.anyAdmitted(phaseSequential, sequential[len(sequential)-1]) {
		a.findSpurious(contract.LimitExact, calls)
		return
	}
	late := a.only(calls, phaseRecovery, phaseSequential, phaseInitialBurst, phaseOverLimit)
	if burst := a.only(calls, phaseBurst); a.anyAdmitted(phaseBurst, len(a.decisions)) {
		a.findSpurious(contract.LimitBurst, burst)
	} else {
		late = append(late, burst...)
	}
	if streaming := a.only(calls, phaseStreaming); len(late) == 0 {
		a.findSpurious(contract.StreamShare, streaming)
	} else {
		late = append(late, streaming...)
	}
	a.findSpurious(contract.Recovery, late)
}

// only returns those calls, by their index, that were made in the phases.
func (a *assessment) only(calls []int, phases ...phase) []int {
	var selected []int
	for _, i := range calls {
		if slices.Contains(phases, a.calls[i].phase) {
			selected = append(selected, i)
		}
	}
	return selected
}

// anyAdmitted reports whether a call of a phase was admitted, among the first n calls.
func (a *assessment) anyAdmitted(p phase, n int) bool {
	return slices.ContainsFunc(a.calls[:n], func(c Call) bool { return c.phase == p && c.Outcome() == Admitted })
}

func (a *assessment) findExcess(r contract.Requirement, level contract.RequirementLevel, calls []int) {
	if len(calls) == 0 {
		return
	}
	got := fmt.Sprintf("%d calls admitted beyond the limit", len(calls))
	if a.model.Kind != contract.Concurrency {
		usage, most := a.declared.usage(a.decisions), 0
		for _, i := range calls {
			to := a.decisions[i].to
			most = max(most, usage.atLeast(to-a.model.Window+1, to))
		}
		got += fmt.Sprintf("; up to %d within %s", most, round(a.model.Window))
	}
	a.find(r, level, "no more calls admitted than a "+a.model.String()+" allows", got)
}

func (a *assessment) findSpurious(r contract.Requirement, calls []int) {
	if len(calls) > 0 {
		a.find(r, contract.Should, "calls admitted while a "+a.model.String()+" has capacity",
			fmt.Sprintf("%d refused although capacity was certainly left", len(calls)))
	}
}

// bestModel returns the model of a declared limit that explains the calls best - the kind where it is not declared, and the phase
// of clock-aligned windows - and the calls that contradict it.
//
// Streaming calls may belong to another limit, so they do not influence the choice: the admitted ones may have used this limit
// or not. Those in excess did not, and what came after them is not held against them.
func (a *assessment) bestModel(declared DeclaredLimit) (LimiterModel, contradictions) {
	plain := slices.Clone(a.decisions)
	for i := range plain {
		switch {
		case a.calls[i].phase != phaseStreaming:
		case plain[i].outcome == Admitted:
			plain[i].outcome = Failed
		default:
			plain[i].outcome = ignored
		}
	}
	usage := declared.usage(plain)
	contradicting := func(m LimiterModel, bound int) int {
		return countContradictions(a.newLimiter(m, plain, usage), plain, bound)
	}
	var best argmin[LimiterModel]
	for _, kind := range declared.kinds() {
		m := declared.model(kind)
		if m.hasPhase() {
			m.Phase = bestPhase(m.Window, func(phase time.Duration, bound int) int {
				shifted := m
				shifted.Phase = phase
				return contradicting(shifted, bound)
			})
		}
		best.add(m, contradicting(m, best.bound()))
		if kind == contract.FixedWindow {
			m.Phase, m.StartsOnRequest = 0, true
			best.add(m, contradicting(m, best.bound()))
		}
	}
	m := best.values[0]
	found := contradictionsOf(a.newLimiter(m, a.decisions, declared.usage(a.decisions)), a.decisions)
	if streaming := a.only(found.excess, phaseStreaming); len(streaming) > 0 {
		found.excess = slices.Concat(streaming, contradictionsOf(a.newLimiter(m, plain, usage), plain).excess)
	}
	return m, found
}

// bestPhase finds the phase of a window with the fewest contradictions: in steps of a 256th of the window, then of a 4096th around
// the best.
func bestPhase(window time.Duration, contradictions func(phase time.Duration, bound int) int) time.Duration {
	at := func(share float64) time.Duration { return time.Duration(share * float64(window)) }
	var coarse, fine argmin[float64]
	for i := range 256 {
		share := float64(i) / 256
		coarse.add(share, contradictions(at(share), coarse.bound()))
	}
	around := coarse.median()
	for i := -16; i <= 16; i++ {
		share := around + float64(i)/4096
		fine.add(share, contradictions(at(share), fine.bound()))
	}
	return at(fine.median())
}

// lowerLimitExplains reports whether a lower limit than the declared one explains all responses.
func (a *assessment) lowerLimitExplains() bool {
	with := func(limit int) contradictions {
		d := a.declared
		if d.Kind == contract.TokenBucket {
			d.Burst = limit
		} else {
			d.Limit, d.Burst = limit, 0
		}
		_, found := a.bestModel(d)
		return found
	}
	// The lower the limit, the fewer refusals are spurious.
	limit := sort.Search(a.declared.capacity(), func(n int) bool { return len(with(n+1).spurious) > 0 })
	return limit > 0 && with(limit).count() == 0
}

// newLimiter returns a limiter whose clock may be off by the declared slack.
func (a *assessment) newLimiter(m LimiterModel, decisions []decision, usage admissions) limiter {
	return newLimiter(m, decisions, usage, a.declared.Slack)
}

// recordLimit says how many calls of a phase were admitted and refused. Where the model explains all calls, it also says why fewer
// than the limit were admitted.
func (a *assessment) recordLimit(r contract.Requirement, p phase, explained bool) {
	var admitted, refused, first int
	for _, i := range a.inPhase(p) {
		if admitted+refused == 0 {
			first = i
		}
		switch {
		case a.calls[i].Outcome() == Admitted:
			admitted++
		case a.rejected[i]:
			refused++
		}
	}
	concurrency := a.declared.Kind == contract.Concurrency
	switch {
	case admitted+refused == 0:
		a.untested(r, "these calls were not made")
	case admitted == 0:
		a.untested(r, "none of %d calls was admitted", refused)
	case refused == 0 && (r == contract.LimitBurst || !concurrency): // one at a time, concurrent calls are never refused
		a.untested(r, "%d calls did not reach the limit", admitted)
	case explained && refused > 0 && !concurrency:
		a.held(r, "%d calls admitted and %d refused%s", admitted, refused, a.shortfall(admitted, first))
	default:
		a.held(r, "%d calls admitted and %d refused", admitted, refused)
	}
}

// shortfall says why fewer calls than the limit were admitted from one call on, "" where as many were. The call that detects the
// recovery takes a place.
func (a *assessment) shortfall(admitted, from int) string {
	limit := a.declared.capacity()
	switch {
	case admitted >= limit:
		return ""
	case admitted == limit-1 && from > 0 && a.calls[from-1].phase == phaseRecovery && a.calls[from-1].Outcome() == Admitted:
		return fmt.Sprintf("; 1 of the limit of %d was used by the call that detected the recovery", limit)
	default:
		return fmt.Sprintf("; not all of the limit of %d was certainly free again", limit)
	}
}

// recordRecovery says when the limit was free again, if it had been used up.
func (a *assessment) recordRecovery() {
	polls := a.inPhase(phaseRecovery)
	switch {
	case len(polls) == 0:
	case !slices.Contains(a.rejected[:polls[0]], true):
		a.untested(contract.Recovery, "no call was refused in the initial burst")
	case a.recovery != nil && *a.recovery > 0:
		a.held(contract.Recovery, "the first call was admitted %s after the initial burst", round(*a.recovery))
	}
}
