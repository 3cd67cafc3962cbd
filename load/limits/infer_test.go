//go:build !race

// A fit is arithmetic without goroutines, and takes ten times as long with the race detector; race_test.go has one of each kind.

package limits

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

// The five kinds in three sizes. Accepting makes 20 runs of each, every other one on a busy machine, of which one may be wrong.
func TestInferNamesKindAndLimit(t *testing.T) {
	runs, wrong := int(runsOf(1, 20)), int(runsOf(0, 1))
	for i, kind := range contract.LimiterKinds() {
		for j, size := range []struct {
			limit  int
			window time.Duration
		}{{5, time.Second}, {20, 2 * time.Second}, {100, 10 * time.Second}} {
			t.Run(fmt.Sprintf("%s of %d in %s", kind, size.limit, size.window), func(t *testing.T) {
				t.Parallel()
				right, calls := 0, 0
				for run := range runs {
					synctest.Test(t, func(t *testing.T) {
						l := simulation{kind, size.limit, size.window, uint64(run), uint64(size.limit), (run+i+j)%2 == 1}.limiter()
						m, experiments, err := Infer(t.Context(), l.call, Budget{})
						require.NoError(t, err)
						for _, e := range experiments {
							calls += e.Calls
						}
						if m.Kind == kind && m.Limit == size.limit {
							right++
						} else {
							t.Logf("run %d: %s %q", run, m, m.Evidence)
						}
					})
				}
				t.Logf("%d of %d right, %d calls each", right, runs, calls/runs)
				require.GreaterOrEqual(t, right, runs-wrong)
			})
		}
	}
}

func TestInferKnowsUnusualLimiters(t *testing.T) {
	for _, row := range []struct {
		sentence string
		limiter  simulation
		change   func(*simulatedLimiter)
		used     int // calls that were made with the key shortly before
		want     int // the limit
	}{
		{"windows that start on a request", simulation{kind: contract.FixedWindow, limit: 10, window: 3 * time.Second}, func(l *simulatedLimiter) { l.startsOnRequest = true }, 0, 10},
		{"a bucket that holds more than is refilled in a window", simulation{kind: contract.TokenBucket, limit: 5, window: time.Second}, func(l *simulatedLimiter) { l.burst = 12 }, 0, 12},
		{"a bucket that holds less", simulation{kind: contract.TokenBucket, limit: 50, window: 10 * time.Second}, func(l *simulatedLimiter) { l.burst = 10 }, 0, 10},
		{"a log half used up", simulation{kind: contract.SlidingLog, limit: 20, window: 5 * time.Second}, nil, 11, 20},
		{"a log used up", simulation{kind: contract.SlidingLog, limit: 20, window: 5 * time.Second}, nil, 20, 20},
		{"a window used up", simulation{kind: contract.FixedWindow, limit: 8, window: 2 * time.Second}, nil, 8, 8},
		{"a bucket nearly empty", simulation{kind: contract.TokenBucket, limit: 20, window: 10 * time.Second}, nil, 18, 20},
		{"a counter used up", simulation{kind: contract.SlidingCounter, limit: 20, window: 4 * time.Second}, nil, 20, 20},
		{"one call a second", simulation{kind: contract.SlidingLog, limit: 2, window: 2 * time.Second}, nil, 0, 2},
		{"no limit at all", simulation{kind: None, limit: 1, window: time.Second}, nil, 0, 0},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			t.Parallel()
			for run := range runsOf(1, 4) {
				synctest.Test(t, func(t *testing.T) {
					s := row.limiter
					s.run, s.seed, s.busy = run, 9, true
					l := s.limiter()
					if row.change != nil {
						row.change(l)
					}
					for range row.used {
						_, _ = l.call(t.Context(), 0)
					}
					m, experiments, err := Infer(t.Context(), l.call, Budget{})
					require.NoError(t, err, "%s %+v", m, experiments)
					require.Equal(t, s.kind, m.Kind, "run %d: %s %q", run, m, m.Evidence)
					require.Equal(t, row.want, m.Limit, "run %d: %s %q", run, m, m.Evidence)
					require.NotEmpty(t, experiments)
				})
			}
		})
	}
}
