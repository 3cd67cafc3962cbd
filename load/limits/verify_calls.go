package limits

import (
	"context"
	"math"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/wait"
)

// verifyRate makes the calls for a limit that time frees: bursts until a call is refused, whatever the key was used for before;
// then whatever is freed; when the limit is free again, one call at a time; when it is free once more, calls at once. The package
// documentation has a drawing. Where the kind is not declared, whatever is freed is used up for two windows, which no kind
// may exceed by more than a limit, and calls at once come last.
func (v *verifier) verifyRate(ctx context.Context) error {
	counted := v.verifyTwice
	if v.declared.Kind == "" {
		counted = v.verifyAtOnce
	}
	begin := func() error {
		return steps(
			func() error { return v.measureBaseline(ctx) },
			func() error { return v.in(phaseInitialBurst, func() error { return v.initialBurst(ctx) }) },
		)
	}
	if v.declared.RefusedCount {
		return steps(begin, func() error { return v.verifyAfterRests(ctx) })
	}
	return steps(
		begin,
		func() error { return v.firstRecovery(ctx) },
		func() error { return v.sustain(ctx) },
		func() error { return counted(ctx) },
	)
}

// verifyTwice makes calls one at a time, and when the limit is free again calls at once.
func (v *verifier) verifyTwice(ctx context.Context) error {
	return steps(
		func() error {
			if v.declared.Kind == contract.SlidingCounter {
				return nil // it has been left alone since the initial burst
			}
			return v.waitUntil(ctx, v.ready())
		},
		func() error {
			return v.in(phaseSequential, func() error { return v.useUp(ctx, 4*v.declared.capacity()) })
		},
		func() error { return v.verifyUsedUp(ctx) },
		func() error { return v.restUsedUp(ctx) },
		func() error { return v.in(phaseBurst, func() error { return v.exceedAtOnce(ctx) }) },
	)
}

// restUsedUp waits until the limit is free after it was used up. A fixed window is left alone for as long as it lasts: it begins with
// the next call then, or that call shows its phase, so that all calls at once are in one window.
func (v *verifier) restUsedUp(ctx context.Context) error {
	if v.declared.Kind == contract.FixedWindow {
		return v.waitUntil(ctx, v.lastUsed().Add(v.declared.Window+v.declared.margin()))
	}
	return steps(
		func() error { return v.awaitRecovery(ctx) },
		func() error { return v.waitUntil(ctx, v.ready()) },
	)
}

// verifyAfterRests is the rest of a verification where refused calls count: nothing is asked before the limit has to be free, since a call
// that is refused would put that off.
func (v *verifier) verifyAfterRests(ctx context.Context) error {
	rest := func(d time.Duration) func() error {
		return func() error { return v.waitUntil(ctx, v.lastUsed().Add(d+v.declared.margin())) }
	}
	burst := func() error { return v.in(phaseBurst, func() error { return v.exceedAtOnce(ctx) }) }
	if v.declared.Kind == "" {
		return steps(rest(v.declared.timeToReset()), burst, func() error { return v.verifyUsedUp(ctx) })
	}
	return steps(
		rest(v.declared.timeToReset()),
		func() error {
			return v.in(phaseSequential, func() error { return v.useUp(ctx, 4*v.declared.capacity()) })
		},
		func() error { return v.verifyUsedUp(ctx) },
		rest(v.declared.Window), // what a sliding counter still remembers then follows from its calls
		burst,
	)
}

// verifyAtOnce makes calls at once when the limit is free again, or a window after it was used up: what a sliding counter still
// remembers then follows from its calls.
func (v *verifier) verifyAtOnce(ctx context.Context) error {
	return steps(
		func() error {
			ready, last := v.ready(), v.lastUsed().Add(v.declared.Window+v.declared.margin())
			if ready.After(last) && v.declared.capacity() > smallLimit {
				ready = last
			}
			return v.waitUntil(ctx, ready)
		},
		func() error { return v.in(phaseBurst, func() error { return v.exceedAtOnce(ctx) }) },
		func() error { return v.verifyUsedUp(ctx) },
	)
}

// verifyUsedUp makes the calls that need the limit used up.
func (v *verifier) verifyUsedUp(ctx context.Context) error {
	return steps(
		func() error { return v.callStreams(ctx) },
		func() error { return v.in(phaseOverLimit, func() error { return v.measureRefusedCost(ctx) }) },
	)
}

// steps takes steps until one fails.
func steps(all ...func() error) error {
	for _, step := range all {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// initialBurst uses the limit up and calls on, with the control key besides.
func (v *verifier) initialBurst(ctx context.Context) error {
	maxAdmitted := 4*v.declared.capacity() + repeats
	_, err := v.drain(ctx, 0, maxAdmitted)
	if err == nil && count(v.calls, Admitted) == 0 {
		// The key was in use before. Where refused calls count, only a rest frees it.
		if err = v.waitUntil(ctx, time.Now().Add(v.declared.timeToReset()+v.declared.margin())); err == nil {
			_, err = v.drain(ctx, 0, maxAdmitted)
		}
	}
	if err != nil {
		return err
	}
	return v.probeDuringBurst(ctx)
}

// useUp makes calls until one is refused, one at a time up to oneByOne admissions.
func (v *verifier) useUp(ctx context.Context, oneByOne int) error {
	_, err := v.drain(ctx, oneByOne, 4*v.declared.capacity())
	return err
}

// exceedAtOnce makes half as many calls again as the limit admits, as many at once as the budget permits.
func (v *verifier) exceedAtOnce(ctx context.Context) error {
	n := v.declared.capacity()
	for left := n + n/2 + repeats; left > 0; {
		calls, err := v.burst(ctx, left, 0)
		if err != nil {
			return err
		}
		left -= len(calls)
	}
	return nil
}

// firstRecovery is awaitRecovery after the initial burst. A sliding counter is left alone until it has forgotten that burst: a
// single call in between would count for two more windows.
func (v *verifier) firstRecovery(ctx context.Context) error {
	if v.declared.Kind == contract.SlidingCounter {
		v.lastUse = v.lastUsed()
		return v.waitUntil(ctx, v.lastUse.Add(2*v.declared.Window+v.declared.margin()))
	}
	return v.awaitRecovery(ctx)
}

// nearly is the share of a window after which the limit is taken to have come back whole: what follows adds nothing.
const nearly = 0.95

// shareOfReset is the share of the time in which an empty bucket is full again in which whatever it gains is used up.
const shareOfReset = 0.55

// sustain uses up whatever is freed, from the first call that was admitted again on. What a limit admits in that time shows how
// much it admits in any: a burst that is right, and a wait that is right, are also those of a gateway that frees twice as much in
// between. A sliding log frees nothing before the window has passed, and a sliding counter is left alone.
func (v *verifier) sustain(ctx context.Context) error {
	window := v.declared.Window
	early := v.recovered.Sub(v.lastUse) < time.Duration(nearly*float64(window))
	var lasts time.Duration // from the initial burst on
	if v.declared.Kind == contract.TokenBucket {
		// A bucket that is larger than what it gains in a window, and was not full, hides a rate that is too high for as long.
		lasts = max(time.Duration(nearly*float64(window)), time.Duration(shareOfReset*float64(v.declared.timeToReset())))
		early = v.recovered.Sub(v.lastUse) < lasts
	}
	switch {
	case v.recovered.IsZero():
		return nil
	case v.declared.Kind == "":
		lasts = 2*window + window/16
	case v.declared.Kind == contract.FixedWindow && early:
		lasts = window + window/16 // a boundary may be right behind the initial burst
	case early && v.declared.Kind == contract.TokenBucket:
	case early:
		lasts = time.Duration(nearly * float64(window))
	default:
		return nil
	}
	v.sustained = true
	until := v.lastUse.Add(lasts)
	err := v.in(phaseSustained, func() error {
		_, err := v.pollRefill(ctx, math.MaxInt/4, until)
		return err
	})
	v.lastUse = v.lastUsed()
	return err
}

// awaitRecovery polls until the limit is free for one call. The limit was last used when the last call ended that passed the
// limiter, or may have; when the verification began, without any.
func (v *verifier) awaitRecovery(ctx context.Context) (err error) {
	v.lastUse, v.sustained = v.lastUsed(), false
	v.recovered, err = v.recover(ctx)
	return err
}

// lastUsed is when the latest call was decided that counts.
func (v *verifier) lastUsed() time.Time {
	at := v.began
	for _, c := range v.calls {
		if (v.declared.RefusedCount || c.Outcome() != Refused) && c.Latest.After(at) {
			at = c.Latest
		}
	}
	return at
}

// smallLimit is a limit of which the call that detects the recovery takes so much that too little is left to be counted.
const smallLimit = 4

// ready is when enough of the limit is free to count the calls, whichever of the possible kinds it is of.
func (v *verifier) ready() time.Time {
	var ready time.Time
	for _, kind := range v.possibleKinds() {
		if at := v.readyAs(v.declared.model(kind)); at.After(ready) {
			ready = at
		}
	}
	return ready.Add(v.declared.margin())
}

// possibleKinds are those that explain the calls so far best.
func (v *verifier) possibleKinds() []contract.LimiterKind {
	kinds := v.declared.kinds()
	if len(kinds) == 1 || len(v.calls) == 0 {
		return kinds
	}
	a := assessment{transcript: transcript{calls: v.calls}, declared: v.declared, decisions: decisionsOf(v.calls, v.calls[0].Earliest)}
	var best argmin[contract.LimiterKind]
	for _, kind := range kinds {
		declared := v.declared
		declared.Kind = kind
		_, found := a.bestModel(declared)
		best.add(kind, a.weight(found))
	}
	return best.values
}

func (v *verifier) readyAs(m LimiterModel) time.Time {
	switch {
	case v.recovered.IsZero():
		return time.Now().Add(m.timeToReset()) // refused calls may count
	case v.declared.capacity() <= smallLimit && v.sustained:
		return v.lastUse.Add(m.timeToReset())
	case v.declared.capacity() <= smallLimit:
		return v.recovered.Add(m.timeToReset())
	case m.Kind == contract.FixedWindow && v.sustained:
		boundary := v.recovered
		for !boundary.After(v.lastUse) {
			boundary = boundary.Add(m.Window)
		}
		return boundary
	case m.Kind == contract.FixedWindow:
		return v.recovered // a window began between the last refused call and the first admitted one
	case m.Kind == contract.SlidingCounter && v.sustained:
		return v.lastUse.Add(m.timeToReset()) // where its boundaries are is hardly known
	default:
		// Most of a sliding counter is free then, and how much follows from when it admitted a call again.
		return v.lastUse.Add(m.Window)
	}
}

// verifyConcurrency makes the calls for a limit on calls in flight: one at a time they all pass; held in flight, only the limit
// does.
func (v *verifier) verifyConcurrency(ctx context.Context) error {
	limit, admitted := v.declared.Limit, 0
	if err := v.measureBaseline(ctx); err != nil {
		return err
	}
	if err := v.in(phaseSequential, func() error {
		for range v.sparing(limit + repeats) {
			if _, err := v.probe(ctx); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	for range 2 {
		// The calls before are not in flight any more, however late the gateway frees their slots.
		if err := v.waitUntil(ctx, time.Now().Add(2*releaseLag)); err != nil {
			return err
		}
		if err := v.makeRoom(ctx, limit); err != nil {
			return err
		}
		if err := v.in(phaseBurst, func() error {
			calls, err := v.burst(ctx, limit+limit/2+repeats, v.budget.Hold)
			admitted = max(admitted, count(calls, Admitted))
			return err
		}); err != nil {
			return err
		}
		if _, err := v.recover(ctx); err != nil {
			return err
		}
	}
	return steps(
		func() error { return v.makeRoom(ctx, limit) },
		func() error { return v.in(phaseBurst, func() error { return v.probeWhileFull(ctx) }) },
		func() error { return v.makeRoom(ctx, 2*limit) },
		func() error { return v.in(phaseDepartures, func() error { return v.leave(ctx, admitted) }) },
	)
}

// probeWhileFull keeps the whole limit in flight and calls meanwhile: with the control key, and streaming.
func (v *verifier) probeWhileFull(ctx context.Context) error {
	var control, streams []Call
	_, err := v.burstWhile(ctx, v.declared.Limit, 4*v.budget.Hold, func(ctx context.Context) (err error) {
		if err = wait.For(ctx, v.budget.Hold); err != nil {
			return err
		}
		if v.probers.Control != nil {
			if control, err = repeat(ctx, v.probers.Control); err != nil {
				return err
			}
		}
		if v.callsStreams() {
			streams, err = repeat(ctx, v.probers.Stream)
		}
		return err
	})
	if err != nil {
		return err
	}
	v.transcript.during = control
	v.recordStreams(streams)
	return nil
}
