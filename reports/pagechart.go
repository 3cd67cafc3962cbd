package reports

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

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
	c.top = roundUp(most)
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

// roundUp returns the next of 1, 2, 4, 5, 6, 8 and 10 times a power of ten, and 1 for 0.
func roundUp(v float64) float64 { return nextOf(v, 1, 2, 4, 5, 6, 8) }

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
