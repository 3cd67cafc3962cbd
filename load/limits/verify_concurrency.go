package limits

import (
	"context"

	"github.com/gatecert/gatecert/internal/wait"
)

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
