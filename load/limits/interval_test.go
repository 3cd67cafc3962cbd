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

// isWithin reports whether the intervals cover the limiter's own numbers.
func (s *simulatedLimiter) isWithin(v Intervals) bool {
	capacity, rate := s.limit, float64(s.limit)/s.window.Seconds()
	if s.burst > 0 {
		capacity = s.burst
	}
	if capacity < v.Limit.From || capacity > v.Limit.To {
		return false
	}
	switch s.kind {
	case contract.Concurrency:
		return true
	case contract.TokenBucket:
		return rate >= v.Refill.From && rate <= v.Refill.To
	default:
		return s.window >= v.Window.From && s.window <= v.Window.To
	}
}

// Intervals are no wider than a few decision intervals. That they cover the truth, the tests of the inference require.
func TestIntervalsAreNarrow(t *testing.T) {
	const limit, window = 20, 2 * time.Second
	for _, kind := range []contract.LimiterKind{contract.SlidingLog, contract.FixedWindow, contract.SlidingCounter, contract.TokenBucket} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := simulation{kind, limit, window, 0, 51, false}.limiter()
				m, _, err := Infer(t.Context(), l.call, Budget{})
				require.NoError(t, err)
				v := m.Intervals
				t.Logf("%s: %s", m, v)
				require.True(t, l.isWithin(v), "%s", v)
				require.LessOrEqual(t, v.Limit.To-v.Limit.From, 1)
				require.Less(t, v.Window.To-v.Window.From, window/10, "%s", v)
				require.Less(t, v.Refill.To-v.Refill.From, 0.1*limit/window.Seconds(), "%s", v)
			})
		})
	}
}

func TestIntervalsAreSaid(t *testing.T) {
	for want, v := range map[string]Intervals{
		"limit 20, window 1.99s to 2.01s": {Limit: Interval[int]{20, 20}, Window: Interval[time.Duration]{1990 * time.Millisecond, 2010 * time.Millisecond}},
		"limit 19 to 21, window 2s":       {Limit: Interval[int]{19, 21}, Window: Interval[time.Duration]{2 * time.Second, 2 * time.Second}},
		"burst 5, rate 9.96/s to 10.1/s":  {Limit: Interval[int]{5, 5}, Refill: Interval[float64]{9.96, 10.1}},
		"limit 8":                         {Limit: Interval[int]{8, 8}},
	} {
		require.Equal(t, want, v.String(), fmt.Sprintf("%+v", v))
	}
}
