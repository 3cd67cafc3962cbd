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

// The interval contains the truth in at least 93 of 100 comparisons.
func TestIntervalsOfAComparisonContainTheTruth(t *testing.T) {
	comparisons, least := simulatedComparisons()
	for _, rounds := range []int{10, 20} {
		random := rand.New(rand.NewPCG(uint64(rounds), 11))
		contained, found := map[string]int{}, map[string]int{}
		detectable, allContained := 0, 0
		for range comparisons {
			all := true
			for _, d := range differences(simulatedRounds(random, rounds, 50, 0.002)) {
				truth := 0.002
				if d.Metric == "errors" {
					truth = 0
				}
				contains := d.Added.Low <= truth && truth <= d.Added.High
				all = all && contains
				count(contains, contained, d.Metric)
				count(d.Found(), found, d.Metric)
				countWhere(d.Metric == "service.p50" && d.Detectable < 0.002, &detectable)
			}
			countWhere(all, &allContained)
		}
		t.Logf("%d rounds: contained %v, all together %d, found %v, detectable %d", rounds, contained, allContained, found, detectable)
		for metric, n := range contained {
			assert.GreaterOrEqual(t, float64(n), least*float64(comparisons), "%d rounds: %s", rounds, metric)
		}
		assert.GreaterOrEqual(t, float64(allContained), least*float64(comparisons), "%d rounds: all metrics together", rounds)
		// The default of 20 rounds is enough for the 2 ms; with half as many, one comparison in ten misses them.
		power := map[int]float64{10: 0.80, 20: 0.95}[rounds]
		assert.GreaterOrEqual(t, float64(found["service.p50"]), power*float64(comparisons), "%d rounds", rounds)
		if rounds == 20 {
			assert.Greater(t, detectable, comparisons*9/10, "2 ms are more than the smallest difference that is seen")
		}
	}
}

// A target that is compared with itself differs in some metric in at most 7 of 100 comparisons (of 5 rounds, in 10), and in its median or its mean in at
// most 3. With an interval for each metric alone, the median or the mean of one in ten comparisons differed.
func TestATargetRarelyDiffersFromItself(t *testing.T) {
	comparisons, least := simulatedComparisons()
	for _, rounds := range []int{5, 8, 10, 20} {
		random := rand.New(rand.NewPCG(uint64(rounds), 12))
		found := map[string]int{}
		for range comparisons {
			somewhere := false
			for _, d := range differences(simulatedRounds(random, rounds, 50, 0)) {
				count(d.Found(), found, d.Metric)
				somewhere = somewhere || d.Found()
			}
			count(somewhere, found, "any")
		}
		t.Logf("%d rounds: differs %v of %d", rounds, found, comparisons)
		most := 1 - least
		if rounds == 5 {
			most = 0.10 // the least number of rounds: their spread is hardly known
		}
		assert.LessOrEqual(t, float64(found["any"]), most*float64(comparisons), "%d rounds", rounds)
		for _, metric := range []string{"service.p50", "service.mean"} {
			assert.LessOrEqual(t, found[metric], comparisons*3/100+2, "%d rounds: %s", rounds, metric)
		}
	}
}

// simulatedComparisons returns how many comparisons to simulate, and the least share of them that has to be right: 93 of 100, less
// what chance takes from a hundred.
func simulatedComparisons() (comparisons int, least float64) {
	if os.Getenv(acceptanceVariable) != "" {
		return 1000, 0.93
	}
	return 100, 0.90
}

func count(holds bool, counts map[string]int, key string) {
	if holds {
		counts[key]++
	}
}

// Where nothing varies there is an interval all the same, and where nothing failed, an error rate that would not have been seen.
func TestIntervalsWithoutSpread(t *testing.T) {
	rounds := make([]comparedRound, 5)
	for i := range rounds {
		rounds[i] = comparedRound{a: comparedHalf{service: []float64{0.010}, sent: 60}, b: comparedHalf{service: []float64{0.011}, sent: 60}}
	}
	for _, d := range differences(rounds) {
		if d.Metric == "errors" {
			assert.Equal(t, Estimate{0, -0.01, 0.01}, d.Added, "of 300 requests none failed: at most 1 % of all may fail")
			assert.Equal(t, Undecided, Compared{Differences: []Difference{d}}.Check(AddedBound{"errors", 0.001}))
			continue
		}
		assert.InDelta(t, 0.001, d.Added.Low, 1e-12, d.Metric)
		assert.InDelta(t, 0.001, d.Added.High, 1e-12, d.Metric)
		assert.InDelta(t, 0, d.Detectable, 1e-12, d.Metric)
	}
}
