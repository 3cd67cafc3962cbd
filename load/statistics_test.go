package load

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/reports/runlog"
)

func TestSlope(t *testing.T) {
	line := func(slope, noise float64, wild int) []point {
		random := rand.New(rand.NewPCG(5, 6))
		var points []point
		for i := range 60 {
			y := 10 + slope*float64(i) + noise*random.NormFloat64()
			if wild > 0 && i%wild == 0 {
				y *= 50
			}
			points = append(points, point{float64(i), y})
		}
		return points
	}
	exact, ok := slope(line(2, 0, 0), 1.96)
	require.True(t, ok)
	assert.InDelta(t, 2, exact.Value, 1e-9)
	assert.Positive(t, exact.Low)

	flat, _ := slope(line(0, 1, 0), 1.96)
	assert.True(t, flat.Low <= 0 && flat.High >= 0, "noise is not a trend: %+v", flat)

	wild, _ := slope(line(2, 1, 7), 1.96)
	assert.InDelta(t, 2, wild.Value, 0.3, "a seventh of the points is wild")

	constant, _ := slope(line(0, 0, 0), 1.96)
	assert.Equal(t, Estimate{}, constant)

	_, ok = slope(line(1, 0, 0)[:4], 1.96)
	assert.False(t, ok, "four points are no series")
	_, ok = slope([]point{{1, 1}, {1, 2}, {1, 3}, {1, 4}, {1, 5}}, 1.96)
	assert.False(t, ok, "nor is one instant")
}

// windowsWith are a minute's windows in which the 99th percentile grows by so much from one to the next.
func windowsWith(growth time.Duration, errors func(i int) uint64) []Window {
	var out []Window
	for i := range 60 {
		p99 := 20*ms + time.Duration(i)*growth + time.Duration(i%3)*ms
		out = append(out, Window{
			Start: time.Duration(i) * time.Second, Length: time.Second, P50: 10*ms + time.Duration(i%2)*100*time.Microsecond, P99: p99,
			Counts: map[runlog.Outcome]uint64{runlog.Admitted: 100 - errors(i), runlog.Error5xx: errors(i), runlog.LocalError: 7},
		})
	}
	return out
}

func trendNamed(t *testing.T, trends []Trend, name string) Trend {
	t.Helper()
	for _, trend := range trends {
		if trend.Name == name {
			return trend
		}
	}
	require.Fail(t, "no trend "+name)
	return Trend{}
}

func TestTrends(t *testing.T) {
	none := func(int) uint64 { return 0 }
	steady := trendsOf(windowsWith(0, none), nil, 0)
	require.Len(t, steady, 3)
	for _, trend := range steady {
		assert.False(t, trend.Grows(), "%s", trend)
	}

	slower := trendNamed(t, trendsOf(windowsWith(ms, none), nil, 0), "p99")
	assert.True(t, slower.Grows())
	assert.InDelta(t, 3600, slower.PerHour.Value, 100, "1 ms a second")

	tiny := trendNamed(t, trendsOf(windowsWith(10*time.Microsecond, none), nil, 0), "p99")
	assert.False(t, tiny.Grows(), "a slope that is sure and small: %s", tiny)

	failing := trendNamed(t, trendsOf(windowsWith(0, func(i int) uint64 { return uint64(i / 6) }), nil, 0), "errors")
	assert.True(t, failing.Grows())

	var memory []ProcessSample
	for i := range 60 {
		memory = append(memory, ProcessSample{time.Duration(i) * time.Second, uint64(100e6 + 1e6*i), 10 + i/2})
	}
	leak := trendNamed(t, trendsOf(nil, memory, 30*time.Second), "memory")
	assert.True(t, leak.Grows())
	assert.Equal(t, 29*time.Second, leak.Span, "the warm-up is left out")
	assert.Equal(t, "memory +29 MB in 29s (+29 to +29), from 133 MB", leak.String())
	leak.Span = time.Hour
	assert.Equal(t, "memory +3.6e+03 MB/h (+3.6e+03 to +3.6e+03), from 133 MB", leak.String())
}
