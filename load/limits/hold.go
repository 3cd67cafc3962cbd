package limits

import (
	"context"
	"fmt"
	"time"

	"github.com/gatecert/gatecert/internal/wait"
	"github.com/gatecert/gatecert/reports/plain"
)

// singles is how many single calls in a row must pass before a limit on calls in flight is looked for: a drained bucket may
// just have gained one or two tokens.
const singles = 5

// singlesPass reports whether single calls pass, one after the other.
func (r *recorder) singlesPass(ctx context.Context) (bool, error) {
	for range singles {
		c, err := r.probe(ctx)
		if err != nil || c.Outcome() != Admitted {
			return false, err
		}
	}
	return true, nil
}

// holdResult is what came of holding calls in flight.
type holdResult struct {
	// limited says that the calls in flight are limited, to the admitted ones.
	limited  bool
	admitted int
	// most is how many were admitted at most, where calls were held more than once.
	most     int
	sentence string
	// undecided says that the machine was too slow to see whether calls in flight are limited.
	undecided bool
	// apart is the time between two answers where all calls were admitted and waited for each other, 0 where they did not.
	apart time.Duration
}

// holds is how often calls are held in flight. maxRepeats is how often this is repeated if no single call was certainly decided while all others were
// in flight, as can happen on a slow machine.
const (
	holds      = 3
	maxRepeats = 3
)

// hold keeps calls in flight and makes single calls meanwhile. A limit on calls in flight refuses these until the first of the
// held calls has ended, and then admits as many again. A limit that time frees admits some of the single calls too.
func (r *recorder) hold(ctx context.Context) (holdResult, error) {
	size, limit, most := r.budget.Concurrency, 0, 0
	for held, repeats := 0, 0; held < holds; {
		calls, meanwhile, err := r.probeWhileHeld(ctx, size, 4*r.budget.Hold)
		if err != nil {
			return holdResult{}, err
		}
		admitted := count(calls, Admitted)
		switch {
		case count(calls, Refused) == 0:
			result := holdResult{admitted: admitted, sentence: fmt.Sprintf("all %d concurrent calls were admitted", admitted)}
			if admitted == 1 {
				result.sentence = "1 concurrent call was admitted"
			}
			if apart, ok := queued(calls); ok {
				result.apart = apart
				result.sentence += fmt.Sprintf(", and the gateway answered one of them every %s", round(apart))
			}
			return result, nil
		case admitted == 0:
			return holdResult{sentence: "no concurrent call was admitted"}, nil
		case len(meanwhile) == 0 && repeats == maxRepeats:
			return holdResult{undecided: true, sentence: fmt.Sprintf(
				"%d of %d concurrent calls were admitted; gatecert cannot tell whether the number of calls in flight is limited, because this machine was too slow to send another call before one of the concurrent calls ended", admitted, size)}, nil
		case count(meanwhile, Admitted) > 0:
			return holdResult{sentence: fmt.Sprintf("%d of %s admitted while %s in flight, so the limit does not apply to the number of calls in flight",
				count(meanwhile, Admitted), plain.Were(len(meanwhile), "call"), plain.Were(admitted, "other call"))}, nil
		case len(meanwhile) == 0:
			repeats++
			continue
		case limit == 0:
			limit = admitted
		default:
			limit = min(limit, admitted) // a call that was sent late may have taken a slot that was free again
		}
		most = max(most, admitted)
		held++
	}
	return holdResult{limited: true, admitted: limit, most: most, sentence: fmt.Sprintf(
		"%d of %d concurrent calls were admitted, and no other call was admitted while these calls were in flight; after they had ended, the same number of calls was admitted again", limit, size)}, nil
}

// probeWhileHeld holds calls in flight and makes single calls meanwhile. It returns the held calls, and those single calls that
// were certainly decided while every admitted one of them was in flight.
func (r *recorder) probeWhileHeld(ctx context.Context, n int, hold time.Duration) (held, meanwhile []Call, err error) {
	var probes []Call
	held, err = r.burstWhile(ctx, n, hold, func(ctx context.Context) (err error) {
		probes, err = r.probeSecondHalf(ctx, hold)
		return err
	})
	r.record(probes...)
	r.reserved += len(probes)
	var from, to time.Time
	for _, c := range held {
		if c.Outcome() != Admitted {
			continue
		}
		if c.Latest.After(from) {
			from = c.Latest
		}
		if end := c.Latest.Add(c.Held); to.IsZero() || end.Before(to) {
			to = end
		}
	}
	for _, c := range probes {
		if c.Earliest.After(from) && c.Latest.Before(to) {
			meanwhile = append(meanwhile, c)
		}
	}
	return held, meanwhile, err
}

// probesPerHold is how many single calls are made while others are held.
const probesPerHold = 6

// probeSecondHalf makes single calls, spread over the second half of a hold: in the first half the held calls are still being
// sent, and each single call would take a slot from them.
func (r *recorder) probeSecondHalf(ctx context.Context, hold time.Duration) ([]Call, error) {
	began := time.Now()
	if err := wait.For(ctx, hold/2); err != nil {
		return nil, err
	}
	var calls []Call
	for time.Since(began) < hold {
		c, err := r.prober(ctx, 0)
		if err != nil {
			return calls, fmt.Errorf("probe: %w", withCause(ctx, err))
		}
		calls = append(calls, c)
		if err := wait.For(ctx, hold/2/probesPerHold); err != nil {
			return calls, err
		}
	}
	return calls, nil
}
