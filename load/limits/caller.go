package limits

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange"
)

// Caller is a [Prober] that calls through an exchange client.
type Caller struct {
	// Client makes the calls.
	Client *exchange.Client
	// Make makes up one call. A hold above 0 asks that the upstream keep its answer back for so long.
	Make func(hold time.Duration) Planned
	// Holds says that the upstream does so.
	Holds bool
	// Ended, when not nil, is told of every call that has ended, by the goroutine that made it.
	Ended func(Call)
}

// Planned is a call, and the way to look up what the upstream saw of it; nil where nobody can.
type Planned struct {
	Call exchange.Call
	Seen func(context.Context) (contract.Seen, error)
}

var _ Prober = Caller{}

// Probe implements [Prober].
func (c Caller) Probe(ctx context.Context) (Call, error) { return c.call(ctx, 0) }

// Burst implements [Prober].
func (c Caller) Burst(ctx context.Context, n int, hold time.Duration) ([]Call, error) {
	calls := make([]Call, n)
	var group errgroup.Group
	for i := range n {
		group.Go(func() (err error) {
			calls[i], err = c.call(ctx, hold)
			return err
		})
	}
	return calls, group.Wait()
}

func (c Caller) call(ctx context.Context, hold time.Duration) (Call, error) {
	made, err := c.make(ctx, hold)
	if c.Ended != nil && err == nil {
		c.Ended(made)
	}
	return made, err
}

func (c Caller) make(ctx context.Context, hold time.Duration) (Call, error) {
	planned := c.Make(hold)
	made := Call{Earliest: time.Now()}
	o, err := c.Client.Do(ctx, planned.Call)
	made.Ended = time.Now()
	made.Latest = made.Ended
	if err != nil {
		return made, err
	}
	if o.Timing.FirstByte > 0 {
		made.Latest = made.Ended.Add(o.Timing.FirstByte - o.Timing.End)
	}
	if planned.Seen != nil {
		seen, err := planned.Seen(ctx)
		if err != nil {
			return made, fmt.Errorf("look up what the upstream saw: %w", err)
		}
		o.Upstream = &seen
	}
	made.Observation = o
	if c.Holds && made.Outcome() == Admitted {
		// Before the first byte came to us the upstream had kept it back for so long, and the gateway had decided before.
		made.Held = hold
		made.Latest = made.Latest.Add(-hold)
	}
	return made, nil
}
