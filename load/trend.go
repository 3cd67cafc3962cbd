package load

import (
	"fmt"
	"time"

	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Trend is how a quantity changed in a soak.
type Trend struct {
	// Name is the quantity. Unit is "ms", "%", "MB" or "open".
	Name, Unit string
	// Start is the median of the first quarter of the points.
	Start float64
	// PerHour is the change per hour (Theil-Sen slope) with its 95 % confidence interval, for points that depend on their
	// neighbours.
	PerHour Estimate
	// Unclear means that there is no confidence interval: neighbouring points are so strongly correlated that they count as fewer than eight
	// independent points.
	Unclear bool
	// Span is the time between the first and the last of the points.
	Span time.Duration
}

// minGrowth is the change within a soak, relative to the start, from which on a trend counts as growth. A slope may be
// significant and yet too small to matter.
const minGrowth = 0.05

// Grows reports whether the quantity grows: the confidence interval excludes 0, and the change within the soak exceeds a twentieth of the start.
// Of 1,000 series without a trend, whose neighbours are correlated by up to 0.97, at most 50 are reported to grow. Of 1,000 series of 270 points
// that grow by a tenth, with a spread of 5 % and neighbours correlated by 0.6, at least 900 are. An error rate also has to grow by more than 0.1
// percentage points.
func (t Trend) Grows() bool {
	change := t.PerHour.Value * t.Span.Hours()
	least := t.Start * minGrowth
	if t.Unit == "%" {
		least = max(least, 0.1)
	}
	return t.PerHour.Low > 0 && change > least
}

// hourlyFrom is the shortest span whose change is given per hour. A shorter one says nothing about an hour: a median of
// 2 ms that falls by 0.4 ms in 30 s would fall by 44 ms an hour.
const hourlyFrom = 10 * time.Minute

// String returns the trend in one line: "p50 -0.36 ms in 27s (-0.57 to -0.18), from 2.04 ms".
func (t Trend) String() string {
	if t.Unclear {
		return fmt.Sprintf("%[1]s (initially %.3[3]g %[4]s) fluctuates so slowly that %[2]s is too short to show a trend", t.Name, plain.Duration(t.Span.Round(time.Second)), t.Start, t.Unit)
	}
	share, unit := 1.0, t.Unit+"/h"
	if t.Span < hourlyFrom {
		share, unit = t.Span.Hours(), t.Unit+" in "+plain.Duration(t.Span.Round(min(time.Second, max(t.Span/10, 1))))
	}
	return fmt.Sprintf("%s %+.3g %s (%+.3g to %+.3g), from %.3g %s",
		t.Name, share*t.PerHour.Value, unit, share*t.PerHour.Low, share*t.PerHour.High, t.Start, t.Unit)
}

// trendsOf computes the trends of a soak, without its warm-up.
func trendsOf(windows []Window, process []ProcessSample, warmUp time.Duration) []Trend {
	var p50, p99, errors, rss, descriptors []point
	for _, w := range windows {
		total := w.Total()
		if w.Start < warmUp || total == 0 {
			continue
		}
		x := w.Start.Hours()
		errors = append(errors, point{x, 100 * float64(total-w.Counts[runlog.Admitted]) / float64(total)})
		if w.Counts[runlog.Admitted] > 0 {
			p50 = append(p50, point{x, float64(w.P50) / float64(time.Millisecond)})
			p99 = append(p99, point{x, float64(w.P99) / float64(time.Millisecond)})
		}
	}
	for _, s := range process {
		if s.At < warmUp {
			continue
		}
		rss = append(rss, point{s.At.Hours(), float64(s.Bytes) / 1e6})
		if s.Descriptors >= 0 {
			descriptors = append(descriptors, point{s.At.Hours(), float64(s.Descriptors)})
		}
	}
	var trends []Trend
	for _, series := range []struct {
		name, unit string
		points     []point
	}{{"p50", "ms", p50}, {"p99", "ms", p99}, {"errors", "%", errors}, {"memory", "MB", rss}, {"descriptors", "open", descriptors}} {
		if t, ok := trendOf(series.name, series.unit, series.points); ok {
			trends = append(trends, t)
		}
	}
	return trends
}

func trendOf(name, unit string, points []point) (Trend, bool) {
	if len(points) < leastIndependent {
		return Trend{}, false
	}
	change, ok := trendSlope(points)
	var first []float64
	for _, p := range points[:max(len(points)/4, 1)] {
		first = append(first, p.y)
	}
	span := points[len(points)-1].x - points[0].x
	return Trend{
		Name: name, Unit: unit, Start: median(first), PerHour: change, Unclear: !ok,
		Span: time.Duration(span * float64(time.Hour)),
	}, true
}
