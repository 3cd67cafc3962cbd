package limits_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load/limits"
	"github.com/gatecert/gatecert/targets/reference"
)

// rounds is how often each combination is tried; in every other round one core is busy. With -count=5 these are the twenty runs
// of each combination that the inference was accepted by.
const rounds = 4

// The five kinds of the reference gateway in three sizes, over a real network and on a real clock. Of four runs of a combination
// one may be wrong; of twenty, no more.
func TestInferNamesTheReferenceGatewaysLimit(t *testing.T) {
	if !limits.Accepting {
		t.Skip("make accept-limits")
	}
	var mu sync.Mutex
	right := map[string]int{}
	for round := range rounds {
		stop := func() {}
		if round%2 == 1 {
			stop = spin()
		}
		t.Run(fmt.Sprintf("round %d", round), func(t *testing.T) {
			for _, kind := range contract.LimiterKinds() {
				for _, size := range []reference.RateLimit{
					{Requests: 5, Window: time.Second}, {Requests: 20, Window: 2 * time.Second}, {Requests: 100, Window: 10 * time.Second},
				} {
					size.Kind = kind
					name := fmt.Sprintf("%s of %d in %s", kind, size.Requests, size.Window)
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						g := newGateway(t, size)
						began := time.Now()
						m, experiments, err := limits.Infer(t.Context(), g.probers().Limited, limits.Budget{})
						calls := 0
						for _, e := range experiments {
							calls += e.Calls
						}
						mu.Lock()
						defer mu.Unlock()
						if err == nil && m.Kind == kind && m.Limit == size.Requests {
							right[name]++
							t.Logf("%s after %d calls in %s", m, calls, time.Since(began).Round(time.Second))
							return
						}
						right[name] += 0
						t.Logf("wrong: %s, %v: %q", m, err, m.Evidence)
					})
				}
			}
		})
		stop()
	}
	for name, n := range right {
		t.Logf("%s: %d of %d right", name, n, rounds)
		require.GreaterOrEqual(t, n, rounds-1, name)
	}
}

// spin keeps one core busy until stop is called.
func spin() (stop func()) {
	var done atomic.Bool
	var spinning sync.WaitGroup
	spinning.Go(func() {
		for !done.Load() {
		}
	})
	return func() {
		done.Store(true)
		spinning.Wait()
	}
}
