package main

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// plotPoint is a point of a plot.
type plotPoint struct{ x, y float64 }

// plotSeries is a set of points under one mark.
type plotSeries struct {
	name   string
	mark   byte
	points []plotPoint
}

// axes name what a plot shows. A logarithmic y has to be positive; one that is not begins at 0.
type axes struct {
	x, y string
	logY bool
}

const (
	plotRows = 12
	// plotMargin holds the labels of the y axis.
	plotMargin = 9
	// maxPlotWidth keeps a plot together on a wide terminal.
	maxPlotWidth = 100
)

// plot draws series as text: no colour, no escapes, the same in a log as on a terminal. Of two points in one place the
// later series shows. Fewer than two points make no plot.
func plot(w io.Writer, width int, a axes, series []plotSeries) {
	low, high, count := bounds(series)
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
	for _, s := range series {
		for _, p := range s.points {
			column := place(p.x, low.x, high.x, columns)
			row := place(scale(p.y), scale(low.y), scale(high.y), plotRows)
			grid[plotRows-1-row][column] = s.mark
		}
	}
	var names []string
	for _, s := range series {
		names = append(names, fmt.Sprintf("%c %s", s.mark, s.name))
	}
	fmt.Fprintf(w, "\n%s   %s\n", a.y, strings.Join(names, "   "))
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

func bounds(series []plotSeries) (low, high plotPoint, count int) {
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

// plotLabel writes a number with three digits, and never with an exponent.
func plotLabel(v float64) string {
	if v >= 1000 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// place is the cell of n in which a value of a range lies.
func place(value, low, high float64, n int) int {
	return min(int((value-low)/(high-low)*float64(n)), n-1)
}
