package limits

import (
	"context"
	"time"
)

// Prober makes a call to one gateway with one key on one surface. Several goroutines call it at the same time.
//
// A hold above 0 asks the upstream to delay its response to an admitted call by that long; a prober whose upstream cannot do so
// leaves Call.Held at 0. An error means that the call could not be made, and ends the experiment. Whatever the gateway answers
// is in the [Call], not in the error.
type Prober func(ctx context.Context, hold time.Duration) (Call, error)

// Probers are the ways to call one gateway that a verification uses. Only Limited is required. What a missing prober would
// have shown is left untested.
type Probers struct {
	// Limited calls with the key whose limit is verified.
	Limited Prober
	// Stream calls with the same key on a streaming surface.
	Stream Prober
	// Control calls with another key, whose own limit twenty calls do not reach.
	Control Prober
	// Throttled calls with a key that has no limit. The upstream answers each of its calls with 429 and a Retry-After of
	// [DeclaredLimit.UpstreamRetryAfter].
	Throttled Prober
	// Balance reads what the owner of the limited key has left, in any unit.
	Balance func(ctx context.Context) (float64, error)
}
