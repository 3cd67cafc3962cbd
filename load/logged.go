package load

import (
	"math"
	"time"

	"github.com/gatecert/gatecert/reports/runlog"
)

// What of a measurement a log holds: everything but the single results.

// Logged returns the terms of the SLO in the form in which they are logged.
func (o SLO) Logged() []runlog.Bound {
	var bounds []runlog.Bound
	for _, b := range o.Terms() {
		bounds = append(bounds, runlog.Bound{Metric: string(b.Metric), Quantile: b.Quantile, Least: b.Least, Value: b.Value, Text: b.String()})
	}
	return bounds
}

// Sample summarises the measurement in a few numbers.
func (m Measurement) Sample() runlog.Sample {
	s := runlog.Sample{
		WarmUp: m.WarmUp, Offered: m.Offered - m.Warming, Sent: m.Sent - m.Warming, Good: m.Good, Counts: map[runlog.Outcome]uint64{}, Times: map[string]runlog.Quantiles{},
		TokensPerSecond: rounded(m.TokensPerSecond()),
	}
	for _, o := range runlog.Outcomes() {
		if n := m.Count(o); n > 0 {
			s.Counts[o] = n
		}
	}
	admitted := m.Of(AllRequests, runlog.Admitted)
	for _, x := range admitted.times() {
		if x.h.Count() > 0 {
			s.Times[x.name] = runlog.Quantiles{P50: x.h.Quantile(0.5), P95: x.h.Quantile(0.95), P99: x.h.Quantile(0.99), Max: x.h.Max()}
		}
	}
	return s
}

// rounded leaves six digits.
func rounded(v float64) float64 {
	if v == 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0
	}
	scale := math.Pow(10, 5-math.Floor(math.Log10(math.Abs(v))))
	return math.Round(v*scale) / scale
}

type namedTimes struct {
	name string
	h    Histogram
}

// times are the distributions of times by the name of their metric.
func (m Metrics) times() []namedTimes {
	return []namedTimes{
		{string(LatencyMetric), m.Latency}, {string(ServiceMetric), m.ServiceTime}, {string(TTFBMetric), m.TTFB}, {string(TTFTMetric), m.TTFT},
		{string(ITLMetric), m.ITL}, {string(TPOTMetric), m.TPOT}, {string(StallMetric), m.Stall},
	}
}

// LoggedMetrics returns the distributions of the measurement, one for each metric, outcome and kind of request that has any.
func (m Measurement) LoggedMetrics() []runlog.Metric {
	var all []runlog.Metric
	m.eachMetrics(func(request string, outcome runlog.Outcome, metrics Metrics) {
		add := func(name, unit string, count uint64, mean float64, bars []bar) {
			if count == 0 {
				return
			}
			x := runlog.Metric{Metric: name, Unit: unit, Request: request, Outcome: outcome, Count: count, Mean: rounded(mean)}
			for _, b := range bars {
				x.Bars = append(x.Bars, runlog.Bar{b.To, int64(b.Count)}) //nolint:gosec // a count
			}
			all = append(all, x)
		}
		for _, x := range metrics.times() {
			add(x.name, runlog.UnitTime, x.h.Count(), float64(x.h.Mean()), x.h.Bars())
		}
		add("tokens", runlog.UnitTokens, metrics.Tokens.Count(), metrics.Tokens.Mean(), metrics.Tokens.Bars())
		add(string(RateMetric), runlog.UnitRate, metrics.TokenRate.Count(), metrics.TokenRate.Mean(), metrics.TokenRate.Bars())
	})
	return all
}

// LoggedWindows returns the windows of the measurement.
func (m Measurement) LoggedWindows() []runlog.MeasuredWindow {
	var all []runlog.MeasuredWindow
	for _, w := range m.Windows {
		all = append(all, runlog.MeasuredWindow{
			Start: w.Start, Length: w.Length, Counts: w.Counts, P50: w.P50, P99: w.P99,
			TTFT50: w.TTFT50, TTFT99: w.TTFT99, ITL50: w.ITL50, ITL99: w.ITL99, Tokens: w.Tokens,
		})
	}
	return all
}

// LogMain adds the measurement to a log as the main one: its windows, its distributions and its sums.
func (m Measurement) LogMain(log *runlog.Measured, footer *runlog.MeasuredFooter) {
	log.Windows, log.Metrics = m.LoggedWindows(), m.LoggedMetrics()
	if m.Sent == 0 {
		return
	}
	sample, admitted := m.Sample(), m.Of(AllRequests, runlog.Admitted)
	footer.Sample, footer.Rate = &sample, m.Rate
	footer.Tokens, footer.Input = admitted.OutputTokens, admitted.InputTokens
	for _, source := range TokenSources() {
		if n := admitted.Counted[source]; n > 0 {
			if footer.Counted == nil {
				footer.Counted = map[string]uint64{}
			}
			footer.Counted[string(source)] = n
		}
	}
	g := m.Generator
	footer.Generator = runlog.MeasuredGenerator{
		Problems: g.Problems, LagP99: g.Lag.Quantile(0.99), Late: g.Late, Waited: m.Waited, CPU: rounded(g.CPU), Cores: g.Cores,
	}
	for _, w := range m.Workers {
		footer.Workers = append(footer.Workers, runlog.MeasuredWorker{
			Name: w.Name, Host: w.Host, Source: w.Source, Sent: w.Sent, Offset: w.Offset, Within: w.Uncertainty, Begun: w.Begun,
			LagP99: w.Lag, Late: w.Late, CPU: rounded(w.CPU), Cores: w.Cores,
		})
	}
}

// LoggedViolations returns violations in the form in which they are logged.
func LoggedViolations(violations []Violation) []runlog.MeasuredViolation {
	var all []runlog.MeasuredViolation
	for _, v := range violations {
		all = append(all, runlog.MeasuredViolation{Request: v.Request, Finding: v.Finding, Count: v.Count})
	}
	return all
}

// Logged returns the probe in the form in which it is logged. part is [runlog.SearchPart] or [runlog.CurvePart].
func (p Probe) Logged(part string) runlog.Point {
	return runlog.Point{
		Part: part, Rate: rounded(p.Rate), Lasted: p.Duration, Sample: p.Sample, Misses: p.Misses, Inconclusive: p.Inconclusive,
	}
}

// Found returns the bounds in the form in which they are logged.
func (c Capacity) Found() *runlog.FoundCapacity {
	return &runlog.FoundCapacity{
		Lower: rounded(c.Lower), Upper: rounded(c.Upper), GeneratorLimited: c.GeneratorLimited, Unstable: c.Unstable, Partial: c.Partial,
	}
}

// Logged returns the comparison in the form in which it is logged.
func (c Compared) Logged() *runlog.Compared {
	out := &runlog.Compared{A: c.A, B: c.B, Rate: rounded(c.Rate), Rounds: c.Rounds, Discarded: c.Discarded, Differences: []runlog.Difference{}}
	for _, d := range c.Differences {
		out.Differences = append(out.Differences, runlog.Difference{
			Metric: d.Metric, Share: d.IsShare(), A: rounded(d.A), B: rounded(d.B), Added: rounded(d.Added.Value),
			Low: rounded(d.Added.Low), High: rounded(d.Added.High), Detectable: rounded(d.Detectable),
		})
	}
	return out
}

// Logged returns the level in the form in which it is logged. each is how long the level was held.
func (l SweepLevel) Logged(each time.Duration) runlog.Point {
	return runlog.Point{
		Part: runlog.CallersPart, Callers: l.Concurrency, Rate: rounded(l.Throughput), Lasted: each, Misses: l.Misses, Inconclusive: l.Inconclusive,
		Sample: shortSample(l.Admitted, l.P50, l.P99),
	}
}

// Logged returns the step in the form in which it is logged.
func (s RampStep) Logged() runlog.Point {
	return runlog.Point{Part: runlog.RampPart, Rate: rounded(s.Rate), Lasted: time.Second, Misses: s.Misses, Sample: s.Sample}
}

// shortSample is what is known of a level.
func shortSample(admitted uint64, p50, p99 time.Duration) runlog.Sample {
	return runlog.Sample{
		Offered: admitted, Sent: admitted, Good: admitted, Counts: map[runlog.Outcome]uint64{runlog.Admitted: admitted},
		Times: map[string]runlog.Quantiles{"latency": {P50: p50, P99: p99}},
	}
}

// Logged returns the trend in the form in which it is logged.
func (t Trend) Logged() runlog.MeasuredTrend {
	return runlog.MeasuredTrend{Name: t.Name, Grows: t.Grows(), Text: t.String()}
}
