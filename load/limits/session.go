package limits

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// session makes calls within a budget and remembers them.
type session struct {
	prober  Prober
	budget  Budget
	began   time.Time
	planned int
	calls   []Call
	// failuresTell says that calls that fail say something too, and are no reason to give up.
	failuresTell bool
}

func newSession(p Prober, b Budget) *session {
	return &session{prober: p, budget: b.withDefaults(), began: time.Now()}
}

// probe makes one call and reports whether it passed the limiter.
func (s *session) probe(ctx context.Context) (Call, error) {
	if err := s.spend(1); err != nil {
		return Call{}, err
	}
	c, err := s.prober.Probe(ctx)
	if err != nil {
		return Call{}, fmt.Errorf("probe: %w", cut(ctx, err))
	}
	s.calls = append(s.calls, c)
	return c, s.clear()
}

// burst makes up to n calls at once: as many as the budget's concurrency permits, and as are left of its calls.
func (s *session) burst(ctx context.Context, n int, hold time.Duration) ([]Call, error) {
	n = max(min(n, s.budget.Concurrency, s.budget.Calls-s.planned), 1)
	if err := s.spend(n); err != nil {
		return nil, err
	}
	calls, err := s.prober.Burst(ctx, n, hold)
	if err != nil {
		return nil, fmt.Errorf("burst of %d: %w", n, cut(ctx, err))
	}
	s.calls = append(s.calls, calls...)
	return calls, s.clear()
}

// whileHeld holds calls under way and does something else meanwhile, which may use the prober but not the session.
func (s *session) whileHeld(ctx context.Context, n int, hold time.Duration, meanwhile func(context.Context) error) ([]Call, error) {
	var calls []Call
	done := make(chan error, 1)
	go func() {
		var err error
		calls, err = s.burst(ctx, n, hold)
		done <- err
	}()
	err := meanwhile(ctx)
	return calls, errors.Join(<-done, err)
}

// bounded ends everything when the budget's time is up, with [ErrBudget] as its cause.
func (s *session) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithDeadlineCause(ctx, s.began.Add(s.budget.Time), fmt.Errorf("%w: %s", ErrBudget, s.budget.Time))
}

// cut is the reason why something was given up: that of its context, where it says no more than that this ended.
func cut(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return context.Cause(ctx)
	}
	return err
}

func (s *session) spend(n int) error {
	if s.planned+n > s.budget.Calls {
		return fmt.Errorf("%w: %d calls", ErrBudget, s.budget.Calls)
	}
	s.planned += n
	return nil
}

// fewFailed is how many calls may fail before their share is looked at: one broken connection is no reason to give up.
const fewFailed = 3

// goneAfter is how many calls have to find nobody, since the last one that was answered, until the gateway is gone.
const goneAfter = 10

func (s *session) clear() error {
	if err := gone(s.calls); err != nil {
		return err
	}
	if failed := count(s.calls, Failed); !s.failuresTell && failed > fewFailed && failed*4 > len(s.calls) {
		last := s.calls[len(s.calls)-1].Observation
		return fmt.Errorf("%w: %d of %d calls failed, the last with status %d", ErrUnclear, failed, len(s.calls), last.Status)
	}
	return nil
}

// rest makes no call until an instant. It returns [ErrBudget] at once when that is past the budget's time.
func (s *session) rest(ctx context.Context, until time.Time) error {
	if until.Sub(s.began) > s.budget.Time {
		return fmt.Errorf("%w: a rest until %s after the start exceeds %s", ErrBudget, round(until.Sub(s.began)), s.budget.Time)
	}
	return sleep(ctx, time.Until(until))
}

// drain makes calls until one is refused: one at a time while calls are quick to drain it, in growing bursts when they
// are not, since a limit may be refilled as fast as single calls use it up. refused is false when nothing refuses, and
// when too many calls fail.
func (s *session) drain(ctx context.Context, single, most int) (admitted int, refused bool, err error) {
	began := len(s.calls)
	for size := 1; admitted < most && len(s.calls)-began < 2*most; {
		if admitted < single {
			c, err := s.probe(ctx)
			if err != nil {
				return admitted, false, err
			}
			switch c.Outcome() {
			case Refused:
				return admitted, true, nil
			case Admitted:
				admitted++
			case Failed:
			}
			continue
		}
		calls, err := s.burst(ctx, min(size, most-admitted), 0)
		admitted += count(calls, Admitted)
		if err != nil || count(calls, Refused) > 0 {
			return admitted, err == nil, err
		}
		size = min(2*size, s.budget.Concurrency)
	}
	return admitted, false, nil
}

// Polls are spaced by a share of the time they measure, so that an hour costs little more calls than a second: every
// instant is known to 3 % of the time since the last admission, or to 1 % of the whole watch.
const (
	pollOfGap   = 0.03
	pollOfWatch = 0.01
	leastPoll   = time.Millisecond
)

// watched is what a watch has seen.
type watched struct {
	// first is the time from the beginning to the first admission, 0 when there was none.
	first    time.Duration
	admitted int
	// largest is the greatest number admitted between two refusals.
	largest int
}

// watch asks without pause, using up whatever is admitted, until so many calls were admitted, and half as many again as
// the greatest number between two refusals, or until the time is up.
func (s *session) watch(ctx context.Context, most int, until time.Time) (w watched, err error) {
	began := time.Now()
	last, row := began, 0
	for (w.admitted < max(most, w.largest+w.largest/2) || row > 0) && time.Now().Before(until) {
		// A full window is used up in a few doubling bursts, a single token with one call.
		n, refused, err := s.take(ctx, max(row, 1))
		if err != nil {
			return w, err
		}
		if n > 0 {
			if w.admitted == 0 {
				w.first = time.Since(began)
			}
			last = time.Now()
		}
		row, w.admitted = row+n, w.admitted+n
		w.largest = max(w.largest, row)
		if !refused {
			continue
		}
		row = 0
		if err := s.pause(ctx, began, last); err != nil {
			return w, err
		}
	}
	return w, nil
}

// pause is the time between two polls.
func (s *session) pause(ctx context.Context, began, last time.Time) error {
	gap := max(pollOfGap*float64(time.Since(last)), pollOfWatch*float64(time.Since(began)), float64(leastPoll))
	return s.rest(ctx, time.Now().Add(time.Duration(gap)))
}

// await asks until a call is admitted, and returns how long that took, 0 when the time was up before.
func (s *session) await(ctx context.Context, until time.Time) (time.Duration, error) {
	began := time.Now()
	for time.Now().Before(until) {
		c, err := s.probe(ctx)
		if err != nil {
			return 0, err
		}
		if c.Outcome() == Admitted {
			return max(time.Since(began), 1), nil
		}
		if err := s.pause(ctx, began, began); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// take makes a call, or several at once.
func (s *session) take(ctx context.Context, size int) (admitted int, refused bool, err error) {
	if size == 1 {
		c, err := s.probe(ctx)
		return count([]Call{c}, Admitted), c.Outcome() == Refused, err
	}
	calls, err := s.burst(ctx, size, 0)
	return count(calls, Admitted), count(calls, Refused) > 0, err
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// lastAnswer is when the last call ended that was answered to the end, the zero time without any.
func lastAnswer(calls []Call) time.Time {
	var last time.Time
	for _, c := range calls {
		if c.Observation.Failure == nil && c.Ended.After(last) {
			last = c.Ended
		}
	}
	return last
}

// lost is how many calls have found nobody since the last one that was answered.
func lost(calls []Call) int {
	since, n := lastAnswer(calls), 0
	for _, c := range calls {
		if unreachable(c) && c.Ended.After(since) {
			n++
		}
	}
	return n
}

// gone returns [ErrGone] when so many calls in a row have found nobody that nobody is there any more.
func gone(calls []Call) error {
	if n := lost(calls); n >= goneAfter {
		return fmt.Errorf("%w: the last %d calls found nobody", ErrGone, n)
	}
	return nil
}

// unreachable reports whether the gateway never saw the call.
func unreachable(c Call) bool {
	return c.Observation.Failure != nil && c.Observation.Failure.Kind == contract.Unreachable
}

func count(calls []Call, outcome Outcome) int {
	n := 0
	for _, c := range calls {
		if c.Outcome() == outcome {
			n++
		}
	}
	return n
}
