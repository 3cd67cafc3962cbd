//go:build !race

// Inferences that take many calls: make test-whole.

package limits

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

func TestInferNamesLargeLimits(t *testing.T) { infersAll(t, size{100, 10 * time.Second}) }

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
			unclear := 0
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
					if errors.Is(err, ErrInconclusive) { // on a busy machine the answers may leave two kinds
						unclear++
						return
					}
					require.NoError(t, err, "%s %+v", m, experiments)
					require.Equal(t, s.kind, m.Kind, "run %d: %s %q", run, m, m.Evidence)
					require.Equal(t, row.want, m.Limit, "run %d: %s %q", run, m, m.Evidence)
					require.NotEmpty(t, experiments)
				})
			}
			require.LessOrEqual(t, unclear, int(runsOf(0, 2)), "of %d runs on a busy machine", runsOf(1, 4))
		})
	}
}
