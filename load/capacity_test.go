package load

import (
	"context"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// limited is a gateway that admits so many calls in any tenth of a second and refuses all others.
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
		Phase: Phase{Mix: []Request{part(url)}, Connections: 16, Generator: lenient(), Keep: 10_000},
		From:  20, To: 2000, Short: 200 * ms, Full: 400 * ms, Precision: 0.5, Repeats: 2, Curve: []float64{0.5},
		SLO: SLO{Latency: 10 * time.Second, Errors: 0.02},
	}
}

func TestCapacityOfALimitedGateway(t *testing.T) {
	s := serve(t, limited(20)) // 200 a second
	e := newEngine(t, HardCaps())
	search := shortSearch(s.URL)
	told := 0
	search.Observe = func(Probe) { told++ }
	c, err := e.Capacity(t.Context(), search)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, c.Upper, 200.0, "%s", c)
	assert.LessOrEqual(t, c.Lower, 260.0, "%s", c)
	assert.Positive(t, c.Lower)
	assert.LessOrEqual(t, c.Upper/c.Lower, 1.51)
	assert.False(t, c.GeneratorLimited)
	assert.Equal(t, contract.Pass, c.Verdict(), "a refusal that is whole breaks nothing")
	require.Len(t, c.Curve, 1)
	assert.InDelta(t, c.Lower/2, c.Curve[0].Rate, 1e-9)
	assert.Equal(t, len(c.Probes)+len(c.Curve), told)
	assert.NotEmpty(t, c.AtLower.Results)
	assert.Regexp(t, `^between [\d.]+ and [\d.]+/s$`, c.String())
	for _, trial := range c.Probes {
		if !trial.Met() {
			assert.Regexp(t, "not answered as asked$", trial.Misses[0])
		}
	}
}

func TestCapacityKeepsToItsPlan(t *testing.T) {
	s := serve(t, ok)
	e := newEngine(t, HardCaps())
	search := shortSearch(s.URL)
	search.To = 100
	plan, err := e.PlanSearch(search)
	require.NoError(t, err)
	c, err := e.Capacity(t.Context(), search)
	require.NoError(t, err)
	assert.Equal(t, "at least 100/s, the highest rate that was allowed", c.String())
	assert.LessOrEqual(t, e.used.Requests, plan.Requests)
	assert.LessOrEqual(t, e.used.Duration, plan.Duration)
	assert.InDelta(t, 100, plan.Rate, 0)
}

// A gateway that fails whole seconds now and then, and so never proves a rate: the search ends with its plan and says so.
func TestCapacityOfAnUnsteadyGatewayKeepsToItsPlan(t *testing.T) {
	var trials int
	var mu sync.Mutex
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		sick := trials%2 == 1
		mu.Unlock()
		if sick {
			refuse(w, r)
			return
		}
		ok(w, r)
	})
	e := newEngine(t, HardCaps())
	search := shortSearch(s.URL)
	search.To, search.Precision = 200, 0.02
	search.Short, search.Full = 100*ms, 150*ms
	search.Observe = func(t Probe) {
		mu.Lock()
		defer mu.Unlock()
		if t.Duration == 150*ms {
			trials++
		}
	}
	plan, err := e.PlanSearch(search)
	require.NoError(t, err)
	c, err := e.Capacity(t.Context(), search)
	require.NoError(t, err)
	assert.LessOrEqual(t, e.used.Requests, plan.Requests)
	assert.LessOrEqual(t, e.used.Duration, plan.Duration)
	assert.True(t, c.Partial, "%s", c)
	assert.Contains(t, c.Notes[0], "the search has sent what was planned before 2 trials of each end agreed")
}

// What was met in the search is missed in the curve: the lower end is tried again, and moves when it does not hold.
func TestCurvePutsTheLowerEndInDoubt(t *testing.T) {
	for name, row := range map[string]struct {
		after float64 // the capacity from the curve on
		once  bool    // for one trial only
		lower float64
		note  string
	}{
		"less than was found": {85, false, 100 / 1.1 / 1.1, "between these rates it met the objective in 0 of 4 full-length trials"},
		"a stall":             {40, true, 100, "at 50/s it missed the objective once, after the search"},
	} {
		t.Run(name, func(t *testing.T) {
			s := Search{From: 10, To: 1000, Repeats: 2, Curve: []float64{0.5, 0.9, 1}}.withDefaults()
			capacity := 100.0
			b := s.bracket(func(_ context.Context, rate float64, lasts time.Duration) (Probe, error) {
				if rate == 50 {
					capacity = row.after
				}
				t := Probe{Rate: rate, Duration: lasts}
				if rate > capacity {
					t.Misses = []string{"missed"}
				}
				if row.once {
					capacity = 100
				}
				return t, nil
			})
			b.lower, b.upper = 100, 110
			curve, err := s.curve(t.Context(), b)
			require.NoError(t, err)
			require.Len(t, curve, 3)
			assert.InDelta(t, row.lower, b.lower, 1e-6)

			c := Capacity{Lower: b.lower, Upper: b.upper, MaxRate: s.To, Probes: b.trials, Curve: curve}
			c.noteUnsteady(s)
			assert.Equal(t, []string{"the gateway or its machine is not steady: " + row.note}, c.Notes)
			assert.True(t, c.Unstable)
		})
	}
}

func TestCapacityInWords(t *testing.T) {
	trials := []Probe{{Rate: 10}}
	for want, c := range map[string]Capacity{
		"unknown so far":        {Probes: trials, Partial: true},
		"below 10/s so far":     {Probes: trials, Upper: 10, Partial: true},
		"at least 180/s so far": {Probes: trials, Lower: 180, MaxRate: 200, Partial: true},
		"nothing was tried":     {},
		"between 10 and 11/s":   {Probes: trials, Lower: 10, Upper: 11, MaxRate: 200},
		"at least 200/s, the highest rate that was allowed":                        {Probes: trials, Lower: 200, MaxRate: 200},
		"at least 180/s; at 200/s, the highest rate that was allowed, it depended": {Probes: trials, Lower: 180, MaxRate: 200},
		"at least 10/s; at 11/s this machine was not fit":                          {Probes: trials, Lower: 10, Upper: 11, GeneratorLimited: true},
		"unknown: at 11/s this machine was not fit":                                {Probes: trials, Upper: 11, GeneratorLimited: true},
		"below 20/s; at lower rates it depended":                                   {Probes: trials, Upper: 20},
		"below 10/s, the least rate that was tried":                                {Probes: trials, Upper: 10},
	} {
		assert.Equal(t, want, c.String())
	}
}

func TestCapacityOfABrokenGateway(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	c, err := newEngine(t, HardCaps()).Capacity(t.Context(), shortSearch(s.URL))
	require.NoError(t, err)
	assert.Equal(t, "below 20/s, the least rate that was tried", c.String())
	assert.Equal(t, contract.Fail, c.Verdict())
	assert.NotEmpty(t, c.Violations)
	assert.Empty(t, c.Curve)
}

func TestCapacityInterrupted(t *testing.T) {
	s := serve(t, ok)
	ctx, cancel := context.WithCancel(t.Context())
	search := shortSearch(s.URL)
	search.Observe = func(Probe) { cancel() }
	c, err := newEngine(t, HardCaps()).Capacity(ctx, search)
	require.ErrorIs(t, err, context.Canceled)
	assert.Len(t, c.Notes, 1)
	assert.True(t, c.Partial)
	assert.Equal(t, "the search ended before 2 trials of each end agreed", c.Notes[0])
}

func TestCapacityChecksItsSearch(t *testing.T) {
	e := newEngine(t, HardCaps())
	for sentence, change := range map[string]func(*Search){
		"from above to":           func(s *Search) { s.From = 3000 },
		"negative":                func(s *Search) { s.From = -1 },
		"full shorter than short": func(s *Search) { s.Full = ms },
		"a precision of nothing":  func(s *Search) { s.Precision = 1e-9 },
		"a quantile of all":       func(s *Search) { s.SLO.Quantile = 1 },
		"a curve beyond it":       func(s *Search) { s.Curve = []float64{1.1} },
		"a negative proof":        func(s *Search) { s.Repeats = -1 },
	} {
		search := shortSearch("http://127.0.0.1:1")
		change(&search)
		_, err := e.Capacity(t.Context(), search)
		assert.ErrorIs(t, err, ErrInvalid, sentence)
		_, err = e.PlanSearch(search)
		assert.ErrorIs(t, err, ErrInvalid, sentence)
	}
}

func TestObjective(t *testing.T) {
	measured := func(offered int, outcomes map[runlog.Outcome]int, took time.Duration) Measurement {
		m := Measurement{Offered: uint64(offered), tallies: map[tallyKey]*Metrics{}}
		for outcome, n := range outcomes {
			tally := &Metrics{Count: uint64(n)}
			for range n {
				tally.Latency.Add(took)
				tally.ServiceTime.Add(took)
			}
			m.Sent += uint64(n)
			m.tallies[tallyKey{0, outcome}] = tally
		}
		return m
	}
	o := SLO{Latency: 100 * ms, Errors: 0.01, Goodput: 0.95}
	for _, row := range []struct {
		sentence string
		m        Measurement
		want     []string
	}{
		{"all well", measured(100, map[runlog.Outcome]int{runlog.Admitted: 100}, 50*ms), nil},
		{"one error in a hundred is allowed", measured(100, map[runlog.Outcome]int{runlog.Admitted: 99, runlog.Error5xx: 1}, 50*ms), nil},
		{"two are not", measured(100, map[runlog.Outcome]int{runlog.Admitted: 98, runlog.Refused: 2}, 50*ms), []string{"2 % of the requests were not answered as asked"}},
		{"too slow", measured(100, map[runlog.Outcome]int{runlog.Admitted: 100}, 150*ms), []string{"p99 took 150ms", "0 % of the requests were answered in time"}},
		{"nothing admitted", measured(100, map[runlog.Outcome]int{runlog.Timeout: 100}, time.Second), []string{"nothing was admitted"}},
		{"our own failures do not count", measured(103, map[runlog.Outcome]int{runlog.Admitted: 98, runlog.LocalError: 5}, 50*ms), nil},
		{"what was never sent", measured(104, map[runlog.Outcome]int{runlog.Admitted: 100}, 50*ms), []string{"3.85 % of the requests found no connection in time"}},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			assert.Equal(t, row.want, o.Misses(row.m))
		})
	}
	assert.Equal(t, "p99 within 100ms, at most 1 % errors, at least 95 % in time", o.String())
}

// A gateway with 20 ms for every call, and four connections for 400 calls a second: the gateway is in time, and we are not.
func TestTooFewConnectionsAreOurFault(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(20 * ms)
		ok(w, r)
	})
	stage := Phase{Mix: []Request{part(s.URL)}, Schedule: Constant{Rate: 400, For: 500 * ms}, Connections: 4, Generator: lenient()}
	m, err := newEngine(t, HardCaps()).Run(t.Context(), stage)
	require.NoError(t, err)
	objective := SLO{Latency: 300 * ms, Errors: 1}
	slow := newTrial(400, 500*ms, stage, m, objective, 20*ms)
	assert.NotEmpty(t, slow.Misses)
	assert.Equal(t, []string{"4 connections are too few: this rate needs 16"}, slow.Inconclusive)

	saturated := newTrial(400, 500*ms, stage, m, objective, ms)
	assert.Empty(t, saturated.Inconclusive, "a gateway that takes 1 ms when it is quiet is what is slow")
}

func TestTrialsOfAMachineThatIsNotFit(t *testing.T) {
	m := Measurement{Offered: 1, Sent: 1, tallies: map[tallyKey]*Metrics{{0, runlog.Admitted}: {Count: 1}}}
	m.tallies[tallyKey{0, runlog.Admitted}].Latency.Add(100 * ms)
	m.Generator = GeneratorHealth{Problems: []string{"late"}}
	try := func(latency time.Duration) Probe {
		return newTrial(1, time.Second, Phase{}.withDefaults(), m, SLO{Latency: latency}, ms)
	}
	assert.True(t, try(time.Second).Met(), "who meets the objective in spite of us meets it")
	assert.Equal(t, []string{"late"}, try(ms).Inconclusive, "who misses it may miss it because of us")
	m.Generator.Undersent = true
	assert.False(t, try(time.Second).Met(), "who was not asked as much has not met it")
}

func TestOverhead(t *testing.T) {
	direct := serve(t, ok)
	through := serve(t, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(10 * ms)
		ok(w, r)
	})
	e := newEngine(t, HardCaps())
	comparison := Comparison{
		Phase: Phase{Generator: lenient()}, Direct: part(direct.URL), Through: part(through.URL),
		Rounds: 5, Rate: 100, Duration: 200 * ms,
	}
	plan, err := e.PlanComparison(comparison)
	require.NoError(t, err)
	o, err := e.Overhead(t.Context(), comparison)
	require.NoError(t, err)
	assert.LessOrEqual(t, e.used.Requests, plan.Requests)
	require.Len(t, o.Differences, 3)
	half := o.Differences[0]
	assert.InDelta(t, 0.5, half.Quantile, 0)
	assert.GreaterOrEqual(t, half.Through, 10*ms)
	assert.Greater(t, half.Low, 5*ms, "%+v", half)
	assert.GreaterOrEqual(t, half.Added, half.Low)
	assert.GreaterOrEqual(t, half.High, half.Added)
}

func TestOverheadOfNothing(t *testing.T) {
	direct := serve(t, ok)
	broken := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "no") })
	_, err := newEngine(t, HardCaps()).Overhead(t.Context(), Comparison{
		Phase: Phase{Generator: lenient()}, Direct: part(direct.URL), Through: part(broken.URL), Rounds: 5, Rate: 50, Duration: 20 * ms,
	})
	assert.ErrorIs(t, err, ErrInconclusive)
	_, err = newEngine(t, HardCaps()).Overhead(t.Context(), Comparison{Direct: part(direct.URL), Through: part(broken.URL), Rounds: 4})
	assert.ErrorIs(t, err, ErrInvalid)
}

// Who asks for nothing special must not be asked for consent.
func TestTheDefaultSearchFitsIntoTheDefaultCaps(t *testing.T) {
	e := newEngine(t, Caps{})
	search, err := e.PlanSearch(Search{Phase: Phase{Mix: []Request{part("https://gateway.example")}}})
	require.NoError(t, err)
	comparison, err := e.PlanComparison(Comparison{Direct: part("http://127.0.0.1:9901"), Through: part("https://gateway.example")})
	require.NoError(t, err)
	assert.NoError(t, DefaultCaps().Allow(search.Add(comparison)), "%s", search.Add(comparison))
}
