//go:build !race

// How often a limiter that keeps its promise is accused: make accept-limits.

package limits

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

// jitterSeed is the seed of the runs; the number of a run is the other half of its seed.
const jitterSeed = 20261129

// jittered is a limit of a random size on a machine of random speed, whose calls are sent up to maxJitter late. Of two
// runs one is declared without its kind.
type jittered struct {
	gateway  *simulatedLimiter
	declared DeclaredLimit
	prober   Prober
}

const maxJitter = 30 * time.Millisecond

func newJittered(kind contract.LimiterKind, run uint64) jittered {
	random := rand.New(rand.NewPCG(run, jitterSeed))
	d := DeclaredLimit{Kind: kind, Limit: 1 + random.IntN(40), Window: time.Duration(500+random.IntN(4500)) * time.Millisecond}
	g := &simulatedLimiter{kind: kind, limit: d.Limit, window: d.Window, delay: idleMachine(random)}
	if run%4 > 1 {
		g.delay = busyMachine(random)
	}
	g.phase = time.Duration(random.Int64N(int64(d.Window)))
	g.startsOnRequest = random.IntN(2) == 0
	if kind == contract.TokenBucket && random.IntN(2) == 0 {
		d.Burst = 1 + random.IntN(2*d.Limit)
		g.burst = d.Burst
	}
	if run%2 == 1 && kind != contract.Concurrency && d.Burst == 0 {
		d.Kind = ""
	}
	prober := func(ctx context.Context, hold time.Duration) (Call, error) {
		g.mu.Lock()
		late := time.Duration(random.Int64N(int64(maxJitter)))
		g.mu.Unlock()
		time.Sleep(late)
		return g.call(ctx, hold)
	}
	return jittered{g, d, prober}
}

func TestVerifyNeverAccusesALimiterThatKeepsItsPromise(t *testing.T) {
	for _, kind := range contract.LimiterKinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			runs, accused, remarks, undecided := runsOf(12, 1000), 0, 0, 0
			for run := range runs {
				synctest.Test(t, func(t *testing.T) {
					j := newJittered(kind, run)
					findings, summary, err := Verify(t.Context(), Probers{Limited: j.prober}, j.declared, Budget{})
					if err != nil {
						require.ErrorIs(t, err, ErrInconclusive)
						undecided++
					}
					if slices.ContainsFunc(findings, exceedsLimit) {
						accused++
						t.Errorf("run %d: %+v is accused: %v; %s", run, j.declared, findings, summary.Limiter)
					} else if v := verdictOf(findings); v != "right" {
						remarks++
						t.Errorf("run %d: %+v: %v; %s", run, j.declared, findings, summary.Limiter)
					}
				})
			}
			t.Logf("%s: %d runs, %d accused, %d remarks, %d undecided", kind, runs, accused, remarks, undecided)
		})
	}
}
