package limits

import (
	"context"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/wait"
)

// verifyRate makes the calls for a limit that time frees: bursts until a call is refused, whatever the key was used for before;
// when the limit is free again, one call at a time; when it is free once more, calls at once. The package documentation has a
// drawing.
func (v *verifier) verifyRate(ctx context.Context) error {
	for _, step := range []func() error{
		func() error { return v.measureBaseline(ctx) },
		func() error { return v.in(phaseInitialBurst, func() error { return v.initialBurst(ctx) }) },
		func() error { return v.awaitRecovery(ctx) },
		func() error { return v.waitUntil(ctx, v.ready(counterMostlyFree)) },
		func() error {
			return v.in(phaseSequential, func() error { return v.useUp(ctx, 4*v.declared.capacity()) })
		},
		func() error { return v.callStreams(ctx) },
		func() error { return v.in(phaseOverLimit, func() error { return v.measureRefusedCost(ctx) }) },
		func() error { return v.awaitRecovery(ctx) },
		func() error { return v.waitUntil(ctx, v.ready(counterFree)) },
		func() error { return v.in(phaseBurst, func() error { return v.exceedAtOnce(ctx) }) },
		func() error { return v.verifyThirdWindow(ctx) },
	} {
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

// verifyThirdWindow uses a fixed window up once more. The initial burst may have straddled a boundary, so only a third window
// shows how far apart the boundaries are.
func (v *verifier) verifyThirdWindow(ctx context.Context) error {
	if v.declared.Kind != contract.FixedWindow {
		return nil
	}
	admitted, err := v.recover(ctx)
	if err != nil {
		return err
	}
	if err := v.waitUntil(ctx, admitted.Add(2*v.declared.margin())); err != nil {
		return err
	}
	return v.in(phaseRecovery, func() error {
		_, err := v.drain(ctx, 0, 2*v.declared.capacity())
		return err
	})
}

// awaitRecovery polls until the limit is free for one call. The limit was last used when the last call ended that passed the
// limiter, or may have; when the verification began, without any.
func (v *verifier) awaitRecovery(ctx context.Context) (err error) {
	v.lastUse = v.began
	for _, c := range v.calls {
		if c.Outcome() != Refused && c.Latest.After(v.lastUse) {
			v.lastUse = c.Latest
		}
	}
	v.recovered, err = v.recover(ctx)
	return err
}

// counterRest is how far a sliding counter has to recover before calls are counted. It forgets its last use after two windows.
// Soon after it admits calls again most of the limit is free, and how much follows from when that was; if the last use was in
// the second half of a window, nearly all of it is free 1.4 windows later, after the next but one boundary.
type counterRest int

const (
	counterMostlyFree counterRest = iota // 0.6 windows after it admitted a call again
	counterFree                          // 1.4 windows after its last use
)

// smallLimit is a limit of which the call that detects the recovery takes so much that too little is left to be counted.
const smallLimit = 2

// ready is when enough of the limit is free to count the calls.
func (v *verifier) ready(rest counterRest) time.Time {
	var ready time.Time
	for _, kind := range v.declared.kinds() {
		if at := v.readyAs(v.declared.model(kind), rest); at.After(ready) {
			ready = at
		}
	}
	return ready.Add(v.declared.margin())
}

func (v *verifier) readyAs(m LimiterModel, rest counterRest) time.Time {
	windows := func(share float64) time.Duration { return time.Duration(share * float64(m.Window)) }
	switch {
	case v.recovered.IsZero():
		return v.lastUse.Add(m.timeToReset())
	case v.declared.capacity() <= smallLimit:
		return v.recovered.Add(m.timeToReset())
	case m.Kind == contract.FixedWindow:
		return v.recovered // a window began between the last refused call and the first admitted one
	case m.Kind == contract.SlidingCounter && rest == counterMostlyFree:
		return v.recovered.Add(windows(0.6))
	case m.Kind == contract.SlidingCounter:
		return v.lastUse.Add(windows(1.4))
	default:
		return v.lastUse.Add(m.timeToReset())
	}
}

// verifyConcurrency makes the calls for a limit on calls in flight: one at a time they all pass; held in flight, only the limit
// does.
func (v *verifier) verifyConcurrency(ctx context.Context) error {
	limit := v.declared.Limit
	if err := v.measureBaseline(ctx); err != nil {
		return err
	}
	if err := v.in(phaseSequential, func() error {
		for range limit + repeats {
			if _, err := v.probe(ctx); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	for range 2 {
		if err := v.in(phaseBurst, func() error {
			_, err := v.burst(ctx, limit+limit/2+repeats, v.budget.Hold)
			return err
		}); err != nil {
			return err
		}
		if _, err := v.recover(ctx); err != nil {
			return err
		}
	}
	return v.in(phaseBurst, func() error { return v.probeWhileFull(ctx) })
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
