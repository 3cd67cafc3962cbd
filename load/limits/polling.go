package limits

import (
	"context"
	"time"
)

// drainResult is what came of draining a limit.
type drainResult struct {
	admitted int
	// refused is false when no call was refused, and when too many calls failed.
	refused bool
	// apart is the time between two answers where the drain ended because calls waited for each other, 0 where it did not.
	apart time.Duration
}

// drain makes calls until one is refused or maxAdmitted were admitted: one at a time up to oneByOne admissions, then in bursts
// that double in size, since a limit may be refilled as fast as single calls use it up.
func (r *recorder) drain(ctx context.Context, oneByOne, maxAdmitted int) (drainResult, error) {
	began := len(r.calls)
	var d drainResult
	for size := 1; d.admitted < maxAdmitted && !d.refused && len(r.calls)-began < 2*maxAdmitted; {
		var calls []Call
		var err error
		if d.admitted < oneByOne {
			calls, err = r.single(ctx)
		} else {
			calls, err = r.burst(ctx, min(size, maxAdmitted-d.admitted), 0)
			size = min(2*size, r.budget.Concurrency)
		}
		if err != nil {
			return d, err
		}
		d.admitted += count(calls, Admitted)
		d.refused = count(calls, Refused) > 0
		if apart, waited := queued(calls); waited && r.stopAtQueue && !d.refused {
			d.apart = apart
			break
		}
	}
	return d, nil
}

func (r *recorder) single(ctx context.Context) ([]Call, error) {
	c, err := r.probe(ctx)
	return []Call{c}, err
}

// The pause between two polls is a share of the measured time, so that measuring an hour takes hardly more calls than measuring a second. Each
// instant is known to 3 % of the time since the last admission, or to 1 % of the time since polling began.
const (
	pauseOfGap   = 0.03
	pauseOfTotal = 0.01
	minPause     = time.Millisecond
)

func (r *recorder) pause(ctx context.Context, began, lastAdmitted time.Time) error {
	d := max(pauseOfGap*float64(time.Since(lastAdmitted)), pauseOfTotal*float64(time.Since(began)), float64(minPause))
	return r.waitUntil(ctx, time.Now().Add(time.Duration(d)))
}

// refillRate is how a limit was refilled while it was polled.
type refillRate struct {
	// first is the time until the first admission, 0 when there was none.
	first    time.Duration
	admitted int
	// longestRun is the largest number of calls admitted between two refusals.
	longestRun int
}

// pollRefill asks without pause and uses up whatever is admitted, until minAdmitted calls were admitted and half as many again
// as the longest run, or until the time is up.
func (r *recorder) pollRefill(ctx context.Context, minAdmitted int, until time.Time) (rate refillRate, err error) {
	began := time.Now()
	lastAdmitted, run := began, 0
	for (rate.admitted < max(minAdmitted, rate.longestRun+rate.longestRun/2) || run > 0) && time.Now().Before(until) {
		var calls []Call
		if run <= 1 {
			calls, err = r.single(ctx)
		} else {
			calls, err = r.burst(ctx, run, 0) // a whole window is used up in a few bursts that double
		}
		if err != nil {
			return rate, err
		}
		if n := count(calls, Admitted); n > 0 {
			if rate.admitted == 0 {
				rate.first = time.Since(began)
			}
			lastAdmitted = time.Now()
			run, rate.admitted = run+n, rate.admitted+n
			rate.longestRun = max(rate.longestRun, run)
		}
		// A call that failed was perhaps refused, with another status.
		if count(calls, Refused) == 0 && count(calls, Admitted) > 0 {
			continue
		}
		run = 0
		if err := r.pause(ctx, began, lastAdmitted); err != nil {
			return rate, err
		}
	}
	return rate, nil
}

// pollUntilAdmitted asks until a call is admitted. It returns how long that took, 0 when the time was up before.
func (r *recorder) pollUntilAdmitted(ctx context.Context, until time.Time) (time.Duration, error) {
	began := time.Now()
	for time.Now().Before(until) {
		c, err := r.probe(ctx)
		if err != nil {
			return 0, err
		}
		if c.Outcome() == Admitted {
			return max(time.Since(began), 1), nil
		}
		if err := r.pause(ctx, began, began); err != nil {
			return 0, err
		}
	}
	return 0, nil
}
