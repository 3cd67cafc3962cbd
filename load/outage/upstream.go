package outage

import (
	"context"
	"fmt"
	"time"

	"github.com/gatecert/gatecert/internal/wait"
)

const (
	// cancelWithin is how long after a response a gateway may take to cancel its upstream call. It is generous, because a busy
	// machine takes time to notice a closed connection.
	cancelWithin = 3 * time.Second
	// minReached is the share of the faulty requests that have to reach the upstream. Half of them do where a breaker opens.
	minReached = 0.25
	// pollOpen is the interval at which the open calls are counted.
	pollOpen = 20 * time.Millisecond
)

// askUpstream asks the upstream what it saw, once the gateway has had until then to end its calls. Clients disconnect
// meanwhile. It returns [ErrNotReached] when too few faulty requests got there.
func (r *round) askUpstream(ctx context.Context, until time.Time) (err error) {
	if r.Upstream == nil {
		return nil
	}
	if err := r.playDisconnects(ctx); err != nil {
		return err
	}
	if err := r.fetchSeen(ctx, r.during, until); err != nil {
		return err
	}
	sent, reached := r.faultySent(), len(r.faultyReached())
	if reached == 0 || float64(reached) < minReached*float64(len(sent)) {
		return fmt.Errorf("%w: only %d of %d; the gateway's responses: %s", ErrNotReached, reached, len(sent), sent.outcomes())
	}
	r.openAfter, err = r.awaitOpen(ctx, r.openBefore, until)
	return err
}

// fetchSeen asks the upstream about each request but the healthy ones. It waits for their calls to end, but not beyond until.
func (r *round) fetchSeen(ctx context.Context, sent results, until time.Time) error {
	waiting, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	for i := range sent {
		q := &sent[i]
		if q.kind == healthy {
			continue
		}
		seen, err := r.Upstream.Seen(waiting, q.Token())
		if err != nil {
			return fmt.Errorf("query the upstream for the calls it received: %w", err)
		}
		q.seen = &seen
	}
	return context.Cause(ctx)
}

// awaitOpen waits until at most so many calls are open at the upstream, but not beyond until, and returns how many are.
// It returns [unknown] where the upstream does not count them.
func (r *round) awaitOpen(ctx context.Context, most int, until time.Time) (int, error) {
	upstream, ok := r.Upstream.(openCounter)
	if !ok {
		return unknown, nil
	}
	for {
		n, err := upstream.OpenAttempts(ctx)
		if err != nil {
			return unknown, fmt.Errorf("query the upstream for its open calls: %w", err)
		}
		if n <= most || time.Now().After(until) {
			return n, nil
		}
		if err := wait.For(ctx, pollOpen); err != nil {
			return n, err
		}
	}
}
