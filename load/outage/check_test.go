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

// requestOf is a request that was sent at an instant of its phase and lasted so long.
func requestOf(name string, k kind, sent, lasted time.Duration, outcome runlog.Outcome) result {
	return result{name: name, kind: k, Result: load.Result{Due: sent, Sent: sent, End: sent + lasted, Outcome: outcome, Status: 200}}
}

// healthyRequests are n healthy requests, thirty a second.
func healthyRequests(n int, from, lasted time.Duration) (sent results) {
	for i := range n {
		r := requestOf("healthy", healthy, time.Duration(i)*time.Second/30, lasted, runlog.Admitted)
		r.phaseStart = from
		sent = append(sent, r)
	}
	return sent
}

// conformingRound is a round without a violation: a time limit of 1.5 s, healthy requests of 2 ms, twenty hanging ones, and eight
// disconnects.
func conformingRound() *round {
	r := &round{
		Experiment: Experiment{
			Healthy: []load.Request{{Name: "healthy"}}, Faulty: []Fault{{Request: load.Request{Name: "hanging"}, Hangs: true}},
			Disconnecting: []load.Request{{Name: "disconnecting, hanging"}},
			TimeLimit:     1500 * ms, Attempts: 1, RecoveryLimit: 2 * time.Second, After: 1500 * ms, Upstream: anyUpstream{},
		},
		before: healthyRequests(45, 0, 2*ms), during: healthyRequests(90, 2*time.Second, 2*ms), after: healthyRequests(45, 7*time.Second, 2*ms),
		outageEnd: 7 * time.Second, recovered: true,
	}
	for i := range 20 {
		q := requestOf("hanging", faulty, time.Duration(i)*150*ms, 1501*ms, runlog.Error5xx)
		q.phaseStart, q.hangs = 2*time.Second, true
		q.seen = &contract.Seen{Attempts: []contract.Attempt{{Duration: 1500 * ms, Cancelled: true}}}
		r.during = append(r.during, q)
	}
	for i := range 8 {
		q := requestOf("disconnecting, hanging", disconnecting, time.Duration(i)*33*ms, 500*ms, runlog.Timeout)
		q.seen = &contract.Seen{Attempts: []contract.Attempt{{Duration: 501 * ms, Cancelled: true}}}
		r.disconnected = append(r.disconnected, q)
	}
	return r
}

// changeFaulty changes the first n faulty requests.
func changeFaulty(r *round, n int, change func(*result)) {
	for i := range r.during {
		if r.during[i].kind == faulty && n > 0 {
			change(&r.during[i])
			n--
		}
	}
}

// slowDown makes the first n healthy requests of the outage last longer.
func slowDown(r *round, n int, lasted time.Duration) {
	for i := range n {
		r.during[i].End = r.during[i].Sent + lasted
	}
}

// anyUpstream is never asked: the rounds of these tests know what it saw.
type anyUpstream struct{ Upstream }

func TestChecksOfARound(t *testing.T) {
	rows := []struct {
		sentence  string
		change    func(*round)
		violated  contract.Requirement // "" for none
		level     contract.RequirementLevel
		got       string
		uncertain bool
	}{
		{sentence: "a round without a violation", change: func(*round) {}},

		{sentence: "requests that are held back and never answered", change: func(r *round) {
			changeFaulty(r, 12, func(q *result) {
				q.seen, q.Outcome = &contract.Seen{}, runlog.Timeout
				q.Findings = []contract.Finding{{Requirement: contract.Answered, Level: contract.Must, Want: "a response", Got: "none within 45s"}}
			})
		}, violated: contract.Answered, level: contract.Must, got: "none within 45s, in response to 12 of 20 hanging requests"},
		{sentence: "requests that an open breaker refuses with its own error", change: func(r *round) {
			changeFaulty(r, 12, func(q *result) {
				q.seen = &contract.Seen{}
				q.Findings = []contract.Finding{{Requirement: contract.Code, Level: contract.Must, Want: "channel:response_time_exceeded", Got: "get_channel_failed"}}
			})
		}},
		{sentence: "hanging requests that take a quarter longer than the time limit", change: func(r *round) {
			changeFaulty(r, 20, func(q *result) { q.End = q.Sent + 2100*ms })
		}},
		{sentence: "hanging requests that take half as long again", change: func(r *round) {
			changeFaulty(r, 20, func(q *result) { q.End = q.Sent + 2250*ms })
		}, violated: contract.InTime, level: contract.Must, got: "20 hanging requests were answered after 2.25s to 2.25s (median 2.25s), 20 of them too late"},
		{sentence: "the same while the generator lagged by half a second", change: func(r *round) {
			changeFaulty(r, 20, func(q *result) { q.End, q.maxLag = q.Sent+2250*ms, 500*ms })
		}},
		{sentence: "the same while healthy requests take half a second with and without the outage", change: func(r *round) {
			changeFaulty(r, 20, func(q *result) { q.End = q.Sent + 2250*ms })
			r.before, r.after = healthyRequests(45, 0, 500*ms), healthyRequests(45, 7*time.Second, 500*ms)
			slowDown(r, 90, 500*ms)
		}},
		{sentence: "less than half of the hanging requests late", change: func(r *round) {
			changeFaulty(r, 9, func(q *result) { q.End = q.Sent + 2250*ms })
		}},
		{sentence: "one that takes three times the time limit", change: func(r *round) {
			changeFaulty(r, 1, func(q *result) { q.End = q.Sent + 4500*ms })
		}, violated: contract.InTime, level: contract.Must, got: "20 hanging requests were answered after 1.5s to 4.5s (median 1.5s), 1 of them too late", uncertain: true},
		{sentence: "one that takes three times the time limit for three permitted attempts", change: func(r *round) {
			r.Attempts = 3
			changeFaulty(r, 1, func(q *result) {
				q.End = q.Sent + 4500*ms
				a := contract.Attempt{Duration: 1500 * ms}
				q.seen = &contract.Seen{Attempts: []contract.Attempt{a, a, a}}
			})
		}},
		{sentence: "one that is answered before the time limit", change: func(r *round) {
			changeFaulty(r, 1, func(q *result) { q.End = q.Sent + time.Second })
		}, violated: contract.InTime, level: contract.Must, got: "20 hanging requests were answered after 1s to 1.5s (median 1.5s), 1 of them too early"},

		{sentence: "a healthy request that fails", change: func(r *round) { r.during[3].Outcome, r.during[3].Status = runlog.Error5xx, 503 },
			violated: contract.HealthyServed, level: contract.Must, got: "1 of 90 healthy requests failed: 1 with 503 (error-5xx)", uncertain: true},
		{sentence: "healthy requests that fail for two seconds", change: func(r *round) {
			for i := range 60 {
				r.during[i].Outcome, r.during[i].Status = runlog.Refused, 429
			}
			r.before[0].Outcome = runlog.TransportError // one in 45 failed before
		}, violated: contract.HealthyServed, level: contract.Must, got: "60 of 90 healthy requests failed: 60 with 429 (refused)"},
		{sentence: "a healthy request that fails when one of 45 did before", change: func(r *round) {
			r.during[3].Outcome, r.before[3].Outcome = runlog.Timeout, runlog.Timeout
		}},

		{sentence: "healthy requests that take a fifth of a second", change: func(r *round) { slowDown(r, 90, 200*ms) }},
		{sentence: "healthy requests that take half a second", change: func(r *round) { slowDown(r, 90, 500*ms) },
			violated: contract.HealthySpared, level: contract.Should, got: "a median latency of 500ms and a 99th percentile of 500ms during the outage"},
		{sentence: "healthy requests that still take half a second after the outage", change: func(r *round) {
			slowDown(r, 90, 500*ms)
			r.after = healthyRequests(45, 7*time.Second, 450*ms)
		}},
		{sentence: "two healthy requests that take a second and a half", change: func(r *round) { slowDown(r, 2, 1500*ms) },
			violated: contract.HealthySpared, level: contract.Should, got: "a median latency of 2ms and a 99th percentile of 1.5s during the outage", uncertain: true},
		{sentence: "healthy requests that waited for a connection", change: func(r *round) {
			for i := range 90 {
				r.during[i].Waited, r.during[i].Due = true, r.during[i].Sent-700*ms
			}
		}, violated: contract.HealthySpared, level: contract.Should, got: "a median latency of 702ms and a 99th percentile of 702ms during the outage"},

		{sentence: "faulty requests that are tried twice", change: func(r *round) {
			changeFaulty(r, 3, func(q *result) {
				q.seen = &contract.Seen{Attempts: []contract.Attempt{{Duration: ms}, {Duration: 1500 * ms}}}
			})
		}, violated: contract.RetriesBounded, level: contract.Should, got: "up to 2 upstream calls per request; 3 of 20 faulty requests exceeded the limit"},
		{sentence: "an upstream call that stays open", change: func(r *round) {
			changeFaulty(r, 1, func(q *result) {
				q.seen = &contract.Seen{Attempts: []contract.Attempt{{Open: true, Duration: 6 * time.Second}}}
			})
		}, violated: contract.UpstreamFreed, level: contract.Should, got: "1 of 20 faulty requests had an upstream call that was cancelled too late or not at all (1 not at all)", uncertain: true},
		{sentence: "upstream calls that go on for four seconds after the responses", change: func(r *round) {
			changeFaulty(r, 20, func(q *result) { q.seen = &contract.Seen{Attempts: []contract.Attempt{{Duration: 5600 * ms}}} })
		}, violated: contract.UpstreamFreed, level: contract.Should, got: "20 of 20 faulty requests had an upstream call that was cancelled too late or not at all (0 not at all)"},

		{sentence: "one of eight disconnects that is not passed on", change: func(r *round) {
			r.disconnected[0].seen.Attempts[0].Duration = 1500 * ms
		}},
		{sentence: "disconnects that are not passed on for one of four kinds of requests", change: func(r *round) {
			r.disconnected[0].seen.Attempts[0].Duration, r.disconnected[4].seen.Attempts[0].Duration = 1500*ms, 1501*ms
		}, violated: contract.Departure, level: contract.Should, got: "2 of 8 upstream calls continued after the client disconnected; the longest lasted 1.5s", uncertain: true},
		{sentence: "requests that are answered before the client disconnects", change: func(r *round) {
			for i := range r.disconnected {
				r.disconnected[i].Outcome, r.disconnected[i].seen.Attempts[0].Duration = runlog.Error5xx, 1500*ms
			}
		}},

		{sentence: "a call that is left open", change: func(r *round) { r.openAfter = 1 },
			violated: contract.NothingLeft, level: contract.Should, got: "1 call still open at the upstream 3s after the last request", uncertain: true},
		{sentence: "as many open calls as before", change: func(r *round) { r.openBefore, r.openAfter = 4, 4 }},

		{sentence: "a gateway that recovers after a second", change: func(r *round) { r.lastFailure = time.Second }},
		{sentence: "a gateway that does not recover in time", change: func(r *round) {
			r.lastFailure, r.recovered = 2100*ms, false
			r.after[44].Outcome, r.after[44].Status = runlog.Error5xx, 503
		}, violated: contract.Recovery, level: contract.Should, got: "a healthy request failed 2.1s after the outage; 1 of 45 healthy requests failed: 1 with 503 (error-5xx)"},
		{sentence: "the same while the generator could not keep up", change: func(r *round) {
			r.lastFailure, r.recovered, r.generator = 2100*ms, false, []string{"busy"}
			r.after[44].Outcome, r.after[44].Status = runlog.Error5xx, 503
		}, violated: contract.Recovery, level: contract.Should, got: "a healthy request failed 2.1s after the outage; 1 of 45 healthy requests failed: 1 with 503 (error-5xx)", uncertain: true},

		{sentence: "responses without the row's code", change: func(r *round) {
			changeFaulty(r, 4, func(q *result) {
				q.Findings = []contract.Finding{{Requirement: contract.Code, Level: contract.Must, Want: `"x"`, Got: "null"}}
			})
		}, violated: contract.Code, level: contract.Must, got: "null, in response to 4 of 20 hanging requests"},
		{sentence: "responses without the row's code to requests that never reached the upstream", change: func(r *round) {
			changeFaulty(r, 4, func(q *result) {
				q.Findings = []contract.Finding{{Requirement: contract.Code, Level: contract.Must}}
				q.seen = &contract.Seen{}
			})
		}},
	}
	for _, row := range rows {
		t.Run(row.sentence, func(t *testing.T) {
			r := conformingRound()
			row.change(r)
			all := r.check()
			found := all.findings()
			if row.violated == "" {
				require.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			assert.Equal(t, row.violated, found[0].Requirement)
			assert.Equal(t, row.level, found[0].Level)
			assert.Equal(t, row.got, found[0].Got)
			assert.Equal(t, row.uncertain, all.uncertain())
		})
	}
}

func TestOutcomesAreCounted(t *testing.T) {
	var sent results
	for range 10 {
		sent = append(sent, requestOf("hanging", faulty, 0, ms, runlog.Error5xx))
		sent[len(sent)-1].Status = 504
	}
	unanswered := requestOf("hanging", faulty, 0, ms, runlog.Timeout)
	unanswered.Status = 0
	sent = append(sent, unanswered, requestOf("stalled stream", faulty, 0, ms, runlog.Error5xx), requestOf("stalled stream", faulty, 0, ms, runlog.Error5xx))
	assert.Equal(t, "10 with 504 (error-5xx), 2 with an error in a stream that had already started (200), 1 without a response (timeout)", sent.outcomes())
}

func TestUnknownsAreUntested(t *testing.T) {
	r := conformingRound()
	r.Upstream, r.TimeLimit, r.openAfter = nil, 0, unknown
	for i := range r.during {
		r.during[i].seen = nil
		if r.during[i].kind == healthy && i%2 == 0 {
			r.during[i].Outcome, r.before[i/2].Outcome = runlog.TransportError, runlog.TransportError // as often as before
		}
	}
	r.during[1].Outcome = runlog.TransportError
	results := map[contract.Requirement]contract.Result{}
	for _, c := range r.check().checks() {
		require.NotEmpty(t, c.Sentence)
		results[c.Requirement] = c.Result
	}
	assert.Equal(t, map[contract.Requirement]contract.Result{
		contract.Answered: contract.Held, contract.InTime: contract.Untested, contract.HealthyServed: contract.Held, contract.HealthySpared: contract.Untested,
		contract.RetriesBounded: contract.Untested, contract.UpstreamFreed: contract.Untested, contract.Departure: contract.Untested,
		contract.NothingLeft: contract.Untested, contract.CapacityKept: contract.Untested, contract.Recovery: contract.Held,
	}, results)
}

func TestUncertainViolationsNeedASecondRound(t *testing.T) {
	slow, late, code := contract.Finding{Requirement: contract.HealthySpared}, contract.Finding{Requirement: contract.InTime}, contract.Finding{Requirement: contract.Code}
	var first, second conclusions
	first.violated(slow, uncertain)
	first.violated(late, uncertain)
	first.held(contract.Answered, "all")
	second.violated(late, uncertain)
	second.violated(code, certain)
	both := first.confirmedBy(second)
	assert.Equal(t, []contract.Finding{late, code}, both.findings())
	assert.Equal(t, contract.Held, both[0].Result)
	assert.Contains(t, both[0].Sentence, "not confirmed by a second round")

	found, err := both.report(nil)
	require.NoError(t, err)
	assert.Equal(t, []contract.Finding{late, code}, found)
	found, err = both.report([]string{"it was busy"})
	require.ErrorIs(t, err, ErrGeneratorBusy)
	require.ErrorContains(t, err, "it was busy")
	assert.Equal(t, []contract.Finding{code}, found)
	found, err = conclusions{}.report([]string{"it was busy"})
	require.NoError(t, err, "without a violation a busy generator does not matter")
	assert.Empty(t, found)
}

func TestSummaryStaysSmall(t *testing.T) {
	r := conformingRound()
	r.prefix = "again: "
	r.addPhases("outage", 2*time.Second, load.Measurement{Elapsed: 5 * time.Second, Results: []load.Result{{Sent: 3500 * ms}, {Sent: 3400 * ms}}}, faulty)
	r.addPhases("after", 7*time.Second, load.Measurement{Elapsed: 5 * time.Second}, healthy)
	for i := range r.during {
		r.during[i].maxLag = 30 * ms
	}
	late := requestOf("healthy", healthy, 0, ms, runlog.Refused)
	late.phaseStart = 10 * time.Minute
	r.after = append(r.after, late)
	s := Evidence{rounds: []*round{r}}.Summary()
	require.LessOrEqual(t, len(s.Spans), runlog.MaxSpans)
	counts := map[string]map[runlog.Outcome]int{}
	for _, span := range s.Spans {
		require.Equal(t, s.Spans[0].Lasts, span.Lasts)
		for name, of := range span.Counts {
			if counts[name] == nil {
				counts[name] = map[runlog.Outcome]int{}
			}
			for outcome, n := range of {
				counts[name][outcome] += n
			}
		}
	}
	assert.Equal(t, map[string]map[runlog.Outcome]int{
		"healthy": {runlog.Admitted: 180, runlog.Refused: 1}, "hanging": {runlog.Error5xx: 20}, "disconnecting, hanging": {runlog.Disconnected: 8},
	}, counts)
	assert.Equal(t, 209, s.Calls)
	assert.Len(t, r.faultyReached(), 20)
	assert.Equal(t, []runlog.Phase{
		{Name: "again: outage", From: 2 * time.Second, To: 5500 * ms}, {Name: "again: waiting", From: 5500 * ms, To: 7 * time.Second},
		{Name: "again: after", From: 7 * time.Second, To: 12 * time.Second},
	}, s.Phases)
	var names []string
	for _, times := range s.Times {
		names = append(names, times.Name)
	}
	assert.Equal(t, []string{"again: healthy before", "again: healthy during", "again: healthy after", "hanging"}, names)
	assert.InDelta(t, 282*ms, s.Times[1].Bound, float64(ms), "a quarter of a second more than the baseline, and the generator's lag")
	assert.Empty(t, Evidence{}.Summary().Spans)
}
