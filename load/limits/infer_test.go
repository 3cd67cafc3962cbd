package limits

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

// acceptance asks for all 20 runs of each combination, which take minutes of CPU.
const acceptance = "GATECERT_ACCEPTANCE"

func accepting() bool { return os.Getenv(acceptance) != "" }

// 15 combinations; of their 20 runs every other one is on a busy machine, and at most one may be wrong.
func TestInferNamesKindAndLimit(t *testing.T) {
	runs, wrong := 1, 0
	if accepting() {
		runs, wrong = 20, 1
	}
	sizes := []struct {
		limit  int
		window time.Duration
	}{{5, time.Second}, {20, 2 * time.Second}, {100, 10 * time.Second}}
	if RaceEnabled {
		sizes = sizes[:1] // looking for windows among hundreds of answers is nothing but arithmetic, and takes five times as long
	}
	for i, kind := range contract.LimiterKinds() {
		for j, size := range sizes {
			t.Run(fmt.Sprintf("%s of %d in %s", kind, size.limit, size.window), func(t *testing.T) {
				right := 0
				var calls int
				var took time.Duration
				for run := range runs {
					synctest.Test(t, func(t *testing.T) {
						random := rand.New(rand.NewPCG(uint64(run), uint64(size.limit)))
						s := &simulated{kind: kind, limit: size.limit, window: size.window, noise: quiet(random)}
						if (run+i+j)%2 == 1 {
							s.noise = busy(random)
						}
						s.phase = time.Duration(random.Int64N(int64(size.window)))
						began := time.Now()
						m, experiments, err := Infer(t.Context(), s, Budget{})
						require.NoError(t, err)
						for _, e := range experiments {
							calls += e.Calls
						}
						took += time.Since(began)
						if m.Kind == kind && m.Limit == size.limit {
							right++
						} else {
							t.Logf("run %d: %s %q", run, m, m.Evidence)
						}
						if testing.Verbose() && run < 2 {
							t.Logf("run %d: %s %.2f", run, m, m.Confidence)
						}
					})
				}
				t.Logf("%d right, %d calls, %s", right, calls/runs, took/time.Duration(runs))
				require.GreaterOrEqual(t, right, runs-wrong)
			})
		}
	}
}

func TestInferKnowsVariations(t *testing.T) {
	if RaceEnabled {
		t.Skip("nothing but arithmetic, which takes five times as long")
	}
	runs := uint64(1)
	if accepting() {
		runs = 4
	}
	for _, row := range []struct {
		sentence string
		s        *simulated
		used     int // calls that the key has made shortly before
		want     Model
	}{
		{"windows that begin with a call", &simulated{kind: contract.FixedWindow, anchored: true, limit: 10, window: 3 * time.Second}, 0, Model{Kind: contract.FixedWindow, Limit: 10}},
		{"a bucket that holds more than comes in a window", &simulated{kind: contract.TokenBucket, limit: 5, burst: 12, window: time.Second}, 0, Model{Kind: contract.TokenBucket, Limit: 12}},
		{"a bucket that holds less", &simulated{kind: contract.TokenBucket, limit: 50, burst: 10, window: 10 * time.Second}, 0, Model{Kind: contract.TokenBucket, Limit: 10}},
		{"a log half used up", &simulated{kind: contract.SlidingLog, limit: 20, window: 5 * time.Second}, 11, Model{Kind: contract.SlidingLog, Limit: 20}},
		{"a log used up", &simulated{kind: contract.SlidingLog, limit: 20, window: 5 * time.Second}, 20, Model{Kind: contract.SlidingLog, Limit: 20}},
		{"a window used up", &simulated{kind: contract.FixedWindow, limit: 8, window: 2 * time.Second}, 8, Model{Kind: contract.FixedWindow, Limit: 8}},
		{"a bucket nearly empty", &simulated{kind: contract.TokenBucket, limit: 20, window: 10 * time.Second}, 18, Model{Kind: contract.TokenBucket, Limit: 20}},
		{"a counter used up", &simulated{kind: contract.SlidingCounter, limit: 20, window: 4 * time.Second}, 20, Model{Kind: contract.SlidingCounter, Limit: 20}},
		{"one call a second", &simulated{kind: contract.SlidingLog, limit: 2, window: 2 * time.Second}, 0, Model{Kind: contract.SlidingLog, Limit: 2}},
		{"no limit at all", &simulated{kind: None, limit: 1, window: time.Second}, 0, Model{Kind: None}},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			for run := range runs {
				synctest.Test(t, func(t *testing.T) {
					s := &simulated{kind: row.s.kind, limit: row.s.limit, window: row.s.window, burst: row.s.burst, anchored: row.s.anchored}
					s.noise = busy(rand.New(rand.NewPCG(run, 9)))
					for range row.used {
						_, _ = s.Probe(t.Context())
					}
					m, experiments, err := Infer(t.Context(), s, Budget{})
					require.NoError(t, err, "%s %+v", m, experiments)
					require.Equal(t, row.want, Model{Kind: m.Kind, Limit: m.Limit}, "run %d: %s %q", run, m, m.Evidence)
					require.NotEmpty(t, experiments)
				})
			}
		})
	}
}
