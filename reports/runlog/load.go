package runlog

import (
	"time"

	"github.com/gatecert/gatecert/contract"
)

// LoadSummary summarises a load case: the load that was sent and its results. Its size is limited by [MaxSpans], regardless of the number of
// requests.
type LoadSummary struct {
	// Sentence describes the load in one line: "40 healthy requests per second, one faulty request per 4 healthy requests".
	Sentence string `json:"sentence"`
	// Limiter is the limiter that explains the responses, or "" if none was inferred.
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

// The groups of requests. In an outage, all requests outside these groups were meant to fail at the upstream.
const (
	LimitedGroup   = "limited key"
	StreamingGroup = "streaming calls"
	ControlGroup   = "control key"
	ThrottledGroup = "upstream 429s"
	// HealthyGroup and DisconnectingGroup are prefixes of the names of groups: of healthy requests, and of requests whose clients disconnect.
	// HeldGroup contains requests that the upstream holds, sent all at once. DirectGroup contains requests that bypass the gateway.
	HealthyGroup       = "healthy"
	DisconnectingGroup = "disconnecting, "
	HeldGroup          = "held, at once"
	DirectGroup        = "directly to the upstream"
)

// MaxSpans is the maximum number of spans in a load summary.
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
	// At is the start of the span, counted from the start of the experiment. Lasts is its length.
	At    time.Duration `json:"at_ns"`
	Lasts time.Duration `json:"lasts_ns"`
	// Counts are the requests by group ("limited key", "healthy", "hanging") and by outcome.
	Counts map[string]map[Outcome]int `json:"counts"`
	// P50 and P99 are quantiles of the healthy requests' service time. They are 0 if there were no healthy requests.
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
	// Bound is the highest permitted P50, or 0 if there is none.
	Bound time.Duration `json:"bound_ns,omitempty"`
}

// The allowances for the latency of healthy requests during an outage, not including the lag of this machine.
const (
	MedianRatio = 3
	TailRatio   = 5
	medianGrace = 250 * time.Millisecond
	tailGrace   = time.Second
)

// MaxMedian returns the highest permitted median latency of healthy requests during an outage, given the usual median: the greater of three times the
// usual median and the usual median plus a quarter of a second.
func MaxMedian(usual time.Duration) time.Duration { return max(MedianRatio*usual, usual+medianGrace) }

// MaxTail returns the same limit for the 99th percentile: the greater of five times the usual value and the usual value plus a second.
func MaxTail(usual time.Duration) time.Duration { return max(TailRatio*usual, usual+tailGrace) }

// Outcome is the class of one load request's result. Latency is measured for each class, because a distribution that mixes fast refusals and slow
// successes describes neither (vegeta's digest puts the 95th percentile of 95 % refusals of 1 ms and 5 % successes of 801 ms at 378 ms).
type Outcome string

// The outcomes. [LocalError] and the following outcomes are not evidence about the gateway.
const (
	Admitted       Outcome = "admitted"        // a complete, healthy response
	Refused        Outcome = "refused"         // 429, regardless of the rest of the response
	Error4xx       Outcome = "error-4xx"       // any other 4xx
	Error5xx       Outcome = "error-5xx"       // 5xx, or an error event in a stream that had begun
	Timeout        Outcome = "timeout"         // no complete response within the client's time limit
	TransportError Outcome = "transport-error" // no connection, an interrupted transfer, or no HTTP
	Wrong          Outcome = "wrong"           // a 2xx or 3xx that is not a valid response
	LocalError     Outcome = "local-error"     // this machine could not send: out of file descriptors, ports or memory
	Abandoned      Outcome = "abandoned"       // cut short because the attack was cancelled
	Disconnected   Outcome = "disconnected"    // the client disconnected on purpose, because this is what the request tests
)

// Outcomes returns the outcomes that the load engine counts, with those about the gateway first.
func Outcomes() []Outcome {
	return []Outcome{Admitted, Refused, Error4xx, Error5xx, Timeout, TransportError, Wrong, LocalError, Abandoned}
}

// OfGateway reports whether the outcome is evidence about the gateway.
func (o Outcome) OfGateway() bool { return o != LocalError && o != Abandoned && o != Disconnected }

// Failed reports whether the gateway did not serve the request, for whatever reason.
func (o Outcome) Failed() bool { return o != Admitted && o.OfGateway() }
