package load

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/gatecert/gatecert/reports/runlog"
)

// ErrNotKept is returned when a measurement has not kept all of its results.
var ErrNotKept = errors.New("not all results were kept")

// WriteVegeta writes the results as vegeta's JSON lines, for vegeta report, plot and encode. The latency there is the
// service time. Everything but a success is an error there, refusals too. It returns [ErrNotKept] when [Phase.Keep] was
// smaller than the number of results: a part of the list would look like the whole.
func WriteVegeta(w io.Writer, m Measurement) error {
	if m.NotKept > 0 {
		return fmt.Errorf("%w: %d of %d", ErrNotKept, len(m.Results), m.Sent)
	}
	results := slices.Clone(m.Results)
	// vegeta's plot needs the order of sending, and waits for results that are missing in the sequence.
	slices.SortFunc(results, func(a, b Result) int { return int(a.Sent - b.Sent) })
	buffered := bufio.NewWriter(w)
	encoder := vegeta.NewJSONEncoder(buffered)
	for i, result := range results {
		to := m.sentTo[result.Request]
		line := vegeta.Result{
			Attack: m.Phase, Seq: uint64(i), Code: uint16(max(result.Status, 0)), //nolint:gosec // a status has three digits
			Timestamp: m.Started.Add(result.Sent), Latency: result.ServiceTime(),
			BytesIn: uint64(result.Bytes), BytesOut: uint64(to.bodySize), //nolint:gosec // lengths
			Method: to.method, URL: to.url,
		}
		if result.Outcome != runlog.Admitted {
			line.Error = string(result.Outcome)
		}
		if err := encoder.Encode(&line); err != nil {
			return fmt.Errorf("write result %d: %w", result.Seq, err)
		}
	}
	return buffered.Flush()
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
