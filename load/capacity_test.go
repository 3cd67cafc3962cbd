package load

import (
	"context"
	"math"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// limited is a gateway that admits so many requests in any tenth of a second and refuses the others.
func limited(perTenth int) http.HandlerFunc {
	var mu sync.Mutex
	var began time.Time
	var admitted int
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		if now := time.Now(); now.Sub(began) >= 100*ms {
			began, admitted = now, 0
		}
		admitted++
		admit := admitted <= perTenth
		mu.Unlock()
		if admit {
			ok(w, r)
			return
		}
		refuse(w, r)
	}
}

func shortSearch(url string) Search {
	return Search{
		Phase: Phase{Mix: []Request{chatRequest(url)}, Connections: 16, Generator: lenient(), Keep: 10_000},
		From:  20, To: 2000, Short: 200 * ms, Full: 400 * ms, Precision: 0.5, Repeats: 2, Curve: []float64{0.5},
		SLO: SLO{Latency: 10 * time.Second, Errors: 0.02},
	}
}

func TestCapacityOfALimitedGateway(t *testing.T) {
	simulate(t, limited(20), func(t *testing.T, e *Engine, url string) { // 200/s
		search := shortSearch(url)
		observed := 0
		search.Observe = func(Probe) { observed++ }
		c, err := e.Capacity(t.Context(), search)
		require.NoError(t, err)
		assert.GreaterOrEqual(t, c.Upper, 200.0, "%s", c)
		assert.LessOrEqual(t, c.Lower, 210.0, "%s", c) // 2 % errors are allowed, and a probe may begin late in a window
		assert.Positive(t, c.Lower)
		assert.LessOrEqual(t, c.Upper/c.Lower, 1.51)
		assert.False(t, c.GeneratorLimited)
		assert.Equal(t, contract.Pass, c.Verdict(), "a complete refusal violates nothing")
		require.Len(t, c.Curve, 1)
		assert.InDelta(t, c.Lower/2, c.Curve[0].Rate, 1e-9)
		assert.Equal(t, len(c.Probes)+len(c.Curve), observed)
		assert.NotEmpty(t, c.AtLower.Results)
		assert.Regexp(t, `^between [\d.]+ and [\d.]+/s with constant arrivals\. This is the key's rate limit, not the gateway's capacity: at [\d.]+/s, the gateway refused \d+ % of the requests$`, c.String())
		for _, probe := range c.Probes {
			if !probe.Met() {
				assert.Regexp(t, "% of the requests failed$", probe.Misses[0])
			}
		}
	})
}

func TestCapacityKeepsToItsPlan(t *testing.T) {
	simulate(t, ok, func(t *testing.T, e *Engine, url string) {
		search := shortSearch(url)
		search.To = 100
		plan, err := e.PlanSearch(search)
		require.NoError(t, err)
		c, err := e.Capacity(t.Context(), search)
		require.NoError(t, err)
		assert.Equal(t, "at least 100/s (the highest rate allowed) with constant arrivals", c.String())
		assert.LessOrEqual(t, e.used.Requests, plan.Requests)
		assert.LessOrEqual(t, e.used.Duration, plan.Duration)
		assert.InDelta(t, 100, plan.Rate, 0)
	})
}

// A gateway that fails every second full-length probe never confirms a rate: the search ends with its budget.
func TestCapacityOfAnUnstableGatewayKeepsToItsPlan(t *testing.T) {
	var mu sync.Mutex
	var probes int
	unstable := func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		failing := probes%2 == 1
		mu.Unlock()
		if failing {
			refuse(w, r)
			return
		}
		ok(w, r)
	}
	simulate(t, unstable, func(t *testing.T, e *Engine, url string) {
		search := shortSearch(url)
		search.To, search.Precision = 200, 0.02
		search.Short, search.Full = 100*ms, 150*ms
		search.Observe = func(p Probe) {
			mu.Lock()
			defer mu.Unlock()
			if p.Duration == search.Full {
				probes++
			}
		}
		plan, err := e.PlanSearch(search)
		require.NoError(t, err)
		c, err := e.Capacity(t.Context(), search)
		require.NoError(t, err)
		assert.LessOrEqual(t, e.used.Requests, plan.Requests)
		assert.LessOrEqual(t, e.used.Duration, plan.Duration)
		assert.True(t, c.Partial, "%s", c)
		assert.Contains(t, c.Notes[0], "the search stopped before 2 probes in a row gave the same result at each bound, because the next probe would have exceeded the traffic plan")
	})
}

// A rate that was met in the search is missed in the curve: the lower bound is confirmed again, and moves when it does not
// hold.
func TestCurvePutsTheLowerBoundInDoubt(t *testing.T) {
	for name, row := range map[string]struct {
		after float64 // the capacity from the curve on
		once  bool    // for one probe only
		lower float64
		note  string
	}{
		"a capacity below the one found": {85, false, 100 / math.Pow(1.1, 7.0/3), "0 of 3 full-length probes at rates between the bounds met the SLO"},
		"a stall":                        {40, true, 100, "after the search, a probe at 50/s missed the SLO, although the lower bound is 100/s"},
	} {
		t.Run(name, func(t *testing.T) {
			s := Search{From: 10, To: 1000, Repeats: 2, Curve: []float64{0.5, 0.9, 1}}.withDefaults()
			capacity := 100.0
			b := s.newBounds(func(_ context.Context, rate float64, d time.Duration) (Probe, error) {
				if rate == 50 {
					capacity = row.after
				}
				p := Probe{Rate: rate, Duration: d}
				if rate > capacity {
					p.Misses = []string{"missed"}
				}
				if row.once {
					capacity = 100
				}
				return p, nil
			})
			b.lower, b.upper = 100, 110
			curve, err := s.curve(t.Context(), b)
			require.NoError(t, err)
			require.Len(t, curve, 3)
			assert.InDelta(t, row.lower, b.lower, 1e-6)

			c := Capacity{Lower: b.lower, Upper: b.upper, MaxRate: s.To, Probes: b.probes, Curve: curve}
			c.noteUnstable(s)
			assert.Equal(t, []string{"unstable: " + row.note}, c.Notes)
			assert.True(t, c.Unstable)
		})
	}
}

func TestCapacityInWords(t *testing.T) {
	probes := []Probe{{Rate: 10}}
	for want, c := range map[string]Capacity{
		"unknown: no probe was run":                 {},
		"unknown so far":                            {Probes: probes, Partial: true},
		"below 10/s so far":                         {Probes: probes, Upper: 10, Partial: true},
		"at least 180/s so far":                     {Probes: probes, Lower: 180, MaxRate: 200, Partial: true},
		"between 10 and 11/s":                       {Probes: probes, Lower: 10, Upper: 11, MaxRate: 200},
		"at least 200/s (the highest rate allowed)": {Probes: probes, Lower: 200, MaxRate: 200},
		"at least 180/s (unstable between this rate and 200/s, the highest rate allowed)": {Probes: probes, Lower: 180, MaxRate: 200},
		"at least 10/s (the load generator could not keep up at 11/s)":                    {Probes: probes, Lower: 10, Upper: 11, GeneratorLimited: true},
		"unknown: the load generator could not keep up at 11/s":                           {Probes: probes, Upper: 11, GeneratorLimited: true},
		"below 20/s (unstable: lower rates missed the SLO too)":                           {Probes: probes, Upper: 20},
		"below 10/s (the lowest rate tried)":                                              {Probes: probes, Upper: 10},
	} {
		assert.Equal(t, want, c.bounds())
	}
}

func TestCapacityOfABrokenGateway(t *testing.T) {
	broken := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	simulate(t, broken, func(t *testing.T, e *Engine, url string) {
		c, err := e.Capacity(t.Context(), shortSearch(url))
		require.NoError(t, err)
		assert.Equal(t, "below 20/s (the lowest rate tried) with constant arrivals", c.String())
		assert.Equal(t, contract.Fail, c.Verdict())
		assert.NotEmpty(t, c.Violations)
		assert.Empty(t, c.Curve)
	})
}

func TestCapacityInterrupted(t *testing.T) {
	simulate(t, ok, func(t *testing.T, e *Engine, url string) {
		ctx, cancel := context.WithCancel(t.Context())
		search := shortSearch(url)
		search.Observe = func(Probe) { cancel() }
		c, err := e.Capacity(ctx, search)
		require.ErrorIs(t, err, context.Canceled)
		assert.True(t, c.Partial)
		assert.Equal(t, []string{"the search was interrupted before 2 probes in a row gave the same result at each bound"}, c.Notes)
	})
}

func TestSearchesThatAreInvalid(t *testing.T) {
	e := newEngine(t, HardCaps())
	for sentence, change := range map[string]func(*Search){
		"from above to":           func(s *Search) { s.From = 3000 },
		"a negative rate":         func(s *Search) { s.From = -1 },
		"full shorter than short": func(s *Search) { s.Full = ms },
		"no precision":            func(s *Search) { s.Precision = 1e-9 },
		"the quantile of all":     func(s *Search) { s.SLO.Quantile = 1 },
		"a curve beyond 1":        func(s *Search) { s.Curve = []float64{1.1} },
		"negative repeats":        func(s *Search) { s.Repeats = -1 },
	} {
		search := shortSearch("http://127.0.0.1:1")
		change(&search)
		_, err := e.Capacity(t.Context(), search)
		assert.ErrorIs(t, err, ErrInvalid, sentence)
		_, err = e.PlanSearch(search)
		assert.ErrorIs(t, err, ErrInvalid, sentence)
	}
}

func TestSLO(t *testing.T) {
	measured := func(offered int, outcomes map[runlog.Outcome]int, took time.Duration) Measurement {
		m := Measurement{Offered: uint64(offered), metrics: map[metricsKey]*Metrics{}}
		for outcome, n := range outcomes {
			metrics := &Metrics{Count: uint64(n)}
			for range n {
				metrics.Latency.Add(took)
				metrics.ServiceTime.Add(took)
			}
			m.Sent += uint64(n)
			m.metrics[metricsKey{0, outcome}] = metrics
		}
		return m
	}
	slo := SLO{Latency: 100 * ms, Errors: 0.01, Goodput: 0.95}
	for _, row := range []struct {
		sentence string
		m        Measurement
		want     []string
	}{
		{"every request succeeds", measured(100, map[runlog.Outcome]int{runlog.Admitted: 100}, 50*ms), nil},
		{"one error in a hundred is allowed", measured(100, map[runlog.Outcome]int{runlog.Admitted: 99, runlog.Error5xx: 1}, 50*ms), nil},
		{"two are not", measured(100, map[runlog.Outcome]int{runlog.Admitted: 98, runlog.Refused: 2}, 50*ms), []string{"2 % of the requests failed"}},
		{"too slow", measured(100, map[runlog.Outcome]int{runlog.Admitted: 100}, 150*ms), []string{"p99 latency was 150ms", "goodput was 0 %"}},
		{"nothing admitted", measured(100, map[runlog.Outcome]int{runlog.Timeout: 100}, time.Second), []string{"no request succeeded"}},
		{"local errors do not count", measured(103, map[runlog.Outcome]int{runlog.Admitted: 98, runlog.LocalError: 5}, 50*ms), nil},
		{"requests that were never sent", measured(104, map[runlog.Outcome]int{runlog.Admitted: 100}, 50*ms), []string{"3.85 % of the requests were never sent because no connection became free in time (the SLO's limit for errors, 1 %, also applies to unsent requests)"}},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			assert.Equal(t, row.want, slo.Misses(row.m))
		})
	}
	assert.Equal(t, "p99 latency <= 100ms, errors <= 1 %, goodput >= 95 %", slo.String())
	slo.TTFT = 50 * ms
	assert.Equal(t, "p99 latency <= 100ms, errors <= 1 %, p99 TTFT <= 50ms, goodput >= 95 %", slo.String())
}

// A gateway that takes 20 ms for every request, and four connections for 400/s: the generator is too slow, not the gateway.
func TestTooFewConnectionsAreTheGeneratorsFault(t *testing.T) {
	slow := func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(20 * ms)
		ok(w, r)
	}
	simulate(t, slow, func(t *testing.T, e *Engine, url string) {
		phase := Phase{Mix: []Request{chatRequest(url)}, Rate: 400, For: 500 * ms, Connections: 4, Generator: lenient()}
		m, err := e.Run(t.Context(), phase)
		require.NoError(t, err)
		slo := SLO{Latency: 300 * ms, Errors: 1}
		queued := newProbe(400, 500*ms, phase, m, slo, 20*ms)
		assert.NotEmpty(t, queued.Misses)
		assert.Equal(t, []string{"4 connections are too few: this rate needs 16"}, queued.Inconclusive)

		saturated := newProbe(400, 500*ms, phase, m, slo, ms)
		assert.Empty(t, saturated.Inconclusive, "a gateway that takes 1 ms at a low rate is itself the bottleneck")
	})
}

func TestProbesOfAGeneratorThatCannotKeepUp(t *testing.T) {
	m := Measurement{Offered: 1, Sent: 1, metrics: map[metricsKey]*Metrics{{0, runlog.Admitted}: {Count: 1}}}
	m.metrics[metricsKey{0, runlog.Admitted}].Latency.Add(100 * ms)
	m.Generator = GeneratorHealth{Problems: []string{"late"}}
	probe := func(latency time.Duration) Probe {
		return newProbe(1, time.Second, Phase{}.withDefaults(), m, SLO{Latency: latency}, ms)
	}
	assert.True(t, probe(time.Second).Met(), "a gateway that meets the SLO in spite of a late generator meets it")
	assert.Equal(t, []string{"late"}, probe(ms).Inconclusive, "one that misses it may miss it because of the generator")
	m.Generator.Undersent = true
	assert.False(t, probe(time.Second).Met(), "with fewer requests than asked for the SLO is not met")
}

// A search with all defaults must not need consent.
func TestTheDefaultSearchFitsIntoTheDefaultCaps(t *testing.T) {
	e := newEngine(t, Caps{})
	search, err := e.PlanSearch(Search{Phase: Phase{Mix: []Request{chatRequest("https://gateway.example")}}})
	require.NoError(t, err)
	comparison, err := e.PlanComparison(Comparison{
		Rounds: 10, A: Side{Mix: []Request{chatRequest("http://127.0.0.1:9901")}}, B: Side{Mix: []Request{chatRequest("https://gateway.example")}},
	})
	require.NoError(t, err)
	assert.NoError(t, DefaultCaps().Allow(search.Add(comparison)), "%s", search.Add(comparison))
}
