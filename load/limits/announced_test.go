//go:build !race

package limits

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

// inferAnnounced infers a limit whose answers have header fields, and returns what was announced of the time.
func inferAnnounced(t *testing.T, s simulation, f faults, b Budget) (m LimiterModel, plans []string, took time.Duration, err error) {
	t.Helper()
	g := s.gateway(f)
	b.Announce = func(sentence string) { plans = append(plans, sentence) }
	began := time.Now()
	m, _, err = Infer(t.Context(), g.probers().Limited, b)
	return m, plans, time.Since(began), err
}

func TestInferSaysHowMuchTimeItNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, plans, took, err := inferAnnounced(t, simulation{contract.SlidingLog, 20, time.Minute, 1, 3, false}, faults{}, Budget{Time: 3 * time.Minute})
		require.Equal(t, []string{"the refusal asks the caller to wait for 1m (Retry-After: 60). Inferring the kind of limit takes about 5m, but only 3m is left: " +
			"gatecert will infer how many calls are allowed, but may be unable to infer the kind of limit"},
			plans)
		require.LessOrEqual(t, took, 3*time.Minute, err)
	})
	synctest.Test(t, func(t *testing.T) {
		m, plans, took, err := inferAnnounced(t, simulation{contract.SlidingLog, 20, 2 * time.Second, 1, 3, false}, faults{}, Budget{})
		require.NoError(t, err)
		require.Equal(t, contract.SlidingLog, m.Kind)
		require.Contains(t, plans[0], "about 10s, and ")
		require.Less(t, took, 12*time.Second)
	})
}

// Waiting for a quota of a day would show nothing.
func TestInferKnowsAQuotaOfADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _, took, err := inferAnnounced(t, simulation{contract.FixedWindow, 50, 24 * time.Hour, 1, 3, false}, faults{}, Budget{})
		require.ErrorIs(t, err, ErrInconclusive)
		require.ErrorContains(t, err, "a quota for several hours or a whole day")
		require.ErrorContains(t, err, "after 50 admitted calls")
		require.Less(t, took, time.Second)
		require.Contains(t, strings.Join(m.Evidence, "\n"), "announce a limit of 50 calls in 24h; if this is a sliding-log limit, 0 of")
	})
}

// What is announced is a hypothesis like any other.
func TestInferTestsWhatIsAnnounced(t *testing.T) {
	infer := func(f faults) string {
		var evidence string
		synctest.Test(t, func(t *testing.T) {
			m, _, _, err := inferAnnounced(t, simulation{contract.SlidingLog, 20, 4 * time.Second, 1, 3, false}, f, Budget{})
			require.NoError(t, err)
			require.Equal(t, contract.SlidingLog, m.Kind)
			evidence = strings.Join(m.Evidence, "\n")
		})
		return evidence
	}
	require.Regexp(t, `(?m)^the ratelimit header fields announce a limit of 20 calls in 4s; if this is a sliding-log limit, 0 of \d+ responses contradict the announced values`, infer(faults{}))
	require.Regexp(t, `(?m)^the ratelimit header fields announce a limit of 20 calls in 6s; if this is a [a-z-]+ limit, [1-9]\d* of \d+ responses contradict the announced values`, infer(faults{otherPolicy: true}))
	require.Regexp(t, `x-ratelimit header fields announce a limit of 23 calls in \d+s; if this is a [a-z-]+ limit, [1-9]\d* of \d+ responses contradict the announced values`, infer(faults{wrongLimit: 3}))
}

// Some gateways refuse with 503 or 529.
func TestInferTakesAnotherStatusForARefusal(t *testing.T) {
	for _, statuses := range [][]int{nil, {503}} {
		synctest.Test(t, func(t *testing.T) {
			g := simulation{contract.SlidingLog, 10, 2 * time.Second, 1, 3, false}.gateway(faults{})
			refusing := func(ctx context.Context, hold time.Duration) (Call, error) {
				c, err := g.probers().Limited(ctx, hold)
				if c.Observation.Status == 429 {
					c.Observation.Status = 503
				}
				return c, err
			}
			m, _, err := Infer(t.Context(), refusing, Budget{RefusedWith: statuses})
			if statuses == nil {
				require.ErrorIs(t, err, ErrInconclusive)
				return
			}
			require.NoError(t, err)
			require.Equal(t, contract.SlidingLog, m.Kind)
			require.Equal(t, 10, m.Limit)
		})
	}
}
