//go:build !race

// The race detector makes these simulations of one goroutine ten times as slow.

package load

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// correlated is a series of points a second apart, around 10, with a spread of 5 %, whose neighbours are correlated by phi. It
// grows by a share of 10 until its end.
func correlated(random *rand.Rand, n int, phi, growth float64) []point {
	state := random.NormFloat64()
	all := make([]point, n)
	for i := range all {
		state = phi*state + math.Sqrt(1-phi*phi)*random.NormFloat64()
		all[i] = point{time.Duration(i * int(time.Second)).Hours(), 10*(1+0.05*state) + 10*growth*float64(i)/float64(n-1)}
	}
	return all
}

// heavy makes a series lognormal, with one point in thirty five times as high.
func heavy(random *rand.Rand, points []point) []point {
	for i, p := range points {
		points[i].y = 10 * math.Exp(p.y/5-2)
		if random.IntN(30) == 0 {
			points[i].y *= 5
		}
	}
	return points
}

// A trend is found in at most 5 of 100 series that have none, however correlated their neighbours are, and in at least 90 of 100 that
// grow by a tenth, where they are not too much correlated.
func TestTrendsOfCorrelatedSeries(t *testing.T) {
	const series = 200
	for _, n := range []int{54, 270, 540} {
		for _, phi := range []float64{0, 0.3, 0.6, 0.9, 0.97} {
			random := rand.New(rand.NewPCG(uint64(n), uint64(100*phi)))
			grows := func(points []point) bool {
				trend, _ := trendOf("p99", "ms", points)
				return trend.Grows()
			}
			stationary, wild, growing, before := 0, 0, 0, 0
			for range series {
				points := correlated(random, n, phi, 0)
				countWhere(grows(points), &stationary)
				if n == 54 { // as if they were independent, which takes long for more points
					plain, _ := slope(points, 1.96)
					countWhere(plain.Low > 0, &before)
				}
				countWhere(grows(heavy(random, points)), &wild)
				countWhere(grows(correlated(random, n, phi, 0.1)), &growing)
			}
			t.Logf("%d points, correlated by %.2f: of %d without a trend %d grow, %d of wild ones, %d of growing ones; %d as if independent",
				n, phi, series, stationary, wild, growing, before)
			assert.LessOrEqual(t, stationary, series*5/100)
			assert.LessOrEqual(t, wild, series*6/100)
			if n >= 270 && phi <= 0.6 {
				assert.GreaterOrEqual(t, growing, series*90/100)
			}
		}
	}
}

func TestATrendThatIsUnclear(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	trend, ok := trendOf("p50", "ms", correlated(random, 60, 0.99, 0))
	assert.True(t, ok)
	assert.True(t, trend.Unclear)
	assert.False(t, trend.Grows())
	assert.Regexp(t, `^p50 \(initially [\d.]+ ms\) fluctuates so slowly that 59s is too short to show a trend$`, trend.String())
}

// stallsOf are those of a soak at 20/s that stands still at some instants, for so long.
func stallsOf(at []time.Duration, lasts time.Duration, until time.Duration) Stalls {
	var f stallFinder
	median := 10 * ms
	f.window(median)
	for sent := time.Duration(0); sent < until; sent += 50 * ms {
		end := sent + median
		for _, stall := range at {
			if end > stall && sent < stall+lasts {
				end = max(end, stall+lasts+median)
			}
		}
		f.add(sent, end, false)
	}
	return f.stalls()
}

func TestPeriodicStallsAreFound(t *testing.T) {
	every := func(period, jitter time.Duration, n int) (at []time.Duration) {
		random := rand.New(rand.NewPCG(4, 4))
		for i := range n {
			at = append(at, time.Duration(i+1)*period+time.Duration(random.Int64N(int64(2*jitter+1)))-jitter)
		}
		return at
	}
	regular := stallsOf(every(5*time.Second, 50*ms, 11), 500*ms, time.Minute)
	assert.Len(t, regular.All, 11)
	assert.InDelta(t, 5*time.Second, regular.Every, float64(100*ms))
	assert.Regexp(t, `^11 \(one every (5s|4\.9\d?s|5\.0\d?s)\), median length (49|50|51)\dms, longest (49|50|51)\dms$`, regular.String())

	missed := slicesWithout(every(5*time.Second, 50*ms, 11), 3, 7)
	assert.InDelta(t, 5*time.Second, stallsOf(missed, 500*ms, time.Minute).Every, float64(100*ms), "two of them passed unseen")

	assert.Zero(t, stallsOf(every(5*time.Second, 50*ms, 4), 500*ms, time.Minute).Every, "three intervals may be chance")
	assert.Empty(t, stallsOf(nil, 0, time.Minute).All)
	assert.Equal(t, "none", Stalls{}.String())
	single := stallsOf([]time.Duration{5 * time.Second}, 80*ms, time.Minute)
	assert.Empty(t, single.All, "shorter than what counts as slow")
}

// A stall in which this machine was late is not blamed on the gateway.
func TestStallsOfThisMachine(t *testing.T) {
	var f stallFinder
	f.window(10 * ms)
	for _, sent := range []time.Duration{time.Second, 2 * time.Second} {
		f.add(sent, sent+500*ms, false)
		f.add(sent+450*ms, sent+460*ms, sent == time.Second) // quick, and sent late
		f.add(sent+100*ms, sent+500*ms, false)
	}
	s := f.stalls()
	assert.Len(t, s.All, 1)
	assert.Equal(t, "1 (at irregular intervals), median length 500ms, longest 500ms; 1 more, which the gateway may not have caused, occurred while this machine itself was behind schedule", s.String())
}

func slicesWithout(all []time.Duration, without ...int) (left []time.Duration) {
	for i, d := range all {
		keep := true
		for _, w := range without {
			keep = keep && i != w
		}
		if keep {
			left = append(left, d)
		}
	}
	return left
}

// Stalls at random are regular in at most 1 of 100 soaks.
func TestRandomStallsAreNotRegular(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 9))
	regular := 0
	const soaks = 2000
	for range soaks {
		var s Stalls
		at := 0.0
		for range 5 + random.IntN(40) {
			at += random.ExpFloat64() * 10
			s.All = append(s.All, Stall{Start: time.Duration(at * float64(time.Second)), Length: time.Second, Requests: 5})
		}
		s.findPeriod()
		countWhere(s.Every > 0, &regular)
	}
	t.Logf("%d of %d", regular, soaks)
	assert.LessOrEqual(t, regular, soaks/100)
}
