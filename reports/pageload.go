package reports

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// loadCharts are the charts of a load case.
func loadCharts(a runlog.LoadSummary) []pageChart {
	if len(a.Spans) < 2 {
		return nil
	}
	if !slices.ContainsFunc(a.Spans, func(s runlog.Span) bool { return s.P50 > 0 }) {
		return []pageChart{countChart(a, true)}
	}
	return []pageChart{countChart(a, false), latencyChart(a)}
}

// capital makes the first letter a capital.
func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// checkVerdict is the verdict of a check: as bad as the findings about its requirement.
func checkVerdict(check runlog.Check, findings []contract.Finding) contract.Verdict {
	var about []contract.Finding
	for _, f := range findings {
		if f.Requirement == check.Requirement {
			about = append(about, f)
		}
	}
	switch {
	case check.Result == runlog.Untested:
		return contract.NotOffered
	case check.Result == runlog.Violated && len(about) == 0:
		return contract.Fail
	default:
		return contract.VerdictOf(about)
	}
}

// ChartHeight is the height of the bands of the phases.
func (page) ChartHeight() int { return chartBottom }

type outcomeClass struct {
	outcome runlog.Outcome
	class   string
}

// outcomeClasses are the CSS classes of the outcomes, in the order in which they are stacked.
func outcomeClasses() []outcomeClass {
	return []outcomeClass{
		{runlog.Admitted, "o-admitted"}, {runlog.Refused, "o-refused"}, {runlog.Error4xx, "o-error4"}, {runlog.Error5xx, "o-error5"},
		{runlog.Timeout, "o-lost"}, {runlog.TransportError, "o-lost"}, {runlog.Wrong, "o-wrong"}, {runlog.Disconnected, "o-ours"},
		{runlog.LocalError, "o-ours"}, {runlog.Abandoned, "o-ours"},
	}
}

// countChart stacks the responses of each span by outcome.
func countChart(a runlog.LoadSummary, wide bool) pageChart {
	chart := newChart("Responses per second, by outcome", a, wide)
	most, sums := 0.0, make([]map[runlog.Outcome]int, len(a.Spans))
	var totals []float64 // of the spans in which calls ended
	for i, s := range a.Spans {
		sums[i] = make(map[runlog.Outcome]int)
		total := 0
		for _, counts := range s.Counts {
			for outcome, n := range counts {
				sums[i][outcome] += n
				total += n
			}
		}
		most = max(most, perSecond(total, s.Lasts))
		if total > 0 {
			totals = append(totals, perSecond(total, s.Lasts))
		}
	}
	if chart.root = bursts(totals, most); chart.root {
		chart.Title += " (square-root scale)"
	}
	chart.scale(most, func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) })
	for i, s := range a.Spans {
		under := 0.0
		for _, o := range outcomeClasses() {
			n := sums[i][o.outcome]
			if n == 0 {
				continue
			}
			value := perSecond(n, s.Lasts)
			chart.bar(o.class, s.At, s.Lasts, under, value)
			under += value
			if key := (chartKey{o.class, string(o.outcome)}); !slices.Contains(chart.Legend, key) {
				chart.Legend = append(chart.Legend, key)
			}
		}
	}
	return chart
}

// bursts reports whether the highest rate is so far above the median that a linear scale would show nothing else.
func bursts(totals []float64, most float64) bool {
	const muchMore = 8
	slices.Sort(totals)
	return len(totals) > 0 && most > muchMore*totals[len(totals)/2]
}

func perSecond(n int, span time.Duration) float64 {
	if span <= 0 {
		return 0
	}
	return float64(n) / span.Seconds()
}

// latencyChart draws the median and the maximum latency of the healthy calls over time. A span has few calls, so that its
// 99th percentile in the log is the maximum.
func latencyChart(a runlog.LoadSummary) pageChart {
	chart := newChart("Latency of healthy calls", a, false)
	most := time.Duration(0)
	for _, s := range a.Spans {
		most = max(most, s.P50, s.P99)
	}
	chart.scale(float64(most), func(v float64) string { return duration(time.Duration(v)) })
	for _, series := range []struct {
		name, class string
		value       func(runlog.Span) time.Duration
	}{
		{"median", "l-p50", func(s runlog.Span) time.Duration { return s.P50 }},
		{"max", "l-slowest", func(s runlog.Span) time.Duration { return s.P99 }},
	} {
		chart.line(series.class, a.Spans, series.value)
		chart.Legend = append(chart.Legend, chartKey{series.class, series.name})
	}
	return chart
}
