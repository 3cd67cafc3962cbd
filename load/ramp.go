package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatecert/gatecert/reports/runlog"
)

// Ramp configures a rate that rises evenly until the gateway misses an SLO: it shows quickly where and how the gateway fails. A [Search] finds the
// rate more accurately, because it holds each rate for some time. Fields that are zero take their defaults.
type Ramp struct {
	// Phase is run once. The ramp sets the phase's name, rates and length.
	Phase Phase
	SLO   SLO
	// From and To, in requests/s, are the rates at the beginning and, if nothing fails, at the end. Default 10 and 200.
	From, To float64
	// For is the length of the whole ramp. Default 1 min.
	For time.Duration
	// Observe, when not nil, is called after every step.
	Observe func(RampStep)
}

// RampStep is one second of a ramp, or more if the ramp is longer than 10 minutes.
type RampStep struct {
	// At is when the step began, counted from the start of the ramp. Rate is the rate in the middle
	// of the step.
	At   time.Duration
	Rate float64
	// Admitted counts the requests admitted in the step. P50 and P99 are quantiles of their
	// latency.
	Admitted uint64
	P50, P99 time.Duration
	// Sample summarizes the responses that ended in the step.
	Sample runlog.Sample
	// Misses lists the ways in which any term of the SLO was missed.
	Misses []string
}

// RampResult is the result of a ramp.
type RampResult struct {
	SLO         SLO
	Arrivals    Arrivals
	Steps       []RampStep
	Measurement Measurement
	// Failed is the first of the consecutive steps that missed the SLO, nil if the SLO was met until
	// the end.
	Failed *RampStep
}

const (
	// rampFails is how many steps in a row have to miss: a single one may be a stall of this machine.
	rampFails = 2
	// leastInStep is how many requests a step needs to be judged.
	leastInStep = 5
)

// errRampFailed ends a ramp when the gateway fails.
var errRampFailed = errors.New("the SLO was missed")

func (r Ramp) withDefaults() Ramp {
	r.SLO = r.SLO.withDefaults()
	setDefault(&r.From, 10)
	setDefault(&r.To, 200)
	setDefault(&r.For, time.Minute)
	r.Phase.Name, r.Phase.Rate, r.Phase.RampTo, r.Phase.For = "ramp", r.From, r.To, r.For
	r.Phase.SLO = r.SLO
	return r
}

// PlanRamp returns what a ramp will send at most. It returns [ErrInvalid].
func (e *Engine) PlanRamp(r Ramp) (Plan, error) { return e.Plan(r.withDefaults().Phase) }

// Ramp raises the rate until the SLO is missed for two steps in a row, or To is reached. It returns the errors of [Engine.Run], with the results so
// far.
func (e *Engine) Ramp(ctx context.Context, r Ramp) (RampResult, error) {
	r = r.withDefaults()
	result := RampResult{SLO: r.SLO, Arrivals: r.Phase.Arrivals}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	inARow := 0
	r.Phase.Closing = func(w Window, m Measurement) {
		step := r.step(w, m)
		if w.Length > w.Ended-w.Start { // cut short: it has fewer requests than its rate says
			return
		}
		result.Steps = append(result.Steps, step)
		if r.Observe != nil {
			r.Observe(step)
		}
		if len(step.Misses) == 0 {
			inARow = 0
			return
		}
		if inARow++; inARow == rampFails {
			result.Failed = &result.Steps[len(result.Steps)-rampFails]
			stop(errRampFailed)
		}
	}
	m, err := e.Run(ctx, r.Phase)
	result.Measurement = m
	if result.Failed != nil { // later steps may have moved it
		failed := *result.Failed
		result.Failed = &failed
	}
	if errors.Is(err, errRampFailed) {
		err = nil
	}
	return result, err
}

// step judges a window by what its responses came to. Requests that are slow make it late by their latency: a second on a ramp of
// minutes.
func (r Ramp) step(w Window, m Measurement) RampStep {
	at := (w.Start + w.Length/2).Seconds() / r.For.Seconds()
	s := RampStep{
		At: w.Start, Rate: r.From + (r.To-r.From)*min(at, 1), Admitted: w.Counts[runlog.Admitted], P50: w.Latency.P50, P99: w.Latency.P99,
		Sample: m.Sample(),
	}
	if w.Total() >= leastInStep {
		s.Misses = r.SLO.Misses(m)
	}
	return s
}

// String returns the result in one line.
func (r RampResult) String() string {
	highest := 0.0
	for _, s := range r.Steps {
		highest = max(highest, s.Rate)
	}
	switch {
	case len(r.Steps) == 0:
		return "unknown: the ramp ended before its first step was complete"
	case r.Failed == nil:
		return fmt.Sprintf("SLO met up to %.4g/s with %s arrivals", highest, r.Arrivals)
	default:
		return fmt.Sprintf("SLO missed at %.4g/s with %s arrivals: %s", r.Failed.Rate, r.Arrivals, r.Failed.Misses[0])
	}
}
