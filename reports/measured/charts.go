package measured

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// charts are those of a measurement, what it is about first.
func charts(m runlog.Measured) []chart {
	var list []chart
	add := func(c chart, ok bool) {
		if ok {
			list = append(list, c)
		}
	}
	switch m.Kind {
	case runlog.RateLimitKind:
		answers := answersOf(m)
		add(answersChart(m, answers))
		add(ratesChart(answers))
		return list
	case runlog.CompareKind:
		add(differenceChart(m))
	case runlog.CapacityKind, runlog.SoakKind:
	}
	for _, metric := range boundMetrics(m) {
		add(rateChart(m, metric))
	}
	add(timeChart(m, "service", "Service time during the measurement", func(w runlog.MeasuredWindow) (a, b time.Duration) { return w.P50, w.P99 }))
	add(timeChart(m, "ttft", "TTFT over time", func(w runlog.MeasuredWindow) (a, b time.Duration) { return w.TTFT50, w.TTFT99 }))
	add(timeChart(m, "itl", "ITL over time", func(w runlog.MeasuredWindow) (a, b time.Duration) { return w.ITL50, w.ITL99 }))
	if len(m.Points) > 1 {
		add(probesChart(m))
	} else {
		add(windowsChart(m.Windows, refusedWith429))
	}
	for _, metric := range []string{"ttft", "itl", "latency"} {
		add(histogramChart(m, metric))
	}
	return list
}

// boundMetrics are the metrics of times that the SLO bounds, at most three; the latency where it bounds none.
func boundMetrics(m runlog.Measured) []string {
	var list []string
	for _, b := range m.Bounds {
		if isTime(b.Metric) && !slices.Contains(list, b.Metric) && len(list) < 3 {
			list = append(list, b.Metric)
		}
	}
	if len(list) == 0 {
		return []string{"latency"}
	}
	return list
}

func isTime(metric string) bool {
	return slices.Contains([]string{"latency", "service", "ttfb", "ttft", "itl", "tpot", "stall"}, metric)
}

func timeText(v float64) string { return plain.Time(time.Duration(v)) }

// rateChart draws the quantiles of a metric against the rate, with the line of the SLO and the bounds of the capacity.
func rateChart(m runlog.Measured, metric string) (chart, bool) {
	points := slices.Clone(m.Points)
	points = slices.DeleteFunc(points, func(p runlog.Point) bool {
		return len(p.Inconclusive) > 0 || p.Times[metric].P50 <= 0 || p.Rate <= 0
	})
	if len(points) < 2 {
		return chart{}, false
	}
	slices.SortStableFunc(points, func(a, b runlog.Point) int { return cmpFloat(a.Rate, b.Rate) })
	c := chart{Title: "p50 and p99 of the " + label(metric) + " at each rate", XName: "requests/s"}
	var rates, times []float64
	for _, p := range points {
		rates = append(rates, p.Rate)
		times = append(times, float64(p.Times[metric].P50), float64(p.Times[metric].P99))
	}
	var bounds []runlog.Bound
	for _, b := range m.Bounds {
		if b.Metric == metric && !b.Least {
			bounds = append(bounds, b)
			times = append(times, b.Value)
		}
	}
	x := newAxis(true, chartLeft, chartRight, rates...)
	y := newAxis(true, chartBottom, chartTop, times...)
	c.vertical(y, timeText)
	c.horizontal(x, plainNumber)
	c.capacity(m, x)
	for _, b := range bounds {
		c.level("slo", y.at(b.Value), "SLO "+plain.Text(b.Text, labelLimit))
	}
	for _, series := range []struct {
		class string
		of    func(runlog.Quantiles) time.Duration
	}{{"q50", func(q runlog.Quantiles) time.Duration { return q.P50 }}, {"q99", func(q runlog.Quantiles) time.Duration { return q.P99 }}} {
		for _, p := range points {
			at := series.of(p.Times[metric])
			class, word := series.class, "SLO met"
			if !p.Met() {
				class, word = class+" missed", "SLO missed"
			}
			c.Dots = append(c.Dots, chartDot{
				Class: class, X: x.at(p.Rate), Y: y.at(float64(at)),
				Title: fmt.Sprintf("%s for %s: %s %s, %s", rate(p.Rate), plain.Time(p.Lasted), series.class[1:], plain.Time(at), word),
			})
		}
		c.line(series.class, x, y, curve(points, metric, series.of))
	}
	c.Legend = []chartKey{{"q50", "p50"}, {"q99", "p99"}, {"q99 missed", "hollow: missed the SLO"}}
	return c, true
}

// curve is the probes after the search, or the medians of all by their rate.
func curve(points []runlog.Point, metric string, of func(runlog.Quantiles) time.Duration) [][2]float64 {
	var line [][2]float64
	for _, p := range points {
		if p.Part == runlog.CurvePart {
			line = append(line, [2]float64{p.Rate, float64(of(p.Times[metric]))})
		}
	}
	if len(line) > 1 {
		return line
	}
	line = nil
	for i := 0; i < len(points); {
		var values []float64
		r := points[i].Rate
		for ; i < len(points) && points[i].Rate == r; i++ {
			values = append(values, float64(of(points[i].Times[metric])))
		}
		slices.Sort(values)
		line = append(line, [2]float64{r, values[len(values)/2]})
	}
	return line
}

// capacity draws the bounds.
func (c *chart) capacity(m runlog.Measured, x axis) {
	if m.Footer == nil || m.Footer.Capacity == nil {
		return
	}
	found := m.Footer.Capacity
	low, high := found.Lower, found.Upper
	if low > 0 && high > 0 {
		c.Bands = append(c.Bands, chartBand{X: x.at(low), Width: max(x.at(high)-x.at(low), 1)})
	}
	if low > 0 {
		c.mark("bound", x.at(low), rate(low)+" met", "end", chartBottom-6)
	}
	if high > 0 {
		word := " missed"
		if found.GeneratorLimited {
			word = " too fast for the generator"
		}
		anchor := "start"
		if x.at(high)+chartLetter*float64(len(rate(high)+word)) > chartWidth {
			anchor = "end"
		}
		c.mark("bound", x.at(high), rate(high)+word, anchor, chartBottom-20)
	}
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}

// timeChart draws two quantiles over the windows.
func timeChart(m runlog.Measured, metric, title string, of func(runlog.MeasuredWindow) (p50, p99 time.Duration)) (chart, bool) {
	var p50, p99 [][2]float64
	var ends, values []float64
	for _, w := range m.Windows {
		a, b := of(w)
		middle := (w.Start + w.Length/2).Seconds()
		p50, p99 = append(p50, [2]float64{middle, float64(a)}), append(p99, [2]float64{middle, float64(b)})
		ends = append(ends, (w.Start + w.Length).Seconds())
		values = append(values, float64(a), float64(b))
	}
	values = slices.DeleteFunc(values, func(v float64) bool { return v <= 0 })
	if len(m.Windows) < 3 || len(values) == 0 {
		return chart{}, false
	}
	c := chart{Title: title, XName: "seconds"}
	if m.Footer != nil && m.Footer.Rate > 0 {
		c.Title += fmt.Sprintf(", at %s", rate(m.Footer.Rate))
	}
	for _, b := range m.Bounds {
		if b.Metric == metric && !b.Least {
			values = append(values, b.Value)
		}
	}
	x, y := newAxis(false, chartLeft, chartRight, ends...), newAxis(true, chartBottom, chartTop, values...)
	c.vertical(y, timeText)
	c.horizontal(x, plainNumber)
	for _, b := range m.Bounds {
		if b.Metric == metric && !b.Least {
			c.level("slo", y.at(b.Value), "SLO "+plain.Text(b.Text, labelLimit))
		}
	}
	c.line("q50", x, y, p50)
	c.line("q99", x, y, p99)
	c.Legend = []chartKey{{"q50", "p50"}, {"q99", "p99"}}
	return c, true
}

type outcomeClass struct {
	class, name string
	outcomes    []runlog.Outcome
}

// refusedWith429 names the refusals of a load: only a 429 is one.
const refusedWith429 = "refused (429)"

// outcomeClasses are the outcomes as they are stacked.
func outcomeClasses(refused string) []outcomeClass {
	return []outcomeClass{
		{"o-admitted", "admitted", []runlog.Outcome{runlog.Admitted}}, {"o-refused", refused, []runlog.Outcome{runlog.Refused}},
		{"o-error4", "4xx", []runlog.Outcome{runlog.Error4xx}}, {"o-error5", "5xx", []runlog.Outcome{runlog.Error5xx}},
		{"o-lost", "timeout or broken transfer", []runlog.Outcome{runlog.Timeout, runlog.TransportError}}, {"o-wrong", "wrong", []runlog.Outcome{runlog.Wrong}},
		{"o-ours", "failed or aborted on gatecert's side", []runlog.Outcome{runlog.LocalError, runlog.Abandoned, runlog.Disconnected}},
	}
}

// stack draws the responses by outcome, as bars of responses per second.
func (c *chart) stack(x, y axis, from, to, seconds float64, counts map[runlog.Outcome]uint64, title, refused string) {
	under := 0.0
	if seconds <= 0 {
		return
	}
	for _, o := range outcomeClasses(refused) {
		n := 0.0
		for _, outcome := range o.outcomes {
			n += float64(counts[outcome])
		}
		if n == 0 {
			continue
		}
		high := under + n/seconds
		left, right := x.at(from), x.at(to)
		c.Bars = append(c.Bars, chartBar{
			Class: o.class, X: left, Width: max(right-left-gapOf(right-left), 0.5), Y: y.at(high), Height: max(y.at(under)-y.at(high), 0.5),
			Title: fmt.Sprintf("%s: %.4g/s %s", title, n/seconds, o.name),
		})
		under = high
		if key := (chartKey{o.class, o.name}); !slices.Contains(c.Legend, key) {
			c.Legend = append(c.Legend, key)
		}
	}
}

// gapOf is the gap between bars of a width: narrow ones have none.
func gapOf(width float64) float64 {
	if width < 8 {
		return 0
	}
	return 1
}

func total(counts map[runlog.Outcome]uint64) (n float64) {
	for _, c := range counts {
		n += float64(c)
	}
	return n
}

// probesChart draws the responses of each probe in the order in which they ran: the course of the search.
func probesChart(m runlog.Measured) (chart, bool) {
	points := m.Points[:min(len(m.Points), 200)]
	c := chart{Title: "Responses per second in each probe, by outcome", XName: "probes in order"}
	values := []float64{0}
	for _, p := range points {
		if seconds := countedFor(p); seconds > 0 {
			values = append(values, total(p.Counts)/seconds, p.Rate)
		}
	}
	x, y := newAxis(false, chartLeft, chartRight, float64(len(points))), newAxis(false, chartBottom, chartTop, values...)
	c.vertical(y, plainNumber)
	c.horizontal(x, plainNumber)
	for i, p := range points {
		c.stack(x, y, float64(i), float64(i+1), countedFor(p), p.Counts, rate(p.Rate)+" for "+plain.Time(p.Lasted), refusedWith429)
	}
	return c, len(c.Bars) > 0
}

// countedFor is the part of a probe whose responses are counted, in seconds.
func countedFor(p runlog.Point) float64 { return (p.Lasted - p.WarmUp).Seconds() }

// windowsChart draws the responses over time.
func windowsChart(windows []runlog.MeasuredWindow, refused string) (chart, bool) {
	c := chart{Title: "Responses per second over time, by outcome", XName: "seconds"}
	values, ends := []float64{0}, []float64{0}
	for _, w := range windows {
		if w.Length > 0 {
			values = append(values, total(w.Counts)/w.Length.Seconds())
			ends = append(ends, (w.Start + w.Length).Seconds())
		}
	}
	if len(ends) < 3 {
		return chart{}, false
	}
	x, y := newAxis(false, chartLeft, chartRight, ends...), newAxis(false, chartBottom, chartTop, values...)
	c.vertical(y, plainNumber)
	c.horizontal(x, plainNumber)
	for _, w := range windows[:min(len(windows), 1000)] {
		c.stack(x, y, w.Start.Seconds(), (w.Start + w.Length).Seconds(), w.Length.Seconds(), w.Counts, fmt.Sprintf("at %.4g s", w.Start.Seconds()), refused)
	}
	return c, len(c.Bars) > 0
}

// histogramBars is how many bars a histogram has.
const histogramBars = 48

// histogramChart draws the distribution of a metric of the admitted requests.
func histogramChart(m runlog.Measured, metric string) (chart, bool) {
	d, ok := m.Metric(metric)
	if !ok || d.Unit != runlog.UnitTime || len(d.Bars) == 0 {
		return chart{}, false
	}
	c := chart{Title: fmt.Sprintf("Distribution of %s (%s)", label(metric), plain.Count(d.Count, "value")), XName: "time (logarithmic)"}
	low, high := max(d.Quantile(0.001), 1000), max(d.Quantile(1), 1000)
	x := newAxis(true, chartLeft, chartRight, low, high)
	var bins [histogramBars]float64
	for _, b := range d.Bars {
		place := (x.at(max(float64(b[0]), low)) - chartLeft) / (chartRight - chartLeft)
		bins[min(int(place*histogramBars), histogramBars-1)] += float64(b[1])
	}
	y := newAxis(false, chartBottom, chartTop, slices.Max(bins[:]))
	c.vertical(y, plainNumber)
	c.horizontal(x, timeText)
	width := float64(chartRight-chartLeft) / histogramBars
	for i, n := range bins {
		if n > 0 {
			left := chartLeft + float64(i)*width
			c.Bars = append(c.Bars, chartBar{
				Class: "hist", X: left, Width: width - 1, Y: y.at(n), Height: max(chartBottom-y.at(n), 1),
				Title: fmt.Sprintf("%s to %s: %.0f", timeText(x.value(left)), timeText(x.value(left+width)), n),
			})
		}
	}
	for i, q := range []float64{0.5, 0.99} {
		v := d.Quantile(q)
		// The median's text is to its left, where there is room for it.
		anchor := "end"
		if at := x.at(v); i == 0 && at < chartLeft+90 || i == 1 && at < chartRight-90 {
			anchor = "start"
		}
		c.mark("quantile", x.at(v), fmt.Sprintf("p%g %s", 100*q, timeText(v)), anchor, chartTop+10+14*float64(i))
	}
	return c, true
}

// value is what has a place on the axis.
func (a axis) value(at float64) float64 {
	share := (at - a.from) / (a.to - a.from)
	if a.log {
		return a.low * math.Pow(a.top/a.low, share)
	}
	return a.low + share*(a.top-a.low)
}

// maxDifferences bounds the lines of a chart of differences.
const maxDifferences = 14

// differenceChart draws what B adds to each time, with its interval: an interval that includes 0 shows no difference.
func differenceChart(m runlog.Measured) (chart, bool) {
	if m.Footer == nil || m.Footer.Compared == nil {
		return chart{}, false
	}
	var list []runlog.Difference
	values := []float64{0}
	for _, d := range m.Footer.Compared.Differences {
		if !d.Share && len(list) < maxDifferences {
			list = append(list, d)
			values = append(values, d.Low, d.High)
		}
	}
	if len(list) == 0 {
		return chart{}, false
	}
	c := chart{Title: "Difference between B and A for each metric, with 95 % confidence intervals", XName: "B minus A"}
	const names = 100
	x := newAxis(false, names, chartRight-10, values...)
	c.horizontal(x, func(v float64) string {
		return plain.Time(time.Duration(min(max(v, -1e9), 1e9) * float64(time.Second)))
	})
	c.mark("bound", x.at(0), "", "start", chartTop)
	step := float64(chartBottom-chartTop) / float64(len(list))
	for i, d := range list {
		y := chartTop + step*(float64(i)+0.5)
		class := "q50"
		if d.Found() {
			class = "q99"
		}
		c.Grid = append(c.Grid, chartTick{X1: names, X2: chartRight, Y: y, TextX: names - 6, TextY: y + 4, Text: plain.Text(d.Metric, 16)})
		c.Lines = append(c.Lines, chartLine{class, number(x.at(d.Low)) + "," + number(y) + " " + number(x.at(d.High)) + "," + number(y)})
		row := comparedRows(&runlog.Compared{Differences: []runlog.Difference{d}})[0]
		c.Dots = append(c.Dots, chartDot{Class: class, X: x.at(d.Added), Y: y, Title: row.Metric + ": B adds " + row.Added + ", " + row.Interval})
	}
	c.Legend = []chartKey{{"q99", "differs"}, {"q50", "no difference"}}
	return c, true
}
