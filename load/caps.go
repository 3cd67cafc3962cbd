package load

import (
	"errors"
	"fmt"
	"time"
)

// ErrCap is returned when a phase would exceed the engine's caps. Its text says which.
var ErrCap = errors.New("over the caps")

// Caps bound what an engine sends. A field that is zero takes the value of [DefaultCaps].
type Caps struct {
	// Requests bounds the requests of all phases of an engine together, Duration their length.
	Requests uint64
	Duration time.Duration
	// Rate bounds the requests per second of any phase, Connections its connections.
	Rate        float64
	Connections int
}

// DefaultCaps returns what somebody else's gateway can take without its owner being asked. A capacity search and a
// comparison with all defaults send at most 39,406 requests in 272 s.
func DefaultCaps() Caps {
	return Caps{Requests: 40_000, Rate: 200, Duration: 5 * time.Minute, Connections: 64}
}

// HardCaps returns the bounds of all caps: more than one machine can generate, and far less than a typing error can ask
// for.
func HardCaps() Caps {
	return Caps{Requests: 100_000_000, Rate: 100_000, Duration: 24 * time.Hour, Connections: 4096}
}

func (c Caps) withDefaults() Caps {
	d := DefaultCaps()
	setDefault(&c.Requests, d.Requests)
	setDefault(&c.Rate, d.Rate)
	setDefault(&c.Duration, d.Duration)
	setDefault(&c.Connections, d.Connections)
	return c
}

// within bounds caps by others.
func (c Caps) within(other Caps) Caps {
	return Caps{
		Requests: min(c.Requests, other.Requests), Rate: min(c.Rate, other.Rate),
		Duration: min(c.Duration, other.Duration), Connections: min(c.Connections, other.Connections),
	}
}

// Allow returns [ErrCap], for each cap that a plan exceeds, and nil when it exceeds none.
func (c Caps) Allow(p Plan) error {
	var over []error
	check := func(exceeds bool, format string, args ...any) {
		if exceeds {
			over = append(over, fmt.Errorf("%w: "+format, append([]any{ErrCap}, args...)...))
		}
	}
	check(p.Requests > c.Requests, "%d requests, %d allowed", p.Requests, c.Requests)
	check(p.Rate > c.Rate, "%g requests/s, %g/s allowed", p.Rate, c.Rate)
	check(p.Duration > c.Duration, "%s, %s allowed", p.Duration, c.Duration)
	check(p.Connections > c.Connections, "%d connections, %d allowed", p.Connections, c.Connections)
	return errors.Join(over...)
}
