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

// lognormalServer has service times with a median and a spread, and so many servers that nobody waits.
func lognormalServer(middle time.Duration, spread float64, seed uint64) modelServer {
	return modelServer{servers: 10_000, random: rand.New(rand.NewPCG(seed, 3)), service: func(r *rand.Rand) time.Duration {
		if r == nil {
			return middle
		}
		return time.Duration(float64(middle) * math.Exp(spread*r.NormFloat64()))
	}}
}

// In a hundred probes, how often does a gateway seem not to keep up?
func behind(server func(seed uint64) modelServer, rate float64, lasts time.Duration, a Arrivals) (n int) {
	for seed := range uint64(100) {
		m := server(seed).measure(Phase{Rate: rate, For: lasts, WarmUp: lasts / warmUpShare, Arrivals: a, Seed: seed})
		countWhere(!m.Pace.KeptUp(), &n)
	}
	return n
}

func TestPace(t *testing.T) {
	of := func(perSecond float64) func(uint64) modelServer {
		return func(uint64) modelServer { return fixedServer(8, perSecond) }
	}
	for _, row := range []struct {
		sentence    string
		server      func(uint64) modelServer
		rate        float64
		lasts       time.Duration
		arrivals    Arrivals
		least, most int
	}{
		{"a twentieth below what it sustains", of(400), 380, 5 * time.Second, Arrivals{}, 0, 0},
		{"a twentieth above", of(400), 420, 5 * time.Second, Arrivals{}, 100, 100},
		{"below, with random arrivals", of(400), 380, 5 * time.Second, PoissonArrivals(), 0, 2},
		{"above, with random arrivals", of(400), 420, 5 * time.Second, PoissonArrivals(), 98, 100},
		{"below, with random arrivals, at a low rate", of(100), 95, 5 * time.Second, PoissonArrivals(), 0, 2},
		{"above, with random arrivals, at a low rate", of(100), 105, 5 * time.Second, PoissonArrivals(), 75, 100},
		{"below, in bursts", of(400), 380, 5 * time.Second, Arrivals{cv: 3}, 0, 2},
		{"half as much again, in bursts", of(400), 600, 5 * time.Second, Arrivals{cv: 3}, 100, 100},
		{
			"nobody waits, and answers take between a second and ten",
			func(seed uint64) modelServer { return lognormalServer(3*time.Second, 0.5, seed) }, 5, time.Minute, PoissonArrivals(), 0, 2,
		},
		{
			"nobody waits, and answers take some milliseconds",
			func(seed uint64) modelServer { return lognormalServer(20*ms, 1, seed) }, 100, 5 * time.Second, PoissonArrivals(), 0, 2,
		},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			n := behind(row.server, row.rate, row.lasts, row.arrivals)
			t.Logf("behind in %d of 100 probes", n)
			assert.GreaterOrEqual(t, n, row.least)
			assert.LessOrEqual(t, n, row.most)
		})
	}
}

// Completions per second are those of the measured part: what is answered afterwards does not count as kept up.
func TestPaceInNumbers(t *testing.T) {
	p := fixedServer(4, 100).measure(Phase{Rate: 150, For: 10 * time.Second, WarmUp: time.Second}).Pace
	assert.InDelta(t, 150, p.Offered, 0.2)
	assert.InDelta(t, 100, p.Completed, 1)
	assert.InDelta(t, 1.0/3, p.Lag, 0.01)
	assert.InDelta(t, 0.5, p.Growth.Value, 0.01, "half a second more in each second")
	assert.Equal(t, []string{"the gateway completed only 100 of 150 requests/s", "the latency grew by 500ms per second (limit: 15ms)"}, p.Misses())
	assert.True(t, Pace{}.KeptUp(), "nothing measured")
}
