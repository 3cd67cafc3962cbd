//go:build !race

// A fit is arithmetic without goroutines, and takes ten times as long with the race detector; race_test.go has one of each kind.

package limits

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

// size is that of a limit.
type size struct {
	limit  int
	window time.Duration
}

// The five kinds in two sizes; TestInferNamesLargeLimits has a third.
func TestInferNamesKindAndLimit(t *testing.T) {
	infersAll(t, size{5, time.Second}, size{20, 2 * time.Second})
}

// infersAll infers the five kinds. Accepting makes 20 runs of each, every other one on a busy machine, of which one may be wrong.
func infersAll(t *testing.T, sizes ...size) {
	t.Helper()
	runs, wrong := int(runsOf(1, 20)), int(runsOf(0, 1))
	for i, kind := range contract.LimiterKinds() {
		for j, size := range sizes {
			t.Run(fmt.Sprintf("%s of %d in %s", kind, size.limit, size.window), func(t *testing.T) {
				t.Parallel()
				right, covered, calls := 0, 0, 0
				for run := range runs {
					synctest.Test(t, func(t *testing.T) {
						l := simulation{kind, size.limit, size.window, uint64(run), uint64(size.limit), (run+i+j)%2 == 1}.limiter()
						m, experiments, err := Infer(t.Context(), l.call, Budget{})
						require.True(t, err == nil || errors.Is(err, ErrInconclusive) || errors.Is(err, ErrBudget), "%v", err)
						for _, e := range experiments {
							calls += e.Calls
						}
						if err == nil && m.Kind == kind && m.Limit == size.limit {
							right++
						} else {
							t.Logf("run %d: %s %v %q", run, m, err, m.Evidence)
						}
						if err != nil || l.isWithin(m.Intervals) {
							covered++
						} else {
							t.Logf("run %d: %s: %s", run, m, m.Intervals)
						}
					})
				}
				t.Logf("%d of %d right, %d within the intervals, %d calls each", right, runs, covered, calls/runs)
				require.GreaterOrEqual(t, right, runs-wrong)
				require.GreaterOrEqual(t, covered, runs-wrong)
			})
		}
	}
}
