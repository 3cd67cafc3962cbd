//go:build !race

package limits

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// tokensByPrompt is a bucket from which calls take different numbers of tokens.
func tokensByPrompt(random *rand.Rand) decide {
	const capacity, perSecond = 1000, 500
	tokens, filled, n := float64(capacity), time.Time{}, random.IntN(7)
	return func(now time.Time) bool {
		if !filled.IsZero() {
			tokens = min(capacity, tokens+now.Sub(filled).Seconds()*perSecond)
		}
		filled = now
		cost := float64(40 + 20*(n*5%7))
		if tokens < cost {
			return false
		}
		tokens -= cost
		n++
		return true
	}
}

// A limit that no model has is unclear, or its rate is right. None is named because it happens to fit.
func TestInferNamesNoLimitThatItDoesNotKnow(t *testing.T) {
	for run := range runsOf(1, 60) {
		synctest.Test(t, func(t *testing.T) {
			l := simulation{"", 10, 2 * time.Second, run, 29, run%2 == 1}.limiter()
			l.other = tokensByPrompt(rand.New(rand.NewPCG(run, 29)))
			m, _, err := Infer(t.Context(), l.call, Budget{})
			if err == nil {
				require.InDelta(t, 5, float64(m.Limit)/m.Window.Seconds(), 0.25, "run %d: %s %q", run, m, m.Evidence)
			} else {
				require.ErrorIs(t, err, ErrInconclusive)
			}
		})
	}
}

// A limit that delays calls refuses none. One call at a time it looks like a gateway without a limit that is slow.
func TestInferDoesNotTakeAQueueForNoLimit(t *testing.T) {
	for run := range runsOf(4, 20) {
		synctest.Test(t, func(t *testing.T) {
			l := simulation{None, 1, time.Second, run, 31, run%2 == 1}.limiter()
			rate := []float64{5, 20, 100, 400}[run%4]
			var mu sync.Mutex
			var next time.Time
			queue := func(ctx context.Context, hold time.Duration) (Call, error) {
				sent := time.Now()
				mu.Lock()
				if next.Before(sent) {
					next = sent
				}
				wait := next.Sub(sent)
				next = next.Add(time.Duration(float64(time.Second) / rate))
				mu.Unlock()
				time.Sleep(wait)
				c, err := l.call(ctx, hold)
				c.Earliest = sent
				return c, err
			}
			m, _, err := Infer(t.Context(), queue, Budget{})
			require.ErrorIs(t, err, ErrInconclusive, "run %d: %s %q", run, m, m.Evidence)
			require.NotEqual(t, None, m.Kind)
			require.ErrorContains(t, err, "delays calls")
		})
	}
}
