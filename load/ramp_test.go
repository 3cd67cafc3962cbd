package load

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/leanserver"
	"github.com/gatecert/gatecert/targets/upstream"
)

// queueing is a gateway with a virtual queue: one server that takes so long for each request.
func queueing(service time.Duration) http.HandlerFunc {
	q := leanserver.NewQueue(1, service)
	return func(w http.ResponseWriter, r *http.Request) {
		q.Wait()
		ok(w, r)
	}
}

func TestRampEndsWhereTheGatewayFails(t *testing.T) {
	simulate(t, queueing(10*ms), func(t *testing.T, e *Engine, url string) { // 100/s
		ramp := Ramp{Phase: Phase{Mix: []Request{chatRequest(url)}, Generator: lenient()}, From: 20, To: 400, For: 40 * time.Second, SLO: SLO{Latency: 200 * ms}}
		var seen []RampStep
		ramp.Observe = func(s RampStep) { seen = append(seen, s) }
		plan, err := e.PlanRamp(ramp)
		require.NoError(t, err)
		assert.Equal(t, uint64(8400), plan.Requests)
		assert.InDelta(t, 400, plan.Rate, 0)
		result, err := e.Ramp(t.Context(), ramp)
		require.NoError(t, err)
		require.NotNil(t, result.Failed)
		assert.InDelta(t, 120, result.Failed.Rate, 20, "the queue has to grow first")
		assert.Regexp(t, `^SLO missed at 1[\d.]+/s with constant arrivals: p99 latency was \d+ms$`, result.String())
		assert.Equal(t, result.Steps, seen)
		assert.Less(t, e.used.Requests, uint64(1200), "it stops there")
	})
	simulate(t, ok, func(t *testing.T, e *Engine, url string) {
		ramp := Ramp{Phase: Phase{Mix: []Request{chatRequest(url)}, Generator: lenient()}, From: 20, To: 100, For: 10 * time.Second}
		result, err := e.Ramp(t.Context(), ramp)
		require.NoError(t, err)
		assert.Nil(t, result.Failed)
		assert.Equal(t, "SLO met up to 88/s with constant arrivals", result.String())
		ramp.To = -1
		_, err = e.Ramp(t.Context(), ramp)
		assert.ErrorIs(t, err, ErrInvalid)
	})
}

// A ramp is judged by every term of its SLO.
func TestRampJudgesEveryTerm(t *testing.T) {
	model, err := upstream.ParseModel("ttft=200ms,itl=20ms,tokens=10")
	require.NoError(t, err)
	for terms, want := range map[string]string{
		"latency.p50<100ms":        "p50 latency was 3",
		"service.mean<100ms":       "mean service time was 3",
		"ttfb.p99<100ms":           "p99 TTFB was 2",
		"ttft.p99<100ms":           "p99 TTFT was 200ms",
		"itl.p50<10ms":             "p50 ITL was 20ms",
		"tpot.max<10ms":            "longest TPOT was 20ms",
		"stall.p99<10ms":           "p99 stall was 20ms",
		"token-rate.p5>100":        "p5 tokens/s per stream was 50",
		"goodput>90%,ttft.p1<1ms":  "goodput was 0 %",
		"tokens/s>100000":          "tokens/s was ",
		"ttft.p99<1s,itl.p99<25ms": "",
	} {
		t.Run(terms, func(t *testing.T) {
			slo, err := ParseSLO(terms)
			require.NoError(t, err)
			simulate(t, upstream.New(upstream.Options{Model: model}).ServeHTTP, func(t *testing.T, e *Engine, url string) {
				ramp := Ramp{Phase: modelPhase(url, dialect.ChatStream, 10, time.Second, 64), SLO: slo, From: 10, To: 30, For: 10 * time.Second}
				result, err := e.Ramp(t.Context(), ramp)
				require.NoError(t, err)
				if want == "" {
					assert.Nil(t, result.Failed, "%v", result)
					return
				}
				require.NotNil(t, result.Failed)
				assert.Contains(t, result.Failed.Misses[0], want)
				assert.Contains(t, result.Failed.Sample.Times, "ttft")
			})
		})
	}
}

// Eight servers that take 20 ms: eight callers get all of their 400/s, and more callers only wait.
func TestSweepFindsTheKnee(t *testing.T) {
	q := leanserver.NewQueue(8, 20*ms)
	gateway := func(w http.ResponseWriter, r *http.Request) {
		q.Wait()
		ok(w, r)
	}
	simulate(t, gateway, func(t *testing.T, e *Engine, url string) {
		sweep := Sweep{Phase: Phase{Mix: []Request{chatRequest(url)}, Generator: lenient()}, Levels: []int{1, 4, 8, 16, 64}, Each: 2 * time.Second, Most: 1000}
		result, err := e.Sweep(t.Context(), sweep)
		require.NoError(t, err)
		require.Len(t, result.Levels, 5)
		for i, want := range []float64{50, 200, 400, 400, 400} {
			assert.InDelta(t, want, result.Levels[i].Throughput, want*0.03, "%d callers", result.Levels[i].Concurrency)
		}
		assert.InDelta(t, 160*ms, result.Levels[4].P50, float64(5*ms), "64 callers wait for eight servers")
		best, ok := result.Best()
		assert.True(t, ok)
		assert.Equal(t, 8, best.Concurrency)
		assert.Regexp(t, `^(39\d|4\d\d)(\.\d)?/s with 8 callers: more callers do not increase the throughput within the SLO$`, result.String())
		assert.NotZero(t, result.AtBest.Sent)

		sweep.SLO.Latency, sweep.Most = 10*ms, 30
		result, err = e.Sweep(t.Context(), sweep)
		require.NoError(t, err)
		assert.Equal(t, "the SLO was not met at any tested number of callers", result.String())
		assert.True(t, result.Levels[0].Bounded, "30/s are fewer than one caller could send")

		sweep.Levels = []int{2, 1}
		_, err = e.Sweep(t.Context(), sweep)
		assert.ErrorIs(t, err, ErrInvalid)
	})
}

// A closed loop never has more requests open than callers, and a warm-up is sent but not counted.
func TestClosedLoopsAndWarmUps(t *testing.T) {
	simulate(t, queueing(10*ms), func(t *testing.T, e *Engine, url string) {
		m, err := e.Run(t.Context(), Phase{
			Mix: []Request{chatRequest(url)}, Rate: 1000, For: 3 * time.Second, WarmUp: 500 * ms, Closed: true, Connections: 4, Generator: lenient(), Keep: 1000,
		})
		require.NoError(t, err)
		assert.InDelta(t, 300, float64(m.Sent), 5, "75 of each caller, which are more than it sends in a row")
		assert.Zero(t, m.Waited)
		assert.InDelta(t, 50, float64(m.Warming), 5)
		counted := m.Of(AllRequests, "admitted")
		assert.Equal(t, m.Sent-m.Warming, counted.Count)
		assert.InDelta(t, 40*ms, counted.Latency.Quantile(0.5), float64(ms), "four callers, one server")
		assert.Equal(t, "4 callers for 3s", m.Schedule)
		assert.True(t, m.Generator.OK(), "%v", m.Generator.Problems)
	})
}
