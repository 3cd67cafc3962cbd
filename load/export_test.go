package load

import (
	"bytes"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// example is a measurement of three results, made by hand so that its exports never change.
func example() Measurement {
	m := Measurement{
		Phase: `a "phase"`, Requests: []string{"chat"}, Started: time.Unix(1_700_000_000, 0).UTC(),
		sentTo: []sentTo{{"POST", "http://127.0.0.1:9900/v1/chat/completions", 77}}, metrics: map[metricsKey]*Metrics{},
	}
	a := newAggregator(&m, Phase{Keep: 10, For: time.Second}.withDefaults())
	for _, s := range []Result{
		{Seq: 0, Due: 0, Sent: ms, FirstByte: 4 * ms, End: 5 * ms, Status: 200, Outcome: runlog.Admitted, Bytes: 100},
		{Seq: 2, Due: 20 * ms, Sent: 20 * ms, FirstByte: 21 * ms, End: 21 * ms, Status: 429, Outcome: runlog.Refused, Bytes: 50},
		{Seq: 1, Due: 10 * ms, Sent: 10 * ms, End: 510 * ms, Outcome: runlog.Timeout},
	} {
		a.add(sample{Result: s, started: s.Sent})
	}
	a.close()
	m.Offered = 3
	m.Generator = GeneratorLimits{}.withDefaults().check(m.Generator, effort{offered: 3, sent: 3, cpu: -1})
	return m
}

func TestWriteVegeta(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, WriteVegeta(&out, example()))
	decoder := vegeta.NewJSONDecoder(&out)
	var results vegeta.Results
	for {
		var r vegeta.Result
		err := decoder.Decode(&r)
		if err == io.EOF { //nolint:errorlint // vegeta's decoder returns it bare
			break
		}
		require.NoError(t, err)
		results = append(results, r)
	}
	require.Len(t, results, 3)
	assert.Equal(t, vegeta.Result{
		Attack: `a "phase"`, Seq: 1, Timestamp: time.Unix(1_700_000_000, 10_000_000).UTC(), Latency: 500 * ms,
		BytesOut: 77, Error: "timeout", Method: "POST", URL: "http://127.0.0.1:9900/v1/chat/completions", Body: results[1].Body, Headers: results[1].Headers,
	}, results[1], "in the order of sending")
	var metrics vegeta.Metrics
	for i := range results {
		metrics.Add(&results[i])
	}
	metrics.Close()
	assert.Equal(t, map[string]int{"0": 1, "200": 1, "429": 1}, metrics.StatusCodes)

	part := example()
	part.NotKept = 4
	assert.ErrorIs(t, WriteVegeta(io.Discard, part), ErrNotKept, "a part of the results must not look like all of them")
}

func TestLogMain(t *testing.T) {
	m := example()
	m.Rate = 100
	var log runlog.Measured
	var footer runlog.MeasuredFooter
	m.LogMain(&log, &footer)
	assert.Equal(t, map[runlog.Outcome]uint64{runlog.Admitted: 1, runlog.Refused: 1, runlog.Timeout: 1}, footer.Sample.Counts)
	assert.Equal(t, []uint64{3, 3, 1}, []uint64{footer.Sample.Offered, footer.Sample.Sent, footer.Sample.Good})
	assert.InDelta(t, 5*ms, footer.Sample.Times["latency"].P99, float64(10*time.Microsecond))
	assert.NotContains(t, footer.Sample.Times, "ttft", "nothing was a stream")
	assert.Equal(t, 100.0, footer.Rate)
	assert.Len(t, log.Windows, 1)
	var names []string
	for _, x := range log.Metrics {
		names = append(names, x.Metric+" "+string(x.Outcome))
		assert.Equal(t, uint64(1), x.Count)
		assert.Len(t, x.Bars, 1)
	}
	assert.Equal(t, []string{
		"latency admitted", "service admitted", "ttfb admitted", "latency refused", "service refused", "ttfb refused", "latency timeout", "service timeout",
	}, names)
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestExportsReturnTheErrorOfTheWriter(t *testing.T) {
	assert.ErrorIs(t, WriteVegeta(failingWriter{}, example()), os.ErrClosed)
}

func TestSoak(t *testing.T) {
	s := serve(t, ok)
	e := newEngine(t, Caps{})
	d, err := e.Soak(t.Context(), Soak{
		Phase: Phase{Mix: []Request{chatRequest(s.URL)}, Generator: lenient(), Window: 50 * ms}, Rate: 100, For: 600 * ms, PID: os.Getpid(), WarmUp: ms,
	})
	require.NoError(t, err)
	assert.Equal(t, contract.Pass, d.Measurement.Verdict())
	assert.Equal(t, uint64(60), d.Measurement.Sent)
	if d.ProcessError == nil {
		assert.NotEmpty(t, d.Process)
		assert.Greater(t, d.Process[0].Bytes, uint64(1<<20))
	}
	d, err = e.Soak(t.Context(), Soak{Phase: Phase{Mix: []Request{chatRequest(s.URL)}}, Rate: 100, For: 50 * ms, PID: 1 << 30})
	require.NoError(t, err)
	assert.ErrorIs(t, d.ProcessError, errNoMemory, "no such process, but the soak goes on")
}
