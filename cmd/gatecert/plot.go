package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

type plotPoint struct{ x, y float64 }

type plotSeries struct {
	name   string
	mark   byte
	points []plotPoint
}

// quantilePlot is the median and the 99th percentile of a time, in milliseconds, against something.
type quantilePlot struct{ p50, p99 []plotPoint }

func (q *quantilePlot) add(x float64, p50, p99 time.Duration) {
	q.p50 = append(q.p50, plotPoint{x, float64(p50) / float64(time.Millisecond)})
	q.p99 = append(q.p99, plotPoint{x, float64(p99) / float64(time.Millisecond)})
}

func (q *quantilePlot) plot(c *console, x, y string) {
	plot(c.out, c.width, axes{x: x, y: y, logY: true}, []plotSeries{{"p50", 'o', q.p50}, {"p99", '*', q.p99}})
}

// axes label a plot. A logarithmic y axis needs positive values; any other begins at 0.
type axes struct {
	x, y string
	logY bool
}

const (
	plotRows     = 12
	plotMargin   = 9 // columns for the labels of the y axis
	maxPlotWidth = 100
)

// plot prints a scatter plot as plain text: no colours and no escapes, so that a log shows what a terminal shows. Where two
// points fall into one cell, the later series is visible. Fewer than two points make no plot.
//
// It is not asciigraph's line plot: that takes evenly spaced values, draws lines across gaps, drops peaks when there are more
// values than columns, and has no logarithmic axis.
func plot(w io.Writer, width int, a axes, series []plotSeries) {
	low, high, count := plotRange(series)
	columns := min(width, maxPlotWidth) - plotMargin - 2
	if count < 2 || columns < 10 {
		return
	}
	scale := func(y float64) float64 { return y }
	if a.logY {
		scale = math.Log
	} else {
		low.y = min(low.y, 0)
	}
	if low.y == high.y {
		high.y++
	}
	if low.x == high.x {
		high.x++
	}
	grid := make([][]byte, plotRows)
	for row := range grid {
		grid[row] = []byte(strings.Repeat(" ", columns))
	}
	var legend strings.Builder
	for _, s := range series {
		fmt.Fprintf(&legend, "   %c %s", s.mark, s.name)
		for _, p := range s.points {
			column := cell(p.x, low.x, high.x, columns)
			row := cell(scale(p.y), scale(low.y), scale(high.y), plotRows)
			grid[plotRows-1-row][column] = s.mark
		}
	}
	fmt.Fprintf(w, "\n%s%s\n", a.y, legend.String())
	for row, line := range grid {
		label := ""
		switch row {
		case 0:
			label = plotLabel(high.y)
		case plotRows - 1:
			label = plotLabel(low.y)
		}
		fmt.Fprintf(w, "%*s |%s\n", plotMargin-1, label, strings.TrimRight(string(line), " "))
	}
	left, right := plotLabel(low.x), plotLabel(high.x)
	gap := max(columns-len(left)-len(right), 1)
	fmt.Fprintf(w, "%*s +%s\n%*s  %s%*s%s  %s\n", plotMargin-1, "", strings.Repeat("-", columns), plotMargin-1, "", left, gap, "", right, a.x)
}

// plotRange returns the smallest and the largest coordinates of all points, and how many points there are.
func plotRange(series []plotSeries) (low, high plotPoint, count int) {
	low, high = plotPoint{math.Inf(1), math.Inf(1)}, plotPoint{math.Inf(-1), math.Inf(-1)}
	for _, s := range series {
		for _, p := range s.points {
			low = plotPoint{min(low.x, p.x), min(low.y, p.y)}
			high = plotPoint{max(high.x, p.x), max(high.y, p.y)}
			count++
		}
	}
	return low, high, count
}

// plotLabel formats a number with three digits and without an exponent.
func plotLabel(v float64) string {
	if v >= 1000 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// cell returns which of n equal cells of a range contains a value.
func cell(value, low, high float64, n int) int {
	return min(int((value-low)/(high-low)*float64(n)), n-1)
}
