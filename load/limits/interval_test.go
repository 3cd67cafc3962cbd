//go:build !race

package limits

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

// The truth is within the intervals, and they are no wider than a few of its decision intervals.
func TestIntervalsCoverTheTruth(t *testing.T) {
	covers := func(l *simulatedLimiter, m LimiterModel) bool {
		v, capacity, rate := m.Intervals, l.limit, float64(l.limit)/l.window.Seconds()
		if l.burst > 0 {
			capacity = l.burst
		}
		if capacity < v.Limit.From || capacity > v.Limit.To {
			return false
		}
		switch l.kind { //nolint:exhaustive // the others have a window
		case contract.Concurrency:
			return true
		case contract.TokenBucket:
			return rate >= v.Refill.From && rate <= v.Refill.To
		default:
			return l.window >= v.Window.From && l.window <= v.Window.To
		}
	}
	for _, kind := range contract.LimiterKinds() {
		for _, size := range []size{{5, time.Second}, {20, 2 * time.Second}, {30, 20 * time.Second}} {
			t.Run(fmt.Sprintf("%s of %d in %s", kind, size.limit, size.window), func(t *testing.T) {
				t.Parallel()
				named, covered := 0, 0
				for run := range runsOf(2, 60) {
					synctest.Test(t, func(t *testing.T) {
						l := simulation{kind, size.limit, size.window, run, 51, run%2 == 1}.limiter()
						m, _, err := Infer(t.Context(), l.call, Budget{Time: 10 * time.Minute})
						if err != nil || m.Kind != kind {
							return
						}
						named++
						if covers(l, m) {
							covered++
						} else {
							t.Logf("run %d: %s: %s", run, m, m.Intervals)
						}
						if run == 0 && kind != contract.Concurrency {
							v := m.Intervals
							t.Logf("%s: %s", m, v)
							require.LessOrEqual(t, v.Limit.To-v.Limit.From, 1)
							require.Less(t, float64(v.Window.To-v.Window.From), 0.15*float64(size.window), "%s", v)
							require.Less(t, v.Refill.To-v.Refill.From, 0.15*float64(size.limit)/size.window.Seconds(), "%s", v)
						}
					})
				}
				t.Logf("%d of %d covered", covered, named)
				require.GreaterOrEqual(t, covered, named-int(runsOf(0, 1)))
			})
		}
	}
}

func TestIntervalsAreSaid(t *testing.T) {
	for want, v := range map[string]Intervals{
		"limit 20, window 1.99s to 2.01s": {Limit: Interval[int]{20, 20}, Window: Interval[time.Duration]{1990 * time.Millisecond, 2010 * time.Millisecond}},
		"limit 19 to 21, window 2s":       {Limit: Interval[int]{19, 21}, Window: Interval[time.Duration]{2 * time.Second, 2 * time.Second}},
		"burst 5, rate 9.96/s to 10.1/s":  {Limit: Interval[int]{5, 5}, Refill: Interval[float64]{9.96, 10.1}},
		"limit 8":                         {Limit: Interval[int]{8, 8}},
	} {
		require.Equal(t, want, v.String())
	}
}
