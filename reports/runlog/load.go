package runlog

import (
	"time"

	"github.com/gatecert/gatecert/contract"
)

// LoadSummary sums up a load case: what was sent and what came of it. Its size is bounded by [MaxSpans], however many
// requests were sent.
type LoadSummary struct {
	// Sentence describes the load in one line: "40 healthy requests per second, 1 faulty request per 4 healthy ones".
	Sentence string `json:"sentence"`
	// Limiter is the limiter that explains the responses, "" when none was inferred.
	Limiter string        `json:"limiter,omitempty"`
	Took    time.Duration `json:"took_ns"`
	// Calls is the number of requests sent.
	Calls  int     `json:"calls"`
	Checks []Check `json:"checks"`
	// Phases are the parts of the experiment in the order in which they ran.
	Phases []Phase `json:"phases,omitempty"`
	// Spans divide the whole experiment into intervals of equal length.
	Spans []Span `json:"spans,omitempty"`
	// Times are the latency distributions that the checks compared.
	Times []Times `json:"times,omitempty"`
}

// The groups of requests. Those of an outage that are none of them were meant to fail at the upstream.
const (
	LimitedGroup   = "limited key"
	StreamingGroup = "streaming calls"
	ControlGroup   = "control key"
	ThrottledGroup = "upstream 429s"
	// HealthyGroup and DisconnectingGroup begin the names of the groups of healthy requests, and of requests whose clients disconnect.
	// HeldGroup are requests that the upstream holds, sent all at once; DirectGroup are those that bypass the gateway.
	HealthyGroup       = "healthy"
	DisconnectingGroup = "disconnecting, "
	HeldGroup          = "held, at once"
	DirectGroup        = "directly to the upstream"
)

// MaxSpans is the largest number of spans in a load summary.
const MaxSpans = 240

// Check is the result of one requirement of a load case.
type Check struct {
	Requirement contract.Requirement `json:"requirement"`
	Result      contract.Result      `json:"result"`
	// Sentence explains the result with its numbers: "20 calls admitted and 15 refused".
	Sentence string `json:"sentence"`
}

// Phase is a named part of the experiment, [From, To) from its start.
type Phase struct {
	Name string        `json:"name"`
	From time.Duration `json:"from_ns"`
	To   time.Duration `json:"to_ns"`
}

// Span is one interval of the experiment. A request belongs to the span in which it ended.
type Span struct {
	// At is the start of the span from the start of the experiment, Lasts its length.
	At    time.Duration `json:"at_ns"`
	Lasts time.Duration `json:"lasts_ns"`
	// Counts are the requests by group ("limited key", "healthy", "hanging") and by outcome.
	Counts map[string]map[Outcome]int `json:"counts"`
	// P50 and P99 are quantiles of the healthy requests' service time, 0 when there were none.
	P50 time.Duration `json:"p50_ns,omitempty"`
	P99 time.Duration `json:"p99_ns,omitempty"`
}

// Add counts one request of a group.
func (s *Span) Add(group string, outcome Outcome) {
	if s.Counts == nil {
		s.Counts = make(map[string]map[Outcome]int)
	}
	if s.Counts[group] == nil {
		s.Counts[group] = make(map[Outcome]int)
	}
	s.Counts[group][outcome]++
}

// Times is a distribution of service times.
type Times struct {
	Name  string        `json:"name"`
	Count int           `json:"count"`
	P50   time.Duration `json:"p50_ns"`
	P90   time.Duration `json:"p90_ns"`
	P99   time.Duration `json:"p99_ns"`
	Max   time.Duration `json:"max_ns"`
	// Bound is the highest permitted P50, 0 when there is none.
	Bound time.Duration `json:"bound_ns,omitempty"`
}

// How slow healthy requests may be during an outage, without what this machine was late by.
const (
	MedianRatio = 3
	TailRatio   = 5
	medianGrace = 250 * time.Millisecond
	tailGrace   = time.Second
)

// MaxMedian is the highest median latency that healthy requests may have during an outage, given the usual one: three times that, or a
// quarter of a second more.
func MaxMedian(usual time.Duration) time.Duration { return max(MedianRatio*usual, usual+medianGrace) }

// MaxTail is the same for the 99th percentile: five times the usual one, or a second more.
func MaxTail(usual time.Duration) time.Duration { return max(TailRatio*usual, usual+tailGrace) }

// Outcome is the class of one load request's result. Latency is measured per class: a fast refusal and a slow success in
// one distribution describe neither (vegeta's digest puts the 95th percentile of 95 % refusals of 1 ms and 5 % successes
// of 801 ms at 378 ms).
type Outcome string

// The outcomes. Those from [LocalError] on are no evidence about the gateway.
const (
	Admitted       Outcome = "admitted"        // a complete, healthy response
	Refused        Outcome = "refused"         // 429, whatever else is right or wrong about it
	Error4xx       Outcome = "error-4xx"       // any other 4xx
	Error5xx       Outcome = "error-5xx"       // 5xx, or an error event in a stream that had begun
	Timeout        Outcome = "timeout"         // no complete response within the client's time limit
	TransportError Outcome = "transport-error" // no connection, an interrupted transfer, or no HTTP
	Wrong          Outcome = "wrong"           // a 2xx or 3xx that is not a valid response
	LocalError     Outcome = "local-error"     // this machine could not send: out of file descriptors, ports or memory
	Abandoned      Outcome = "abandoned"       // cut short because the attack was cancelled
	Disconnected   Outcome = "disconnected"    // the client disconnected on purpose: that is what the request tests
)

// Outcomes returns the outcomes that the load engine counts, those about the gateway first.
func Outcomes() []Outcome {
	return []Outcome{Admitted, Refused, Error4xx, Error5xx, Timeout, TransportError, Wrong, LocalError, Abandoned}
}

// OfGateway reports whether the outcome is evidence about the gateway.
func (o Outcome) OfGateway() bool { return o != LocalError && o != Abandoned && o != Disconnected }

// Failed reports whether the gateway did not do what it was asked, for whatever reason.
func (o Outcome) Failed() bool { return o != Admitted && o.OfGateway() }
