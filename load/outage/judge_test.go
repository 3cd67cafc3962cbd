package outage

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/runlog"
)

const ms = time.Millisecond

// shot is a call that was sent at an instant of its stage and took so long.
func shot(part string, k kind, sent, lasted time.Duration, outcome runlog.Outcome) call {
	return call{part: part, kind: k, Result: load.Result{Due: sent, Sent: sent, End: sent + lasted, Outcome: outcome, Status: 200}}
}

// several are n healthy calls at thirty a second.
func several(n int, from, lasted time.Duration) (calls []call) {
	for i := range n {
		c := shot("healthy", healthy, time.Duration(i)*time.Second/30, lasted, runlog.Admitted)
		c.at = from
		calls = append(calls, c)
	}
	return calls
}

// quiet is a round in which nothing is wrong: a limit of 1.5 s, healthy calls of 2 ms, twenty that hang, and eight that leave.
func quiet() *round {
	r := &round{
		Experiment: Experiment{
			Healthy: []load.Request{{Name: "healthy"}}, Sick: []Way{{Request: load.Request{Name: "hanging"}, Hangs: true}}, Leaving: []load.Request{{Name: "leaving"}},
			Limit: 1500 * ms, Attempts: 1, Settle: 2 * time.Second, After: 1500 * ms, Provider: nobody{},
		},
		before: several(45, 0, 2*ms), during: several(90, 2*time.Second, 2*ms), after: several(45, 7*time.Second, 2*ms),
		outageEnd: 7 * time.Second, well: true,
	}
	for i := range 20 {
		c := shot("hanging", sick, time.Duration(i)*150*ms, 1501*ms, runlog.Error5xx)
		c.at, c.hangs = 2*time.Second, true
		c.seen = &contract.Seen{Attempts: []contract.Attempt{{Duration: 1500 * ms, Cancelled: true}}}
		r.during = append(r.during, c)
	}
	for i := range 8 {
		c := shot("leaving", leaving, time.Duration(i)*33*ms, 500*ms, runlog.Timeout)
		c.seen = &contract.Seen{Attempts: []contract.Attempt{{Duration: 501 * ms, Cancelled: true}}}
		r.left = append(r.left, c)
	}
	return r
}

// eachSick changes the first n sick calls.
func eachSick(r *round, n int, change func(*call)) {
	for i := range r.during {
		if r.during[i].kind == sick && n > 0 {
			change(&r.during[i])
			n--
		}
	}
}

// takes makes the first n healthy calls of the outage last longer.
func takes(r *round, n int, lasted time.Duration) {
	for i := range n {
		r.during[i].End = r.during[i].Sent + lasted
	}
}

type nobody struct{ Provider }

func TestWhatIsHeldAgainstAGateway(t *testing.T) {
	rows := []struct {
		sentence string
		change   func(*round)
		broken   contract.Requirement // "" for none
		severity contract.RequirementLevel
		got      string
		doubtful bool
	}{
		{sentence: "a quiet round", change: func(*round) {}},

		{sentence: "calls that are kept back from the provider and never answered", change: func(r *round) {
			eachSick(r, 12, func(c *call) {
				c.seen, c.Outcome = &contract.Seen{}, runlog.Timeout
				c.Findings = []contract.Finding{{Requirement: contract.Answered, Level: contract.Must, Want: "an answer", Got: "none within 45s"}}
			})
		}, broken: contract.Answered, severity: contract.Must, got: "none within 45s, in answer to 12 of 20 hanging calls"},
		{sentence: "calls that an open breaker refuses with an error of its own", change: func(r *round) {
			eachSick(r, 12, func(c *call) {
				c.seen = &contract.Seen{}
				c.Findings = []contract.Finding{{Requirement: contract.Code, Level: contract.Must, Want: "channel:response_time_exceeded", Got: "get_channel_failed"}}
			})
		}},
		{sentence: "hung calls that take a quarter longer than the limit", change: func(r *round) {
			eachSick(r, 20, func(c *call) { c.End = c.Sent + 2100*ms })
		}},
		{sentence: "hung calls that take half as long again", change: func(r *round) {
			eachSick(r, 20, func(c *call) { c.End = c.Sent + 2250*ms })
		}, broken: contract.InTime, severity: contract.Must, got: "20 hung calls answered after 2.25s to 2.25s, half of them within 2.25s, 20 of them too late"},
		{sentence: "the same while we were half a second late ourselves", change: func(r *round) {
			eachSick(r, 20, func(c *call) { c.End, c.lag = c.Sent+2250*ms, 500*ms })
		}},
		{sentence: "the same while healthy calls take half a second with or without an outage", change: func(r *round) {
			eachSick(r, 20, func(c *call) { c.End = c.Sent + 2250*ms })
			r.before, r.after = several(45, 0, 500*ms), several(45, 7*time.Second, 500*ms)
			takes(r, 90, 500*ms)
		}},
		{sentence: "a few hung calls that are late", change: func(r *round) {
			eachSick(r, 9, func(c *call) { c.End = c.Sent + 2250*ms })
		}},
		{sentence: "one that takes three times the limit", change: func(r *round) {
			eachSick(r, 1, func(c *call) { c.End = c.Sent + 4500*ms })
		}, broken: contract.InTime, severity: contract.Must, got: "20 hung calls answered after 1.5s to 4.5s, half of them within 1.5s, 1 of them too late", doubtful: true},
		{sentence: "one that takes three times the limit for three permitted attempts", change: func(r *round) {
			r.Attempts = 3
			eachSick(r, 1, func(c *call) {
				c.End = c.Sent + 4500*ms
				a := contract.Attempt{Duration: 1500 * ms}
				c.seen = &contract.Seen{Attempts: []contract.Attempt{a, a, a}}
			})
		}},
		{sentence: "one that is answered after a second", change: func(r *round) {
			eachSick(r, 1, func(c *call) { c.End = c.Sent + time.Second })
		}, broken: contract.InTime, severity: contract.Must, got: "20 hung calls answered after 1s to 1.5s, half of them within 1.5s, 1 of them too early"},

		{sentence: "a healthy call that fails", change: func(r *round) { r.during[3].Outcome, r.during[3].Status = runlog.Error5xx, 503 },
			broken: contract.HealthyServed, severity: contract.Must, got: "1 of 90 failed: 1 with 503 (error-5xx)", doubtful: true},
		{sentence: "healthy calls that fail for two seconds", change: func(r *round) {
			for i := range 60 {
				r.during[i].Outcome, r.during[i].Status = runlog.Refused, 429
			}
			r.before[0].Outcome = runlog.TransportError // one in 45 failed before
		}, broken: contract.HealthyServed, severity: contract.Must, got: "60 of 90 failed: 60 with 429 (refused)"},
		{sentence: "a healthy call that fails where one of 45 did before", change: func(r *round) {
			r.during[3].Outcome, r.before[3].Outcome = runlog.Timeout, runlog.Timeout
		}},

		{sentence: "healthy calls that take a fifth of a second", change: func(r *round) { takes(r, 90, 200*ms) }},
		{sentence: "healthy calls that take half a second", change: func(r *round) { takes(r, 90, 500*ms) },
			broken: contract.HealthySpared, severity: contract.Should, got: "a median of 500ms and a 99th percentile of 500ms beside sick calls"},
		{sentence: "healthy calls that still take half a second when the outage is over", change: func(r *round) {
			takes(r, 90, 500*ms)
			r.after = several(45, 7*time.Second, 450*ms)
		}},
		{sentence: "two healthy calls that take a second and a half", change: func(r *round) { takes(r, 2, 1500*ms) },
			broken: contract.HealthySpared, severity: contract.Should, got: "a median of 2ms and a 99th percentile of 1.5s beside sick calls", doubtful: true},
		{sentence: "healthy calls that had to wait for a connection", change: func(r *round) {
			for i := range 90 {
				r.during[i].Waited, r.during[i].Due = true, r.during[i].Sent-700*ms
			}
		}, broken: contract.HealthySpared, severity: contract.Should, got: "a median of 702ms and a 99th percentile of 702ms beside sick calls"},

		{sentence: "sick calls that are tried twice", change: func(r *round) {
			eachSick(r, 3, func(c *call) {
				c.seen = &contract.Seen{Attempts: []contract.Attempt{{Duration: ms}, {Duration: 1500 * ms}}}
			})
		}, broken: contract.RetriesBounded, severity: contract.Should, got: "up to 2, in 3 of 20 sick calls"},
		{sentence: "a provider's call that stays open", change: func(r *round) {
			eachSick(r, 1, func(c *call) {
				c.seen = &contract.Seen{Attempts: []contract.Attempt{{Open: true, Duration: 6 * time.Second}}}
			})
		}, broken: contract.UpstreamFreed, severity: contract.Should, got: "of 20 slow calls 1 not cancelled by then, 1 of them never", doubtful: true},
		{sentence: "provider's calls that go on for four seconds after the answers", change: func(r *round) {
			eachSick(r, 20, func(c *call) { c.seen = &contract.Seen{Attempts: []contract.Attempt{{Duration: 5600 * ms}}} })
		}, broken: contract.UpstreamFreed, severity: contract.Should, got: "of 20 slow calls 20 not cancelled by then, 0 of them never"},

		{sentence: "one of eight departures that is not passed on", change: func(r *round) {
			r.left[0].seen.Attempts[0].Duration = 1500 * ms
		}},
		{sentence: "departures that are not passed on in one of four ways", change: func(r *round) {
			r.left[0].seen.Attempts[0].Duration, r.left[4].seen.Attempts[0].Duration = 1500*ms, 1501*ms
		}, broken: contract.Departure, severity: contract.Should, got: "2 of 8 went on, up to 1.5s after they began", doubtful: true},
		{sentence: "departures after which the call was answered all the same", change: func(r *round) {
			for i := range r.left {
				r.left[i].Outcome, r.left[i].seen.Attempts[0].Duration = runlog.Error5xx, 1500*ms
			}
		}},

		{sentence: "a call that is left under way", change: func(r *round) { r.goingAfter = 1 },
			broken: contract.NothingLeft, severity: contract.Should, got: "1, 3s after the end", doubtful: true},
		{sentence: "as many calls under way as before", change: func(r *round) { r.goingBefore, r.goingAfter = 4, 4 }},

		{sentence: "a gateway that is well after a second", change: func(r *round) { r.recovered = time.Second }},
		{sentence: "a gateway that is not well in time", change: func(r *round) {
			r.recovered, r.well = 2100*ms, false
			r.after[44].Outcome, r.after[44].Status = runlog.Error5xx, 503
		}, broken: contract.Recovery, severity: contract.Should, got: "a healthy call that failed 2.1s after it; of 45 1 failed: 1 with 503 (error-5xx)"},
		{sentence: "the same on a machine that was not fit", change: func(r *round) {
			r.recovered, r.well, r.unfit = 2100*ms, false, []string{"busy"}
			r.after[44].Outcome, r.after[44].Status = runlog.Error5xx, 503
		}, broken: contract.Recovery, severity: contract.Should, got: "a healthy call that failed 2.1s after it; of 45 1 failed: 1 with 503 (error-5xx)", doubtful: true},

		{sentence: "sick answers without the row's code", change: func(r *round) {
			eachSick(r, 4, func(c *call) {
				c.Findings = []contract.Finding{{Requirement: contract.Code, Level: contract.Must, Want: `"x"`, Got: "null"}}
			})
		}, broken: contract.Code, severity: contract.Must, got: "null, in answer to 4 of 20 hanging calls"},
		{sentence: "sick answers without the row's code that never reached the provider", change: func(r *round) {
			eachSick(r, 4, func(c *call) {
				c.Findings = []contract.Finding{{Requirement: contract.Code, Level: contract.Must}}
				c.seen = &contract.Seen{}
			})
		}},
	}
	for _, row := range rows {
		t.Run(row.sentence, func(t *testing.T) {
			r := quiet()
			row.change(r)
			told := r.judge()
			found := told.findings()
			if row.broken == "" {
				require.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			assert.Equal(t, row.broken, found[0].Requirement)
			assert.Equal(t, row.severity, found[0].Level)
			assert.Equal(t, row.got, found[0].Got)
			assert.Equal(t, row.doubtful, told.doubtful())
		})
	}
}

func TestHowCallsEndedIsToldInWords(t *testing.T) {
	var calls []call
	for range 10 {
		calls = append(calls, shot("hanging", sick, 0, ms, runlog.Error5xx))
		calls[len(calls)-1].Status = 504
	}
	silent := shot("hanging", sick, 0, ms, runlog.Timeout)
	silent.Status = 0
	calls = append(calls, silent, shot("stalled stream", sick, 0, ms, runlog.Error5xx), shot("stalled stream", sick, 0, ms, runlog.Error5xx))
	assert.Equal(t, "10 with 504 (error-5xx), 2 with an error inside a stream that had begun (200), 1 with no answer (timeout)", outcomes(calls))
}

func TestWhatCannotBeLookedAtIsUntested(t *testing.T) {
	r := quiet()
	r.Provider, r.Limit, r.goingAfter = nil, 0, -1
	for i := range r.during {
		r.during[i].seen = nil
		if r.during[i].kind == healthy && i%2 == 0 {
			r.during[i].Outcome, r.before[i/2].Outcome = runlog.TransportError, runlog.TransportError // as before
		}
	}
	r.during[1].Outcome = runlog.TransportError
	results := map[contract.Requirement]runlog.Result{}
	for _, c := range r.judge().checks() {
		require.NotEmpty(t, c.Sentence)
		results[c.Requirement] = c.Result
	}
	assert.Equal(t, map[contract.Requirement]runlog.Result{
		contract.Answered: runlog.Held, contract.InTime: runlog.Untested, contract.HealthyServed: runlog.Held, contract.HealthySpared: runlog.Untested,
		contract.RetriesBounded: runlog.Untested, contract.UpstreamFreed: runlog.Untested, contract.Departure: runlog.Untested,
		contract.NothingLeft: runlog.Untested, contract.Recovery: runlog.Held,
	}, results)
}

func TestASecondRoundDecides(t *testing.T) {
	slow, late, code := contract.Finding{Requirement: contract.HealthySpared}, contract.Finding{Requirement: contract.InTime}, contract.Finding{Requirement: contract.Code}
	var first, again report
	first.broken(true, slow)
	first.broken(true, late)
	first.held(contract.Answered, "all")
	again.broken(true, late)
	again.broken(false, code)
	told := first.confirmedBy(again)
	assert.Equal(t, []contract.Finding{late, code}, told.findings())
	assert.Equal(t, runlog.Held, told[0].Result)
	assert.Contains(t, told[0].Sentence, "not so in a second round")

	found, err := told.conclude(nil)
	require.NoError(t, err)
	assert.Equal(t, []contract.Finding{late, code}, found)
	found, err = told.conclude([]string{"it was asleep"})
	require.ErrorIs(t, err, ErrUnfit)
	require.ErrorContains(t, err, "it was asleep")
	assert.Equal(t, []contract.Finding{code}, found)
	found, err = report{}.conclude([]string{"it was asleep"})
	require.NoError(t, err, "nothing is held against anybody")
	assert.Empty(t, found)
}

func TestAnAccountStaysSmall(t *testing.T) {
	r := quiet()
	r.prefix = "again: "
	r.phase("outage", 2*time.Second, load.Measurement{Elapsed: 5 * time.Second, Results: []load.Result{{Sent: 3500 * ms}, {Sent: 3400 * ms}}}, sick)
	r.phase("after", 7*time.Second, load.Measurement{Elapsed: 5 * time.Second}, healthy)
	for i := range r.during {
		r.during[i].lag = 30 * ms
	}
	late := shot("healthy", healthy, 0, ms, runlog.Refused)
	late.at = 10 * time.Minute
	r.after = append(r.after, late)
	e := newEvidence(r.Experiment)
	e.add(r)
	a := e.Account()
	require.LessOrEqual(t, len(a.Spans), runlog.MaxSpans)
	counts := map[string]map[runlog.Outcome]int{}
	for _, s := range a.Spans {
		require.Equal(t, a.Spans[0].Lasts, s.Lasts)
		for part, of := range s.Counts {
			if counts[part] == nil {
				counts[part] = map[runlog.Outcome]int{}
			}
			for outcome, n := range of {
				counts[part][outcome] += n
			}
		}
	}
	assert.Equal(t, map[string]map[runlog.Outcome]int{
		"healthy": {runlog.Admitted: 180, runlog.Refused: 1}, "hanging": {runlog.Error5xx: 20}, "leaving": {runlog.Disconnected: 8},
	}, counts)
	assert.Equal(t, 209, a.Calls)
	assert.Equal(t, 20, e.Sick)
	assert.Equal(t, []runlog.Phase{
		{Name: "again: outage", From: 2 * time.Second, To: 5500 * ms}, {Name: "again: waiting", From: 5500 * ms, To: 7 * time.Second},
		{Name: "again: after", From: 7 * time.Second, To: 12 * time.Second},
	}, a.Phases)
	var names []string
	for _, times := range a.Times {
		names = append(names, times.Name)
	}
	assert.Equal(t, []string{"again: healthy before", "again: healthy beside", "again: healthy after", "hanging"}, names)
	assert.InDelta(t, 282*ms, a.Times[1].Bound, float64(ms), "a quarter of a second more than alone, and our lag")
	assert.Empty(t, newEvidence(r.Experiment).Account().Spans)
}
