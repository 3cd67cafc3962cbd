package limits

import (
	"fmt"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// None is the kind of a limit that was never seen: nothing was refused.
const None contract.LimiterKind = "none"

// Model is a limiter with its numbers. What a kind does not have is zero.
type Model struct {
	// Kind is "" when it is not known.
	Kind contract.LimiterKind `json:"kind,omitempty"`
	// Limit is the number of calls: in a window, at once after a rest, or under way.
	Limit int `json:"limit,omitempty"`
	// Window is the length of the window; of a token bucket, the time in which Limit tokens come.
	Window time.Duration `json:"window_ns,omitempty"`
	// Burst is the capacity of a token bucket, and Refill what it gains in a second.
	Burst  int     `json:"burst,omitempty"`
	Refill float64 `json:"refill_per_second,omitempty"`
	// Phase is an instant at which a window of the clock begins, counted from the first call. Fixed windows and sliding
	// counters have one.
	Phase time.Duration `json:"phase_ns,omitempty"`
	// Anchored windows go by no clock: one begins with the first call after the last one ended. Only fixed windows are.
	Anchored bool `json:"anchored,omitempty"`
	// Confidence is between 0 and 1: the share of the answers that the next best kind cannot explain which this kind can.
	// 0 means that another kind explains them as well.
	Confidence float64 `json:"confidence,omitempty"`
	// Evidence says what the model rests on, a sentence each.
	Evidence []string `json:"evidence,omitempty"`
}

// String names the limiter in a line.
func (m Model) String() string {
	switch m.Kind {
	case contract.TokenBucket:
		return fmt.Sprintf("%s of %d, %.4g/s", m.Kind, m.Burst, m.Refill)
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

// bucket is a token bucket's model.
func bucket(capacity int, refill float64) Model {
	m := Model{Kind: contract.TokenBucket, Limit: capacity, Burst: capacity, Refill: refill}
	if refill > 0 {
		m.Window = time.Duration(float64(capacity) / refill * float64(time.Second))
	}
	return m
}

// full is how long an unused limiter takes until nothing that was used before counts any more.
func (m Model) full() time.Duration {
	switch m.Kind {
	case contract.SlidingCounter:
		return 2 * m.Window
	case contract.TokenBucket:
		if m.Refill <= 0 {
			return m.Window
		}
		return time.Duration(float64(m.Burst) / m.Refill * float64(time.Second))
	case contract.Concurrency, None:
		return 0
	default:
		return m.Window
	}
}

// round drops digits that no measurement over a network has.
func round(d time.Duration) time.Duration {
	switch {
	case d >= 10*time.Second:
		return d.Round(10 * time.Millisecond)
	case d >= 100*time.Millisecond:
		return d.Round(time.Millisecond)
	default:
		return d.Round(10 * time.Microsecond)
	}
}
