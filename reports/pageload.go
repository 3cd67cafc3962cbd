package reports

import (
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// pageLoad is a load case as the page shows it.
type pageLoad struct {
	ID, Summary, Sentence string
	Verdict               contract.Verdict
	Sign                  string
	Link                  template.URL
	Charts                []pageChart
	Checks                []pageCheck
	Times                 []pageTimes
}

type pageCheck struct {
	Requirement, Result, Sentence string
	Verdict                       contract.Verdict
	Sign                          string
}

type pageTimes struct {
	Name, Calls, P50, P90, P99, Max, Bound string
}

func newPageLoad(c runlog.Case, a runlog.LoadSummary) pageLoad {
	p := pageLoad{
		ID: plain.Text(c.ID, nameLimit), Summary: loadSentence(a), Sentence: capital(plain.Text(a.Sentence, textLimit)),
		Verdict: c.Verdict, Sign: sign(c.Verdict), Link: fragment(string(c.Row) + "/" + string(c.Surface)),
	}
	for _, check := range a.Checks {
		v := checkVerdict(check, c.Findings)
		p.Checks = append(p.Checks, pageCheck{
			plain.Text(string(check.Requirement), nameLimit), plain.Text(string(check.Result), nameLimit), plain.Text(check.Sentence, textLimit), v, sign(v),
		})
	}
	for _, t := range a.Times {
		bound := ""
		if t.Bound > 0 {
			bound = duration(t.Bound)
		}
		p.Times = append(p.Times, pageTimes{
			plain.Text(t.Name, nameLimit), strconv.Itoa(t.Count), duration(t.P50),
			quantile(t.P90, t.Count, callsForP90), quantile(t.P99, t.Count, callsForP99), duration(t.Max), bound,
		})
	}
	if len(a.Spans) > 1 {
		timed := slices.ContainsFunc(a.Spans, func(s runlog.Span) bool { return s.P50 > 0 })
		p.Charts = append(p.Charts, countChart(a, !timed))
		if timed {
			p.Charts = append(p.Charts, latencyChart(a))
		}
	}
	return p
}

// The fewest calls for which a quantile is shown: with fewer it is close to the maximum.
const callsForP90, callsForP99 = 20, 100

// quantile is "" for too few calls.
func quantile(d time.Duration, calls, least int) string {
	if calls < least {
		return ""
	}
	return duration(d)
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

// outcomeClasses are the CSS classes of the outcomes, in the order in which they are stacked.
func outcomeClasses() []struct {
	outcome runlog.Outcome
	class   string
} {
	return []struct {
		outcome runlog.Outcome
		class   string
	}{
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
	seen := make(map[string]bool)
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
			if !seen[string(o.outcome)] {
				seen[string(o.outcome)] = true
				chart.Legend = append(chart.Legend, chartKey{o.class, string(o.outcome)})
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
