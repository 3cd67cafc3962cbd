package limits

import (
	"context"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

func TestVerifyIsInconclusiveWithoutEvidence(t *testing.T) {
	const window = 5 * time.Second
	for _, row := range []struct {
		sentence string
		gateway  *simulatedGateway
		budget   Budget
		want     string
		finds    []contract.Requirement
	}{
		{"a limit of concurrent calls that the budget does not reach", simulation{None, 20, window, 1, 5, false}.gateway(faults{}), Budget{Concurrency: 10},
			"the limit was never reached: 57 calls were admitted and none was refused", nil},
		{"a key whose calls are never admitted", simulation{contract.SlidingLog, 0, window, 1, 5, false}.gateway(faults{}), Budget{},
			"was admitted", []contract.Requirement{contract.Recovery, contract.RetryAfterTrue, contract.RateHeaders}},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := DeclaredLimit{Kind: row.gateway.kind, Limit: 20, Window: window}
				if d.Kind == None {
					d.Kind = contract.Concurrency
				}
				findings, evidence, err := Verify(t.Context(), Probers{Limited: row.gateway.probers().Limited}, d, row.budget)
				require.ErrorIs(t, err, ErrInconclusive)
				require.ErrorContains(t, err, row.want)
				require.Equal(t, row.finds, slices.Compact(requirements(findings)), "%+v", findings)
				require.NotEmpty(t, evidence.Checks)
			})
		})
	}
}

// Wherever a gateway goes away, the calls that it did not answer are not held against it.
func TestVerifyNoticesThatTheGatewayIsGone(t *testing.T) {
	t.Parallel()
	for after := 0; after < 130; after += 3 {
		synctest.Test(t, func(t *testing.T) {
			g := simulation{contract.SlidingLog, 20, 2 * time.Second, 1, 5, false}.gateway(faults{goneAfter: max(after, 1)})
			findings, evidence, err := Verify(t.Context(), g.probers(),
				DeclaredLimit{Kind: contract.SlidingLog, Limit: 20, Window: 2 * time.Second, Shared: new(after%2 == 0), UpstreamRetryAfter: 7}, Budget{})
			if err == nil {
				require.Greater(t, after, 90, "all calls were answered")
				return
			}
			require.ErrorIs(t, err, ErrGone, "after %d", after)
			for _, f := range findings {
				require.Equal(t, contract.StreamShare, f.Requirement, "after %d: %+v", after, f) // streaming calls share the limit, and are declared not to
			}
			require.NotContains(t, evidence.Sentence, "failed")
		})
	}
}

func TestTooManyFailuresNameTheLastOne(t *testing.T) {
	call := func(status int) Call { return Call{Observation: contract.Observation{Status: status}} }
	timeout := Call{Observation: contract.Observation{Failure: &contract.Failure{Kind: contract.TimedOut}}}
	for want, calls := range map[string][]Call{
		"4 of 5 calls failed, which is more than a quarter; the last failure: 502 Bad Gateway": {call(500), call(500), call(500), call(502), call(200)},
		"4 of 4 calls failed, which is more than a quarter; the last failure: timed-out":       {call(500), call(500), call(500), timeout},
	} {
		r := newRecorder(hangingProber, Budget{})
		r.record(calls...)
		err := r.checkFailures()
		require.ErrorIs(t, err, ErrInconclusive)
		require.ErrorContains(t, err, want)
	}
}

// A drain of a key without a limit does not send larger bursts than the budget permits.
func TestBurstsStayWithinTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := simulation{None, 1, time.Second, 1, 5, false}.gateway(faults{})
		var inFlight, most atomic.Int64
		counting := func(ctx context.Context, hold time.Duration) (Call, error) {
			most.Store(max(most.Load(), inFlight.Add(1)))
			defer inFlight.Add(-1)
			return g.probers().Limited(ctx, hold)
		}
		r := newRecorder(counting, Budget{Calls: 2000, Concurrency: 3})
		drained, err := r.drain(t.Context(), 0, math.MaxInt/4)
		require.ErrorIs(t, err, ErrBudget)
		require.Equal(t, drainResult{admitted: 2000, refused: false}, drained)
		require.Equal(t, int64(3), most.Load())
	})
}

// A gateway that takes longer for a call than the budget's time ends the experiment all the same, and the call is not recorded.
func TestTheBudgetEndsCallsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, _, err := Infer(t.Context(), hangingProber, Budget{Time: time.Second})
		require.ErrorIs(t, err, ErrBudget)
		require.Equal(t, time.Second, time.Since(began))

		_, evidence, err := Verify(t.Context(), Probers{Limited: hangingProber}, DeclaredLimit{Kind: contract.SlidingLog, Limit: 2, Window: time.Second}, Budget{Time: time.Second})
		require.ErrorIs(t, err, ErrBudget)
		require.Zero(t, evidence.Calls)
		require.Empty(t, evidence.Limiter, "no calls")
	})
}

// hangingProber never gets a response.
func hangingProber(ctx context.Context, _ time.Duration) (Call, error) {
	<-ctx.Done()
	return Call{}, ctx.Err()
}
