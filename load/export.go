package load

import (
	"bufio"
	"fmt"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// sendOrder numbers requests in the order in which they are sent: vegeta's plot needs numbers without a gap, and instants that grow with
// them. nil numbers nothing.
type sendOrder struct {
	mu   sync.Mutex
	next uint64
}

// place gives a request its place when it is sent for the first time.
func (o *sendOrder) place(r *Result, started time.Time) {
	if o == nil || r.placed > 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	r.place, r.placed = o.next, max(time.Since(started), 1)
	o.next++
}

// recorder writes results as vegeta's JSON lines in the order in which responses ended, for vegeta report, plot and encode. The latency
// there is the service time. Everything but a success is an error there, refusals too. A nil recorder writes nothing.
type recorder struct {
	m *Measurement
	// started is when the phase began. It is known when the first result comes.
	started func() time.Time
	out     *bufio.Writer
	encode  vegeta.Encoder
}

// newRecorder returns the recorder of a phase, nil where nobody asks for one.
func newRecorder(p Phase, m *Measurement, started func() time.Time) *recorder {
	if p.Record == nil {
		return nil
	}
	const buffered = 64 << 10
	out := bufio.NewWriterSize(p.Record(), buffered)
	return &recorder{m, started, out, vegeta.NewJSONEncoder(out)}
}

// add writes a result. After the first error, which the measurement gets, it writes nothing more.
func (r *recorder) add(result Result) {
	if r == nil || r.m.RecordError != nil {
		return
	}
	to := r.m.sentTo[result.Request]
	line := vegeta.Result{
		Attack: r.m.Phase, Seq: result.place, Code: uint16(max(result.Status, 0)), //nolint:gosec // a status has three digits
		Timestamp: r.started().Add(result.placed), Latency: result.ServiceTime(),
		BytesIn: uint64(result.Bytes), BytesOut: uint64(to.bodySize), //nolint:gosec // lengths
		Method: to.method, URL: to.url,
	}
	if result.Outcome != runlog.Admitted {
		line.Error = string(result.Outcome)
	}
	if err := r.encode(&line); err != nil {
		r.fail(err)
	}
}

// flush passes on what is still buffered.
func (r *recorder) flush() {
	if r == nil || r.m.RecordError != nil {
		return
	}
	if err := r.out.Flush(); err != nil {
		r.fail(err)
	}
}

func (r *recorder) fail(err error) {
	r.m.RecordError = fmt.Errorf("write the results after sending %s: %w", plain.Count(r.m.Sent, "request"), err)
}

// eachMetrics visits the metrics by request and outcome, in a stable order.
func (m Measurement) eachMetrics(visit func(request string, outcome runlog.Outcome, metrics Metrics)) {
	for request, name := range m.Requests {
		for _, outcome := range runlog.Outcomes() {
			if metrics := m.metrics[metricsKey{request, outcome}]; metrics != nil {
				visit(name, outcome, *metrics)
			}
		}
	}
}
