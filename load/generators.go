package load

import (
	"context"
	"time"
)

// Generators run phases in the place of an engine's own process: the workers of a fleet.
type Generators interface {
	// RunPhase runs a phase that the engine's caps allow. spare is how many requests they allow beyond it, for a phase that has to be
	// run again.
	//
	// unaccounted is how many requests may have been sent that the measurement does not have: those of attempts that were given up. An
	// error is that of [Engine.Run]. Generators that cannot send the phase as asked return a measurement with the problem, not an error.
	RunPhase(ctx context.Context, p Phase, spare uint64) (m Measurement, unaccounted uint64, err error)
}

// WorkerShare is what one worker of a fleet did in a phase.
type WorkerShare struct {
	// Name is that of the worker, Host that of its machine, and Source the address that its requests came from, "" for any.
	Name, Host, Source string
	// Sent is how many requests it sent.
	Sent uint64
	// Offset is by how much its clock is ahead of the coordinator's, with an uncertainty of Uncertainty to either side.
	Offset, Uncertainty time.Duration
	// Begun is how much later than the instant named it began, by its own clock.
	Begun time.Duration
	// Lag is the 99th percentile of its lag, and Late how many requests it sent too late.
	Lag  time.Duration
	Late uint64
	// CPU is the share of its Cores that its process used, negative when it is not known.
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
	spare := e.caps.Requests - min(e.caps.Requests, e.used.Requests+plan.Requests)
	m, unaccounted, err := e.generators.RunPhase(ctx, p, spare)
	e.used.Requests += m.Sent + unaccounted
	e.used.Duration += min(m.Elapsed, plan.Duration)
	return m, err
}

// Warm gets ready for a phase: it builds the requests, checks the descriptors, and opens a connection to each gateway. It returns
// [ErrInvalid] as [Engine.RunShare] does, and the error of a connection that cannot be opened. It sends nothing.
func (e *Engine) Warm(ctx context.Context, p Phase) error {
	p = p.withDefaults()
	_, requests, err := e.prepare(p)
	if err != nil {
		return err
	}
	for _, r := range requests {
		if err := e.conns.warm(ctx, r.to, p.Timeout); err != nil {
			return err
		}
	}
	return nil
}
