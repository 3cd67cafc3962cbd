// Package histogram provides two histograms for load tests: one of durations and one of counts. Both are HDR histograms with three significant
// digits, so that a quantile is off by at most 0.1 %, and their size does not grow with the number of values.
package histogram

import (
	"io"
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// digits is how many significant digits a histogram keeps.
const digits = 3

// bounds are the least value that has a bar of its own, and the greatest.
type bounds struct{ low, high int64 }

var (
	durations = bounds{int64(time.Microsecond), int64(time.Hour)} //nolint:gochecknoglobals // constants
	counts    = bounds{1, 100_000_000}                            //nolint:gochecknoglobals // constants
)

// histogram is what both have in common. The zero value is empty.
type histogram struct{ hdr *hdrhistogram.Histogram }

func (b bounds) empty() *hdrhistogram.Histogram { return hdrhistogram.New(b.low, b.high, digits) }

// add counts a value n times.
func (h *histogram) add(value, n int64, b bounds) {
	if h.hdr == nil {
		h.hdr = b.empty()
	}
	_ = h.hdr.RecordValues(min(max(value, 0), b.high), n) // cannot fail: the value is in range
}

func (h *histogram) merge(other histogram, b bounds) {
	if other.hdr == nil {
		return
	}
	if h.hdr == nil {
		h.hdr = b.empty()
	}
	h.hdr.Merge(other.hdr) // drops nothing: the ranges are the same
}

// Count returns the number of values.
func (h histogram) Count() uint64 {
	if h.hdr == nil {
		return 0
	}
	return uint64(h.hdr.TotalCount()) //nolint:gosec // a count
}

func (h histogram) quantile(q float64) int64 {
	if h.hdr == nil {
		return 0
	}
	return h.hdr.ValueAtQuantile(q * 100)
}

func (h histogram) mean() float64 {
	if h.hdr == nil {
		return 0
	}
	return h.hdr.Mean()
}

func (h histogram) max() int64 {
	if h.hdr == nil {
		return 0
	}
	return h.hdr.Max()
}

// Bar contains the values between two bounds.
type Bar struct {
	From, To int64
	Count    uint64
}

// Bars returns the values in ascending order. Values that the histogram does not distinguish are in one bar.
func (h histogram) Bars() []Bar {
	if h.hdr == nil {
		return nil
	}
	var bars []Bar
	for _, b := range h.hdr.Distribution() {
		if b.Count > 0 {
			bars = append(bars, Bar{b.From, b.To, uint64(b.Count)})
		}
	}
	return bars
}

// Reset empties a histogram and keeps its memory for reuse.
func (h *histogram) Reset() {
	if h.hdr != nil {
		h.hdr.Reset()
	}
}

func (h histogram) within(bound int64) (n uint64) {
	if h.hdr == nil {
		return 0
	}
	for _, bar := range h.hdr.Distribution() {
		if bar.From <= bound {
			n += uint64(bar.Count) //nolint:gosec // a count
		}
	}
	return n
}

// Histogram is a distribution of durations from 1 µs to 1 h. The zero value is empty. It is not safe for concurrent use.
type Histogram struct{ histogram }

// Add counts a duration. A duration of more than an hour counts as an hour.
func (h *Histogram) Add(d time.Duration) { h.add(int64(d), 1, durations) }

// AddMany counts a duration n times.
func (h *Histogram) AddMany(d time.Duration, n uint64) {
	h.add(int64(d), int64(min(n, math.MaxInt64)), durations)
}

// Merge adds the durations of another histogram.
func (h *Histogram) Merge(other Histogram) { h.merge(other.histogram, durations) }

// Quantile returns the duration that a share q of all durations (0 to 1) does not exceed. It is 0 if the histogram is empty.
func (h Histogram) Quantile(q float64) time.Duration { return time.Duration(h.quantile(q)) }

// Mean returns the arithmetic mean. It is 0 if the histogram is empty.
func (h Histogram) Mean() time.Duration { return time.Duration(math.Round(h.mean())) }

// Max returns the longest duration, within the histogram's precision. It is 0 if the histogram is empty.
func (h Histogram) Max() time.Duration { return time.Duration(h.max()) }

// Within returns how many durations do not exceed bound, within the histogram's precision.
func (h Histogram) Within(bound time.Duration) (n uint64) { return h.within(int64(bound)) }

// WriteHgrm writes the histogram in the format of HdrHistogram's plotter, in milliseconds.
func (h Histogram) WriteHgrm(w io.Writer) error {
	const ticks = 5 // per halving of the distance to 100 %, as the format's own tools write it
	hdr := h.hdr
	if hdr == nil {
		hdr = durations.empty()
	}
	_, err := hdr.PercentilesPrint(w, ticks, float64(time.Millisecond))
	return err
}

// Counts is a distribution of whole numbers from 0 to 100 million. The zero value is empty. It is not safe for concurrent use.
type Counts struct{ histogram }

// Add counts a number. A number of more than 100 million counts as 100 million.
func (c *Counts) Add(n int64) { c.add(n, 1, counts) }

// Merge adds the numbers of another histogram.
func (c *Counts) Merge(other Counts) { c.merge(other.histogram, counts) }

// Quantile returns the number that a share q of all numbers (0 to 1) does not exceed. It is 0 if the histogram is empty.
func (c Counts) Quantile(q float64) int64 { return c.quantile(q) }

// Mean returns the arithmetic mean. It is 0 if the histogram is empty.
func (c Counts) Mean() float64 { return c.mean() }

// Max returns the greatest number, within the histogram's precision. It is 0 if the histogram is empty.
func (c Counts) Max() int64 { return c.max() }
