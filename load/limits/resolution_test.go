package limits

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
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
