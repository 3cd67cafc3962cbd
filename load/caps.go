package load

import (
	"errors"
	"fmt"
	"time"
)

// ErrCap is returned when a stage would go over the engine's caps. Its text says over which.
var ErrCap = errors.New("over the cap")

// Caps bound what an engine does. A field that is zero takes that of [DefaultCaps].
type Caps struct {
	// Requests bounds the requests of all stages of the engine together.
	Requests uint64
	// Rate bounds the requests a second of any stage.
	Rate float64
	// Duration bounds the schedules of all stages together.
	Duration time.Duration
	// Connections bounds those of any stage.
	Connections int
}

// DefaultCaps are what a gateway of somebody else's bears without its owner being asked. A search and a comparison
// with all defaults come to 39,406 requests in 272 s at most.
func DefaultCaps() Caps {
	return Caps{Requests: 40_000, Rate: 200, Duration: 5 * time.Minute, Connections: 64}
}

// HardCaps are what nobody gets beyond: more than one machine can do in earnest, far less than a slip of a finger.
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

// within bounds the caps by others.
func (c Caps) within(most Caps) Caps {
	return Caps{
		Requests: min(c.Requests, most.Requests), Rate: min(c.Rate, most.Rate),
		Duration: min(c.Duration, most.Duration), Connections: min(c.Connections, most.Connections),
	}
}

// Allow reports whether a plan stays within the caps. It returns [ErrCap] and says what is too much.
func (c Caps) Allow(p Plan) error {
	var over []error
	check := func(too bool, format string, args ...any) {
		if too {
			over = append(over, fmt.Errorf("%w: "+format, append([]any{ErrCap}, args...)...))
		}
	}
	check(p.Requests > c.Requests, "%d requests, %d allowed", p.Requests, c.Requests)
	check(p.Rate > c.Rate, "%g requests a second, %g allowed", p.Rate, c.Rate)
	check(p.Duration > c.Duration, "%s, %s allowed", p.Duration, c.Duration)
	check(p.Connections > c.Connections, "%d connections, %d allowed", p.Connections, c.Connections)
	return errors.Join(over...)
}
