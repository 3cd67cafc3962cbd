package limits

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// cause is the simplest limit that explains calls which the declared one does not. The zero value stands for no such limit.
type cause struct {
	sentence string
	// lowerLimit and refusedCount say that the limit is lower, and that refused calls count against it.
	lowerLimit, refusedCount bool
}

// clause appends the cause to a finding.
func (c cause) clause() string {
	if c.sentence == "" {
		return ""
	}
	return "; " + c.sentence
}

// causeOf looks for the cause of contradictions among limits that differ from the declared one, the simplest first: in the number
// of calls, in that refused calls count, in the window, in both size and rate of a bucket, in the kind. The first that explains
// all responses is the cause.
func (a *assessment) causeOf(found contradictions) cause {
	if found.count() == 0 {
		return cause{}
	}
	f := a.causeFinder()
	excess := len(found.excess) > 0
	explained := func(model fmt.Stringer) cause {
		return cause{sentence: model.String() + " would explain all responses"}
	}
	if d, ok := f.otherLimit(excess); ok {
		c := explained(d)
		c.lowerLimit = !excess
		return c
	}
	if a.declared.Kind == contract.Concurrency {
		return cause{}
	}
	if !excess {
		if d, ok := f.littleHigherLimit(); ok {
			return explained(d)
		}
	}
	if a.refusedCallsCount(f, found) {
		if a.slow() { // slow calls are few, and a slower bucket may explain them as well
			if m, ok := f.otherBucket(); ok {
				return cause{sentence: "the calls were too slow to distinguish two explanations: refused calls count against the limit, or the limit is a " + m.String()}
			}
		}
		return cause{refusedCount: true}
	}
	if d, ok := f.otherWindow(excess); ok {
		return explained(d)
	}
	if m, ok := f.otherBucket(); ok {
		return explained(m)
	}
	if d := a.declared; d.Kind != "" {
		d.Kind, d.Burst = "", 0
		if m, ok := f.explains(d); ok {
			return explained(m)
		}
	}
	if !excess && len(found.spurious) > 0 {
		return cause{sentence: "no single limit explains all responses: another limit may apply too"}
	}
	return cause{}
}

// refusedCallsCount reports whether the declared limit explains all answers when refused calls count against it too. From a bucket
// they take nothing.
func (a *assessment) refusedCallsCount(f causeFinder, found contradictions) bool {
	d := a.declared
	if d.Kind == contract.TokenBucket || d.RefusedCount || len(found.excess) > 0 || len(found.spurious) == 0 || count(a.calls, Admitted) == 0 {
		return false
	}
	if a.stepSeen(d) > 0 {
		return false // calls that count when they are refused leave nothing that could be freed in steps
	}
	d.RefusedCount = true
	_, ok := f.explains(d)
	return ok
}

// causeFinder tries limits on the calls that tell them apart. One call that contradicts a limit suffices to discard it.
type causeFinder struct {
	declared  DeclaredLimit
	decisions []decision
	usage     admissions
	attempts  admissions
	// last are the calls, one for each outcome, that contradicted the last limits that were tried. Most others are contradicted by the same ones.
	last map[Outcome]int
}

func (a *assessment) causeFinder() causeFinder {
	var own []decision
	for i, d := range a.decisions {
		if a.calls[i].phase != phaseStreaming {
			own = append(own, d)
		}
	}
	// The calls of a burst are in no order, and a refusal between two others may be the first.
	slices.SortStableFunc(own, func(a, b decision) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	return causeFinder{a.declared, downsample(own), a.declared.usage(own), countAttempts(own), make(map[Outcome]int)}
}

// triedPhases is how many phases of a clock-aligned window are tried.
const triedPhases = 512

// models calls yield with the models that a declared limit may stand for, until it returns false.
func models(d DeclaredLimit, yield func(LimiterModel) bool) {
	for _, kind := range d.kinds() {
		m := d.model(kind)
		if kind == contract.TokenBucket && d.RefusedCount {
			continue
		}
		if kind == contract.FixedWindow {
			onRequest := m
			onRequest.StartsOnRequest = true
			if !yield(onRequest) {
				return
			}
		}
		phases := 1
		if m.hasPhase() {
			phases = triedPhases
		}
		for i := range phases {
			m.Phase = m.Window * time.Duration(i) / triedPhases
			if !yield(m) {
				return
			}
		}
	}
}

// explains returns a model of a declared limit that no call contradicts.
func (f causeFinder) explains(d DeclaredLimit) (explaining LimiterModel, ok bool) {
	usage := f.usage
	if d.RefusedCount {
		usage = f.attempts
	}
	models(d, func(m LimiterModel) bool {
		if f.agrees(newLimiter(m, f.decisions, usage, f.declared.Slack)) {
			explaining, ok = m, true
		}
		return !ok
	})
	return explaining, ok
}

// withLimit is the declared limit with another number of calls. The size of a bucket changes with it where it is the same.
func (f causeFinder) withLimit(limit int) DeclaredLimit {
	d := f.declared
	if d.Burst > 0 && d.Burst != d.Limit {
		d.Burst = limit
	} else {
		d.Limit, d.Burst = limit, 0
	}
	return d
}

// maxLimitRatio is how many times the declared limit is tried.
const maxLimitRatio = 8

// otherLimit is the lower limit, or the higher one, that explains all responses and is closest to the declared one.
func (f causeFinder) otherLimit(higher bool) (DeclaredLimit, bool) {
	capacity := f.declared.capacity()
	if higher {
		return f.closest(capacity+1, maxLimitRatio*capacity)
	}
	if capacity == 1 {
		return DeclaredLimit{}, false
	}
	return f.closest(capacity-1, 1)
}

// littleHigherLimit is the closest limit, up to half as much again, that explains all responses. Slow calls may hide that one call too many was admitted, but
// not that the limiter refused when it had: with HAProxy, a limit of 20 that was declared as 19 was said to count refused calls.
func (f causeFinder) littleHigherLimit() (DeclaredLimit, bool) {
	capacity := f.declared.capacity()
	return f.closest(capacity+1, capacity+(capacity+1)/2)
}

// closest returns the first of the limits from one to another that explains all responses.
//
// Of a window aligned to a clock, hundreds of phases are tried. The lower the limit, the more admitted calls contradict it at a phase, and the higher, the more
// refused ones: a binary search finds where one of these ends, in place of all limits of 5,000.
func (f causeFinder) closest(first, last int) (DeclaredLimit, bool) {
	step, fewer, more := 1, Admitted, Refused // the outcome of the calls of which fewer, or more, contradict the next limit
	if last < first {
		step, fewer, more = -1, Refused, Admitted
	}
	best := (last-first)*step + 1 // the number of limits before the one that explains all
	models(f.declared, func(m LimiterModel) bool {
		at := func(i int) limiter {
			other := f.withLimit(first + i*step).model(m.Kind)
			other.Phase, other.StartsOnRequest = m.Phase, m.StartsOnRequest
			return newLimiter(other, f.decisions, f.usage, f.declared.Slack)
		}
		if !m.hasPhase() {
			for i := range best {
				if f.agrees(at(i)) {
					best = i
					break
				}
			}
			return best > 0
		}
		agree := func(i int) bool { return !f.contradicted(at(i), fewer) }
		if !f.contradicted(at(0), more) && agree(best-1) {
			if i := sort.Search(best-1, agree); f.agrees(at(i)) {
				best = i
			}
		}
		return best > 0
	})
	if best > (last-first)*step {
		return DeclaredLimit{}, false
	}
	return f.withLimit(first + best*step), true
}

// agrees reports whether no call contradicts a limiter.
func (f causeFinder) agrees(l limiter) bool {
	return !f.contradicted(l, Refused) && !f.contradicted(l, Admitted)
}

// contradicted reports whether a limiter cannot have refused one of the calls that were refused, or cannot have admitted one of the admitted ones.
func (f causeFinder) contradicted(l limiter, outcome Outcome) bool {
	if i, ok := f.last[outcome]; ok && f.decisions[i].contradicts(l) {
		return true
	}
	for i := range f.decisions {
		if d := &f.decisions[i]; d.outcome == outcome && d.contradicts(l) {
			f.last[outcome] = i
			return true
		}
	}
	return false
}

// windowStep is the ratio between two consecutive windows that are tried. maxWindowRatio is the largest window that is tried, as a multiple of the
// declared one.
const (
	windowStep     = 1.025
	maxWindowRatio = 8
)

// otherWindow is the declared limit in the longer window, or the shorter one, that explains all answers and is closest to the
// declared one. A bucket keeps its size.
func (f causeFinder) otherWindow(shorter bool) (DeclaredLimit, bool) {
	if f.declared.Kind == contract.Concurrency {
		return DeclaredLimit{}, false
	}
	for ratio := windowStep; ratio <= maxWindowRatio; ratio *= windowStep {
		d := f.inWindow(float64(f.declared.Window) * ratio)
		if shorter {
			d = f.inWindow(float64(f.declared.Window) / ratio)
		}
		if _, ok := f.explains(d); ok {
			return d, true
		}
	}
	return DeclaredLimit{}, false
}

// inWindow is the declared limit in another window, in nanoseconds. A bucket keeps its size.
func (f causeFinder) inWindow(window float64) DeclaredLimit {
	d := f.declared
	if d.Kind == contract.TokenBucket {
		d.Burst = d.capacity()
	}
	d.Window = time.Duration(window)
	return d
}

// otherBucket is the bucket of any size and rate that explains all answers.
func (f causeFinder) otherBucket() (LimiterModel, bool) {
	declared := float64(f.declared.Limit) / f.declared.Window.Seconds()
	fitting := fitter{decisions: f.decisions, sample: f.decisions, admissions: f.usage}
	for _, ratio := range geometric(1.0/maxWindowRatio, maxWindowRatio, windowStep) {
		m, contradictions := fitting.score(LimiterModel{Kind: contract.TokenBucket, Refill: declared * ratio}, 0)
		if contradictions == 0 {
			return m, true
		}
	}
	return LimiterModel{}, false
}
