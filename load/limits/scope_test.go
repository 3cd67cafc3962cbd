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
		for _, limit := range []int{1, 4, 40} {
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
					// Of a bucket of one, a token that comes back cannot be told from one that was never gone.
					if limit > 1 || kind != contract.TokenBucket && kind != contract.SlidingCounter {
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
	m := LimiterModel{Kind: kind, Limit: limit, Window: window}
	if kind == contract.TokenBucket {
		m = newTokenBucketModel(limit, float64(limit)/window.Seconds())
	}
	if kind == contract.Concurrency {
		m.Window = 0
	}
	got, experiments, err := InferScope(t.Context(), m, ScopeProbers{Limited: own.call, OtherSource: source.call, OtherKey: key.call}, Budget{})
	require.NoError(t, err)
	require.Len(t, experiments, 2)
	assert.Contains(t, experiments[0].Sentence, "another source: ")
	return got
}

func TestAScopeThatCannotBeInferred(t *testing.T) {
	never := func(context.Context, time.Duration) (Call, error) {
		return Call{Observation: contract.Observation{Status: 200}, Earliest: time.Now(), Latest: time.Now(), Ended: time.Now()}, nil
	}
	synctest.Test(t, func(t *testing.T) {
		got, _, err := InferScope(t.Context(), LimiterModel{Kind: contract.FixedWindow, Limit: 5, Window: time.Second}, ScopeProbers{Limited: never, OtherSource: never}, Budget{})
		require.NoError(t, err)
		assert.Equal(t, Scope{Unclear, Unclear}, got, "a limit that is gone")
		_, _, err = InferScope(t.Context(), LimiterModel{Kind: contract.FixedWindow, Limit: 5, Window: time.Hour}, ScopeProbers{Limited: never, OtherKey: never}, Budget{Time: time.Minute})
		require.ErrorIs(t, err, ErrBudget)
		got, experiments, err := InferScope(t.Context(), LimiterModel{Kind: None}, ScopeProbers{}, Budget{})
		require.NoError(t, err)
		assert.Empty(t, experiments)
		assert.Equal(t, "unclear", got.String())
	})
}
