package load

import (
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Histogram is a distribution of durations: an HDR histogram from 1 µs to 1 h with three significant digits, so that a
// quantile is off by 0.1 % at most. The zero value is empty. It is not safe for concurrent use.
type Histogram struct{ hdr *hdrhistogram.Histogram }

const (
	minRecorded = int64(time.Microsecond)
	maxRecorded = int64(time.Hour)
	digits      = 3
)

// Add counts a duration. One of more than an hour counts as an hour.
func (h *Histogram) Add(d time.Duration) {
	if h.hdr == nil {
		h.hdr = hdrhistogram.New(minRecorded, maxRecorded, digits)
	}
	_ = h.hdr.RecordValue(min(max(int64(d), 0), maxRecorded)) // cannot fail: the value is in range
}

// Merge adds the durations of another histogram.
func (h *Histogram) Merge(other Histogram) {
	if other.hdr == nil {
		return
	}
	if h.hdr == nil {
		h.hdr = hdrhistogram.New(minRecorded, maxRecorded, digits)
	}
	h.hdr.Merge(other.hdr) // drops nothing: the ranges are the same
}

// Count returns the number of durations.
func (h Histogram) Count() uint64 {
	if h.hdr == nil {
		return 0
	}
	return uint64(h.hdr.TotalCount()) //nolint:gosec // a count
}

// Quantile returns the duration that a share q of all (0 to 1) does not exceed. It is 0 without durations.
func (h Histogram) Quantile(q float64) time.Duration {
	if h.hdr == nil {
		return 0
	}
	return time.Duration(h.hdr.ValueAtQuantile(q * 100))
}

// Mean returns the arithmetic mean. It is 0 without durations.
func (h Histogram) Mean() time.Duration {
	if h.hdr == nil {
		return 0
	}
	return time.Duration(math.Round(h.hdr.Mean()))
}

// Max returns the longest duration, within the histogram's precision. It is 0 without durations.
func (h Histogram) Max() time.Duration {
	if h.hdr == nil {
		return 0
	}
	return time.Duration(h.hdr.Max())
}

// histogram returns the HDR histogram, an empty one when there is none yet.
func (h Histogram) histogram() *hdrhistogram.Histogram {
	if h.hdr == nil {
		return hdrhistogram.New(minRecorded, maxRecorded, digits)
	}
	return h.hdr
}

func (h *Histogram) reset() {
	if h.hdr != nil {
		h.hdr.Reset()
	}
}

// Within returns how many durations do not exceed bound, within the histogram's precision.
func (h Histogram) Within(bound time.Duration) (n uint64) {
	if h.hdr == nil {
		return 0
	}
	for _, bar := range h.hdr.Distribution() {
		if bar.From <= int64(bound) {
			n += uint64(bar.Count) //nolint:gosec // a count
		}
	}
	return n
}
