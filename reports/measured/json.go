package measured

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/runlog"
)

// ReportSchema is the version of report.json.
const ReportSchema = "gatecert.load-report/1"

// report is report.json: the log for programs, with quantiles in place of distributions.
type report struct {
	Schema   string                `json:"schema"`
	Tool     string                `json:"tool"`
	RunID    string                `json:"run_id"`
	Started  time.Time             `json:"started"`
	Ended    *time.Time            `json:"ended,omitempty"`
	Kind     runlog.MeasuredKind   `json:"kind"`
	Target   runlog.TargetInfo     `json:"target"` // without its profile
	Surfaces []dialect.Surface     `json:"surfaces"`
	SLO      string                `json:"slo"`
	Bounds   []runlog.Bound        `json:"bounds"`
	Facts    []runlog.MeasuredFact `json:"facts"`
	// Verdict is [contract.Error] if the log has no footer. Complete means that the measurement ran to its end.
	Verdict  contract.Verdict      `json:"verdict"`
	Complete bool                  `json:"complete"`
	Result   string                `json:"result"`
	Capacity *runlog.FoundCapacity `json:"capacity,omitempty"`
	// Limiter and Experiments are set only for an inference.
	Limiter     *runlog.FoundLimiter        `json:"limiter,omitempty"`
	Experiments []runlog.MeasuredExperiment `json:"experiments,omitempty"`

	Rate float64 `json:"rate,omitempty"`
	// Goodput is the share of the offered requests that individually met every time bound, and GoodRate is their number per second. Without an SLO,
	// both are omitted.
	Goodput    float64                    `json:"goodput,omitempty"`
	GoodRate   float64                    `json:"good_rate,omitempty"`
	Sample     *runlog.Sample             `json:"sample,omitempty"`
	Metrics    []reportMetric             `json:"metrics"`
	Points     []runlog.Point             `json:"points"`
	Windows    []runlog.MeasuredWindow    `json:"windows"`
	Tokens     uint64                     `json:"tokens,omitempty"`
	Input      uint64                     `json:"input_tokens,omitempty"`
	Counted    map[string]uint64          `json:"counted,omitempty"`
	Generator  *runlog.MeasuredGenerator  `json:"generator,omitempty"`
	Workers    []runlog.MeasuredWorker    `json:"workers,omitempty"`
	Trends     []runlog.MeasuredTrend     `json:"trends"`
	Compared   *runlog.Compared           `json:"compared,omitempty"`
	Violations []runlog.MeasuredViolation `json:"violations"`
	Gates      []runlog.Gate              `json:"gates"`
	Notes      []string                   `json:"notes"`
}

// reportMetric is a distribution in a few numbers, in its unit.
type reportMetric struct {
	Metric  string         `json:"metric"`
	Unit    string         `json:"unit"`
	Request string         `json:"request"`
	Outcome runlog.Outcome `json:"outcome"`
	Count   uint64         `json:"count"`
	Mean    float64        `json:"mean"`
	P5      float64        `json:"p5"`
	P50     float64        `json:"p50"`
	P90     float64        `json:"p90"`
	P95     float64        `json:"p95"`
	P99     float64        `json:"p99"`
	P999    float64        `json:"p99_9"`
	Max     float64        `json:"max"`
}

// JSON writes report.json. It returns only errors of w.
func JSON(w io.Writer, m runlog.Measured) error {
	target := m.Target
	target.Profile = ""
	r := report{
		Schema: ReportSchema, Tool: m.Tool, RunID: m.RunID, Started: m.Started, Kind: m.Kind, Target: target,
		Surfaces: orEmpty(m.Surfaces), SLO: m.SLO, Bounds: orEmpty(m.Bounds), Facts: orEmpty(m.Facts),
		Verdict: m.Verdict(), Complete: m.Complete(), Result: headline(m),
		Metrics: []reportMetric{}, Points: []runlog.Point{}, Windows: []runlog.MeasuredWindow{},
		Trends: []runlog.MeasuredTrend{}, Violations: []runlog.MeasuredViolation{}, Gates: []runlog.Gate{}, Notes: []string{},
	}
	for _, x := range m.Metrics {
		r.Metrics = append(r.Metrics, reportMetric{
			x.Metric, x.Unit, x.Request, x.Outcome, x.Count, x.Mean, x.Quantile(0.05), x.Quantile(0.5), x.Quantile(0.9), x.Quantile(0.95), x.Quantile(0.99),
			x.Quantile(0.999), x.Quantile(1),
		})
	}
	for _, p := range m.Points {
		p.Link = runlog.Link{} // what it says of the other lines is for those who audit the log
		r.Points = append(r.Points, p)
	}
	for _, x := range m.Windows {
		x.Link = runlog.Link{}
		r.Windows = append(r.Windows, x)
	}
	for _, e := range m.Experiments {
		e.Link = runlog.Link{}
		r.Experiments = append(r.Experiments, e)
	}
	if f := m.Footer; f != nil {
		r.Limiter = f.Limiter
		r.Ended, r.Capacity, r.Rate, r.Sample, r.Generator = &f.Ended, f.Capacity, f.Rate, f.Sample, &f.Generator
		r.Tokens, r.Input, r.Counted = f.Tokens, f.Input, f.Counted
		r.Compared, r.Workers = f.Compared, f.Workers
		r.Trends, r.Violations, r.Gates, r.Notes = orEmpty(f.Trends), orEmpty(f.Violations), orEmpty(f.Gates), orEmpty(f.Notes)
		if s := f.Sample; s != nil && s.Offered > 0 && m.SLO != "" {
			r.Goodput = float64(s.Good) / float64(s.Offered)
			r.GoodRate = r.Goodput * f.Rate
		}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		return fmt.Errorf("encode report: %w", err)
	}
	return flush(w, &out)
}

// orEmpty is a list that is [] in JSON, never null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
