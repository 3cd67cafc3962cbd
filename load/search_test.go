package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// simulated is a gateway that meets its objective up to a rate, with a share of trials that miss for no reason.
func simulated(capacity, noise float64, seed uint64) func(context.Context, float64, time.Duration) (Trial, error) {
	random := rand.New(rand.NewPCG(seed, 1))
	return func(_ context.Context, rate float64, lasts time.Duration) (Trial, error) {
		t := Trial{Rate: rate, Lasts: lasts}
		if rate > capacity || random.Float64() < noise {
			t.Misses = []string{"missed"}
		}
		return t, nil
	}
}

func newBracket(least, most float64, trial func(context.Context, float64, time.Duration) (Trial, error)) *bracket {
	return &bracket{least: least, most: most, phases: phasesOf(time.Second, 5*time.Second, 0.1), trial: trial}
}

func TestBracketHoldsTheCapacity(t *testing.T) {
	for _, capacity := range []float64{10, 10.5, 37, 100, 333, 1234, 9_999} {
		t.Run(fmt.Sprint(capacity), func(t *testing.T) {
			b := newBracket(10, 10_000, simulated(capacity, 0, 1))
			require.NoError(t, b.run(t.Context()))
			assert.LessOrEqual(t, b.lower, capacity)
			assert.Greater(t, b.upper, capacity)
			assert.LessOrEqual(t, b.upper/b.lower, 1.1000001)
			assert.False(t, b.ceiling)
			full := 0
			for _, trial := range b.trials {
				if trial.Lasts == 5*time.Second {
					full++
				}
			}
			assert.LessOrEqual(t, full, 12, "most trials are short")
		})
	}
}

func TestBracketAtItsEnds(t *testing.T) {
	low := newBracket(10, 1000, simulated(5, 0, 1))
	require.NoError(t, low.run(t.Context()))
	assert.Zero(t, low.lower)
	assert.InDelta(t, 10, low.upper, 0, "even the least rate is too much")

	high := newBracket(10, 1000, simulated(5000, 0, 1))
	require.NoError(t, high.run(t.Context()))
	assert.InDelta(t, 1000, high.lower, 0)
	assert.Zero(t, high.upper, "the highest rate allowed is met: nothing is known beyond it")
}

// Every tenth trial misses for no reason, as on a machine that others use too.
func TestBracketsOverlapUnderNoise(t *testing.T) {
	lowest, highest := 0.0, 1e9
	for seed := range uint64(20) {
		b := newBracket(10, 10_000, simulated(700, 0.1, seed))
		require.NoError(t, b.run(t.Context()))
		require.Positive(t, b.upper)
		assert.LessOrEqual(t, b.lower, 700.0)
		assert.Greater(t, b.upper, 450.0, "seed %d", seed)
		lowest, highest = max(lowest, b.lower), min(highest, b.upper)
	}
}

// A gateway that holds a rate for a second and not for five: short trials mislead, full ones put it right.
func TestBracketBelievesTheFullTrials(t *testing.T) {
	b := newBracket(10, 10_000, func(_ context.Context, rate float64, lasts time.Duration) (Trial, error) {
		capacity := 2000.0
		if lasts == 5*time.Second {
			capacity = 300
		}
		tr := Trial{Rate: rate, Lasts: lasts}
		if rate > capacity {
			tr.Misses = []string{"missed"}
		}
		return tr, nil
	})
	require.NoError(t, b.run(t.Context()))
	assert.LessOrEqual(t, b.lower, 300.0)
	assert.Greater(t, b.lower, 270.0)
	assert.Greater(t, b.upper, 300.0)
}

func TestBracketUpToWhereThisMachineIsFit(t *testing.T) {
	b := newBracket(10, 10_000, func(_ context.Context, rate float64, lasts time.Duration) (Trial, error) {
		tr := Trial{Rate: rate, Lasts: lasts}
		if rate > 500 {
			tr.Unfit, tr.Misses = []string{"late"}, []string{"missed"}
		}
		return tr, nil
	})
	require.NoError(t, b.run(t.Context()))
	assert.LessOrEqual(t, b.lower, 500.0)
	assert.Greater(t, b.lower, 450.0)
	assert.True(t, b.ceiling, "the upper end is ours, not the gateway's")
}

func TestBracketEndsWithItsTrial(t *testing.T) {
	broken := errors.New("no more")
	calls := 0
	b := newBracket(10, 1000, func(context.Context, float64, time.Duration) (Trial, error) {
		calls++
		return Trial{}, broken
	})
	assert.ErrorIs(t, b.run(t.Context()), broken)
	assert.Equal(t, 1, calls)
}
