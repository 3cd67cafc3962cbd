//go:build !race

// The race detector makes these simulations of one goroutine ten times as slow.

package load

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// simulatedRounds are those of two targets whose service times are lognormal, around 10 ms, and correlated: within a half, and
// between the halves of a round, which the machine slows down together. B takes longer by so much, in seconds.
func simulatedRounds(random *rand.Rand, rounds, requests int, added float64) []comparedRound {
	all := make([]comparedRound, rounds)
	machine := 0.0
	for i := range all {
		machine = 0.7*machine + 0.1*random.NormFloat64()
		half := func(plus float64) (h comparedHalf) {
			state := random.NormFloat64()
			own := 0.03 * random.NormFloat64() // of this half alone
			for range requests {
				state = 0.3*state + math.Sqrt(1-0.09)*random.NormFloat64()
				h.service = append(h.service, plus+0.010*math.Exp(0.4*state+machine+own))
				h.sent++
				if random.Float64() < 0.01 {
					h.failed++
				}
			}
			slices.Sort(h.service)
			return h
		}
		all[i] = comparedRound{a: half(0), b: half(added), conclusive: true}
	}
	return all
}

// The interval contains the truth in at least 93 of 100 comparisons, and a target that is compared with itself rarely differs.
func TestIntervalsOfAComparisonContainTheTruth(t *testing.T) {
	comparisons, least := 100, 0.90 // 93 of 100, less what chance takes from a hundred
	if os.Getenv(acceptanceVariable) != "" {
		comparisons, least = 1000, 0.93
	}
	for _, rounds := range []int{10, 20} {
		random := rand.New(rand.NewPCG(uint64(rounds), 11))
		contained := map[string]int{}
		found := map[string]int{}
		detectable := 0
		for range comparisons {
			for _, d := range differences(simulatedRounds(random, rounds, 50, 0.002)) {
				truth := 0.002
				if d.Metric == "errors" {
					truth = 0
				}
				if d.Added.Low <= truth && truth <= d.Added.High {
					contained[d.Metric]++
				}
				if d.Found() {
					found[d.Metric]++
				}
				if d.Metric == "service.p50" && d.Detectable < 0.002 {
					detectable++
				}
			}
		}
		t.Logf("%d rounds: contained %v, found %v", rounds, contained, found)
		for metric, n := range contained {
			assert.GreaterOrEqual(t, float64(n), least*float64(comparisons), "%d rounds: %s", rounds, metric)
		}
		assert.GreaterOrEqual(t, found["service.p50"], comparisons*95/100)
		assert.Greater(t, detectable, comparisons*9/10, "2 ms are more than the smallest difference that is seen")
	}
}
