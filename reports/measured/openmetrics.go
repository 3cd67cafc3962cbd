package measured

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/reports/runlog"
)

// buckets are upper bounds in seconds, from what a local gateway takes to what a model takes.
func buckets() []float64 {
	return []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
}

// OpenMetrics writes the main measurement as OpenMetrics text 1.0, which parsers of Prometheus's older text format can read too. Counts are written
// as gauges, because they are the numbers of a measurement that is over, and because the two formats name counters differently. The labels are the
// target, the request and the outcome, so that the number of series is small.
func OpenMetrics(w io.Writer, m runlog.Measured) error {
	o := metricsWriter{target: name(m.Target.Name)}
	f := m.Footer
	if f == nil {
		f = &runlog.MeasuredFooter{}
	}
	if f.Sample != nil {
		o.family("gatecert_load_requests", "gauge", "", "Number of requests in the main measurement, by outcome.")
		for _, outcome := range runlog.Outcomes() {
			if n, ok := f.Sample.Counts[outcome]; ok {
				o.sample("gatecert_load_requests", float64(n), "outcome", string(outcome))
			}
		}
	}
	for _, t := range []struct{ metric, family, help string }{
		{"service", "gatecert_load_service_time_seconds", "Time from sending a request to the end of its response."},
		{"latency", "gatecert_load_latency_seconds", "Time from the scheduled start of a request to the end of its response."},
		{"ttfb", "gatecert_load_ttfb_seconds", "Time from sending a request to the first byte of its response."},
		{"ttft", "gatecert_load_ttft_seconds", "Time from sending a request to the first token of its stream."},
		{"itl", "gatecert_load_itl_seconds", "Time between consecutive tokens of a stream."},
		{"tpot", "gatecert_load_tpot_seconds", "Mean time per token of a stream, after its first token."},
		{"stall", "gatecert_load_stall_seconds", "Longest time between consecutive tokens of a stream."},
	} {
		begun := false
		for _, x := range m.Metrics {
			if x.Metric != t.metric || x.Unit != runlog.UnitTime || len(x.Bars) == 0 {
				continue
			}
			if !begun {
				o.family(t.family, "histogram", "seconds", t.help)
				begun = true
			}
			o.histogram(t.family, x)
		}
	}
	for _, g := range gauges(m, *f) {
		unit := ""
		if strings.HasSuffix(g.name, "_seconds") {
			unit = "seconds"
		}
		o.family(g.name, "gauge", unit, g.help)
		o.sample(g.name, g.value)
	}
	o.printf("# EOF\n")
	return flush(w, &o.out)
}

type gauge struct {
	name, help string
	value      float64
}

func gauges(m runlog.Measured, f runlog.MeasuredFooter) []gauge {
	list := []gauge{
		{"gatecert_load_complete", "1 when the measurement ran to completion, else 0.", oneIf(m.Complete())},
	}
	if m.Kind == runlog.RateLimitKind {
		return append(list, limiterGauges(m)...)
	}
	list = append(list, gauge{"gatecert_load_conformant", "1 when there is a verdict and no response broke a MUST of the contract, else 0.", oneIf(m.Verdict().Conformant())})
	if c := f.Capacity; c != nil {
		list = append(list, gauge{"gatecert_load_capacity_lower", "Highest rate in requests per second that is known to meet the SLO, or 0 if there is none.", c.Lower},
			gauge{"gatecert_load_capacity_upper", "Lowest rate in requests per second that missed the SLO or that the load generator could not send, or 0 if there is none.", c.Upper})
	}
	if s := f.Sample; s != nil {
		list = append(list, gauge{"gatecert_load_offered", "Requests that were scheduled.", float64(s.Offered)},
			gauge{"gatecert_load_good", "Admitted requests that met every time limit of the SLO.", float64(s.Good)},
			gauge{"gatecert_load_tokens_per_second", "Output tokens of all admitted requests, per second.", s.TokensPerSecond},
			gauge{"gatecert_load_waited", "Requests that had to wait because every connection was in use.", float64(f.Generator.Waited)},
			gauge{"gatecert_load_generator_late", "Requests that the load generator sent too late.", float64(f.Generator.Late)},
			gauge{"gatecert_load_generator_lag_p99_seconds", "99th percentile of the load generator's lag, the delay between the scheduled start and the sending of a request.", f.Generator.LagP99.Seconds()},
			gauge{"gatecert_load_generator_cpu_ratio", "CPU usage of the load generator as a share of all cores, or a negative value if unknown.", f.Generator.CPU},
			gauge{"gatecert_load_generator_ok", "1 when the load generator sent the load as planned, else 0.", oneIf(len(f.Generator.Problems) == 0)})
	}
	return list
}

// limiterGauges are an inferred limit. One that is unclear has no numbers.
func limiterGauges(m runlog.Measured) []gauge {
	known := isClear(m)
	list := []gauge{{"gatecert_load_inferred", "1 when the limit was inferred unambiguously, else 0.", oneIf(known)}}
	l := limiter(m)
	if l == nil || !known {
		return list
	}
	list = append(list, gauge{"gatecert_load_inferred_limit", "Inferred limit: calls per window, calls in flight, or the burst size of a token bucket. 0 means that there is no limit.", float64(l.Limit)})
	if l.Window > 0 {
		list = append(list, gauge{"gatecert_load_inferred_window_seconds", "Length of the window, or the time that a token bucket takes to refill.", l.Window.Seconds()})
	}
	if l.Refill > 0 {
		list = append(list, gauge{"gatecert_load_inferred_refill", "Refill rate of a token bucket, in calls per second.", l.Refill})
	}
	return list
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

type metricsWriter struct {
	out    bytes.Buffer
	target string
}

func (o *metricsWriter) printf(format string, args ...any) { fmt.Fprintf(&o.out, format, args...) }

func (o *metricsWriter) family(name, kind, unit, help string) {
	o.printf("# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
	if unit != "" {
		o.printf("# UNIT %s %s\n", name, unit)
	}
}

func (o *metricsWriter) sample(name string, v float64, labels ...string) {
	escape := strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
	o.printf(`%s{target="%s"`, name, escape.Replace(o.target))
	for i := 0; i+1 < len(labels); i += 2 {
		o.printf(`,%s="%s"`, labels[i], escape.Replace(labels[i+1]))
	}
	o.printf("} %s\n", strconv.FormatFloat(v, 'g', -1, 64))
}

func (o *metricsWriter) histogram(family string, x runlog.Metric) {
	labels := []string{"request", name(x.Request), "outcome", name(string(x.Outcome))}
	total := 0.0
	for _, b := range x.Bars {
		total += float64(b[1])
	}
	for _, bound := range buckets() {
		within := 0.0
		for _, b := range x.Bars {
			if float64(b[0]) <= bound*1e9*1.001 { // the greatest value of a bar is up to 0.1 % more than what is in it
				within += float64(b[1])
			}
		}
		o.sample(family+"_bucket", within, append(labels[:4:4], "le", canonical(bound))...)
	}
	o.sample(family+"_bucket", total, append(labels[:4:4], "le", "+Inf")...)
	o.sample(family+"_count", total, labels...)
	o.sample(family+"_sum", x.Mean/1e9*total, labels...)
}

// canonical formats a bound as OpenMetrics requires: a float with a point or an exponent.
func canonical(bound float64) string {
	text := strconv.FormatFloat(bound, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}
