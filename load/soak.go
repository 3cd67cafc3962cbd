package load

import (
	"context"
	"fmt"
	"time"
)

// Soak configures a constant rate that is held for a long time, to find drift. Fields that are zero take their
// defaults.
type Soak struct {
	// Phase is run once. The soak sets the phase's name, rate and length. The windows of the phase are the data
	// points of the trends.
	Phase Phase
	// Rate, in requests/s, is held for For. Default 20/s for 1 min.
	Rate float64
	For  time.Duration
	// PID is the process ID of the gateway on this machine. Its memory and its open descriptors are sampled once per window.
	// 0 disables sampling.
	PID int
	// WarmUp is the time at the beginning that the trends leave out. Default a tenth of For, at most 1 min.
	WarmUp time.Duration
	// Checkpoint, when not nil, is called with the results so far, once every CheckpointEvery (default 1 min). While the call runs, up to 8,192
	// results are buffered.
	Checkpoint      func(SoakResult)
	CheckpointEvery time.Duration
}

// SoakResult is the result of a soak.
type SoakResult struct {
	Measurement Measurement
	// Trends are "p50", "p99", "errors", "memory" and "descriptors", as far as they could be computed.
	Trends  []Trend
	Process []ProcessSample
	// ProcessError is the reason why the process could not be sampled.
	ProcessError error
	// Stalls are the times at which several requests were slow at once.
	Stalls Stalls
}

func (s Soak) withDefaults() Soak {
	setDefault(&s.Rate, 20)
	setDefault(&s.For, time.Minute)
	setDefault(&s.WarmUp, min(s.For/10, time.Minute))
	setDefault(&s.CheckpointEvery, time.Minute)
	s.Phase.Name, s.Phase.Rate, s.Phase.For = "soak", s.Rate, s.For
	return s
}

// CheckPID returns [ErrInvalid] when PID is set and the memory of that process cannot be read: there is no such process, or
// this system does not report it.
func (s Soak) CheckPID() error {
	switch _, err := residentMemory(s.PID); {
	case s.PID == 0 || err == nil:
		return nil
	case s.PID < 0:
		return fmt.Errorf("%w: the process ID %d is negative: specify the ID of the gateway process on this machine", ErrInvalid, s.PID)
	default:
		return fmt.Errorf("%w: process %d: %w", ErrInvalid, s.PID, err)
	}
}

// PlanSoak returns what a soak will send. It returns [ErrInvalid].
func (e *Engine) PlanSoak(s Soak) (Plan, error) { return e.Plan(s.withDefaults().Phase) }

// Soak holds the rate and measures which quantities drift. It returns the errors of [Engine.Run], with the results so far.
func (e *Engine) Soak(ctx context.Context, s Soak) (SoakResult, error) {
	s = s.withDefaults()
	sampler := &processSampler{pid: s.PID, interval: s.Phase.withDefaults().Window}
	result := func(m Measurement) SoakResult {
		r := SoakResult{Measurement: m, Stalls: m.Stalls}
		r.Process, r.ProcessError = sampler.soFar()
		r.Trends = trendsOf(m.Windows, r.Process, s.WarmUp)
		return r
	}
	if s.Checkpoint != nil {
		s.Phase.SnapshotEvery = s.CheckpointEvery
		s.Phase.Snapshot = func(m Measurement) { s.Checkpoint(result(m)) }
	}
	sampling, stop := context.WithCancel(ctx)
	sampled := make(chan struct{})
	go func() {
		defer close(sampled)
		sampler.run(sampling)
	}()
	m, err := e.Run(ctx, s.Phase)
	stop()
	<-sampled
	return result(m), err
}
