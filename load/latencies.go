package load

import (
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Histogram is a distribution of durations: an HDR histogram from 1 µs to 1 h with three significant digits, so that
// no quantile is off by more than 0.1 %. The zero value is empty. It is not safe for concurrent use.
type Histogram struct{ h *hdrhistogram.Histogram }

const (
	leastLatency = int64(time.Microsecond)
	mostLatency  = int64(time.Hour)
	digits       = 3
)

// Add counts one duration. What is longer than an hour counts as an hour.
func (l *Histogram) Add(d time.Duration) {
	if l.h == nil {
		l.h = hdrhistogram.New(leastLatency, mostLatency, digits)
	}
	_ = l.h.RecordValue(min(max(int64(d), 0), mostLatency)) // in range, so that it cannot fail
}

// Merge counts all of another's durations.
func (l *Histogram) Merge(other Histogram) {
	if other.h == nil {
		return
	}
	if l.h == nil {
		l.h = hdrhistogram.New(leastLatency, mostLatency, digits)
	}
	l.h.Merge(other.h) // the same range, so that nothing is dropped
}

// Count is the number of durations.
func (l Histogram) Count() uint64 {
	if l.h == nil {
		return 0
	}
	return uint64(l.h.TotalCount()) //nolint:gosec // a count
}

// Quantile is the duration that a share q of all (0 to 1) does not exceed, 0 when there are none.
func (l Histogram) Quantile(q float64) time.Duration {
	if l.h == nil {
		return 0
	}
	return time.Duration(l.h.ValueAtQuantile(q * 100))
}

// Mean is the average, 0 when there are none.
func (l Histogram) Mean() time.Duration {
	if l.h == nil {
		return 0
	}
	return time.Duration(math.Round(l.h.Mean()))
}

// Max is the longest, within the histogram's precision.
func (l Histogram) Max() time.Duration {
	if l.h == nil {
		return 0
	}
	return time.Duration(l.h.Max())
}

// histogram is never nil.
func (l Histogram) histogram() *hdrhistogram.Histogram {
	if l.h == nil {
		return hdrhistogram.New(leastLatency, mostLatency, digits)
	}
	return l.h
}

func (l *Histogram) reset() {
	if l.h != nil {
		l.h.Reset()
	}
}

// Within counts the durations that do not exceed a bound, within the histogram's precision.
func (l Histogram) Within(bound time.Duration) (n uint64) {
	if l.h == nil {
		return 0
	}
	for _, bar := range l.h.Distribution() {
		if bar.From <= int64(bound) {
			n += uint64(bar.Count) //nolint:gosec // a count
		}
	}
	return n
}
