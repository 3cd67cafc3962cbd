package load

import (
	"errors"
	"fmt"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange"
)

// ErrInvalid is returned when a stage cannot be fired as it stands: a schedule that makes no sense, no parts, a call
// that cannot be built or that would go through a proxy.
var ErrInvalid = errors.New("unusable stage")

// Phase is one stretch of load.
type Phase struct {
	Name string
	// Mix are the kinds of requests that are mixed, at least one.
	Mix    []Request
	Schedule Schedule
	// Connections is how many requests can be under way at once. Default 64.
	Connections int
	// Timeout bounds each request from the moment it is taken up to the answer's end. Default 30 s.
	Timeout time.Duration
	// Body bounds an answer's body in bytes. Default 1 MiB.
	Body int64
	// Preconnect opens the connections before the stage begins, so that a burst is one.
	Preconnect bool
	// Keep is how many shots the measurement keeps, about 200 bytes each. Default none.
	Keep int
	// Window is the length of the measurement's windows. Default 1 s; a stage has at most 600.
	Window time.Duration
	// Generator are those of our own fitness.
	Generator GeneratorLimits
	// Embedded says that the gateway runs in this process, so that its CPU time and ours cannot be told apart.
	Embedded bool
	// Observe, when not nil, is called with every shot.
	Observe func(Result)
	// Progress, when not nil, is called about four times a second, by the goroutine that calls Observe.
	Progress func(Progress)
}

// Request is one kind of request in a stage.
type Request struct {
	Name string
	// Call is the request. [TokenPlaceholder] in its prompt becomes the shot's token.
	Call exchange.Call
	// Weight is how many of the stage's requests are of this part, relative to the others. 0 counts as 1.
	Weight int
	// Expect, when set, is the case whose error every answer owes. When not, a healthy answer is right, and an error is
	// judged by the row that it claims for itself.
	Expect contract.Case
}

// Progress is how far a stage has come.
type Progress struct {
	Phase   string
	Elapsed time.Duration
	// Sent counts the requests that were sent and have ended, the others what came of them.
	Sent, Admitted, Refused, Failed uint64
	// Waited counts the requests that had to wait for a connection; Lag is the 99th percentile of our own lag.
	Waited uint64
	Lag    time.Duration
}

const (
	// maxParts and maxWeight keep the order of the parts a short list.
	maxParts  = 16
	maxWeight = 1000
)

func (s Phase) withDefaults() Phase {
	setDefault(&s.Connections, 64)
	setDefault(&s.Timeout, 30*time.Second)
	setDefault(&s.Body, 1<<20)
	setDefault(&s.Window, time.Second)
	s.Generator = s.Generator.withDefaults()
	return s
}

func (s Phase) check() error {
	problem := ""
	switch {
	case s.Schedule == nil:
		problem = "no schedule"
	case len(s.Mix) == 0 || len(s.Mix) > maxParts:
		problem = fmt.Sprintf("%d parts: want 1 to %d", len(s.Mix), maxParts)
	case s.Connections < 1, s.Timeout < 0, s.Body < 0, s.Keep < 0, s.Window < 0:
		problem = "negative bounds"
	}
	for _, p := range s.Mix {
		if p.Weight < 0 || p.Weight > maxWeight {
			problem = fmt.Sprintf("part %q: weight %d: want 0 to %d", p.Name, p.Weight, maxWeight)
		}
	}
	if problem != "" {
		return fmt.Errorf("%w: %s", ErrInvalid, problem)
	}
	return nil
}

// order spreads the parts evenly by their weights: weights of 2 and 2 make abab, not aabb.
func (s Phase) order() []int {
	total := 0
	for _, p := range s.Mix {
		total += max(p.Weight, 1)
	}
	credit := make([]int, len(s.Mix))
	order := make([]int, total)
	for i := range order {
		best := 0
		for part, p := range s.Mix {
			credit[part] += max(p.Weight, 1)
			if credit[part] > credit[best] {
				best = part
			}
		}
		credit[best] -= total
		order[i] = best
	}
	return order
}
