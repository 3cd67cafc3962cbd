package watch

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
)

// metrics are what Prometheus reads. Their names are part of the interface: docs/watch.md lists them.
type metrics struct {
	registry *prometheus.Registry
	verdicts *prometheus.GaugeVec
	cases    *prometheus.GaugeVec
	rounds   *prometheus.CounterVec
	outcome  *prometheus.GaugeVec
	changes  prometheus.Counter
	last     prometheus.Gauge
	judged   prometheus.Gauge
	took     prometheus.Gauge
	duration *prometheus.HistogramVec
}

func newMetrics(target string) *metrics {
	labels := prometheus.Labels{"target": plain.Text(target, 200)}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels})
	}
	gauges := func(name, help string, by ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, by)
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		verdicts: gauges("gatecert_row_verdict", "Last verdict of a row on an endpoint: 0 pass, 1 warn, 2 not-offered, 3 expected-fail, 6 fail. A row that could not be judged keeps its last verdict.", "row", "surface"),
		cases:    gauges("gatecert_cases", "Number of cases in the last round, by verdict. All are 0 if the round produced no report.", "verdict"),
		rounds:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gatecert_rounds_total", Help: "Number of rounds since the watch started, by outcome.", ConstLabels: labels}, []string{"outcome"}),
		outcome:  gauges("gatecert_outcome", "1 for the outcome of the last round, 0 for every other outcome.", "outcome"),
		changes:  prometheus.NewCounter(prometheus.CounterOpts{Name: "gatecert_changes_total", Help: "Number of times that a verdict or an outcome has changed since the watch started.", ConstLabels: labels}),
		last:     gauge("gatecert_last_round_timestamp_seconds", "Unix time at which the last round ended."),
		judged:   gauge("gatecert_last_verdict_timestamp_seconds", "Unix time at which the last round with a verdict (conformant or not-conformant) ended."),
		took:     gauge("gatecert_round_duration_seconds", "Duration of the last round in seconds."),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "gatecert_case_duration_seconds", Help: "Duration of cases in seconds.", ConstLabels: labels,
			Buckets: []float64{.005, .02, .1, .5, 1, 2, 5, 10, 30, 60},
		}, []string{"surface"}),
	}
	m.registry.MustRegister(m.verdicts, m.cases, m.rounds, m.outcome, m.changes, m.last, m.judged, m.took, m.duration)
	for _, o := range Outcomes() {
		m.rounds.WithLabelValues(string(o))
	}
	return m
}

// handler serves the metrics, and those of this process: a watch runs for months.
func (m *metrics) handler() http.Handler {
	process := prometheus.NewRegistry()
	process.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(prometheus.Gatherers{m.registry, process}, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// add counts a round.
func (m *metrics) add(e Entry, r Round, s state) {
	m.rounds.WithLabelValues(string(e.Outcome)).Inc()
	m.changes.Add(float64(len(e.Changes)))
	m.show(e, s)
	if r.Run == nil {
		return
	}
	for _, c := range r.Run.Cases {
		if c.Duration > 0 {
			m.duration.WithLabelValues(plain.Text(string(c.Surface), 100)).Observe(c.Duration.Seconds())
		}
	}
}

// show sets what a round, of this watch or of the last one, left behind. It counts nothing.
func (m *metrics) show(e Entry, s state) {
	for _, o := range Outcomes() {
		value := 0.0
		if o == e.Outcome {
			value = 1
		}
		m.outcome.WithLabelValues(string(o)).Set(value)
	}
	ended := seconds(e.Ended)
	m.last.Set(ended)
	m.took.Set(e.Ended.Sub(e.Started).Seconds())
	if e.judged() {
		m.judged.Set(ended)
	}
	for cell, verdict := range s.Cells {
		row, surface, _ := strings.Cut(cell, "/")
		m.verdicts.WithLabelValues(row, surface).Set(float64(slices.Index(contract.Verdicts(), verdict)))
	}
	for _, v := range contract.Verdicts() {
		m.cases.WithLabelValues(string(v)).Set(float64(e.Cases[v]))
	}
}

// showLastVerdict sets when a round last had a verdict. The round that show showed may have had none.
func (m *metrics) showLastVerdict(entries []Entry) {
	for _, e := range slices.Backward(entries) {
		if e.judged() {
			m.judged.Set(seconds(e.Ended))
			return
		}
	}
}

// judged reports whether a round had a verdict.
func (e Entry) judged() bool { return e.Outcome == Conformant || e.Outcome == NotConformant }

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
