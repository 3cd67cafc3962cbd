package limits

import (
	"fmt"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
)

// None is the kind of a limiter that never refused a call.
const None contract.LimiterKind = "none"

// LimiterModel is a kind of limiter with its parameters. A parameter that the kind does not have is zero.
type LimiterModel struct {
	// Kind is "" if it is unknown.
	Kind contract.LimiterKind
	// Limit is the number of calls in a window or in flight. For a token bucket it is the capacity.
	Limit int
	// Window is the length of the window. For a token bucket, it is the time in which Limit tokens are refilled.
	Window time.Duration
	// Refill is the refill rate of a token bucket in tokens per second.
	Refill float64
	// Step is the number of tokens with which a bucket is refilled at a time, unless it is one.
	Step int
	// Phase is an instant at which a clock-aligned window begins, as an offset from the first call. Fixed windows and
	// sliding counters have one.
	Phase time.Duration
	// StartsOnRequest is set for fixed windows that are not aligned to a clock: a window begins with the first call after
	// the last window ended.
	StartsOnRequest bool
	// Intervals are the ranges of the parameters that the responses do not exclude, if the model was inferred from responses.
	Intervals Intervals
	// Evidence lists the facts that support the model, one sentence each.
	Evidence []string
}

// String describes the limiter in one line: "sliding-log of 20 in 5s".
func (m LimiterModel) String() string {
	switch m.Kind {
	case contract.TokenBucket:
		bucket := fmt.Sprintf("%s of %d, %.4g/s", m.Kind, m.Limit, m.Refill)
		if m.Step > 0 {
			bucket += fmt.Sprintf(", refilled %d at a time", m.Step)
		}
		return bucket
	case contract.Concurrency:
		return fmt.Sprintf("%s of %d", m.Kind, m.Limit)
	case None:
		return string(None)
	case "":
		return fmt.Sprintf("%d in %s", m.Limit, round(m.Window))
	default:
		return fmt.Sprintf("%s of %d in %s", m.Kind, m.Limit, round(m.Window))
	}
}

// newTokenBucketModel takes the capacity in tokens and the refill rate in tokens per second.
func newTokenBucketModel(capacity int, refill float64) LimiterModel {
	m := LimiterModel{Kind: contract.TokenBucket, Limit: capacity, Refill: refill}
	if refill > 0 {
		m.Window = time.Duration(float64(capacity) / refill * float64(time.Second))
	}
	return m
}

// timeToReset is how long an unused limiter takes until no earlier call counts any more.
func (m LimiterModel) timeToReset() time.Duration {
	switch m.Kind {
	case contract.SlidingCounter:
		return 2 * m.Window
	case contract.Concurrency, None:
		return 0
	default:
		return m.Window
	}
}

// hasPhase reports whether the windows are aligned to a clock.
func (m LimiterModel) hasPhase() bool {
	return m.Kind == contract.SlidingCounter || m.Kind == contract.FixedWindow && !m.StartsOnRequest
}

// judgedByRefusals reports whether a refusal says what such a limiter has left: that a bucket is empty, or a window used up.
func (m LimiterModel) judgedByRefusals() bool {
	return m.Kind == contract.TokenBucket || m.StartsOnRequest
}

// windowStart is the latest boundary of a clock-aligned window at or before an instant.
func (m LimiterModel) windowStart(at time.Duration) time.Duration {
	into := (at - m.Phase) % m.Window
	if into < 0 {
		into += m.Window
	}
	return at - into
}

// round writes a duration without the digits that no measurement over a network has.
func round(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		d = d.Round(10 * time.Millisecond)
	case d >= 100*time.Millisecond:
		d = d.Round(time.Millisecond)
	default:
		d = d.Round(10 * time.Microsecond)
	}
	return plain.Duration(d)
}
