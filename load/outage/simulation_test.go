package outage

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/runlog"
)

// simulation is a gateway with an upstream behind it, in place of an engine that sends requests. It runs in virtual time, so
// that an outage takes milliseconds and no result depends on how busy this machine is.
type simulation struct {
	// change changes the answer to a request.
	change func(r simulated, a *answer)
	// problems are those of the generator.
	problems []string
	// slow is how many calls the upstream holds at once, see [Experiment.SlowCalls].
	slow int

	began  time.Time
	sent   uint64
	rounds int
	seen   map[string]contract.Seen
}

// simulated is a request of a simulation.
type simulated struct {
	phase, name string
	// at is when it is sent, since the simulation began.
	at time.Duration
	// round is 1 in the first outage and until the next, n numbers the requests of a phase.
	round, n int
}

// answer is what becomes of a request.
type answer struct {
	after    time.Duration
	status   int
	outcome  runlog.Outcome
	attempts []contract.Attempt
}

const simulatedLimit = 1500 * time.Millisecond

// conformingAnswer is that of a gateway with a time limit of 1.5 s. A client disconnects when its timeout is over.
func conformingAnswer(r simulated, timeout time.Duration) answer {
	switch {
	case strings.HasPrefix(r.name, "disconnecting"):
		return answer{simulatedLimit, 504, runlog.Error5xx, []contract.Attempt{{Duration: timeout + ms, Cancelled: true}}}
	case r.name == "held":
		return answer{longestHold, 200, runlog.Admitted, []contract.Attempt{{Duration: longestHold}}}
	case r.name == "hanging":
		return answer{simulatedLimit, 504, runlog.Error5xx, []contract.Attempt{{Duration: simulatedLimit, Cancelled: true}}}
	default:
		return answer{2 * ms, 200, runlog.Admitted, nil}
	}
}

func (s *simulation) Caps() load.Caps { return load.HardCaps() }

func (s *simulation) Plan(load.Phase) (load.Plan, error) { return load.Plan{}, nil }

// Run implements [Engine]: it answers the requests of a phase and waits until the last response.
func (s *simulation) Run(ctx context.Context, p load.Phase) (load.Measurement, error) {
	m := load.Measurement{Phase: p.Name, Started: time.Now(), Generator: load.GeneratorHealth{Problems: s.problems}}
	if ctx.Err() != nil {
		return m, context.Cause(ctx)
	}
	if p.Name == "outage" {
		s.rounds++
	}
	kinds := order(p.Mix)
	for n := range int(math.Ceil(p.Rate*p.For.Seconds() - 1e-6)) {
		kind := kinds[n%len(kinds)]
		due := time.Duration(float64(n) / p.Rate * float64(time.Second))
		r := simulated{p.Name, p.Mix[kind].Name, m.Started.Sub(s.began) + due, s.rounds, n}
		a := conformingAnswer(r, p.Timeout)
		if s.change != nil {
			s.change(r, &a)
		}
		result := load.Result{Seq: s.sent, Request: kind, Due: due, Sent: due, End: due + a.after, Status: a.status, Outcome: a.outcome}
		if a.after > p.Timeout {
			result.End, result.Status, result.Outcome = due+p.Timeout, 0, runlog.Timeout
		}
		s.sent++
		for i := range a.attempts { // at once, or when it has waited
			a.attempts[i].Arrived = m.Started.Add(due + max(a.after-a.attempts[i].Duration, 0))
		}
		s.seen[result.Token()] = contract.Seen{Attempts: a.attempts}
		m.Results, m.Elapsed = append(m.Results, result), max(m.Elapsed, result.End)
	}
	slices.SortStableFunc(m.Results, func(a, b load.Result) int { return int(a.End - b.End) })
	time.Sleep(m.Elapsed)
	return m, nil
}

// order spreads the requests of a mix evenly by their weights.
func order(mix []load.Request) (kinds []int) {
	total, credit := 0, make([]int, len(mix))
	for _, r := range mix {
		total += max(r.Weight, 1)
	}
	for range total {
		next := 0
		for k, r := range mix {
			if credit[k] += max(r.Weight, 1); credit[k] > credit[next] {
				next = k
			}
		}
		credit[next] -= total
		kinds = append(kinds, next)
	}
	return kinds
}

// Seen implements [Upstream].
func (s *simulation) Seen(_ context.Context, token string) (contract.Seen, error) {
	return s.seen[token], nil
}

// verify plays a slow outage of the simulated gateway.
func (s *simulation) verify(ctx context.Context) ([]contract.Finding, Evidence, error) {
	s.began, s.seen = time.Now(), map[string]contract.Seen{}
	return Verify(ctx, s, Experiment{
		Healthy: []load.Request{{Name: "healthy"}}, Faulty: []Fault{{Request: load.Request{Name: "hanging"}, Hangs: true}},
		Held:          []load.Request{{Name: "held"}},
		Disconnecting: []load.Request{{Name: "disconnecting, hanging"}, {Name: "disconnecting, stalled"}},
		TimeLimit:     simulatedLimit, Attempts: 1, RecoveryLimit: 2 * time.Second, Upstream: s, SlowCalls: s.slow,
	})
}

func failed(a *answer) { a.status, a.outcome = 503, runlog.Error5xx }

// duringOutage changes the answers to healthy requests during the outage.
func duringOutage(change func(r simulated, a *answer)) func(simulated, *answer) {
	return func(r simulated, a *answer) {
		if r.phase == "outage" && r.name == "healthy" {
			change(r, a)
		}
	}
}

func sentenceOf(t *testing.T, e Evidence, r contract.Requirement) string {
	t.Helper()
	i := slices.IndexFunc(e.checks, func(c runlog.Check) bool { return c.Requirement == r })
	require.GreaterOrEqual(t, i, 0)
	return e.checks[i].Sentence
}

func TestVerifyInVirtualTime(t *testing.T) {
	for _, tt := range []struct {
		name     string
		gateway  func(simulated, *answer)
		violated []contract.Requirement
		rounds   int
		check    func(t *testing.T, e Evidence)
	}{
		{name: "a conforming gateway", rounds: 1, check: func(t *testing.T, e Evidence) {
			assert.InDelta(t, 10.7, e.took.Seconds(), 0.5)
			assert.InDelta(t, 30, e.rounds[0].Rate, 0)
			assert.Len(t, e.rounds[0].faultyReached(), 26)
		}},
		{
			name: "healthy requests that wait for hanging ones", rounds: 1, violated: []contract.Requirement{contract.HealthySpared},
			gateway: duringOutage(func(_ simulated, a *answer) { a.after = 400 * ms }),
		},
		{
			name: "a healthy request that fails in the first round only", rounds: 2,
			gateway: duringOutage(func(r simulated, a *answer) {
				if r.round == 1 && r.n == 20 {
					failed(a)
				}
			}),
			check: func(t *testing.T, e Evidence) {
				assert.Contains(t, sentenceOf(t, e, contract.HealthyServed), "not confirmed by a second round")
			},
		},
		{
			name: "a healthy request that fails in each round", rounds: 2, violated: []contract.Requirement{contract.HealthyServed},
			gateway: duringOutage(func(r simulated, a *answer) {
				if r.n == 20 {
					failed(a)
				}
			}),
		},
		{
			name: "a gateway that recovers within the limit", rounds: 1,
			gateway: func(r simulated, a *answer) {
				if r.phase == "after" && r.at < 8800*ms {
					failed(a)
				}
			},
			check: func(t *testing.T, e Evidence) {
				assert.Greater(t, e.rounds[0].lastFailure, time.Second)
				assert.Less(t, e.rounds[0].lastFailure, 2*time.Second)
			},
		},
		{
			name: "a gateway that does not recover", rounds: 1, violated: []contract.Requirement{contract.Recovery},
			gateway: func(r simulated, a *answer) {
				if r.phase == "after" || r.phase == "recovery probe" {
					failed(a)
				}
			},
			check: func(t *testing.T, e Evidence) { assert.Greater(t, e.rounds[0].lastFailure, 2*time.Second) },
		},
		{
			name: "disconnects that are not passed on", rounds: 2, violated: []contract.Requirement{contract.Departure},
			gateway: func(r simulated, a *answer) {
				if r.phase == "disconnects" {
					a.attempts[0].Duration = simulatedLimit
				}
			},
			check: func(t *testing.T, e Evidence) {
				assert.Contains(t, sentenceOf(t, e, contract.Departure), "8 of 8 upstream calls continued", "four clients, and then four more")
			},
		},
		{
			name: "a gateway that can take half of the rate only", rounds: 1,
			gateway: func(r simulated, a *answer) {
				if r.phase == "before" && r.at < 11*time.Second { // four attempts at the full rate, 2.5 s each
					a.after = time.Second
				}
			},
			check: func(t *testing.T, e Evidence) { assert.InDelta(t, 15, e.rounds[0].Rate, 0) },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				findings, evidence, err := (&simulation{change: tt.gateway}).verify(t.Context())
				require.NoError(t, err)
				var violated []contract.Requirement
				for _, f := range findings {
					violated = append(violated, f.Requirement)
				}
				assert.Equal(t, tt.violated, violated, findings)
				assert.Len(t, evidence.rounds, tt.rounds)
				if tt.check != nil {
					tt.check(t, evidence)
				}
			})
		})
	}
}

func TestInconclusiveOutages(t *testing.T) {
	for _, tt := range []struct {
		name     string
		gateway  func(simulated, *answer)
		problems []string
		err      error
		text     string
	}{
		{
			name: "healthy requests that fail before the outage", err: ErrNoBaseline, text: "failed: 7 with 503 (error-5xx)",
			gateway: func(r simulated, a *answer) {
				if r.phase == "before" && r.n%2 == 1 {
					failed(a)
				}
			},
		},
		{
			name: "healthy requests that are slow before the outage", err: ErrNoBaseline, text: "must be at most 375ms",
			gateway: func(_ simulated, a *answer) { a.after = max(a.after, 400*ms) },
		},
		{
			name: "faulty requests that do not reach the upstream", err: ErrNotReached, text: "26 with 504",
			gateway: func(_ simulated, a *answer) { a.attempts = nil },
		},
		{
			name: "an uncertain violation while the generator cannot keep up", err: ErrGeneratorBusy, text: "half of the requests were late",
			problems: []string{"half of the requests were late"},
			gateway: duringOutage(func(r simulated, a *answer) {
				if r.n == 20 {
					failed(a)
				}
			}),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				findings, _, err := (&simulation{change: tt.gateway, problems: tt.problems}).verify(t.Context())
				require.ErrorIs(t, err, tt.err)
				require.ErrorContains(t, err, tt.text)
				assert.Empty(t, findings)
			})
		})
	}
	t.Run("a cancelled context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, _, err := new(simulation).verify(ctx)
		require.ErrorIs(t, err, context.Canceled)
	})
}
