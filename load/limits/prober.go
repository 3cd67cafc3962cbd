package limits

import (
	"context"
	"fmt"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
)

// Prober makes a call to one gateway with one key on one surface. It must be safe for concurrent use.
//
// A hold above 0 asks the upstream to delay its response to an admitted call by that long; a prober whose upstream cannot do so leaves Call.Held at
// 0. An error means that the call could not be made, and ends the experiment. The gateway's response, whatever it is, is in the [Call], not in the
// error.
type Prober func(ctx context.Context, hold time.Duration) (Call, error)

// Probers are the ways to call one gateway that a verification uses. Only Limited is required. Requirements that need a
// missing prober are left untested.
type Probers struct {
	// Limited makes calls with the key whose limit is verified.
	Limited Prober
	// Sized makes calls of a requested size with the same key. It is used to verify limits on tokens.
	Sized SizedProber
	// Stream makes calls with the same key on a streaming surface.
	Stream Prober
	// Control makes calls with another key. Twenty calls must not reach that key's own limit.
	Control Prober
	// Throttled makes calls with a key that has no limit. The upstream answers each of its calls with 429 and a Retry-After of
	// [DeclaredLimit.UpstreamRetryAfter].
	Throttled Prober
	// Balance reads the remaining balance of the limited key's owner, in any unit.
	Balance func(ctx context.Context) (float64, error)
}

// ClientProber makes the calls of a [Prober] through an exchange client.
type ClientProber struct {
	// Client sends the calls.
	Client *exchange.Client
	// Caller, if not nil, sends the calls instead of Client, for example from other machines.
	Caller exchange.Caller
	// NewRequest returns the next request. If hold is above 0, the request asks the upstream to delay its response by that long.
	NewRequest func(hold time.Duration) Request
	// CanHold means that the upstream honours the hold.
	CanHold bool
	// OnEnd, if not nil, is called with each call when it has ended, by the goroutine that made the call.
	OnEnd func(Call)
}

// Request is a call to be made.
type Request struct {
	Call exchange.Call
	// Seen returns what the upstream saw of the call. It is nil if this is not known.
	Seen func(context.Context) (contract.Seen, error)
}

// Probe implements [Prober].
func (p ClientProber) Probe(ctx context.Context, hold time.Duration) (Call, error) {
	c, err := p.send(ctx, hold)
	if p.OnEnd != nil && err == nil {
		p.OnEnd(c)
	}
	return c, err
}

func (p ClientProber) send(ctx context.Context, hold time.Duration) (Call, error) {
	request := p.NewRequest(hold)
	caller := p.Caller
	if caller == nil {
		caller = p.Client.Make
	}
	made, err := caller(ctx, request.Call)
	o := made.Observation
	c := Call{Earliest: made.Began.Add(-made.Within), Ended: made.Ended.Add(made.Within)}
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
			return c, fmt.Errorf("look up the call at the upstream: %w", err)
		}
		o.Upstream = &seen
	}
	c.Observation = o
	if c.Outcome() == Admitted {
		c.Tokens.Input, c.Tokens.Output, _ = dialect.TokensUsed(o.Body)
	}
	if p.CanHold && c.Outcome() == Admitted {
		// The upstream delayed the first byte by the hold, and the gateway had decided before it called the upstream.
		c.Held = hold
		c.Latest = c.Latest.Add(-hold)
	}
	return c, nil
}
