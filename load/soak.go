package load

import (
	"context"
	"fmt"
	"time"

	"github.com/gatecert/gatecert/reports/runlog"
)

// Soak holds a rate for long and looks at what drifts.
type Soak struct {
	// Phase is fired once; its schedule is the soak's own. Its windows are the points of the trends.
	Phase Phase
	// Rate is held for For. Default 20/s for 1 min.
	Rate float64
	For  time.Duration
	// PID is the gateway's process, whose memory is read once a window; 0 leaves it out.
	PID int
	// WarmUp is how much of the beginning no trend counts. Default a tenth of For, at most 1 min.
	WarmUp time.Duration
}

// SoakResult is what came of a soak.
type SoakResult struct {
	Measurement Measurement
	// Trends are those that could be computed: "p50", "p99", "errors" and "memory".
	Trends []Trend
	// Memory are the readings, nil when there are none.
	Memory []MemorySample
	// MemoryError says why the memory could not be read, nil when it was, or nobody asked for it.
	MemoryError error
}

// Trend is how a quantity changes.
type Trend struct {
	// Name is what changes; Unit is "ms", "%" or "MB".
	Name, Unit string
	// Start is the median of the first quarter.
	Start float64
	// PerHour is the change in an hour (Theil-Sen), with its 95 % interval.
	PerHour Estimate
	// Points is how many values it is based on.
	Points int
	// Span is the time between the first and the last of them.
	Span time.Duration
}

// driftShare is by how much of its start a quantity has to change within the soak before its trend counts as drift:
// a slope that is certain and tiny is a fact, and no reason to get up at night.
const driftShare = 0.1

// Grows reports whether the quantity drifts upwards: by an interval that leaves out 0, and by more than a tenth of
// what it was - of errors, by more than one in a thousand.
func (t Trend) Grows() bool {
	change := t.PerHour.Value * t.Span.Hours()
	least := t.Start * driftShare
	if t.Unit == "%" {
		least = max(least, 0.1)
	}
	return t.PerHour.Low > 0 && change > least
}

// tellHourly is the shortest time over which a change is told per hour. Less of it says nothing about an hour: in 30 s a
// median of 2 ms that falls by 0.4 ms falls by 44 ms an hour.
const tellHourly = 10 * time.Minute

// String is the trend in one line: "p50 -0.36 ms in 27s (-0.57 to -0.18), from 2.04 ms".
func (t Trend) String() string {
	share, span := 1.0, t.Unit+"/h"
	if t.Span < tellHourly {
		share, span = t.Span.Hours(), t.Unit+" in "+t.Span.Round(min(time.Second, max(t.Span/10, 1))).String()
	}
	return fmt.Sprintf("%s %+.3g %s (%+.3g to %+.3g), from %.3g %s",
		t.Name, share*t.PerHour.Value, span, share*t.PerHour.Low, share*t.PerHour.High, t.Start, t.Unit)
}

// MemorySample is the gateway's resident memory at an instant.
type MemorySample struct {
	At    time.Duration
	Bytes uint64
}

func (s Soak) withDefaults() Soak {
	setDefault(&s.Rate, 20)
	setDefault(&s.For, time.Minute)
	setDefault(&s.WarmUp, min(s.For/10, time.Minute))
	s.Phase.Name = "soak"
	s.Phase.Schedule = Constant{Rate: s.Rate, For: s.For}
	return s
}

// CheckPID returns [ErrInvalid] when there is a PID, and the memory of such a process cannot be read: it does not exist, or
// this system does not tell.
func (s Soak) CheckPID() error {
	if s.PID == 0 {
		return nil
	}
	if _, err := residentMemory(s.PID); err != nil {
		return fmt.Errorf("%w: process %d: %w", ErrInvalid, s.PID, err)
	}
	return nil
}

// PlanSoak says what a soak will send.
func (e *Engine) PlanSoak(s Soak) (Plan, error) { return e.Plan(s.withDefaults().Phase) }

// Soak holds the rate and measures what drifts. It fails as [Engine.Run] does, with what it has found by then.
func (e *Engine) Soak(ctx context.Context, s Soak) (SoakResult, error) {
	s = s.withDefaults()
	var d SoakResult
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		if s.PID > 0 {
			d.Memory, d.MemoryError = watchMemory(s.PID, s.Phase.withDefaults().Window, stop)
		}
	}()
	m, err := e.Run(ctx, s.Phase)
	close(stop)
	<-done
	d.Measurement = m
	d.Trends = trendsOf(m.Windows, d.Memory, s.WarmUp)
	return d, err
}

// trendsOf computes the trends of a soak's windows, those of the warm-up left out.
func trendsOf(windows []Window, memory []MemorySample, warmUp time.Duration) []Trend {
	var p50, p99, errors, rss []point
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
	for _, r := range memory {
		if r.At >= warmUp {
			rss = append(rss, point{r.At.Hours(), float64(r.Bytes) / 1e6})
		}
	}
	var trends []Trend
	for _, series := range []struct {
		name, unit string
		points     []point
	}{{"p50", "ms", p50}, {"p99", "ms", p99}, {"errors", "%", errors}, {"memory", "MB", rss}} {
		if t, ok := trendOf(series.name, series.unit, series.points); ok {
			trends = append(trends, t)
		}
	}
	return trends
}

func trendOf(name, unit string, points []point) (Trend, bool) {
	change, ok := slope(points)
	if !ok {
		return Trend{}, false
	}
	var first []float64
	for _, p := range points[:max(len(points)/4, 1)] {
		first = append(first, p.y)
	}
	over := points[len(points)-1].x - points[0].x
	return Trend{
		Name: name, Unit: unit, Start: median(first), PerHour: change, Points: len(points),
		Span: time.Duration(over * float64(time.Hour)),
	}, true
}
