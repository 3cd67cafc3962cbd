//go:build !race

// These simulations have one goroutine, and take two minutes with the race detector.

package load

import (
	"container/heap"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/reports/runlog"
)

// modelServer is a server of known capacity: so many requests at a time, one queue, and a service time. It takes no time.
type modelServer struct {
	servers int
	service func(*rand.Rand) time.Duration
	random  *rand.Rand
}

// fixedServer handles perSecond requests a second, each in the same time.
func fixedServer(servers int, perSecond float64) modelServer {
	service := time.Duration(float64(servers) / perSecond * float64(time.Second))
	return modelServer{servers: servers, service: func(*rand.Rand) time.Duration { return service }}
}

type instants []time.Duration

func (h instants) Len() int           { return len(h) }
func (h instants) Less(i, j int) bool { return h[i] < h[j] }
func (h instants) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *instants) Push(x any)        { *h = append(*h, x.(time.Duration)) }
func (h *instants) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

// measure runs a phase against the server: what the engine would measure without any noise of its own.
func (s modelServer) measure(p Phase) Measurement {
	p = p.withDefaults()
	m := Measurement{metrics: map[metricsKey]*Metrics{}, Requests: []string{"model"}}
	a := newAggregator(&m, p)
	free := make(instants, s.servers)
	schedule := newSchedule(p)
	for seq := range p.requests() {
		due, bunching := schedule.due()
		start := max(free[0], due)
		end := start + s.service(s.random)
		free[0] = end
		heap.Fix(&free, 0)
		a.add(sample{started: due, bunching: bunching, Result: Result{Seq: seq, Due: due, Sent: due, FirstByte: end, End: end, Outcome: runlog.Admitted}})
	}
	m.Offered = m.Sent
	a.close()
	m.Pace = a.course.pace(p.meanRate(), 0)
	return m
}

// searchModel searches for the capacity of a model server, and returns how long the probes took.
func searchModel(t *testing.T, s modelServer, search Search) (*bounds, time.Duration) {
	t.Helper()
	search = search.withDefaults()
	total := warmUp
	b := search.newBounds(func(_ context.Context, rate float64, d time.Duration) (Probe, error) {
		p := search.Phase
		p.Rate, p.For, p.WarmUp = rate, d, probeWarmUp(rate, d)
		search.Phase.Seed++
		m := s.measure(p)
		total += max(d, m.Elapsed) + settleTime
		return newProbe(rate, d, p, m, search.SLO, s.service(s.random)), nil
	})
	require.NoError(t, b.run(t.Context()))
	_, err := search.curve(t.Context(), b)
	require.NoError(t, err)
	return b, total
}

// The truth lies between the bounds, the bounds are close together, and a search takes less than a minute: for servers of
// known capacity, evenly loaded and not.
func TestSearchFindsTheCapacityOfAServer(t *testing.T) {
	runs := 20
	if os.Getenv(acceptanceVariable) != "" {
		runs = 400
	}
	for _, perSecond := range []float64{100, 400, 2000} {
		for _, arrivals := range []Arrivals{{}, PoissonArrivals()} {
			t.Run(fmt.Sprintf("%g/s, %s arrivals", perSecond, arrivals), func(t *testing.T) {
				t.Parallel()
				right, good, widest, longest := 0, 0, 1.0, time.Duration(0)
				for seed := range uint64(runs) {
					search := Search{To: 20_000, Phase: Phase{Arrivals: arrivals, Seed: 1000 * seed}}
					b, took := searchModel(t, fixedServer(8, perSecond), search)
					contained := b.lower <= perSecond && perSecond < b.upper
					countWhere(contained, &right)
					countWhere(contained && b.upper/b.lower <= 1.15 && took < time.Minute, &good)
					widest, longest = max(widest, b.upper/b.lower), max(longest, took)
				}
				t.Logf("%d of %d contain the truth, %d are at most 15 %% wide and take less than a minute; the widest is %.3f, the longest takes %s",
					right, runs, good, widest, longest)
				assert.GreaterOrEqual(t, right, runs*19/20)
				assert.GreaterOrEqual(t, good, runs*19/20-1)
			})
		}
	}
}
