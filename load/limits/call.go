package limits

import (
	"net/http"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// Call is one call as the limiter may have seen it.
type Call struct {
	// The gateway decided about the call at or after Earliest, when it was sent, and at or before Latest, when the first
	// byte of its answer came. Of an admitted call whose answer the upstream held back, Latest is earlier by the hold.
	Earliest, Latest time.Time
	// Ended is when the last byte of the answer came.
	Ended time.Time
	// Held is for how long after Latest the call was certainly still under way.
	Held time.Duration
	// Observation is what came back.
	Observation contract.Observation
}

// Outcome is what became of a call, from the limiter's point of view.
type Outcome string

// The outcomes.
const (
	// Admitted calls passed the limiter. A 429 that the upstream gave is among them: the call had passed by then.
	Admitted Outcome = "admitted"
	// Refused calls got the limiter's own 429.
	Refused Outcome = "refused"
	// Failed calls got something else, or nothing. Whether they passed the limiter is not known.
	Failed Outcome = "failed"
)

// foreign is the outcome of calls that may belong to another limit, and say nothing about this one.
const foreign = ""

// Outcome tells what became of the call.
func (c Call) Outcome() Outcome {
	switch o := c.Observation; {
	case o.Failure == nil && o.Status/100 == 2:
		return Admitted
	case o.Status != http.StatusTooManyRequests:
		return Failed
	case Foreign(o):
		return Admitted
	default:
		return Refused
	}
}

// Foreign reports whether a 429 is the upstream's own: the upstream saw the call and answered it so.
func Foreign(o contract.Observation) bool {
	if o.Status != http.StatusTooManyRequests || o.Upstream == nil {
		return false
	}
	for _, attempt := range o.Upstream.Attempts {
		if attempt.Status == http.StatusTooManyRequests {
			return true
		}
	}
	return false
}

// decision is a call with its instants counted from the first call.
type decision struct {
	from, to time.Duration
	ended    time.Duration
	held     time.Duration
	outcome  Outcome
}

// decisions are the calls, counted from an instant.
func decisions(calls []Call, origin time.Time) []decision {
	all := make([]decision, len(calls))
	for i, c := range calls {
		all[i] = decision{
			from: c.Earliest.Sub(origin), to: max(c.Latest.Sub(origin), c.Earliest.Sub(origin)),
			ended: c.Ended.Sub(origin), held: c.Held, outcome: c.Outcome(),
		}
	}
	return all
}
