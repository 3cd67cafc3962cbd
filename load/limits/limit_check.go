package limits

import (
	"fmt"
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
)

// checkLimit finds the calls that contradict the declared limit.
func (a *assessment) checkLimit() {
	a.decisions = decisionsOf(a.calls, a.calls[0].Earliest)
	m, found := a.bestModel(a.declared)
	a.model = m
	if a.others == nil {
		a.cause = a.causeOf(found)
	} else {
		// A refusal may be that of another limit: it says neither what this one has left, nor what it is.
		found.implied = nil
		found.spurious = slices.DeleteFunc(found.spurious, a.byOthers)
	}
	spurious := found.spurious
	switch {
	case len(found.implied) > 0 && found.count() == len(found.implied):
		a.find(contract.LimitExact, contract.Should, "no more calls admitted than a "+m.String()+" allows",
			fmt.Sprintf("%s admitted although earlier refusals show that the limit was used up%s", plain.Count(len(found.implied), "call"), a.explanation()))
	case a.cause.lowerLimit:
		// Wherever its windows begin, a limit that is too low makes some refusals seem to belong to other phases, and some
		// admissions excessive.
		a.findSpurious(contract.LimitExact, spurious)
		spurious, found.excess = nil, nil
	case a.cause.refusedCount:
		a.find(contract.RefusedFree, contract.Should, "refused calls not to count against the limit",
			fmt.Sprintf("%s refused although the limit had capacity left (refused calls must not count against the limit)", plain.Count(len(spurious), "call")))
		spurious, a.refusedCount = nil, true
	}
	a.limiter = a.newLimiter(m, a.decisions, a.declared.usage(a.decisions))
	a.attributeExcess(found.excess)
	a.attributeSpurious(spurious)
	a.classifyRejections()
	if a.declared.Kind == "" {
		a.recordSustained()
	} else {
		a.recordLimit(contract.LimitExact, phaseSequential, found.count() == 0)
	}
	a.recordLimit(contract.LimitBurst, phaseBurst, found.count() == 0)
	if found.count() == 0 {
		a.checkResolution()
	}
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
	switch singles := a.only(calls, phaseRecovery, phaseSustained, phaseOverLimit); {
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
	late := a.only(calls, phaseRecovery, phaseSustained, phaseSequential, phaseInitialBurst, phaseOverLimit)
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

// explanation is the clause that names the cause. One finding has it, the first.
func (a *assessment) explanation() string {
	clause := a.cause.clause()
	a.cause.sentence = ""
	return clause
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
	got := plain.Count(len(calls), "call") + " admitted beyond the limit"
	if a.model.Kind != contract.Concurrency {
		usage, most := a.declared.usage(a.decisions), 0
		for _, i := range calls {
			to := a.decisions[i].to
			most = max(most, usage.atLeast(to-a.model.Window+1, to))
		}
		got += fmt.Sprintf("; up to %d admitted within %s", most, round(a.model.Window))
	}
	got += a.explanation()
	a.find(r, level, "no more calls admitted than a "+a.model.String()+" allows", got)
}

func (a *assessment) findSpurious(r contract.Requirement, calls []int) {
	if len(calls) > 0 {
		a.find(r, contract.Should, "calls admitted while the limit ("+a.model.String()+") has capacity",
			fmt.Sprintf("%s refused although the limit certainly had capacity left%s", plain.Count(len(calls), "call"), a.explanation()))
	}
}

// recordLimit says how many calls of a phase were admitted and refused. Where the model explains all calls, it also says why fewer
// than the limit were admitted. The certificate's audit reads the two numbers, so "calls" stays as it is for one call.
func (a *assessment) recordLimit(r contract.Requirement, p phase, explained bool) {
	calls := a.inPhase(p)
	admitted, refused := a.tally(calls)
	concurrency := a.declared.Kind == contract.Concurrency
	underHalf := explained && refused > 0 && !concurrency && 2*admitted < a.declared.capacity()
	if underHalf && r == contract.LimitBurst {
		if initial, rejected := a.initialBurst(); 2*initial >= a.declared.capacity() {
			a.held(r, "%d calls admitted and %d refused in the initial burst; the later burst admitted %d and refused %d%s",
				initial, rejected, admitted, refused, a.shortfall(admitted, calls[0]))
			return
		}
	}
	switch {
	case admitted+refused == 0:
		a.untested(r, "gatecert did not make the calls for this check")
	case admitted == 0:
		a.untested(r, "none of the %d calls was admitted", refused)
	case refused == 0 && (r == contract.LimitBurst || !concurrency): // one at a time, concurrent calls are never refused
		a.untested(r, "the limit was not reached: %s admitted and none was refused", plain.Were(admitted, "call"))
	case underHalf:
		a.untested(r, "%d calls admitted and %d refused%s", admitted, refused, a.shortfall(admitted, calls[0]))
	case explained && refused > 0 && !concurrency:
		a.held(r, "%d calls admitted and %d refused%s", admitted, refused, a.shortfall(admitted, calls[0]))
	default:
		a.held(r, "%d calls admitted and %d refused", admitted, refused)
	}
}

// tally counts those of the calls that were admitted and refused.
func (a *assessment) tally(calls []int) (admitted, refused int) {
	for _, i := range calls {
		switch {
		case a.calls[i].Outcome() == Admitted:
			admitted++
		case a.rejected[i]:
			refused++
		}
	}
	return admitted, refused
}

// initialBurst counts the calls of the initial burst until the limit was used up, where that burst can stand in for the later one: a
// sliding counter may still count calls of the window before when the later burst begins. It returns 0, 0 if the limit cannot be a
// sliding counter, if another limit may have refused the calls, or if none was admitted at the same time as another was refused: the
// bursts double, so a limit of 15 calls is used up exactly between two of them, and shows nothing about calls at once.
func (a *assessment) initialBurst() (admitted, refused int) {
	if a.others != nil || !slices.Contains(a.declared.kinds(), contract.SlidingCounter) {
		return 0, 0
	}
	calls := a.inPhase(phaseInitialBurst)
	first := slices.IndexFunc(calls, func(i int) bool { return a.rejected[i] })
	if first < 0 {
		return 0, 0
	}
	refusal := a.calls[calls[first]]
	// The control key's calls follow, with further bursts: time may have freed a part of the limit by then.
	calls = slices.DeleteFunc(calls, func(i int) bool { return a.calls[i].Earliest.After(refusal.Ended) })
	if !slices.ContainsFunc(calls, func(i int) bool {
		return a.calls[i].Outcome() == Admitted && a.calls[i].Ended.After(refusal.Earliest)
	}) {
		return 0, 0
	}
	return a.tally(calls)
}

// recordSustained says how many calls were admitted while all that was freed was used up.
func (a *assessment) recordSustained() {
	sustained := a.inPhase(phaseSustained)
	if len(sustained) == 0 {
		a.untested(contract.LimitExact, "gatecert did not make the calls for this check")
		return
	}
	last := sustained[len(sustained)-1]
	until := a.calls[:last+1]
	admitted, refused, took := count(until, Admitted), count(until, Refused), round(a.calls[last].Latest.Sub(a.calls[0].Earliest))
	if !a.usedUp(sustained) {
		a.untested(contract.LimitExact, "%d calls admitted and %d refused in %s: the calls were too slow to use all capacity as soon as it became available",
			admitted, refused, took)
		return
	}
	if at := a.lastRefused(sustained); at >= 0 && !a.byOthers(at) && a.violation(contract.LimitExact) == "" {
		// Whatever its kind, a limit that is used up now, and of which all was used up that was freed, has admitted it in the last
		// window. One call may be under way.
		d, refusal := a.declared, a.decisions[at]
		n := a.declared.usage(a.decisions).atMost(refusal.from-d.Window-d.Slack, refusal.to)
		if refusal.from > 2*d.Window && n < d.Limit-1 {
			a.find(contract.LimitExact, contract.Should, fmt.Sprintf("at least %s admitted in %s while gatecert used all capacity as soon as it became available", plain.Count(d.Limit-1, "call"), round(d.Window)),
				fmt.Sprintf("%d admitted", n))
		}
	}
	a.held(contract.LimitExact, "%d calls admitted and %d refused in %s while gatecert used all capacity as soon as it became available", admitted, refused, took)
}

// lastRefused is the last of the calls that was refused, -1 for none.
func (a *assessment) lastRefused(calls []int) int {
	for _, i := range slices.Backward(calls) {
		if a.calls[i].Outcome() == Refused {
			return i
		}
	}
	return -1
}

// usedUp reports whether these calls, all of a phase, could use up twice what was freed meanwhile: fewer leave a part of it unused, and few admitted calls are
// then their own fault.
func (a *assessment) usedUp(calls []int) bool {
	lasted := a.calls[calls[len(calls)-1]].Latest.Sub(a.calls[calls[0]].Earliest)
	return float64(len(calls)) >= 2*float64(a.declared.Limit)*lasted.Seconds()/a.declared.Window.Seconds()
}

// shortfall says why fewer calls than the limit were admitted from one call on, "" where as many were. The call that detects the
// recovery takes a place.
func (a *assessment) shortfall(admitted, from int) string {
	limit := a.declared.capacity()
	switch {
	case admitted >= limit:
		return ""
	case admitted == limit-1 && from > 0 && a.calls[from-1].phase == phaseRecovery && a.calls[from-1].Outcome() == Admitted:
		return fmt.Sprintf("; the call that detected the recovery used 1 of the %d calls that the limit allows", limit)
	default:
		return fmt.Sprintf("; part of the limit of %s may still have been in use", plain.Count(limit, "call"))
	}
}

// recordRecovery says when the limit was free again, if it had been used up.
func (a *assessment) recordRecovery() {
	polls := a.inPhase(phaseRecovery)
	switch {
	case len(polls) == 0 && a.declared.RefusedCount:
		a.untested(contract.Recovery, "refused calls count against the limit, so gatecert sent no calls until enough time had passed for the limit to recover in full")
	case len(polls) == 0:
	case !slices.Contains(a.rejected[:polls[0]], true):
		a.untested(contract.Recovery, "no call was refused in the initial burst, so it is unknown whether the limit was used up")
	case a.recovery != nil && *a.recovery > 0:
		a.held(contract.Recovery, "calls were admitted again %s after the initial burst", round(*a.recovery))
	}
}
