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

// ErrNotKept is returned when a measurement has not kept all of its shots, so that a list of them would be a part that
// looks like the whole.
var ErrNotKept = errors.New("not all shots were kept")

// WriteVegeta writes the shots in vegeta's JSON lines, for vegeta report, plot and encode. Their latency is the service
// time; a refusal is an error there, as with every status that is no success. It returns [ErrNotKept] when the stage's
// Keep was smaller than its number of shots.
func WriteVegeta(w io.Writer, m Measurement) error {
	if m.NotKept > 0 {
		return fmt.Errorf("%w: %d of %d", ErrNotKept, len(m.Results), m.Sent)
	}
	shots := slices.Clone(m.Results)
	// vegeta's plot wants the order of sending, and takes gaps for shots that are still to come.
	slices.SortFunc(shots, func(a, b Result) int { return int(a.Sent - b.Sent) })
	buffered := bufio.NewWriter(w)
	encoder := vegeta.NewJSONEncoder(buffered)
	for i, s := range shots {
		r := vegeta.Result{
			Attack: m.Phase, Seq: uint64(i), Code: uint16(max(s.Status, 0)), //nolint:gosec // a status has three digits
			Timestamp: m.Started.Add(s.Sent), Latency: s.ServiceTime(),
			BytesIn: uint64(s.Bytes), BytesOut: uint64(m.targets[s.Request].bodySize), //nolint:gosec // lengths
			Method: m.targets[s.Request].method, URL: m.targets[s.Request].url,
		}
		if s.Outcome != runlog.Admitted {
			r.Error = string(s.Outcome)
		}
		if err := encoder.Encode(&r); err != nil {
			return fmt.Errorf("write shot %d: %w", s.Seq, err)
		}
	}
	return buffered.Flush()
}

// WriteHgrm writes a distribution as HdrHistogram's plotter reads it, in milliseconds.
func WriteHgrm(w io.Writer, l Histogram) error {
	const ticks = 5 // steps for every halving of the distance to 100 %, as the format's own tools have it
	if _, err := l.histogram().PercentilesPrint(w, ticks, float64(time.Millisecond)); err != nil {
		return fmt.Errorf("write histogram: %w", err)
	}
	return nil
}

// openMetricsBuckets are the upper bounds in seconds, from what a local gateway takes to what a model takes.
var openMetricsBuckets = []float64{
	.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60,
}

// WriteOpenMetrics writes a measurement as OpenMetrics text 1.0. Labels are the stage, the part and the outcome: as
// many series as there are outcomes, never one for each error text.
func WriteOpenMetrics(w io.Writer, m Measurement) error {
	out := &metricsWriter{w: bufio.NewWriter(w), stage: m.Phase}
	out.family("gatecert_load_requests", "counter", "", "Requests by what came of them.")
	m.eachTally(func(part string, outcome runlog.Outcome, t Metrics) {
		out.sample("gatecert_load_requests_total", float64(t.Count), "part", part, "outcome", string(outcome))
	})
	for _, times := range []struct {
		name, help string
		of         func(Metrics) Histogram
	}{
		{"gatecert_load_service_seconds", "From sending a request to the end of its answer.", func(t Metrics) Histogram { return t.ServiceTime }},
		{"gatecert_load_response_seconds", "From when a request was due to the end of its answer.", func(t Metrics) Histogram { return t.Latency }},
		{"gatecert_load_first_byte_seconds", "From sending a request to the first byte of its answer.", func(t Metrics) Histogram { return t.TTFB }},
		{"gatecert_load_first_event_seconds", "From sending a request to the first event of its stream.", func(t Metrics) Histogram { return t.TTFT }},
	} {
		out.family(times.name, "histogram", "seconds", times.help)
		m.eachTally(func(part string, outcome runlog.Outcome, t Metrics) {
			out.histogram(times.name, times.of(t), "part", part, "outcome", string(outcome))
		})
	}
	for _, gauge := range []struct {
		name, help string
		value      float64
	}{
		{"gatecert_load_offered", "Requests that the schedule wanted.", float64(m.Offered)},
		{"gatecert_load_waited", "Requests whose time came while every connection was in use.", float64(m.Waited)},
		{"gatecert_load_late", "Requests that were sent late for reasons of the machine that sent them.", float64(m.Late)},
		{"gatecert_load_lag_p99_seconds", "99th percentile of the lag of the machine that sent.", m.Generator.LagP99.Seconds()},
		{"gatecert_load_client_cpu_ratio", "Share of all cores that the sender used, negative when unknown.", m.Generator.CPU},
		{"gatecert_load_fit", "1 when the sender did its part, else 0.", boolValue(m.Generator.OK())},
	} {
		unit := ""
		if strings.HasSuffix(gauge.name, "_seconds") {
			unit = "seconds"
		}
		out.family(gauge.name, "gauge", unit, gauge.help)
		out.sample(gauge.name, gauge.value)
	}
	out.printf("# EOF\n")
	if err := out.w.Flush(); err != nil { // it keeps the first error of all writes
		return fmt.Errorf("write metrics: %w", err)
	}
	return nil
}

func boolValue(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// eachTally visits the tallies by part and outcome, in a stable order.
func (m Measurement) eachTally(visit func(part string, outcome runlog.Outcome, t Metrics)) {
	for part, name := range m.Requests {
		for _, outcome := range runlog.Outcomes() {
			if t := m.tallies[tallyKey{part, outcome}]; t != nil {
				visit(name, outcome, *t)
			}
		}
	}
}

// metricsWriter writes OpenMetrics text.
type metricsWriter struct {
	w     *bufio.Writer
	stage string
}

// printf keeps no error: the buffered writer does.
func (o *metricsWriter) printf(format string, args ...any) { _, _ = fmt.Fprintf(o.w, format, args...) }

func (o *metricsWriter) family(name, kind, unit, help string) {
	o.printf("# TYPE %s %s\n", name, kind)
	if unit != "" {
		o.printf("# UNIT %s %s\n", name, unit)
	}
	o.printf("# HELP %s %s\n", name, help)
}

// labelEscaper escapes a label's value as OpenMetrics has it.
var labelEscaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func (o *metricsWriter) sample(name string, value float64, labels ...string) {
	o.printf(`%s{stage="%s"`, name, labelEscaper.Replace(o.stage))
	for i := 0; i+1 < len(labels); i += 2 {
		o.printf(`,%s="%s"`, labels[i], labelEscaper.Replace(labels[i+1]))
	}
	o.printf("} %g\n", value)
}

func (o *metricsWriter) histogram(name string, l Histogram, labels ...string) {
	if l.Count() == 0 {
		return
	}
	for _, bound := range openMetricsBuckets {
		within := l.Within(time.Duration(bound * float64(time.Second)))
		o.sample(name+"_bucket", float64(within), append(slices.Clone(labels), "le", canonical(bound))...)
	}
	o.sample(name+"_bucket", float64(l.Count()), append(slices.Clone(labels), "le", "+Inf")...)
	o.sample(name+"_count", float64(l.Count()), labels...)
	o.sample(name+"_sum", l.Mean().Seconds()*float64(l.Count()), labels...)
}

// canonical writes a bound as OpenMetrics wants it: a float that looks like one.
func canonical(bound float64) string {
	text := strconv.FormatFloat(bound, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}
