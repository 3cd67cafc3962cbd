package load

import (
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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

func TestAddedBounds(t *testing.T) {
	bounds, err := ParseAdded("p99=5ms, mean=1ms,ttft.p50=10ms,errors=0.1%")
	require.NoError(t, err)
	assert.Equal(t, []AddedBound{{"service.p99", 0.005}, {"service.mean", 0.001}, {"ttft.p50", 0.01}, {"errors", 0.001}}, bounds)
	for _, text := range []string{"", "p99", "p99=", "p98=1ms", "p99=-1ms", "errors=1ms", "tokens.p50=1ms", "p99=5%", "errors=NaN"} {
		_, err := ParseAdded(text)
		assert.ErrorIs(t, err, ErrInvalid, text)
	}
	c := Compared{Differences: []Difference{{Metric: "service.p99", Added: Estimate{4, 3, 5}}}}
	for most, want := range map[float64]Check{5: Kept, 4: Undecided, 3: Undecided, 2: Exceeded} {
		assert.Equal(t, want, c.Check(AddedBound{"service.p99", most}), "at most %g", most)
	}
	assert.Equal(t, Undecided, c.Check(AddedBound{"ttft.p50", 1}), "neither target streams")
}

// twoSides are the same gateway under two keys.
func twoSides(url string) (a, b Side) {
	direct := chatRequest(url)
	direct.Call.Key = "sk-direct-0123456789"
	return Side{Name: "direct", Mix: []Request{direct}}, Side{Name: "through", Mix: []Request{chatRequest(url)}}
}

func TestCompare(t *testing.T) {
	gateway := func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(ms)
		if r.Header.Get("Authorization") == "Bearer sk-caller-0123456789" {
			time.Sleep(10 * ms)
		}
		ok(w, r)
	}
	simulate(t, gateway, func(t *testing.T, e *Engine, url string) {
		comparison := Comparison{Phase: Phase{Generator: lenient(), Arrivals: PoissonArrivals()}, Rounds: 5, Rate: 50, Duration: 200 * ms}
		comparison.A, comparison.B = twoSides(url)
		plan, err := e.PlanComparison(comparison)
		require.NoError(t, err)
		c, err := e.Compare(t.Context(), comparison)
		require.NoError(t, err)
		assert.LessOrEqual(t, e.used.Requests, plan.Requests)
		assert.Equal(t, 5, c.Rounds)
		var metrics []string
		for _, d := range c.Differences {
			metrics = append(metrics, d.Metric)
			if d.Metric == "errors" {
				assert.Zero(t, d.Added)
				continue
			}
			assert.InDelta(t, 0.001, d.A, 1e-4)
			assert.InDelta(t, 0.011, d.B, 3e-4)
			for _, added := range []float64{d.Added.Low, d.Added.Value, d.Added.High} {
				assert.InDelta(t, 0.010, added, 3e-4)
			}
			assert.True(t, d.Found())
		}
		assert.Equal(t, []string{"service.p50", "service.p90", "service.p95", "service.p99", "service.mean", "errors"}, metrics)
	})
}

// A target that answers nothing cannot be compared; what was measured before is kept.
func TestCompareInconclusive(t *testing.T) {
	broken := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer sk-caller-0123456789" {
			_, _ = io.WriteString(w, "no")
			return
		}
		ok(w, r)
	}
	simulate(t, broken, func(t *testing.T, e *Engine, url string) {
		comparison := Comparison{Phase: Phase{Generator: lenient()}, Rounds: 5, Rate: 50, Duration: 20 * ms}
		comparison.A, comparison.B = twoSides(url)
		c, err := e.Compare(t.Context(), comparison)
		require.ErrorIs(t, err, ErrInconclusive)
		assert.EqualError(t, err, "not compared: 6 of 6 rounds were inconclusive")
		assert.Empty(t, c.Differences)
		assert.NotEmpty(t, c.Violations, "what it answered is judged all the same")
		comparison.Rounds = 4
		_, err = e.Compare(t.Context(), comparison)
		assert.ErrorIs(t, err, ErrInvalid)
	})
}
