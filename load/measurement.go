package load

import (
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Measurement is the result of a phase. Its size does not grow with the number of requests, except for Results.
type Measurement struct {
	Phase    string
	Schedule string
	// Rate is the rate of the schedule, in requests/s.
	Rate float64
	// Requests are the names of the kinds of requests, in the order of the phase's mix.
	Requests []string
	Started  time.Time
	// Elapsed is the time from the start of the phase to the end of the last response.
	Elapsed time.Duration
	// Offered is the number of requests that were due. Sent is the number of requests that were sent.
	Offered, Sent uint64
	// Warming is the number of requests that were due in the warm-up, whose length is WarmUp. They are not included in the counts and times by
	// outcome.
	Warming uint64
	WarmUp  time.Duration
	// Pace states whether the gateway kept up with the rate.
	Pace Pace
	// Waited counts the requests, sent or not, that were due while every connection was in use. The gateway caused their
	// delay; [GeneratorHealth.Late] counts the requests that were late for any other reason.
	Waited uint64
	// Good counts the requests that were admitted and individually met every time bound of [Phase.SLO].
	Good uint64
	// Generator states whether this machine generated the load as planned.
	Generator GeneratorHealth
	// Violations are the requirements that responses violated, the most frequent first.
	Violations []Violation
	// Windows are the windows of the phase, in order.
	Windows []Window
	// Stalls are the times at which several requests were slow at once.
	Stalls Stalls
	// Results are the first results, at most [Phase.Keep], in the order in which the responses ended. NotKept is the number of the others.
	Results []Result
	NotKept uint64
	// RecordError is the reason why results are missing from the output of [Phase.Record]. It is nil if none are missing.
	RecordError error
	// Workers are the workers of the fleet that sent the phase, and Reruns gives the reasons why it was sent again. Both are empty when this process
	// sent it.
	Workers []WorkerShare
	Reruns  []string

	metrics map[metricsKey]*Metrics
	sentTo  []sentTo
	judged  bool // Good was counted
}

// sentTo is where a kind of request went, in the form that an export may show.
type sentTo struct {
	method, url string
	bodySize    int
}

type metricsKey struct {
	request int
	outcome runlog.Outcome
}

// Metrics are the count and the times of the requests with one outcome.
type Metrics struct {
	Count uint64
	// ServiceTime is from sending a request to the end of its response, Latency from when the request was due.
	ServiceTime, Latency Histogram
	// TTFB is from sending a request to the first byte of its response, TTFT to the first event of a stream that adds to the
	// answer: text, reasoning, or the arguments of a tool call.
	TTFB, TTFT Histogram
	// ITL are the times between two such events, of all streams together: the inter-token latency of an upstream that sends each
	// token as an event. TPOT is the mean time of a token after the first, Stall the longest time between two events; both have
	// one value per stream.
	ITL, TPOT, Stall Histogram
	// Tokens are the output tokens of each response that has any. TokenRate is the rate of each stream in thousandths of tokens per second: its
	// tokens after the first, divided by the time between its first and its last event.
	Tokens, TokenRate Counts
	// OutputTokens and InputTokens are the sums over all responses. Counted is the number of responses for each source of their output tokens.
	OutputTokens, InputTokens uint64
	Counted                   map[TokenSource]uint64
}

func (m *Metrics) merge(other Metrics) {
	m.Count += other.Count
	m.ServiceTime.Merge(other.ServiceTime)
	m.Latency.Merge(other.Latency)
	m.TTFB.Merge(other.TTFB)
	m.TTFT.Merge(other.TTFT)
	m.ITL.Merge(other.ITL)
	m.TPOT.Merge(other.TPOT)
	m.Stall.Merge(other.Stall)
	m.Tokens.Merge(other.Tokens)
	m.TokenRate.Merge(other.TokenRate)
	m.OutputTokens += other.OutputTokens
	m.InputTokens += other.InputTokens
	for source, n := range other.Counted {
		m.count(source, n)
	}
}

func (m *Metrics) count(source TokenSource, n uint64) {
	if m.Counted == nil {
		m.Counted = map[TokenSource]uint64{}
	}
	m.Counted[source] += n
}

// add counts one request. gaps are those between the pieces of its stream, in microseconds.
func (m *Metrics) add(r Result, gaps []uint32) {
	m.Count++
	m.ServiceTime.Add(r.ServiceTime())
	m.Latency.Add(r.Latency())
	if r.FirstByte > 0 {
		m.TTFB.Add(r.FirstByte - r.Sent)
	}
	if r.FirstToken > 0 {
		m.TTFT.Add(r.FirstToken - r.Sent)
	}
	for _, gap := range gaps {
		m.ITL.Add(time.Duration(gap) * time.Microsecond)
	}
	if r.Pieces > 1 {
		m.Stall.Add(r.Stall)
		m.TPOT.Add(r.TPOT())
		m.TokenRate.Add(int64(1000 * r.TokenRate()))
	}
	if r.Tokens > 0 {
		m.Tokens.Add(int64(r.Tokens))
		m.OutputTokens += uint64(r.Tokens)
		m.InputTokens += uint64(r.Input) //nolint:gosec // a count
		m.count(r.TokensFrom, 1)
	}
}

// Violation is a requirement of the contract that responses to one kind of request violated.
type Violation struct {
	// Request is the name of the kind of request.
	Request string
	// Finding is the finding of the first such response. Count counts all responses that violated the same requirement.
	Finding contract.Finding
	Count   uint64
	// Evidence is the first such response, redacted; nil when it was not kept.
	Evidence *contract.Observation

	first time.Duration // when the first such response ended
}

// Window is a period of a phase. A response belongs to the window in which it ended.
type Window struct {
	// Start is when the window begins, counted from the start of the phase. Ended is when the window was closed: earlier than
	// Start+Length if the phase ended within the window.
	Start, Length, Ended time.Duration
	// Counts are the responses by outcome.
	Counts map[runlog.Outcome]uint64
	// P50 and P99 are quantiles of the service time of admitted requests, 0 when there are none.
	P50, P99 time.Duration
	// TTFT50 to ITL99 are quantiles of the TTFT and of the ITL of the admitted streams that ended in the window, 0 when there are
	// none. Tokens are the output tokens of its admitted requests.
	TTFT50, TTFT99, ITL50, ITL99 time.Duration
	Tokens                       uint64
	// Latency has quantiles of the latency of admitted requests.
	Latency struct{ P50, P99 time.Duration }
}

// Total counts the window's responses that say something about the gateway.
func (w Window) Total() (n uint64) {
	for outcome, count := range w.Counts {
		if outcome.OfGateway() {
			n += count
		}
	}
	return n
}

// AllRequests selects all kinds of requests if it is passed to [Measurement.Of] as the index.
const AllRequests = -1

// Of returns the metrics of one outcome, for one kind of request or for all of them ([AllRequests]).
func (m Measurement) Of(request int, outcome runlog.Outcome) Metrics {
	var sum Metrics
	for key, metrics := range m.metrics {
		if key.outcome == outcome && (request == AllRequests || key.request == request) {
			sum.merge(*metrics)
		}
	}
	return sum
}

// Count returns how many requests of all kinds had one of the outcomes.
func (m Measurement) Count(outcomes ...runlog.Outcome) (n uint64) {
	for key, metrics := range m.metrics {
		for _, o := range outcomes {
			if key.outcome == o {
				n += metrics.Count
			}
		}
	}
	return n
}

// failures returns how many requests failed for any other reason than a rate limit.
func (m Measurement) failures() uint64 {
	return m.Count(runlog.Error4xx, runlog.Error5xx, runlog.Timeout, runlog.TransportError, runlog.Wrong)
}

// answered returns how many requests say something about the gateway.
func (m Measurement) answered() (n uint64) {
	for key, metrics := range m.metrics {
		if key.outcome.OfGateway() {
			n += metrics.Count
		}
	}
	return n
}

// ErrorRate returns the share of the requests that the gateway did not answer as expected, 0 to 1: refusals, errors,
// timeouts, broken transfers and wrong responses. It is 0 when nothing was sent.
func (m Measurement) ErrorRate() float64 {
	var failed, all uint64
	for key, metrics := range m.metrics {
		if key.outcome.OfGateway() {
			all += metrics.Count
		}
		if key.outcome.Failed() {
			failed += metrics.Count
		}
	}
	if all == 0 {
		return 0
	}
	return float64(failed) / float64(all)
}

// Goodput returns the share of the offered requests that were good, 0 to 1.
func (m Measurement) Goodput() float64 { return float64(m.Good) / float64(max(m.Offered-m.Warming, 1)) }

// TokensPerSecond returns the output tokens of all admitted requests per second, from the start of the phase to the end of the
// last response.
func (m Measurement) TokensPerSecond() float64 {
	if m.Elapsed <= m.WarmUp {
		return 0
	}
	return float64(m.Of(AllRequests, runlog.Admitted).OutputTokens) / (m.Elapsed - m.WarmUp).Seconds()
}

// Verdict returns error when this machine could not generate the load or nothing was sent, and otherwise the verdict that
// follows from the findings of all responses. Refusals, errors and timeouts are not violations by themselves.
func (m Measurement) Verdict() contract.Verdict {
	if !m.Generator.OK() || m.Sent == 0 {
		return contract.Error
	}
	return verdictOf(m.Violations)
}

// verdictOf returns the verdict that follows from violations alone.
func verdictOf(violations []Violation) contract.Verdict {
	findings := make([]contract.Finding, len(violations))
	for i, v := range violations {
		findings[i] = v.Finding
	}
	return contract.VerdictOf(findings)
}

// mergeViolations adds violations to those of earlier measurements: one for each requirement, level and kind of request.
func mergeViolations(all, more []Violation) []Violation {
	for _, v := range more {
		known := false
		for i := range all {
			if all[i].Request == v.Request && all[i].Finding.Requirement == v.Finding.Requirement && all[i].Finding.Level == v.Finding.Level {
				all[i].Count += v.Count
				known = true
			}
		}
		if !known {
			all = append(all, v)
		}
	}
	return all
}

// Result is one request and its outcome. Its instants are durations since the phase began; 0 means that there was no
// such instant.
type Result struct {
	// Seq numbers the requests of a phase from 0, in the order in which they were due. In a closed loop, they are due a little out of that order.
	Seq uint64
	// Request is the index of the request's kind in the phase's mix.
	Request int
	// Due is when the request was scheduled to be sent. Sent is the instant just before its first byte was
	// written.
	Due, Sent time.Duration
	// FirstByte is when the first byte of the response came, FirstEvent when the first event of a stream was complete.
	// The gateway made every decision about the request between Sent and FirstByte.
	FirstByte, FirstEvent time.Duration
	// FirstToken and LastToken are when the first and the last event of a stream that added to the answer were complete.
	// Pieces counts these events, and Stall is the longest time between two of them.
	FirstToken, LastToken time.Duration
	Pieces                int
	Stall                 time.Duration
	// Tokens and Input are the tokens of the answer and of the request, 0 when they are not known. TokensFrom is the source
	// of Tokens.
	Tokens, Input int
	TokensFrom    TokenSource
	// End is when the response was complete, or when it was certain that it would never be
	// complete.
	End time.Duration
	// Status is the HTTP status, 0 when no response header came.
	Status  int
	Outcome runlog.Outcome
	// Bytes is the size of the response's body.
	Bytes int
	// Resent means that the request was sent again on a new connection, because the reused connection was closed before any byte of the response
	// arrived.
	Resent bool
	// Waited means that every connection was in use when the request was due, so the gateway caused its delay.
	Waited bool
	// Findings are the requirements of the contract that the response violates. The slice is shared: do not change it.
	Findings []contract.Finding

	tokenPrefix uint32
	// place is the request's place in the order of sending, where results are recorded; placed is when it got that.
	place  uint64
	placed time.Duration
}

// Token returns what replaced [TokenPlaceholder] in the request.
func (r Result) Token() string {
	var b [len(TokenPlaceholder)]byte
	putToken(b[:], r.tokenPrefix, r.Seq)
	return string(b[:])
}

// ServiceTime returns the time from sending the request to the end of the response.
func (r Result) ServiceTime() time.Duration { return r.End - r.Sent }

// TPOT returns the mean time of a token of a stream after its first. It is 0 if the stream has no second token.
func (r Result) TPOT() time.Duration {
	tokens := max(r.Tokens, r.Pieces)
	if r.Pieces < 2 {
		return 0
	}
	return (r.LastToken - r.FirstToken) / time.Duration(tokens-1)
}

// TokenRate returns the tokens per second of a stream between its first and its last event, or 0 if it cannot be computed.
func (r Result) TokenRate() float64 {
	took := r.LastToken - r.FirstToken
	if r.Pieces < 2 || took <= 0 {
		return 0
	}
	return float64(max(r.Tokens, r.Pieces)-1) / took.Seconds()
}

// Latency returns the time from when the request was due to the end of the response. In an open loop this is what a
// caller experiences, including the wait for a connection, free of coordinated omission.
func (r Result) Latency() time.Duration { return r.End - r.Due }

// TokenPlaceholder in a call's prompt, or anywhere in its body, is replaced by a token of the same length that is unique
// to each request. The token identifies the request in the upstream's record.
const TokenPlaceholder = "gatecerttokenxxx"

// putToken writes a token in hexadecimal: a prefix that is random for each phase, and the request's number.
func putToken(place []byte, prefix uint32, seq uint64) {
	const digits = "0123456789abcdef"
	word := uint64(prefix)<<32 | seq&0xffffffff
	for i := len(place) - 1; i >= 0; i-- {
		place[i] = digits[word&0xf]
		word >>= 4
	}
}
