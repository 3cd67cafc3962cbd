package measured

import (
	"fmt"
	"strconv"
	"strings"
)

// chart is drawn as SVG, without a script. Its numbers are in units of its viewBox.
type chart struct {
	Title, Label string
	Bands        []chartBand
	Grid, Ticks  []chartTick
	Bars         []chartBar
	Lines        []chartLine
	Rules        []chartRule
	Dots         []chartDot
	Legend       []chartKey
	XName        string
}

type chartBand struct {
	X, Width float64
	Text     string
}

type chartTick struct {
	X1, X2, Y, TextX, TextY float64
	Text, Anchor            string
}

type chartBar struct {
	Class               string
	X, Y, Width, Height float64
	Title               string
}

type chartLine struct{ Class, Points string }

// chartRule is a straight line that marks a value: the SLO, a bound.
type chartRule struct {
	Class          string
	X1, Y1, X2, Y2 float64
	TextX, TextY   float64
	Text, Anchor   string
}

type chartDot struct {
	Class, Title string
	X, Y         float64
}

type chartKey struct{ Class, Name string }

// The dimensions of a chart. It is small enough to fit on the screen of a phone, with text that is legible there.
const (
	chartWidth, chartHeight = 480, 250
	chartLeft, chartRight   = 52, 470
	chartTop, chartBottom   = 16, 214
	chartLetter             = 6  // average width of a letter
	labelLimit              = 40 // letters of a text in a chart
)

func number(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

// horizontal draws the ticks of the x axis.
func (c *chart) horizontal(a axis, text func(float64) string) {
	for _, v := range a.ticks(7) {
		t := chartTick{TextX: a.at(v), TextY: chartBottom + 16, Text: text(v), Anchor: "middle"}
		if t.TextX+chartLetter*float64(len(t.Text))/2 > chartWidth {
			t.Anchor = "end"
		}
		c.Ticks = append(c.Ticks, t)
	}
}

// vertical draws the grid.
func (c *chart) vertical(a axis, text func(float64) string) {
	for _, v := range a.ticks(7) {
		y := a.at(v)
		c.Grid = append(c.Grid, chartTick{X1: chartLeft, X2: chartRight, Y: y, TextX: chartLeft - 6, TextY: y + 4, Text: text(v)})
	}
}

// line connects points; where a value is missing it is broken.
func (c *chart) line(class string, x, y axis, points [][2]float64) {
	var list []string
	flush := func() {
		if len(list) > 1 {
			c.Lines = append(c.Lines, chartLine{class, strings.Join(list, " ")})
		} else if len(list) == 1 {
			at := strings.Split(list[0], ",")
			px, _ := strconv.ParseFloat(at[0], 64)
			py, _ := strconv.ParseFloat(at[1], 64)
			c.Dots = append(c.Dots, chartDot{Class: class, X: px, Y: py})
		}
		list = nil
	}
	for _, p := range points {
		if p[1] <= 0 {
			flush()
			continue
		}
		list = append(list, number(x.at(p[0]))+","+number(y.at(p[1])))
	}
	flush()
}

// level is a horizontal rule with its text at the left.
func (c *chart) level(class string, y float64, text string) {
	r := chartRule{Class: class, X1: chartLeft, X2: chartRight, Y1: y, Y2: y, TextX: chartLeft + 4, TextY: y - 4, Text: text, Anchor: "start"}
	if y < chartTop+14 {
		r.TextY = y + 12
	}
	c.Rules = append(c.Rules, r)
}

// mark is a vertical rule with its text at the bottom, on the given side.
func (c *chart) mark(class string, x float64, text, anchor string, textY float64) {
	r := chartRule{Class: class, X1: x, X2: x, Y1: chartTop, Y2: chartBottom, TextX: x - 4, TextY: textY, Text: text, Anchor: anchor}
	if anchor == "start" {
		r.TextX = x + 4
	}
	c.Rules = append(c.Rules, r)
}

func plainNumber(v float64) string {
	switch {
	case v >= 1e9 || v <= -1e9:
		return fmt.Sprintf("%.1e", v)
	case v >= 1e6:
		return fmt.Sprintf("%gM", v/1e6)
	case v >= 1e4:
		return fmt.Sprintf("%gk", v/1e3)
	default:
		return fmt.Sprintf("%.6g", v)
	}
}
