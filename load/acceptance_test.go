package load

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// acceptanceVariable asks for many more runs than a test needs, and for runs on a real clock. runsVariable says how many.
const (
	acceptanceVariable = "GATECERT_ACCEPTANCE"
	runsVariable       = "GATECERT_RUNS"
)

// The search, on a real clock, against a server in a process of its own whose capacity is known. make accept-capacity
func TestSearchFindsTheCapacityOfAProcess(t *testing.T) {
	if os.Getenv(acceptanceVariable) == "" {
		t.Skip("takes 40 s a run: make accept-capacity")
	}
	runs, err := strconv.Atoi(os.Getenv(runsVariable))
	if err != nil {
		runs = 20
	}
	for _, perSecond := range []float64{100, 400, 2000} {
		for _, arrivals := range []Arrivals{{}, PoissonArrivals()} {
			t.Run(fmt.Sprintf("%g a second, %s arrivals", perSecond, arrivals), func(t *testing.T) {
				const servers = 8
				address := serverOf(t, fmt.Sprintf("%dx%s", servers, time.Duration(servers/perSecond*float64(time.Second))))
				good, known := 0, 0
				for run := range runs {
					e := newEngine(t, HardCaps())
					search := Search{To: 20_000, Phase: Phase{Mix: []Request{chatRequest("http://" + address)}, Arrivals: arrivals, Seed: uint64(1000 * run)}}
					began := time.Now()
					c, err := e.Capacity(t.Context(), search)
					took := time.Since(began)
					require.NoError(t, err)
					countWhere(!c.GeneratorLimited, &known)
					contained := c.Lower <= perSecond && (perSecond < c.Upper || c.GeneratorLimited)
					countWhere(contained && !c.GeneratorLimited && c.Upper/c.Lower <= 1.15 && took < time.Minute, &good)
					if took > time.Minute {
						for _, p := range c.Probes {
							t.Logf("    %.4g for %s: %v %v lag %.3f growth %.3f throughput %.4g", p.Rate, p.Duration, p.Misses, p.Inconclusive, p.Pace.Lag, p.Pace.Growth.Value, p.Throughput)
						}
					}
					t.Logf("%s, ratio %.3f, in %s, %d probes %v", c, c.Upper/c.Lower, took.Round(time.Second), len(c.Probes), c.Notes)
					assert.True(t, contained, "the truth is never denied: a machine that cannot keep up is named")
				}
				t.Logf("%d of %d contain the truth, are at most 15 %% wide and take less than a minute; the machine kept up in %d", good, runs, known)
				assert.GreaterOrEqual(t, good, known*19/20)
			})
		}
	}
}
