package limits

import (
	"net/http"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// Call is one call, as observed from outside the limiter.
type Call struct {
	// The gateway decided about the call between Earliest, when it was sent, and Latest, when the first byte of its response arrived. If the upstream
	// delayed the response to an admitted call, that delay is subtracted from Latest.
	Earliest, Latest time.Time
	// Ended is when the last byte of the response arrived.
	Ended time.Time
	// Held is how long after Latest the call was certainly still in flight.
	Held time.Duration
	// Asked is the number of tokens that the call requested; it is zero if the size of the call did not matter. Tokens is the number of tokens that
	// the call used according to its response; it is zero if the response does not report them.
	Asked, Tokens TokenCount
	// Observation is the response.
	Observation contract.Observation

	// refusedWith are the statuses besides 429 that are refusals here.
	refusedWith []int
	// byOther says that the call was made with another key, or from another address, than those whose limit is inferred.
	byOther bool
	// phase is the part of a verification that made the call. The recorder sets it.
	phase phase
}

// Outcome is what happened to a call, from the limiter's point of view.
type Outcome string

// The outcomes.
const (
	// Admitted calls passed the limiter. A 429 from the upstream counts as admitted: the call had passed by then.
	Admitted Outcome = "admitted"
	// Refused calls received the limiter's own 429.
	Refused Outcome = "refused"
	// Failed calls received another status or no response. It is unknown whether they passed the
	// limiter.
	Failed Outcome = "failed"
)

// ignored is the outcome of a call that may belong to another limit: it neither uses up this one nor contradicts it.
const ignored Outcome = ""

// Outcome classifies the response.
func (c Call) Outcome() Outcome {
	switch o := c.Observation; {
	case o.Failure == nil && o.Status/100 == 2:
		return Admitted
	case slices.Contains(c.refusedWith, o.Status):
		return Refused
	case o.Status != http.StatusTooManyRequests:
		return Failed
	case isUpstream429(o):
		return Admitted
	default:
		return Refused
	}
}

// isUpstream429 reports whether a 429 is the upstream's own: the upstream saw the call and answered it with 429.
func isUpstream429(o contract.Observation) bool {
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

// couldNotConnect reports whether the call never reached the gateway.
func (c Call) couldNotConnect() bool {
	return c.Observation.Failure != nil && c.Observation.Failure.Kind == contract.Unreachable
}

// timeToFirstByte is the time from the earliest to the latest instant of the decision.
func (c Call) timeToFirstByte() time.Duration { return c.Latest.Sub(c.Earliest) }

// count returns how many of the calls had an outcome.
func count(calls []Call, outcome Outcome) int {
	n := 0
	for _, c := range calls {
		if c.Outcome() == outcome {
			n++
		}
	}
	return n
}

// decision is the limiter's decision about a call. Its instants are offsets from a common origin.
type decision struct {
	// from and to bound the instant of the decision.
	from, to time.Duration
	ended    time.Duration
	held     time.Duration
	outcome  Outcome
}

// decisionsOf returns the decisions about the calls, in the same order, with instants relative to the origin.
func decisionsOf(calls []Call, origin time.Time) []decision {
	decisions := make([]decision, len(calls))
	for i, c := range calls {
		decisions[i] = decision{
			from: c.Earliest.Sub(origin), to: max(c.Latest.Sub(origin), c.Earliest.Sub(origin)),
			ended: c.Ended.Sub(origin), held: c.Held, outcome: c.Outcome(),
		}
	}
	return decisions
}
