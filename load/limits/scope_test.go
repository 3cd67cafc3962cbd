package limits

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

// Each kind of limit, in four scopes, at several phases of its windows.
func TestInferScope(t *testing.T) {
	for _, kind := range contract.LimiterKinds() {
		for _, limit := range []int{1, 2, 3, 4, 40} {
			for _, want := range []Scope{{Shared, Apart}, {Apart, Shared}, {Apart, Apart}, {Shared, Shared}} {
				t.Run(fmt.Sprintf("%s of %d, %s and %s", kind, limit, want.Sources, want.Keys), func(t *testing.T) {
					t.Parallel()
					unclear := 0
					const phases = 6
					for n := range phases {
						synctest.Test(t, func(t *testing.T) {
							got := scopeOf(t, kind, limit, want, time.Duration(n)*300*time.Millisecond)
							for _, x := range []struct{ got, want Sharing }{{got.Sources, want.Sources}, {got.Keys, want.Keys}} {
								if x.got == Unclear {
									unclear++
									continue
								}
								assert.Equal(t, x.want, x.got, "phase %d", n)
							}
						})
					}
					// Of less than 4 calls too few are left to tell a limit that is shared from one that is not.
					if limit >= 4 || kind == contract.Concurrency {
						assert.LessOrEqual(t, unclear, 2, "of %d", 2*phases)
					}
				})
			}
		}
	}
}

// scopeOf infers the scope of simulated limiters that are shared as wanted.
func scopeOf(t *testing.T, kind contract.LimiterKind, limit int, want Scope, phase time.Duration) Scope {
	t.Helper()
	const window = 2 * time.Second
	limiter := func(seed uint64) *simulatedLimiter {
		l := simulation{kind, limit, window, seed, uint64(limit), false}.limiter()
		l.phase = phase
		return l
	}
	own, source, key := limiter(1), limiter(2), limiter(3)
	if want.Sources == Shared {
		source = own
	}
	if want.Keys == Shared {
		key = own
	}
	got, experiments, err := InferScope(t.Context(), modelOf(kind, limit, window), ScopeProbers{Limited: own.call, OtherSource: source.call, OtherKey: key.call}, Budget{})
	require.NoError(t, err)
	require.Len(t, experiments, 2)
	assert.Contains(t, experiments[0].Sentence, "another address: ")
	return got
}

// modelOf is the model of a limit as it is inferred.
func modelOf(kind contract.LimiterKind, limit int, window time.Duration) LimiterModel {
	switch kind {
	case contract.TokenBucket:
		return newTokenBucketModel(limit, float64(limit)/window.Seconds())
	case contract.Concurrency:
		return LimiterModel{Kind: kind, Limit: limit}
	default:
		return LimiterModel{Kind: kind, Limit: limit, Window: window}
	}
}

func TestAScopeThatCannotBeInferred(t *testing.T) {
	never := func(context.Context, time.Duration) (Call, error) {
		return Call{Observation: contract.Observation{Status: 200}, Earliest: time.Now(), Latest: time.Now(), Ended: time.Now()}, nil
	}
	synctest.Test(t, func(t *testing.T) {
		got, _, err := InferScope(t.Context(), LimiterModel{Kind: contract.FixedWindow, Limit: 5, Window: time.Second}, ScopeProbers{Limited: never, OtherSource: never}, Budget{})
		require.NoError(t, err)
		assert.Equal(t, Scope{Unclear, Unclear}, got, "a limit that is gone")
		for _, m := range []LimiterModel{modelOf(contract.FixedWindow, 5, time.Hour), modelOf(contract.SlidingLog, 3000, time.Second), modelOf(contract.FixedWindow, 1, time.Second)} {
			got, experiments, err := InferScope(t.Context(), m, ScopeProbers{Limited: never, OtherKey: never}, Budget{Time: time.Minute})
			require.NoError(t, err)
			assert.Equal(t, Scope{Unclear, Unclear}, got)
			require.Len(t, experiments, 1)
			assert.Contains(t, experiments[0].Sentence, "another key: not tested: ")
			assert.Zero(t, experiments[0].Calls)
		}
		got, experiments, err := InferScope(t.Context(), LimiterModel{Kind: None}, ScopeProbers{}, Budget{})
		require.NoError(t, err)
		assert.Empty(t, experiments)
		assert.Equal(t, "unclear", got.String())
	})
}

func TestAScopeInWords(t *testing.T) {
	for scope, want := range map[Scope]string{
		{Shared, Apart}:    "these two addresses share the limit, these two keys do not share the limit, as with a limit per key",
		{Apart, Shared}:    "these two addresses do not share the limit, these two keys share the limit, as with a limit per address",
		{Apart, Apart}:     "these two addresses do not share the limit, these two keys do not share the limit, as with a limit per key and address",
		{Shared, Shared}:   "these two addresses share the limit, these two keys share the limit",
		{Shared, Unclear}:  "these two addresses share the limit",
		{Unclear, Apart}:   "these two keys do not share the limit",
		{Unclear, Unclear}: "unclear",
		{}:                 "unclear",
	} {
		assert.Equal(t, want, scope.String())
	}
}
