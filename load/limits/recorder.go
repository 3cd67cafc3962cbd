package limits

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gatecert/gatecert/internal/wait"
	"github.com/gatecert/gatecert/reports/plain"
)

// recorder makes calls through a prober, within a budget, and records them.
type recorder struct {
	prober Prober
	budget Budget
	began  time.Time
	// reserved is how many calls of the budget were made or are in flight.
	reserved int
	calls    []Call
	failures failures
	// phase is the phase that recorded calls belong to; "" while limits are inferred.
	phase phase
	// keepFailures says that failed calls are part of the result. Otherwise too many of them end the experiment.
	keepFailures bool
	// stopAtQueue says that a drain ends when calls that were made at once were answered one after the other.
	stopAtQueue bool
}

func newRecorder(p Prober, b Budget) *recorder {
	return &recorder{prober: p, budget: b.withDefaults(), began: time.Now()}
}

// withDeadline ends the context when the budget's time is used up, with [ErrBudget] as its cause.
func (r *recorder) withDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithDeadlineCause(ctx, r.began.Add(r.budget.Time), fmt.Errorf("%w: %s", ErrBudget, r.budget.Time))
}

// probe makes one call. It returns [ErrBudget], [ErrGone], [ErrInconclusive] and the prober's errors.
func (r *recorder) probe(ctx context.Context) (Call, error) {
	if err := r.reserve(1); err != nil {
		return Call{}, err
	}
	c, err := r.prober(ctx, 0)
	if err != nil {
		return Call{}, fmt.Errorf("probe: %w", withCause(ctx, err))
	}
	r.record(c)
	return c, r.checkFailures()
}

// burst makes up to n calls at once: no more than the budget's concurrency, and no more than its remaining calls. It returns
// the same errors as probe.
func (r *recorder) burst(ctx context.Context, n int, hold time.Duration) ([]Call, error) {
	n = max(min(n, r.budget.Concurrency, r.budget.Calls-r.reserved), 1)
	calls, err := r.atOnce(ctx, n, hold)
	if err != nil {
		return nil, err
	}
	r.record(calls...)
	return calls, r.checkFailures()
}

// atOnce makes n calls at once and does not record them. It returns [ErrBudget] and the prober's errors.
func (r *recorder) atOnce(ctx context.Context, n int, hold time.Duration) ([]Call, error) {
	if err := r.reserve(n); err != nil {
		return nil, err
	}
	calls := make([]Call, n)
	var group errgroup.Group
	for i := range calls {
		group.Go(func() (err error) {
			calls[i], err = r.prober(ctx, hold)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("send a burst of %s: %w", plain.Count(n, "call"), withCause(ctx, err))
	}
	return calls, nil
}

// burstWhile holds n calls in flight and runs a function meanwhile, which may use the prober but not the recorder.
func (r *recorder) burstWhile(ctx context.Context, n int, hold time.Duration, run func(context.Context) error) ([]Call, error) {
	var calls []Call
	done := make(chan error, 1)
	go func() {
		var err error
		calls, err = r.burst(ctx, n, hold)
		done <- err
	}()
	err := run(ctx)
	return calls, errors.Join(<-done, err)
}

func (r *recorder) record(calls ...Call) {
	for _, c := range calls {
		c.phase = r.phase
		r.calls = append(r.calls, c)
		r.failures.add(c)
	}
}

// reserve takes calls from the budget. It returns [ErrBudget] when fewer are left.
func (r *recorder) reserve(n int) error {
	if r.reserved+n > r.budget.Calls {
		return fmt.Errorf("%w: at most %s allowed", ErrBudget, plain.Are(r.budget.Calls, "call"))
	}
	r.reserved += n
	return nil
}

// waitUntil makes no call until an instant. It returns [ErrBudget] at once when that is beyond the budget's time.
func (r *recorder) waitUntil(ctx context.Context, until time.Time) error {
	if until.Sub(r.began) > r.budget.Time {
		return fmt.Errorf("%w: the next call would be made %s after the start, but the time budget is %s", ErrBudget, round(until.Sub(r.began)), round(r.budget.Time))
	}
	return wait.For(ctx, time.Until(until))
}

// maxFailures is how many calls may fail whatever their share: one broken connection does not end an experiment.
const maxFailures = 3

// checkFailures returns [ErrGone] when the gateway went away, and [ErrInconclusive] when more than a quarter of the calls
// failed and failures are not part of the result.
func (r *recorder) checkFailures() error {
	if err := r.failures.checkGone(); err != nil {
		return err
	}
	if n := r.failures.failed; !r.keepFailures && n > maxFailures && n*4 > len(r.calls) {
		return fmt.Errorf("%w: %d of %d calls failed, which is more than a quarter; the last failure: %s", ErrInconclusive, n, len(r.calls), describeFailure(r.failures.last.Observation))
	}
	return nil
}

// failures counts the calls that failed, and tells a gateway that went away from one that fails now and then.
type failures struct {
	failed int
	// last is the last of the calls that failed.
	last Call
	// lastResponse is when the last complete response ended.
	lastResponse time.Time
	// unconnected are the ends of the calls since then that could not connect.
	unconnected []time.Time
}

func failuresOf(calls []Call) failures {
	var f failures
	for _, c := range calls {
		f.add(c)
	}
	return f
}

func (f *failures) add(c Call) {
	if c.Outcome() == Failed {
		f.failed++
		f.last = c
	}
	switch {
	case c.couldNotConnect():
		f.unconnected = append(f.unconnected, c.Ended)
	case c.Observation.Failure == nil && c.Ended.After(f.lastResponse):
		f.lastResponse = c.Ended
	}
	// Calls of a burst are not added in the order in which they ended.
	f.unconnected = slices.DeleteFunc(f.unconnected, func(ended time.Time) bool { return !ended.After(f.lastResponse) })
}

// goneAfter is how many calls in a row must fail to connect before the gateway counts as gone.
const goneAfter = 10

// checkGone returns [ErrGone] when the latest calls could not connect.
func (f *failures) checkGone() error {
	if n := len(f.unconnected); n >= goneAfter {
		return fmt.Errorf("%w: the last %d calls could not connect", ErrGone, n)
	}
	return nil
}

// withCause replaces a bare context error with the context's cause, so that [ErrBudget] survives.
func withCause(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return context.Cause(ctx)
	}
	return err
}

// Budget limits what may be sent. A field that is zero has its default value.
type Budget struct {
	// Calls is the maximum number of calls. Default 4000.
	Calls int
	// Time is the maximum duration of the whole experiment. Default 3 minutes.
	Time time.Duration
	// Concurrency is the maximum number of calls in flight. Default 128.
	Concurrency int
	// Hold is how long the upstream delays its response to keep a call in flight. Some calls are held four times as long,
	// which must be less than the gateway's upstream timeout. Default 250 ms.
	Hold time.Duration
	// RefusedWith are the statuses, in addition to 429, that count as refusals while a limit is inferred.
	RefusedWith []int
	// Announce, when not nil, is called with the estimated time that an inference needs, as soon as the first refusals allow an
	// estimate.
	Announce func(sentence string)
	// Finished, if not nil, is called after each experiment of an inference, so that the results so far are kept if the inference is killed.
	Finished func(Experiment)
}

// finished passes an experiment on.
func (b Budget) finished(e Experiment) Experiment {
	if b.Finished != nil {
		b.Finished(e)
	}
	return e
}

func (b Budget) withDefaults() Budget {
	return Budget{
		Calls: cmp.Or(b.Calls, 4000), Time: cmp.Or(b.Time, 3*time.Minute),
		Concurrency: cmp.Or(b.Concurrency, 128), Hold: cmp.Or(b.Hold, 250*time.Millisecond), RefusedWith: b.RefusedWith, Announce: b.Announce,
		Finished: b.Finished,
	}
}
