package limits

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Each experiment is passed on when it has ended, the one that the budget cuts short too, with the answer of each of its calls.
func TestInferPassesExperimentsOn(t *testing.T) {
	for name, b := range map[string]Budget{"to the end": {}, "cut short": {Time: 3 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := simulation{contract.SlidingLog, 10, 2 * time.Second, 1, 3, false}.gateway(faults{})
				var passed []Experiment
				b.Finished = func(e Experiment) { passed = append(passed, e) }
				began := time.Now()
				_, experiments, err := Infer(t.Context(), g.probers().Limited, b)
				if b.Time > 0 {
					require.ErrorIs(t, err, ErrBudget)
				} else {
					require.NoError(t, err)
				}
				require.NotEmpty(t, passed)
				require.Equal(t, experiments, passed)
				for _, e := range passed {
					require.Len(t, e.Answers, e.Calls)
					logged := e.Logged(began)
					require.Len(t, logged.Answers, e.Calls)
					require.GreaterOrEqual(t, logged.Start, time.Duration(0))
				}
				first := passed[0].Logged(began).Answers
				admitted := 0
				for _, a := range first {
					require.LessOrEqual(t, a.Sent, a.Answered)
					if a.Outcome == runlog.Admitted {
						admitted++
						require.Equal(t, 200, a.Status)
					} else {
						require.Equal(t, runlog.Refused, a.Outcome)
						require.Equal(t, 429, a.Status)
					}
				}
				require.Equal(t, 10, admitted)
			})
		})
	}
}

func TestLoggedOutcome(t *testing.T) {
	for want, a := range map[runlog.Outcome]Answer{
		runlog.Admitted:       {Outcome: Admitted, Status: 200},
		runlog.Refused:        {Outcome: Refused, Status: 503},
		runlog.Error4xx:       {Outcome: Failed, Status: 404},
		runlog.Error5xx:       {Outcome: Failed, Status: 500},
		runlog.Wrong:          {Outcome: Failed, Status: 302},
		runlog.Timeout:        {Outcome: Failed, failure: &contract.Failure{Kind: contract.TimedOut}},
		runlog.TransportError: {Outcome: Failed, failure: &contract.Failure{Kind: contract.Reset}},
	} {
		assert.Equal(t, want, a.loggedOutcome())
	}
}

func TestLoggedLimit(t *testing.T) {
	m := newTokenBucketModel(8, 4)
	m.Intervals = Intervals{Limit: Interval[int]{7, 8}, Refill: Interval[float64]{3.9, 4.1}}
	assert.Equal(t, &runlog.FoundLimiter{
		Kind: "token-bucket", Limit: 8, Window: 2 * time.Second, Refill: 4, LimitRange: &runlog.Range{From: 7, To: 8}, RefillRange: &runlog.Range{From: 3.9, To: 4.1},
		Addresses: "shared", Keys: "apart", Scope: "these two addresses share the limit, these two keys do not share the limit, as with a limit per key",
	}, m.Logged(Scope{Shared, Apart}))
	none := LimiterModel{Kind: None}
	assert.Equal(t, &runlog.FoundLimiter{Kind: "none"}, none.Logged(Scope{}))
}
