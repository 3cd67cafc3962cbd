package load

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

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

// WriteHgrm writes a histogram in the format of HdrHistogram's plotter, in milliseconds.
func WriteHgrm(w io.Writer, h Histogram) error {
	if err := h.WriteHgrm(w); err != nil {
		return fmt.Errorf("write histogram: %w", err)
	}
	return nil
}

// openMetricsBuckets are upper bounds in seconds, from what a local gateway takes to what a model takes.
var openMetricsBuckets = []float64{
	.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60,
}

// WriteOpenMetrics writes a measurement as OpenMetrics text 1.0. Labels are the phase, the request and the outcome. Texts of
// errors are not among them, so the number of series is small.
func WriteOpenMetrics(w io.Writer, m Measurement) error {
	out := &metricsWriter{w: bufio.NewWriter(w), phase: m.Phase}
	out.family("gatecert_load_requests", "counter", "", "Requests by outcome.")
	m.eachMetrics(func(request string, outcome runlog.Outcome, metrics Metrics) {
		out.sample("gatecert_load_requests_total", float64(metrics.Count), "request", request, "outcome", string(outcome))
	})
	for _, times := range []struct {
		name, help string
		of         func(Metrics) Histogram
	}{
		{"gatecert_load_service_time_seconds", "From sending a request to the end of its response.", func(m Metrics) Histogram { return m.ServiceTime }},
		{"gatecert_load_latency_seconds", "From when a request was due to the end of its response.", func(m Metrics) Histogram { return m.Latency }},
		{"gatecert_load_ttfb_seconds", "From sending a request to the first byte of its response.", func(m Metrics) Histogram { return m.TTFB }},
		{"gatecert_load_ttft_seconds", "From sending a request to the first event of its stream.", func(m Metrics) Histogram { return m.TTFT }},
	} {
		out.family(times.name, "histogram", "seconds", times.help)
		m.eachMetrics(func(request string, outcome runlog.Outcome, metrics Metrics) {
			out.histogram(times.name, times.of(metrics), "request", request, "outcome", string(outcome))
		})
	}
	for _, gauge := range []struct {
		name, help string
		value      float64
	}{
		{"gatecert_load_offered", "Requests that the schedule asked for.", float64(m.Offered)},
		{"gatecert_load_waited", "Requests that were due while every connection was in use.", float64(m.Waited)},
		{"gatecert_load_generator_late", "Requests that the load generator sent too late.", float64(m.Generator.Late)},
		{"gatecert_load_generator_lag_p99_seconds", "99th percentile of the load generator's lag.", m.Generator.Lag.Quantile(0.99).Seconds()},
		{"gatecert_load_generator_cpu_ratio", "Share of all cores that the load generator used, negative when unknown.", m.Generator.CPU},
		{"gatecert_load_generator_ok", "1 when the load generator kept up, else 0.", oneIf(m.Generator.OK())},
	} {
		unit := ""
		if strings.HasSuffix(gauge.name, "_seconds") {
			unit = "seconds"
		}
		out.family(gauge.name, "gauge", unit, gauge.help)
		out.sample(gauge.name, gauge.value)
	}
	out.printf("# EOF\n")
	if err := out.w.Flush(); err != nil { // returns the first error of all writes
		return fmt.Errorf("write metrics: %w", err)
	}
	return nil
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
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

type metricsWriter struct {
	w     *bufio.Writer
	phase string
}

// printf drops the error: the buffered writer keeps it for Flush.
func (o *metricsWriter) printf(format string, args ...any) { _, _ = fmt.Fprintf(o.w, format, args...) }

func (o *metricsWriter) family(name, kind, unit, help string) {
	o.printf("# TYPE %s %s\n", name, kind)
	if unit != "" {
		o.printf("# UNIT %s %s\n", name, unit)
	}
	o.printf("# HELP %s %s\n", name, help)
}

var labelEscaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func (o *metricsWriter) sample(name string, value float64, labels ...string) {
	o.printf(`%s{phase="%s"`, name, labelEscaper.Replace(o.phase))
	for i := 0; i+1 < len(labels); i += 2 {
		o.printf(`,%s="%s"`, labels[i], labelEscaper.Replace(labels[i+1]))
	}
	o.printf("} %g\n", value)
}

func (o *metricsWriter) histogram(name string, h Histogram, labels ...string) {
	if h.Count() == 0 {
		return
	}
	for _, bound := range openMetricsBuckets {
		within := h.Within(time.Duration(bound * float64(time.Second)))
		o.sample(name+"_bucket", float64(within), append(slices.Clone(labels), "le", canonical(bound))...)
	}
	o.sample(name+"_bucket", float64(h.Count()), append(slices.Clone(labels), "le", "+Inf")...)
	o.sample(name+"_count", float64(h.Count()), labels...)
	o.sample(name+"_sum", h.Mean().Seconds()*float64(h.Count()), labels...)
}

// canonical formats a bound as OpenMetrics requires: a float with a point or an exponent.
func canonical(bound float64) string {
	text := strconv.FormatFloat(bound, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}
