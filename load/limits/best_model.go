package limits

import (
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
)

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
	contradicting := func(m LimiterModel, bound int) contradictions { return a.contradicting(m, plain, usage, bound) }
	var best argmin[LimiterModel]
	for _, kind := range declared.kinds() {
		m := declared.model(kind)
		if m.hasPhase() {
			m.Phase = bestPhase(m.Window, func(phase time.Duration, bound int) int {
				shifted := m
				shifted.Phase = phase
				return a.weight(contradicting(shifted, bound))
			})
		}
		best.add(m, a.weight(contradicting(m, best.bound())))
		if kind == contract.FixedWindow {
			m.Phase, m.StartsOnRequest = 0, true
			best.add(m, a.weight(contradicting(m, best.bound())))
		}
	}
	if step := a.stepSeen(declared); step > 0 && best.contradictions > 0 {
		m := declared.model(contract.TokenBucket)
		m.Step = step
		best.add(m, a.weight(contradicting(m, best.bound())))
	}
	m := best.values[0]
	found := a.contradicting(m, a.decisions, declared.usage(a.decisions), len(a.decisions))
	if streaming := a.only(found.excess, phaseStreaming); len(streaming) > 0 {
		found.excess = slices.Concat(streaming, contradicting(m, len(plain)).excess)
	}
	return m, found
}

// minStep is the least number of calls freed at a time that is a step: of two, a poll that came late may have found both.
const minStep = 3

// stepSeen is how many calls were freed at a time while all that was freed was used up, 0 where that was one or two, or most of the
// limit: a bucket may be refilled in steps. It is for limits whose kind is not declared.
func (a *assessment) stepSeen(declared DeclaredLimit) int {
	if declared.Kind != "" {
		return 0
	}
	var runs []int
	run := 0
	end := func() {
		if run > 0 {
			runs = append(runs, run)
		}
		run = 0
	}
	for _, c := range a.calls {
		switch {
		case c.phase != phaseSustained && c.phase != phaseRecovery:
			end()
		case c.Outcome() == Admitted:
			run++
		default:
			end()
		}
	}
	end()
	slices.Sort(runs)
	if len(runs) < 2 || runs[len(runs)/2] < minStep || runs[len(runs)-1] > declared.Limit/2 {
		return 0
	}
	return runs[len(runs)-1]
}

// spannedWindows is how many fixed windows are looked at together.
const spannedWindows = 3

// contradicting lists the calls that contradict a model, up to a bound.
func (a *assessment) contradicting(m LimiterModel, decisions []decision, usage admissions, bound int) contradictions {
	found := contradictionsOf(newPromise(m, decisions, usage, a.declared.Slack, 1), decisions, bound)
	if len(found.excess) == 0 && m.Kind == contract.FixedWindow {
		// Calls at a boundary may belong to either window, so that too many may hide there. Of several windows they are in one.
		found.excess = contradictionsOf(newPromise(m, decisions, usage, a.declared.Slack, spannedWindows), decisions, bound).excess
	}
	if a.declared.RefusedCount {
		// That refused calls count is a promise too, but what exceeds it rests on refusals, which may be those of another limit.
		certain := contradictionsOf(newPromise(m, decisions, countAdmissions(decisions), a.declared.Slack, 1), decisions, bound).excess
		found.implied = slices.DeleteFunc(found.excess, func(i int) bool { return slices.Contains(certain, i) })
		found.excess = certain
		return found
	}
	if m.judgedByRefusals() {
		own := contradictionsOf(newLimiter(m, decisions, usage, a.declared.Slack), decisions, bound+len(found.excess))
		found.implied = slices.DeleteFunc(own.excess, func(i int) bool { return slices.Contains(found.excess, i) })
	}
	return found
}

// weight orders models by what contradicts them. One that allows all admitted calls comes before one that does not, however many
// refusals it leaves unexplained: that the limit was exceeded is said only where no model allows it.
func (a *assessment) weight(found contradictions) int {
	if len(found.excess) > 0 {
		return found.count() + len(a.decisions)
	}
	return found.count()
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

// newLimiter returns a limiter whose clock may be off by the declared slack, and beside which others may act.
func (a *assessment) newLimiter(m LimiterModel, decisions []decision, usage admissions) limiter {
	return newPromise(m, decisions, usage, a.declared.Slack, 1)
}
