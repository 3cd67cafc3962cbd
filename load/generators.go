package load

import (
	"context"
	"time"
)

// Generators run phases in place of the engine's own process, for example on the workers of a fleet.
type Generators interface {
	// RunPhase runs a phase that the engine's caps allow. spare is how many more requests and how much more time the caps allow in case the phase has
	// to be run again.
	//
	// extra is the number of requests and the time that abandoned attempts may have used in addition to the measurement. Errors are those of
	// [Engine.Run]. Generators that cannot send the phase as configured return a measurement with the problem, not an error.
	RunPhase(ctx context.Context, p Phase, spare Plan) (m Measurement, extra Plan, err error)
}

// WorkerShare is what one worker of a fleet did in a phase.
type WorkerShare struct {
	// Name is the name of the worker, Host the name of its machine, and Source the address that its requests came from (""
	// for any).
	Name, Host, Source string
	// Sent is the number of requests that the worker sent.
	Sent uint64
	// Offset is how far the worker's clock is ahead of the coordinator's clock, give or take
	// Uncertainty.
	Offset, Uncertainty time.Duration
	// Begun is how long after the agreed start time the worker began, by its own clock.
	Begun time.Duration
	// Lag is the 99th percentile of the worker's lag, and Late is the number of requests that it
	// sent too late.
	Lag  time.Duration
	Late uint64
	// CPU is the share of the machine's Cores that the worker's process used; negative if it is
	// unknown.
	CPU   float64
	Cores int
}

// runElsewhere runs a phase by the engine's generators.
func (e *Engine) runElsewhere(ctx context.Context, p Phase) (Measurement, error) {
	e.running.Lock()
	defer e.running.Unlock()
	p = p.withDefaults()
	plan, _, err := e.allow(p)
	if err != nil {
		return Measurement{}, err
	}
	spare := Plan{
		Requests: e.caps.Requests - min(e.caps.Requests, e.used.Requests+plan.Requests), Duration: max(e.caps.Duration-e.used.Duration-plan.Duration, 0),
	}
	m, extra, err := e.generators.RunPhase(ctx, p, spare)
	e.used.Requests += m.Sent + extra.Requests
	e.used.Duration += min(m.Elapsed, plan.Duration) + extra.Duration
	return m, err
}

// ReadyShare is a share of a phase that can begin at once: its requests are built.
type ReadyShare struct {
	engine   *Engine
	phase    Phase
	plan     Plan
	requests []*wireRequest
}

// Ready prepares a share of a phase: it builds the requests, which can take a second if there are hundreds of long prompts, checks the
// file descriptor limit, and checks that each gateway accepts a connection. It sends nothing.
//
// It returns [ErrInvalid] as [Engine.RunShare] does, and the error of a connection that cannot be opened.
func (e *Engine) Ready(ctx context.Context, p Phase) (*ReadyShare, error) {
	p = p.withDefaults()
	plan, requests, err := e.prepare(p)
	if err != nil {
		return nil, err
	}
	for _, r := range requests {
		if err := e.conns.warm(ctx, r.to, p.Timeout); err != nil {
			return nil, err
		}
	}
	return &ReadyShare{e, p, plan, requests}, nil
}

// Run is [Engine.RunShare] for a share that is ready. It begins at the given time ([Phase.Start]).
func (r *ReadyShare) Run(ctx context.Context, start time.Time) (Portion, error) {
	e := r.engine
	e.running.Lock()
	defer e.running.Unlock()
	if err := e.allowPlan(r.phase, r.plan); err != nil {
		return Portion{}, err
	}
	r.phase.Start = start
	return e.attack(ctx, r.phase, r.plan, r.requests)
}
