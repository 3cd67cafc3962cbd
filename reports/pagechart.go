package reports

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// pageChart is a chart over time, drawn as SVG without a script. Its numbers are in units of its viewBox.
type pageChart struct {
	Title, Label  string
	Width, Height int
	// Wide is set when the chart takes the full width.
	Wide        bool
	Bands       []chartBand
	Grid, Ticks []chartTick
	Bars        []chartBar
	Lines       []chartLine
	Legend      []chartKey

	end time.Duration
	top float64
	// root makes the y axis a square-root scale, so that a few calls per second are visible next to a burst.
	root bool
}

// chartBand is a phase of the load in the background. A band that is too narrow for its name shows it on hover only.
type chartBand struct {
	X, Width, Middle float64
	Name, Text       string
	Odd              bool
}

type chartTick struct {
	X1, X2, Y, TextX, TextY float64
	Text, Anchor            string
}

type chartBar struct {
	Class               string
	X, Y, Width, Height float64
}

type chartLine struct{ Class, Points string }

type chartKey struct{ Class, Name string }

// The dimensions of a chart.
const (
	chartWidth, chartHeight = 640, 210
	chartLeft, chartMargin  = 56, 8
	chartTop, chartBottom   = 24, 184
	chartTicks              = 6   // most steps of the x axis
	chartLetter             = 5.5 // average width of a letter in the labels
)

func chartNumber(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

func newChart(title string, a runlog.LoadSummary, wide bool) pageChart {
	c := pageChart{Title: title, Width: chartWidth, Height: chartHeight, Wide: wide, end: a.Took}
	if wide {
		c.Width *= 2
	}
	for _, s := range a.Spans {
		c.end = max(c.end, s.At+s.Lasts)
	}
	for i, p := range a.Phases {
		from, to := c.x(p.From), c.x(p.To)
		band := chartBand{X: from, Width: max(to-from, 1), Middle: (from + to) / 2, Name: plain.Text(p.Name, 40), Odd: i%2 == 1}
		if band.Width > chartLetter*float64(len(band.Name)) {
			band.Text = band.Name
		}
		c.Bands = append(c.Bands, band)
	}
	step := nextOf(float64(c.end)/chartTicks, 1, 2, 5)
	for i := 0; i <= chartTicks && float64(i)*step <= float64(c.end); i++ {
		at := time.Duration(float64(i) * step)
		tick := chartTick{TextX: c.x(at), TextY: chartHeight - 8, Text: fmt.Sprintf("%g s", at.Seconds()), Anchor: "middle"}
		if tick.TextX+chartLetter*float64(len(tick.Text))/2 > float64(c.Width) {
			tick.Anchor = "end" // it would be cut off
		}
		c.Ticks = append(c.Ticks, tick)
	}
	return c
}

func (c *pageChart) right() float64 { return float64(c.Width - chartMargin) }

func (c *pageChart) x(at time.Duration) float64 {
	if c.end <= 0 {
		return chartLeft
	}
	return chartLeft + (c.right()-chartLeft)*min(1, max(0, float64(at)/float64(c.end)))
}

func (c *pageChart) y(value float64) float64 {
	share := min(1, max(0, value/c.top))
	if c.root {
		share = math.Sqrt(share)
	}
	return chartBottom - (chartBottom-chartTop)*share
}

// scale sets the top of the y axis to a round number and draws the grid.
func (c *pageChart) scale(most float64, text func(float64) string) {
	c.top = nextOf(most, 1, 2, 4, 5, 6, 8)
	c.Label = "up to " + text(c.top)
	middle := c.top / 2
	if c.root {
		middle = c.top / 4
	}
	for _, value := range []float64{0, middle, c.top} {
		y := c.y(value)
		c.Grid = append(c.Grid, chartTick{X1: chartLeft, X2: c.right(), Y: y, TextX: chartLeft - 6, TextY: y + 4, Text: text(value)})
	}
}

// nextOf returns the next of the digits and 10, times a power of ten, and 1 for 0.
func nextOf(v float64, digits ...float64) float64 {
	if v <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, digit := range digits {
		if v <= digit*power {
			return digit * power
		}
	}
	return 10 * power
}

func (c *pageChart) bar(class string, at, lasts time.Duration, under, value float64) {
	x, y := c.x(at), c.y(under+value)
	c.Bars = append(c.Bars, chartBar{class, x, y, max(c.x(at+lasts)-x-0.5, 0.5), c.y(under) - y})
}

// line connects adjacent spans that have a value.
func (c *pageChart) line(class string, spans []runlog.Span, value func(runlog.Span) time.Duration) {
	var points []string
	flush := func() {
		if len(points) > 0 {
			c.Lines = append(c.Lines, chartLine{class, strings.Join(points, " ")})
		}
		points = nil
	}
	for _, s := range spans {
		if value(s) <= 0 {
			flush()
			continue
		}
		points = append(points, chartNumber(c.x(s.At+s.Lasts/2))+","+chartNumber(c.y(float64(value(s)))))
	}
	flush()
}

func loadCharts(a runlog.LoadSummary) []pageChart {
	if len(a.Spans) < 2 {
		return nil
	}
	if !slices.ContainsFunc(a.Spans, func(s runlog.Span) bool { return s.P50 > 0 }) {
		return []pageChart{countChart(a, true)}
	}
	return []pageChart{countChart(a, false), latencyChart(a)}
}

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
	case check.Result == contract.Untested:
		return contract.NotOffered
	case check.Result == contract.Violated && len(about) == 0:
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
	chart.scale(most, number)
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

// number writes a number without an exponent.
func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
