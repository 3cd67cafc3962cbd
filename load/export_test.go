package load

import (
	"bytes"
	"cmp"
	"io"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"syscall"
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

// A gateway that answers every seventh request late, and refuses every fifth: each result is written when its response ends, and vegeta
// can report and plot them all the same.
func TestResultsAreRecordedForVegeta(t *testing.T) {
	var calls atomic.Int64
	gateway := func(w http.ResponseWriter, r *http.Request) {
		n := calls.Add(1)
		if n%7 == 0 {
			time.Sleep(300 * ms)
		}
		if n%5 == 0 {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, `{"error":{"message":"slow down","type":"rate_limit_error","param":null,"code":null}}`)
			return
		}
		ok(w, r)
	}
	simulate(t, gateway, func(t *testing.T, e *Engine, url string) {
		var out bytes.Buffer
		m, err := e.Run(t.Context(), Phase{
			Name: `a "phase"`, Mix: []Request{chatRequest(url)}, Rate: 100, For: 2 * time.Second, Generator: lenient(), Record: func() io.Writer { return &out },
		})
		require.NoError(t, err)
		require.NoError(t, m.RecordError)
		var results vegeta.Results
		for decode := vegeta.NewJSONDecoder(&out); ; {
			var r vegeta.Result
			err := decode(&r)
			if err == io.EOF { //nolint:errorlint // vegeta's decoder returns it bare
				break
			}
			require.NoError(t, err)
			results = append(results, r)
		}
		require.Len(t, results, 200)
		assert.False(t, slices.IsSortedFunc(results, func(a, b vegeta.Result) int { return cmp.Compare(a.Seq, b.Seq) }), "in the order in which responses ended")
		var metrics vegeta.Metrics
		for i := range results {
			metrics.Add(&results[i])
		}
		metrics.Close()
		assert.Equal(t, map[string]int{"200": 160, "429": 40}, metrics.StatusCodes)
		assert.Equal(t, []string{"refused"}, metrics.Errors)
		assert.Equal(t, `a "phase"`, results[0].Attack)
		assert.Equal(t, url+"/v1/chat/completions", results[0].URL)
		assert.InDelta(t, 300*ms, metrics.Latencies.Max, float64(ms))
		// That is what its plot needs.
		slices.SortFunc(results, func(a, b vegeta.Result) int { return cmp.Compare(a.Seq, b.Seq) })
		for i, r := range results {
			require.Equal(t, uint64(i), r.Seq)
			require.False(t, i > 0 && r.Timestamp.Before(results[i-1].Timestamp), "the instants grow with the numbers")
		}
	})
}

type fullDisk struct{ room int }

func (d *fullDisk) Write(b []byte) (int, error) {
	if d.room -= len(b); d.room < 0 {
		return 0, syscall.ENOSPC
	}
	return len(b), nil
}

// A disk that is full does not stop the load.
func TestResultsThatCannotBeRecorded(t *testing.T) {
	simulate(t, ok, func(t *testing.T, e *Engine, url string) {
		m, err := e.Run(t.Context(), Phase{
			Mix: []Request{chatRequest(url)}, Rate: 1000, For: 2 * time.Second, Generator: lenient(), Record: func() io.Writer { return &fullDisk{100_000} },
		})
		require.NoError(t, err)
		assert.Equal(t, uint64(2000), m.Sent)
		assert.ErrorIs(t, m.RecordError, syscall.ENOSPC)
		assert.ErrorContains(t, m.RecordError, "write the results after sending ")
	})
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
