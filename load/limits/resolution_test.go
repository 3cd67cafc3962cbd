//go:build !race

// Simulations of slow calls: the race detector has race_test.go.

package limits

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// slowly verifies a declared limit of a bucket of one call that is refilled at 10/s, whose calls take so long each way.
func slowly(t *testing.T, d DeclaredLimit, way time.Duration) (findings []contract.Finding, limitExact contract.Result, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g := simulation{contract.TokenBucket, 10, time.Second, 1, 5, false}.gateway(faults{})
		g.burst, g.delay = 1, func() time.Duration { return way }
		all, evidence, verifyErr := Verify(t.Context(), Probers{Limited: g.probers().Limited}, d, Budget{})
		for _, f := range all {
			require.NotEqual(t, contract.Must, f.Level, "%+v", f)
			if f.Level != contract.Note {
				findings = append(findings, f)
			}
		}
		limitExact, err = checkOf(evidence, contract.LimitExact).Result, verifyErr
	})
	return findings, limitExact, err
}

// A bucket of one call at 10/s is not said to be one at 20/s, or at 12/s, however slow the calls are: where they show which it is, the declaration is wrong, and
// where they do not, the verification is inconclusive.
func TestSlowCallsDoNotHoldAWrongRate(t *testing.T) {
	bucket := func(rate int) DeclaredLimit {
		return DeclaredLimit{Kind: contract.TokenBucket, Limit: rate, Window: time.Second, Burst: 1}
	}
	for _, way := range []time.Duration{40 * time.Millisecond, 70 * time.Millisecond, 300 * time.Millisecond} {
		for _, rate := range []int{12, 20} {
			findings, result, err := slowly(t, bucket(rate), way)
			require.True(t, len(findings) > 0 || err != nil && result != contract.Held, "declared %d/s, calls of %s: %v", rate, 2*way, err)
		}
		_, _, err := slowly(t, bucket(10), way)
		require.ErrorIs(t, err, ErrInconclusive, "calls of %s", 2*way)
		require.ErrorContains(t, err, "the calls were too slow")
	}
	findings, result, err := slowly(t, bucket(10), time.Millisecond)
	require.NoError(t, err)
	require.Empty(t, findings)
	require.Equal(t, contract.Held, result, "quick calls show the rate")
	findings, _, err = slowly(t, bucket(20), time.Millisecond)
	require.NoError(t, err)
	require.NotEmpty(t, findings, "calls are refused that a bucket of 20/s would admit")
}

// Without a kind, slow calls leave a part of what is freed unused: how much was admitted says nothing then.
func TestSlowCallsDoNotHoldARateOfAnyKind(t *testing.T) {
	for _, way := range []time.Duration{time.Millisecond, 150 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			g := simulation{contract.SlidingLog, 10, 2 * time.Second, 1, 5, false}.gateway(faults{})
			g.delay = func() time.Duration { return way }
			_, evidence, err := Verify(t.Context(), Probers{Limited: g.probers().Limited}, DeclaredLimit{Limit: 10, Window: 2 * time.Second}, Budget{})
			require.NoError(t, err)
			check := checkOf(evidence, contract.LimitExact)
			if way == time.Millisecond {
				require.Equal(t, contract.Held, check.Result, check.Sentence)
				return
			}
			require.Equal(t, contract.Untested, check.Result, check.Sentence)
			require.Contains(t, check.Sentence, "too slow to use all capacity")
		})
	}
}

// A fixed window of half the declared length is not waved through: slow calls never use it up one at a time, and it admits as many at once as declared.
func TestSlowCallsDoNotHoldAShorterWindow(t *testing.T) {
	for _, kind := range []contract.LimiterKind{contract.FixedWindow, contract.SlidingCounter, contract.SlidingLog} {
		synctest.Test(t, func(t *testing.T) {
			g := simulation{kind, 20, time.Second, 1, 5, false}.gateway(faults{})
			g.delay = func() time.Duration { return 300 * time.Millisecond }
			findings, _, err := Verify(t.Context(), Probers{Limited: g.probers().Limited}, DeclaredLimit{Kind: kind, Limit: 20, Window: 2 * time.Second}, Budget{})
			if err == nil {
				require.NotEmpty(t, findings, kind)
				return
			}
			require.ErrorIs(t, err, ErrInconclusive, kind)
		})
	}
}

// A sliding counter that counts refused calls is not said to have another size, however slow the calls are.
func TestSlowCallsDoNotHoldAnotherSize(t *testing.T) {
	for run := range runsOf(1, 20) {
		for _, declared := range []int{17, 19, 20, 21, 23} {
			synctest.Test(t, func(t *testing.T) {
				s := simulation{contract.SlidingCounter, 20, 2 * time.Second, run, 5, false}
				g := s.gateway(faults{countsRefused: true})
				random := rand.New(rand.NewPCG(run, 1))
				g.delay = func() time.Duration { return time.Duration(random.ExpFloat64() * float64(40*time.Millisecond)) }
				d := DeclaredLimit{Kind: contract.SlidingCounter, Limit: declared, Window: 2 * time.Second, RefusedCount: true}
				findings, evidence, err := Verify(t.Context(), Probers{Limited: g.probers().Limited}, d, Budget{})
				violated := slices.ContainsFunc(findings, func(f contract.Finding) bool { return f.Level != contract.Note })
				if declared == 20 {
					require.False(t, violated, "run %d: %+v", run, findings)
					return
				}
				remarked := slices.ContainsFunc(evidence.Checks, func(c runlog.Check) bool { return strings.Contains(c.Sentence, "would also explain all responses") })
				require.True(t, violated || err != nil || remarked, "run %d, declared %d: %+v", run, declared, evidence.Checks)
			})
		}
	}
}

// If a limiter counts whole seconds, its windows are up to a second shorter than they should be. Slow calls do not see how their lengths differ, so the
// inference names no other window.
func TestSlowCallsNameNoWindowOfACoarseClock(t *testing.T) {
	for run := range runsOf(2, 40) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(run, 2))
			time.Sleep(time.Duration(random.IntN(1000)) * time.Millisecond)
			var ends time.Time
			var admitted int
			s := &simulatedLimiter{
				delay: func() time.Duration { return time.Duration(random.ExpFloat64() * float64(30*time.Millisecond)) },
				other: func(now time.Time) bool {
					if second := now.Truncate(time.Second); !second.Before(ends) {
						ends, admitted = second.Add(2*time.Second), 0
					}
					admitted++
					return admitted <= 20
				},
			}
			m, _, err := Infer(t.Context(), s.call, Budget{})
			if err != nil {
				require.ErrorIs(t, err, ErrInconclusive)
				return
			}
			require.True(t, m.Intervals.contain(20, 2*time.Second), "run %d: %s, %s\n%s", run, m, m.Intervals, strings.Join(m.Evidence, "\n"))
		})
	}
}
