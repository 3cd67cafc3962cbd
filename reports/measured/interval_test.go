package measured

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

// correlated are values around a level with a spread of one, each of which is like the one before by a share: as the windows of a real
// gateway are. spikes makes their distribution as skewed as that of a 99th percentile.
func correlated(random *rand.Rand, n int, level, like float64, spikes bool) []float64 {
	values, last := make([]float64, n), random.NormFloat64()
	for i := range values {
		last = like*last + math.Sqrt(1-like*like)*random.NormFloat64()
		values[i] = level + last
		if spikes {
			values[i] = level + math.Exp(last) - math.Exp(0.5)
		}
	}
	return values
}

// The intervals hold what they promise under correlation: 93 to 97 % of them contain the difference, and from 58 windows on one of two
// standard deviations is found nearly always. The seed is (7, 7).
func TestIntervalsHoldUnderCorrelation(t *testing.T) {
	const runs = 4000
	for _, windows := range []int{20, 58, 298} {
		for _, like := range []float64{0, 0.3, 0.5, 0.7} {
			for _, spikes := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d windows, correlated by %g, spikes %t", windows, like, spikes), func(t *testing.T) {
					t.Parallel()
					random := rand.New(rand.NewPCG(7, 7))
					contained, found := 0, 0
					for range runs {
						low, high := differenceOfMeans(correlated(random, windows, 10, like, spikes), correlated(random, windows, 11, like, spikes))
						if low <= 1 && 1 <= high {
							contained++
						}
						low, _ = differenceOfMeans(correlated(random, windows, 10, like, false), correlated(random, windows, 12, like, false))
						if low > 0 {
							found++
						}
					}
					t.Logf("the difference is within %.1f %% of the intervals, and found in %.1f %%", 100*float64(contained)/runs, 100*float64(found)/runs)
					most := 0.97
					if windows == 20 && spikes { // a few spikes in a short series: too wide rather than too narrow
						most = 0.98
					}
					assert.GreaterOrEqual(t, float64(contained)/runs, 0.93)
					assert.LessOrEqual(t, float64(contained)/runs, most)
					if windows > 20 {
						assert.Greater(t, float64(found)/runs, 0.95)
					}
				})
			}
		}
	}
}

func TestIntervalsOfEqualValues(t *testing.T) {
	same := []float64{3, 3, 3, 3, 3, 3, 3, 3}
	low, high := differenceOfMeans(same, same)
	assert.Equal(t, []float64{0, 0}, []float64{low, high})
	assert.Zero(t, correlation([]float64{1, -1, 1, -1, 1, -1, 1, -1}), "a correlation that is negative widens nothing")
}
