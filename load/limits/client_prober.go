package limits

import (
	"context"
	"fmt"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange"
)

// ClientProber makes the calls of a [Prober] through an exchange client.
type ClientProber struct {
	// Client sends the calls.
	Client *exchange.Client
	// NewRequest returns the next request. A hold above 0 asks that the upstream delay its response by that long.
	NewRequest func(hold time.Duration) Request
	// CanHold says that the upstream honours the hold.
	CanHold bool
	// OnEnd, when not nil, is called with every call that has ended, by the goroutine that made it.
	OnEnd func(Call)
}

// Request is a call to be made.
type Request struct {
	Call exchange.Call
	// Seen returns what the upstream saw of the call. It is nil where that is not known.
	Seen func(context.Context) (contract.Seen, error)
}

// Probe is a [Prober].
func (p ClientProber) Probe(ctx context.Context, hold time.Duration) (Call, error) {
	c, err := p.send(ctx, hold)
	if p.OnEnd != nil && err == nil {
		p.OnEnd(c)
	}
	return c, err
}

func (p ClientProber) send(ctx context.Context, hold time.Duration) (Call, error) {
	request := p.NewRequest(hold)
	c := Call{Earliest: time.Now()}
	o, err := p.Client.Do(ctx, request.Call)
	c.Ended = time.Now()
	c.Latest = c.Ended
	if err != nil {
		return c, err
	}
	if o.Timing.FirstByte > 0 {
		c.Latest = c.Ended.Add(o.Timing.FirstByte - o.Timing.End)
	}
	if request.Seen != nil {
		seen, err := request.Seen(ctx)
		if err != nil {
			return c, fmt.Errorf("look up what the upstream saw: %w", err)
		}
		o.Upstream = &seen
	}
	c.Observation = o
	if p.CanHold && c.Outcome() == Admitted {
		// The upstream delayed the first byte by the hold, and the gateway had decided before it called the upstream.
		c.Held = hold
		c.Latest = c.Latest.Add(-hold)
	}
	return c, nil
}
