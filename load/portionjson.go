package load

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// portionJSON is a portion as it is sent. Histograms are bytes, see package histogram.
type portionJSON struct {
	Requests                                      []string
	Elapsed, WarmUp, Begun                        time.Duration
	Offered, Sent, Warming, Waited, Good, NotKept uint64
	Judged                                        bool
	Generator                                     generatorJSON
	Violations                                    []violationJSON
	Windows                                       []windowPart
	Stalls, SingleStalls                          []stallJSON
	DroppedStalls, Unleased                       uint64
	SinglesLost                                   bool
	Results                                       []Result
	Metrics                                       []metricsJSON
	Course                                        courseJSON
	SentTo                                        []sentToJSON
}

type generatorJSON struct {
	Problems  []string
	Undersent bool
	Lag       []byte
	LagP99    time.Duration
	Late      uint64
	CPU       float64
	Cores     int
}

type violationJSON struct {
	Request  string
	Finding  contract.Finding
	Count    uint64
	Evidence *contract.Observation
	First    time.Duration
}

type stallJSON struct {
	Start, Length time.Duration
	Requests      uint64
	Own           bool
}

func stallsTo(stalls []Stall) (all []stallJSON) {
	for _, s := range stalls {
		all = append(all, stallJSON{s.Start, s.Length, s.Requests, s.own})
	}
	return all
}

func stallsFrom(stalls []stallJSON) (all []Stall) {
	for _, s := range stalls[:min(len(stalls), maxStalls)] {
		all = append(all, Stall{Start: s.Start, Length: s.Length, Requests: s.Requests, own: s.Own})
	}
	return all
}

type sentToJSON struct {
	Method, URL string
	BodySize    int
}

type metricsJSON struct {
	Request int
	Outcome runlog.Outcome
	Count   uint64
	// Times are ServiceTime, Latency, TTFB, TTFT, ITL, TPOT and Stall, in that order; Counts are Tokens and TokenRate.
	Times                     [7][]byte
	Counts                    [2][]byte
	OutputTokens, InputTokens uint64
	Counted                   map[TokenSource]uint64
}

type courseJSON struct {
	From, To                               time.Duration
	Due                                    uint64
	FirstDue, FirstWait, LastDue, LastWait time.Duration
	Ended                                  []uint32 // without trailing zeros
	Batches                                []batchJSON
}

type batchJSON struct {
	N                 uint64
	Latency, Measured []float64
}

// encodedMetrics are the histograms of a portion that was read, as they came: a thousand portions with histograms of 190 kB each would
// not fit into memory.
type encodedMetrics struct {
	metrics []metricsJSON
	lag     []byte
}

// addTo adds them to a measurement.
func (e *encodedMetrics) addTo(m *Measurement) error {
	err := m.Generator.Lag.AddBinary(e.lag)
	for _, x := range e.metrics {
		sum := m.metricsOf(metricsKey{x.Request, x.Outcome})
		for i, h := range sum.histograms() {
			err = errors.Join(err, h.AddBinary(x.Times[i]))
		}
		for i, c := range sum.numbers() {
			err = errors.Join(err, c.AddBinary(x.Counts[i]))
		}
		sum.merge(Metrics{Count: x.Count, OutputTokens: x.OutputTokens, InputTokens: x.InputTokens, Counted: x.Counted})
	}
	return err
}

func (m *Metrics) histograms() [7]*Histogram {
	return [7]*Histogram{&m.ServiceTime, &m.Latency, &m.TTFB, &m.TTFT, &m.ITL, &m.TPOT, &m.Stall}
}

func (m *Metrics) numbers() [2]*Counts { return [2]*Counts{&m.Tokens, &m.TokenRate} }

// MarshalJSON implements json.Marshaler. Secrets were already redacted when the responses were received.
func (p Portion) MarshalJSON() ([]byte, error) {
	m, g := p.m, p.m.Generator
	out := portionJSON{
		Requests: m.Requests, Elapsed: m.Elapsed, WarmUp: m.WarmUp, Begun: p.begun, Offered: m.Offered, Sent: m.Sent, Warming: m.Warming,
		Waited: m.Waited, Good: m.Good, NotKept: m.NotKept, Judged: m.judged, Windows: p.windows, DroppedStalls: p.stalls.Dropped, SinglesLost: p.stalls.SinglesLost, Unleased: p.unleased, Results: m.Results,
		Generator: generatorJSON{g.Problems, g.Undersent, g.Lag.AppendBinary(nil), g.Lag.Quantile(0.99), g.Late, g.CPU, g.Cores},
	}
	for _, v := range m.Violations {
		out.Violations = append(out.Violations, violationJSON{v.Request, v.Finding, v.Count, v.Evidence, v.first})
	}
	out.Stalls, out.SingleStalls = stallsTo(p.stalls.Found), stallsTo(p.stalls.Singles)
	for _, to := range m.sentTo {
		out.SentTo = append(out.SentTo, sentToJSON{to.method, to.url, to.bodySize})
	}
	for key, metrics := range m.metrics {
		x := metricsJSON{
			Request: key.request, Outcome: key.outcome, Count: metrics.Count,
			OutputTokens: metrics.OutputTokens, InputTokens: metrics.InputTokens, Counted: metrics.Counted,
		}
		for i, h := range metrics.histograms() {
			x.Times[i] = h.AppendBinary(nil)
		}
		for i, c := range metrics.numbers() {
			x.Counts[i] = c.AppendBinary(nil)
		}
		out.Metrics = append(out.Metrics, x)
	}
	if p.course != nil {
		out.Course = p.course.json()
	}
	return json.Marshal(out) //nolint:musttag // both ends are this version
}

func (c *course) json() courseJSON {
	out := courseJSON{
		From: c.from, To: c.to, Due: c.due, FirstDue: c.first.due, FirstWait: c.first.wait, LastDue: c.last.due, LastWait: c.last.wait,
	}
	last := len(c.ended)
	for last > 0 && c.ended[last-1] == 0 {
		last--
	}
	out.Ended = c.ended[:last]
	for _, b := range c.batches {
		out.Batches = append(out.Batches, batchJSON{b.n, b.latency, b.measured})
	}
	return out
}

// ErrPortion is returned for bytes that are not valid worker results.
var ErrPortion = errors.New("invalid worker results")

// UnmarshalJSON implements json.Unmarshaler. It returns [ErrPortion].
func (p *Portion) UnmarshalJSON(data []byte) error {
	var in portionJSON
	if err := json.Unmarshal(data, &in); err != nil { //nolint:musttag // both ends are this version
		return fmt.Errorf("%w: %w", ErrPortion, err)
	}
	m := Measurement{
		Requests: in.Requests, Elapsed: in.Elapsed, WarmUp: in.WarmUp, Offered: in.Offered, Sent: in.Sent, Warming: in.Warming,
		Waited: in.Waited, Good: in.Good, NotKept: in.NotKept, judged: in.Judged, Results: in.Results,
	}
	g := in.Generator
	m.Generator = GeneratorHealth{Problems: g.Problems, Undersent: g.Undersent, Late: g.Late, CPU: g.CPU, Cores: g.Cores}
	for _, v := range in.Violations {
		m.Violations = append(m.Violations, Violation{Request: v.Request, Finding: v.Finding, Count: v.Count, Evidence: v.Evidence, first: v.First})
	}
	for _, to := range in.SentTo {
		m.sentTo = append(m.sentTo, sentTo{to.Method, to.URL, to.BodySize})
	}
	for _, x := range in.Metrics {
		if x.Request < 0 || x.Request >= len(in.Requests) || !slices.Contains(runlog.Outcomes(), x.Outcome) {
			return fmt.Errorf("%w: invalid metrics for request %d with outcome %q", ErrPortion, x.Request, x.Outcome)
		}
	}
	course, err := in.Course.course()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPortion, err)
	}
	*p = Portion{
		m: m, course: course, windows: in.Windows, begun: in.Begun, lag99: g.LagP99, encoded: &encodedMetrics{in.Metrics, g.Lag},
	}
	p.unleased = in.Unleased
	p.stalls = shareStalls{Found: stallsFrom(in.Stalls), Dropped: in.DroppedStalls, Singles: stallsFrom(in.SingleStalls), SinglesLost: in.SinglesLost}
	return nil
}

func (in courseJSON) course() (*course, error) {
	c := &course{
		from: in.From, to: in.To, due: in.Due, first: bunched{in.FirstDue, in.FirstWait}, last: bunched{in.LastDue, in.LastWait},
	}
	if len(in.Ended) > len(c.ended) || len(in.Batches) > len(c.batches) {
		return nil, fmt.Errorf("the results contain %d time intervals and %d batches of latencies: the maximum is %d intervals and %d batches", len(in.Ended), len(in.Batches), len(c.ended), len(c.batches))
	}
	copy(c.ended[:], in.Ended)
	for i, b := range in.Batches {
		if len(b.Latency) > batchSize || len(b.Measured) != len(b.Latency) {
			return nil, fmt.Errorf("a batch contains %d adjusted and %d measured latencies: the two numbers must be equal and at most %d", len(b.Latency), len(b.Measured), batchSize)
		}
		for k := range b.Latency {
			if math.IsNaN(b.Latency[k]+b.Measured[k]) || math.IsInf(b.Latency[k]+b.Measured[k], 0) {
				return nil, errors.New("a latency is not a number")
			}
		}
		c.batches[i] = batch{b.N, b.Latency, b.Measured}
	}
	return c, nil
}
