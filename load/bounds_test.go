package load

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stable is a gateway that meets its SLO up to a rate, with a share of probes that miss at random.
func stable(capacity, noise float64, seed uint64) func(context.Context, float64, time.Duration) (Probe, error) {
	random := rand.New(rand.NewPCG(seed, 1))
	return func(_ context.Context, rate float64, d time.Duration) (Probe, error) {
		p := Probe{Rate: rate, Duration: d}
		if rate > capacity || random.Float64() < noise {
			p.Misses = []string{"missed"}
		}
		return p, nil
	}
}

func newTestBounds(least, most float64, probe func(context.Context, float64, time.Duration) (Probe, error)) *bounds {
	return &bounds{minRate: least, maxRate: most, passes: newPasses(time.Second, 5*time.Second, 0.1), repeats: 5, probe: probe}
}

func TestBoundsHoldTheCapacity(t *testing.T) {
	for _, capacity := range []float64{10, 10.5, 37, 100, 333, 1234, 9_999} {
		t.Run(fmt.Sprint(capacity), func(t *testing.T) {
			b := newTestBounds(10, 10_000, stable(capacity, 0, 1))
			require.NoError(t, b.run(t.Context()))
			assert.LessOrEqual(t, b.lower, capacity)
			assert.Greater(t, b.upper, capacity)
			assert.LessOrEqual(t, b.upper/b.lower, 1.1000001)
			assert.False(t, b.generatorLimited)
			full := 0
			for _, probe := range b.probes {
				if probe.Duration == 5*time.Second {
					full++
				}
			}
			assert.LessOrEqual(t, full, 12+2*b.repeats, "most probes of the search are short")
		})
	}
}

func TestBoundsAtTheEndsOfTheRange(t *testing.T) {
	low := newTestBounds(10, 1000, stable(5, 0, 1))
	require.NoError(t, low.run(t.Context()))
	assert.Zero(t, low.lower)
	assert.InDelta(t, 10, low.upper, 0, "even the lowest rate is too high")

	high := newTestBounds(10, 1000, stable(5000, 0, 1))
	require.NoError(t, high.run(t.Context()))
	assert.InDelta(t, 1000, high.lower, 0)
	assert.Zero(t, high.upper, "the highest rate allowed is met: nothing is known beyond it")
}

// Every tenth probe misses at random, as on a shared machine.
func TestBoundsOverlapUnderNoise(t *testing.T) {
	lowest, highest := 0.0, 1e9
	for seed := range uint64(20) {
		b := newTestBounds(10, 10_000, stable(700, 0.1, seed))
		require.NoError(t, b.run(t.Context()))
		require.Positive(t, b.upper)
		assert.LessOrEqual(t, b.lower, 700.0)
		assert.Greater(t, b.upper, 450.0, "seed %d", seed)
		lowest, highest = max(lowest, b.lower), min(highest, b.upper)
	}
	assert.Less(t, lowest, highest, "all overlap")
}

// drifting is a gateway whose capacity varies around 2000/s as the reference gateway's does on a shared machine:
// by a tenth (standard deviation), one probe much like the one before it.
func drifting(seed uint64) func(context.Context, float64, time.Duration) (Probe, error) {
	random := rand.New(rand.NewPCG(seed, 2))
	state := random.NormFloat64()
	return func(_ context.Context, rate float64, d time.Duration) (Probe, error) {
		state = 0.6*state + 0.8*random.NormFloat64()
		p := Probe{Rate: rate, Duration: d}
		if rate > 2000*math.Exp(0.1*state) {
			p.Misses = []string{"missed"}
		}
		return p, nil
	}
}

func TestBoundsOfAnUnstableGatewayOverlap(t *testing.T) {
	overlapping := func(repeats int) (groups int) {
		for seed := range uint64(100) {
			lowest, highest := 0.0, 1e9
			for run := range uint64(5) {
				b := newTestBounds(10, 20_000, drifting(5*seed+run))
				b.repeats = repeats
				require.NoError(t, b.run(t.Context()))
				lowest, highest = max(lowest, b.lower), min(highest, b.upper)
			}
			if lowest < highest {
				groups++
			}
		}
		return groups
	}
	with, usual, without := overlapping(5), overlapping(2), overlapping(0)
	t.Logf("the bounds of five searches overlap in %d of 100 groups, in %d with 2 repeats, in %d without a confirmation", with, usual, without)
	assert.GreaterOrEqual(t, with, 90)
	assert.LessOrEqual(t, without, 50, "what the confirmation is for")
}

func TestConfirmationMovesBoundsApart(t *testing.T) {
	step := math.Cbrt(1.1)        // a third of the precision
	script := map[float64]string{ // the results of the probes of a rate, one sign each; the last one holds for all that follow
		100: "-+", 90: "+-+", 80: "+",
		110: "-+-", 120: "-", 200: "+", 220: "+",
	}
	for name, row := range map[string]struct {
		lower, upper, least, most float64
		wantLower, wantUpper      float64
	}{
		"a lower bound that misses once":              {100, 120, 10, 1000, 100 / step, 120},
		"an upper bound that is met once":             {80, 110, 10, 1000, 80, 110 * step},
		"both":                                        {100, 110, 10, 1000, 100 / step, 110 * step},
		"the lowest rate misses":                      {100, 120, 100, 1000, 0, 120},
		"the highest is met once":                     {80, 200, 10, 200, 80, 0},
		"nothing beyond the highest":                  {80, 0, 10, 80, 80, 0},
		"a slow start at the lowest rate":             {0, 200, 200, 1000, 200, 200 * step},
		"a lower bound that moves to the lowest rate": {90, 120, 88, 1000, 88, 120},
	} {
		t.Run(name, func(t *testing.T) {
			asked := map[float64]int{}
			b := newTestBounds(row.least, row.most, func(_ context.Context, rate float64, d time.Duration) (Probe, error) {
				p := Probe{Rate: rate, Duration: d}
				marks, known := script[math.Round(rate)]
				if !known {
					marks = map[bool]string{true: "+", false: "-"}[rate < 105]
				}
				n := min(asked[math.Round(rate)], len(marks)-1)
				asked[math.Round(rate)]++
				if marks[n] == '-' {
					p.Misses = []string{"missed"}
				}
				return p, nil
			})
			b.lower, b.upper = row.lower, row.upper
			require.NoError(t, b.confirm(t.Context(), 0, 0))
			assert.InDelta(t, row.wantLower, b.lower, 1e-6)
			assert.InDelta(t, row.wantUpper, b.upper, 1e-6)
		})
	}
}

// At the lower bound this machine cannot keep up any more: nothing is known of the gateway from there on.
func TestConfirmationEndsWhereTheGeneratorDoes(t *testing.T) {
	b := newTestBounds(10, 1000, func(_ context.Context, rate float64, d time.Duration) (Probe, error) {
		p := Probe{Rate: rate, Duration: d}
		if rate >= 100 {
			p.Inconclusive = []string{"late"}
		}
		return p, nil
	})
	b.lower, b.upper = 100, 110
	require.NoError(t, b.confirm(t.Context(), 0, 0))
	assert.InDelta(t, 100/math.Cbrt(1.1), b.lower, 1e-6)
	assert.InDelta(t, 100, b.upper, 1e-6)
	assert.True(t, b.generatorLimited)
}

// A gateway that holds a rate for a second and not for five: short probes mislead, full-length ones decide.
func TestFullLengthProbesDecide(t *testing.T) {
	b := newTestBounds(10, 10_000, func(_ context.Context, rate float64, d time.Duration) (Probe, error) {
		capacity := 2000.0
		if d == 5*time.Second {
			capacity = 300
		}
		p := Probe{Rate: rate, Duration: d}
		if rate > capacity {
			p.Misses = []string{"missed"}
		}
		return p, nil
	})
	require.NoError(t, b.run(t.Context()))
	assert.LessOrEqual(t, b.lower, 300.0)
	assert.Greater(t, b.lower, 270.0)
	assert.Greater(t, b.upper, 300.0)
}

func TestBoundsEndWhereTheGeneratorDoes(t *testing.T) {
	b := newTestBounds(10, 10_000, func(_ context.Context, rate float64, d time.Duration) (Probe, error) {
		p := Probe{Rate: rate, Duration: d}
		if rate > 500 {
			p.Inconclusive, p.Misses = []string{"late"}, []string{"missed"}
		}
		return p, nil
	})
	require.NoError(t, b.run(t.Context()))
	assert.LessOrEqual(t, b.lower, 500.0)
	assert.Greater(t, b.lower, 450.0)
	assert.True(t, b.generatorLimited, "the upper bound is this machine's, not the gateway's")
}

func TestBoundsReturnTheErrorOfAProbe(t *testing.T) {
	broken := errors.New("no more")
	calls := 0
	b := newTestBounds(10, 1000, func(context.Context, float64, time.Duration) (Probe, error) {
		calls++
		return Probe{}, broken
	})
	assert.ErrorIs(t, b.run(t.Context()), broken)
	assert.Equal(t, 1, calls)
}
