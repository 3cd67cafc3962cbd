package limits

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

func TestVerifySaysWhenNothingWasSeen(t *testing.T) {
	const window = 5 * time.Second
	for _, row := range []struct {
		sentence string
		g        *gateway
		budget   Budget
		want     string
		finds    []contract.Requirement
	}{
		{"a limit of calls under way that no call is held for", newGateway(None, 20, window, seeded(), false, wrong{}), Budget{Concurrency: 10},
			"the limit was never seen to hold: 57 calls admitted, none refused", nil},
		{"a key that never gets a call in", newGateway(contract.SlidingLog, 0, window, seeded(), false, wrong{}), Budget{}, "was admitted", []contract.Requirement{contract.Recovery, contract.RetryAfterTrue, contract.RateHeaders}},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := Declared{Kind: row.g.kind, Limit: 20, Window: window}
				if d.Kind == None {
					d.Kind = contract.Concurrency
				}
				findings, evidence, err := Verify(t.Context(), Probers{Limited: row.g.probers().Limited}, d, row.budget)
				require.ErrorIs(t, err, ErrUnclear)
				require.ErrorContains(t, err, row.want)
				require.Equal(t, row.finds, obligations(findings), "%+v", findings)
				require.NotEmpty(t, evidence.Checks)
			})
		})
	}
}

func seeded() *rand.Rand { return rand.New(rand.NewPCG(1, 5)) }

// Of a limit of one call, the call that finds out when it is free again takes all.
func TestVerifyTestsTheSmallestLimits(t *testing.T) {
	for _, kind := range append(contract.LimiterKinds(), "") {
		for limit := 1; limit <= 3; limit++ {
			t.Run(fmt.Sprintf("%q of %d in 1s", kind, limit), func(t *testing.T) {
				for run := range uint64(6) {
					synctest.Test(t, func(t *testing.T) {
						actual := kind
						if kind == "" {
							actual = []contract.LimiterKind{contract.FixedWindow, contract.SlidingLog, contract.SlidingCounter, contract.TokenBucket}[run%4]
						}
						g := newGateway(actual, limit, time.Second, rand.New(rand.NewPCG(run, 3)), false, wrong{})
						findings, evidence := verify(t, g, Declared{Kind: kind, Limit: limit, Window: time.Second})
						require.Empty(t, findings, "%s, run %d: %+v", actual, run, evidence)
						require.Equal(t, runlog.Held, checkOf(evidence, contract.LimitExact).Result, "%s, run %d: %+v", actual, run, evidence)
						require.Equal(t, runlog.Held, checkOf(evidence, contract.LimitBurst).Result, "%s, run %d: %+v", actual, run, evidence)
					})
				}
			})
		}
	}
}

func checkOf(e Evidence, o contract.Requirement) runlog.Check {
	for _, c := range e.Checks {
		if c.Requirement == o {
			return c
		}
	}
	return runlog.Check{}
}

// A gateway that grants its limit in half of the declared time grants twice as much.
func TestVerifyFindsTwiceTheRate(t *testing.T) {
	for declared, all := range map[contract.LimiterKind][]contract.LimiterKind{
		contract.FixedWindow: {contract.SlidingLog, contract.FixedWindow}, contract.SlidingLog: {contract.SlidingLog, contract.FixedWindow, contract.SlidingCounter, contract.TokenBucket}, contract.TokenBucket: {contract.SlidingLog, contract.FixedWindow, contract.TokenBucket},
	} {
		for _, actual := range all {
			t.Run(fmt.Sprintf("%s declared as %q", actual, declared), func(t *testing.T) {
				for run := range uint64(8) {
					synctest.Test(t, func(t *testing.T) {
						random := rand.New(rand.NewPCG(run, 3))
						s := &simulated{kind: actual, limit: 10, window: 2 * time.Second, noise: quiet(random), anchored: run%4 > 1}
						if run%2 == 1 {
							s.noise = busy(random)
						}
						s.phase = time.Duration(random.Int64N(int64(s.window)))
						findings, evidence, err := Verify(t.Context(), Probers{Limited: s}, Declared{Kind: declared, Limit: 10, Window: 4 * time.Second}, Budget{})
						require.NoError(t, err)
						require.True(t, slices.ContainsFunc(findings, func(f contract.Finding) bool {
							return f.Level == contract.Must && (f.Requirement == contract.LimitExact || f.Requirement == contract.LimitBurst)
						}), "run %d: %+v %+v", run, findings, evidence.Checks)
					})
				}
			})
		}
	}
}

// hundreds are counts that depend on how often it is asked whether a limit is free again.
var hundreds = regexp.MustCompile(`\b\d{3} refus`)

func TestVerifySaysWhatIsBroken(t *testing.T) {
	for _, row := range []struct {
		sentence string
		wrong    wrong
		shared   bool
		want     runlog.Check
	}{
		{"another key fails beside the storm", wrong{failsOthers: true}, true, runlog.Check{
			Requirement: contract.KeyIsolation, Result: runlog.Violated,
			Sentence: "got 0 of its 5 calls admitted (5 of 5 before), 5 times 500 Internal Server Error, want another key untouched by a limit that is used up",
		}},
		{"streams of a limit of their own fail", wrong{failsStreams: true}, false, runlog.Check{
			Requirement: contract.StreamShare, Result: runlog.Violated,
			Sentence: "got 0 of 5 admitted when the others' limit was used up, 5 times 500 Internal Server Error, want streaming calls to have a limit of their own, as declared",
		}},
		{"a wait told as a date is compared with nothing", wrong{dates: true}, true, runlog.Check{
			Requirement: contract.RetryAfterTrue, Result: runlog.Untested, Sentence: "many refusals told an HTTP date, which is not compared with anything",
		}},
		{"what refused calls take is told", wrong{}, true, runlog.Check{
			Requirement: contract.RefusedFree, Result: runlog.Held, Sentence: "many refused calls used up nothing, and 5 of them in a row cost nothing",
		}},
		{"refusals are told as the contract sees them", wrong{}, true, runlog.Check{
			Requirement: contract.Answered, Result: runlog.Held, Sentence: "all many refusals are whole 429s",
		}},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(contract.SlidingLog, 20, 10*time.Second, seeded(), false, row.wrong)
				_, evidence := verify(t, g, Declared{Kind: contract.SlidingLog, Limit: 20, Window: 10 * time.Second, Shared: &row.shared})
				got := checkOf(evidence, row.want.Requirement)
				got.Sentence = hundreds.ReplaceAllString(got.Sentence, "many refus")
				require.Equal(t, row.want, got, "%+v", evidence)
			})
		})
	}
}

func TestVerifyTellsABrokenObligationOfTheContract(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(contract.SlidingLog, 20, 10*time.Second, seeded(), false, wrong{crash: true})
		_, evidence := verify(t, g, Declared{Kind: contract.SlidingLog, Limit: 20, Window: 10 * time.Second})
		require.Equal(t, runlog.Violated, checkOf(evidence, contract.StatusClass).Result)
		require.Contains(t, checkOf(evidence, contract.StatusClass).Sentence, "got 500")
		require.Empty(t, checkOf(evidence, contract.Answered))
		require.Equal(t, runlog.Held, checkOf(evidence, contract.LimitExact).Result, "%+v", evidence.Checks)
	})
}

// Wherever a gateway goes away, nothing that it did not answer is held against it.
func TestVerifyNoticesThatTheGatewayIsGone(t *testing.T) {
	for after := 0; after < 130; after += 3 {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(contract.SlidingLog, 20, 2*time.Second, seeded(), false, wrong{goneAfter: max(after, 1)})
			findings, evidence, err := Verify(t.Context(), g.probers(),
				Declared{Kind: contract.SlidingLog, Limit: 20, Window: 2 * time.Second, Shared: new(after%2 == 0), UpstreamRetryAfter: 7}, Budget{})
			if err == nil {
				require.Greater(t, after, 90, "it had all calls answered")
				return
			}
			require.ErrorIs(t, err, ErrGone, "after %d", after)
			for _, f := range findings {
				require.Equal(t, contract.StreamShare, f.Requirement, "after %d: %+v", after, f) // its streams are not apart, as they are declared
			}
			require.Zero(t, evidence.Failed)
		})
	}
}

// Whoever has admitted everything for an hour has not grown the bursts beyond what a machine can hold.
func TestBurstsStayWithinTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(None, 1, time.Second, seeded(), false, wrong{})
		s := newSession(&largest{Prober: g.probers().Limited}, Budget{Calls: 2000, Concurrency: 3})
		admitted, refused, err := s.drain(t.Context(), 0, math.MaxInt/4)
		require.ErrorIs(t, err, ErrBudget)
		require.False(t, refused)
		require.Equal(t, 2000, admitted)
		require.Equal(t, 3, s.prober.(*largest).n)
	})
}

// largest remembers the greatest burst.
type largest struct {
	Prober

	n int
}

func (l *largest) Burst(ctx context.Context, n int, hold time.Duration) ([]Call, error) {
	l.n = max(l.n, n)
	return l.Prober.Burst(ctx, n, hold)
}

// A gateway that takes longer than the budget's time for a call ends the experiment all the same, and the call is no evidence.
func TestTheBudgetEndsCallsThatAreUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, _, err := Infer(t.Context(), hanging{}, Budget{Time: time.Second})
		require.ErrorIs(t, err, ErrBudget)
		require.Equal(t, time.Second, time.Since(began))

		_, evidence, err := Verify(t.Context(), Probers{Limited: hanging{}}, Declared{Kind: contract.SlidingLog, Limit: 2, Window: time.Second}, Budget{Time: time.Second})
		require.ErrorIs(t, err, ErrBudget)
		require.Zero(t, evidence.Calls)
	})
}

// hanging never answers.
type hanging struct{}

func (hanging) Probe(ctx context.Context) (Call, error) {
	<-ctx.Done()
	return Call{}, ctx.Err()
}

func (h hanging) Burst(ctx context.Context, _ int, _ time.Duration) ([]Call, error) {
	c, err := h.Probe(ctx)
	return []Call{c}, err
}
