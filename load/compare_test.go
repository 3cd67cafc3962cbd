package load

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAddedBounds(t *testing.T) {
	bounds, err := ParseAdded("p99=5ms, mean=1ms,ttft.p50=10ms,errors=0.1%")
	require.NoError(t, err)
	assert.Equal(t, []AddedBound{{"service.p99", 0.005}, {"service.mean", 0.001}, {"ttft.p50", 0.01}, {"errors", 0.001}}, bounds)
	for _, text := range []string{"", "p99", "p99=", "p98=1ms", "p99=-1ms", "errors=1ms", "tokens.p50=1ms", "p99=5%", "errors=NaN"} {
		_, err := ParseAdded(text)
		assert.ErrorIs(t, err, ErrInvalid, text)
	}
	c := Compared{Differences: []Difference{{Metric: "service.p99", Added: Estimate{4, 3, 5}}}}
	for most, want := range map[float64]Check{5: Kept, 4: Undecided, 3: Undecided, 2: Exceeded} {
		assert.Equal(t, want, c.Check(AddedBound{"service.p99", most}), "at most %g", most)
	}
	assert.Equal(t, Undecided, c.Check(AddedBound{"ttft.p50", 1}), "neither target streams")
}

// twoSides are the same gateway under two keys.
func twoSides(url string) (a, b Side) {
	direct := chatRequest(url)
	direct.Call.Key = "sk-direct-0123456789"
	return Side{Name: "direct", Mix: []Request{direct}}, Side{Name: "through", Mix: []Request{chatRequest(url)}}
}

func TestCompare(t *testing.T) {
	gateway := func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(ms)
		if r.Header.Get("Authorization") == "Bearer sk-caller-0123456789" {
			time.Sleep(10 * ms)
		}
		ok(w, r)
	}
	simulate(t, gateway, func(t *testing.T, e *Engine, url string) {
		comparison := Comparison{Phase: Phase{Generator: lenient(), Arrivals: PoissonArrivals()}, Rounds: 5, Rate: 50, Duration: 200 * ms}
		comparison.A, comparison.B = twoSides(url)
		plan, err := e.PlanComparison(comparison)
		require.NoError(t, err)
		c, err := e.Compare(t.Context(), comparison)
		require.NoError(t, err)
		assert.LessOrEqual(t, e.used.Requests, plan.Requests)
		assert.Equal(t, 5, c.Rounds)
		var metrics []string
		for _, d := range c.Differences {
			metrics = append(metrics, d.Metric)
			if d.Metric == "errors" {
				assert.Zero(t, d.Added.Value)
				assert.InDelta(t, 3.0/50, d.Added.High, 1e-9, "of 50 requests none failed: at most 6 % of all may fail")
				assert.InDelta(t, -3.0/50, d.Added.Low, 1e-9)
				continue
			}
			assert.InDelta(t, 0.001, d.A, 1e-4)
			assert.InDelta(t, 0.011, d.B, 3e-4)
			for _, added := range []float64{d.Added.Low, d.Added.Value, d.Added.High} {
				assert.InDelta(t, 0.010, added, 3e-4)
			}
			assert.True(t, d.Found())
		}
		assert.Equal(t, []string{"service.p50", "service.p90", "service.p95", "service.p99", "service.mean", "errors"}, metrics)
	})
}

// A target that answers nothing cannot be compared; what was measured before is kept.
func TestCompareInconclusive(t *testing.T) {
	broken := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer sk-caller-0123456789" {
			_, _ = io.WriteString(w, "no")
			return
		}
		ok(w, r)
	}
	simulate(t, broken, func(t *testing.T, e *Engine, url string) {
		comparison := Comparison{Phase: Phase{Generator: lenient()}, Rounds: 5, Rate: 50, Duration: 20 * ms}
		comparison.A, comparison.B = twoSides(url)
		c, err := e.Compare(t.Context(), comparison)
		require.ErrorIs(t, err, ErrInconclusive)
		assert.EqualError(t, err, "not compared: 6 of 6 rounds were inconclusive because the load generator could not keep up or the gateway admitted no request")
		assert.Empty(t, c.Differences)
		assert.NotEmpty(t, c.Violations, "what it answered is judged all the same")
		comparison.Rounds = 4
		_, err = e.Compare(t.Context(), comparison)
		assert.ErrorIs(t, err, ErrInvalid)
	})
}
