package limits

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// verify runs a verification of a gateway with something wrong, and returns the findings that change a verdict.
func verify(t *testing.T, g *gateway, d Declared) ([]contract.Finding, Evidence) {
	t.Helper()
	if d.Shared == nil {
		d.Shared = new(true)
	}
	d.UpstreamRetryAfter = 7
	findings, evidence, err := Verify(t.Context(), g.probers(), d, Budget{})
	require.NoError(t, err)
	return slices.DeleteFunc(findings, func(f contract.Finding) bool { return f.Level == contract.Note }), evidence
}

var verified = []struct {
	limit  int
	window time.Duration
}{{5, time.Second}, {20, 2 * time.Second}, {60, 10 * time.Second}}

func TestVerifyRaisesNoFalseAlarm(t *testing.T) {
	for _, kind := range contract.LimiterKinds() {
		for _, size := range verified {
			t.Run(fmt.Sprintf("%s of %d in %s", kind, size.limit, size.window), func(t *testing.T) {
				for run := range uint64(6) {
					synctest.Test(t, func(t *testing.T) {
						g := newGateway(kind, size.limit, size.window, rand.New(rand.NewPCG(run, 3)), run%2 == 1, wrong{})
						d := Declared{Kind: kind, Limit: size.limit, Window: size.window}
						if run >= 4 && kind != contract.Concurrency {
							d.Kind = "" // not declared
						}
						findings, evidence := verify(t, g, d)
						require.Empty(t, findings, "run %d: %+v", run, evidence)
						for _, c := range evidence.Checks {
							require.Equal(t, runlog.Held, c.Result, "run %d: %+v", run, c)
						}
					})
				}
			})
		}
	}
}

func TestVerifyFindsWhatIsWrong(t *testing.T) {
	const must, should = contract.Must, contract.Should
	type broken map[contract.Requirement]contract.RequirementLevel
	timed := []contract.LimiterKind{contract.FixedWindow, contract.SlidingLog, contract.SlidingCounter, contract.TokenBucket}
	for _, row := range []struct {
		sentence string
		kinds    []contract.LimiterKind
		wrong    wrong
		declared int // added to the declared limit
		want     broken
	}{
		{"three too many in a burst", contract.LimiterKinds(), wrong{overBurst: 3}, 0, broken{contract.LimitBurst: must}},
		{"one more than declared", []contract.LimiterKind{contract.SlidingLog, contract.TokenBucket}, wrong{}, -1, broken{contract.LimitExact: must, contract.LimitBurst: must, contract.RateHeaders: should}},
		{"one less than declared", []contract.LimiterKind{contract.FixedWindow, contract.SlidingLog}, wrong{}, 1, broken{contract.LimitExact: should, contract.RateHeaders: should}},
		{"a Retry-After 2s too long", timed, wrong{retryAfter: 2}, 0, broken{contract.RetryAfterTrue: should}},
		{"a Retry-After 2s too short", []contract.LimiterKind{contract.SlidingLog}, wrong{retryAfter: -2}, 0, broken{contract.RetryAfterTrue: should}},
		{"a Retry-After that is a time", timed, wrong{epoch: true}, 0, broken{contract.RetryAfterTrue: should, contract.RateHeaders: should}},
		{"a reset before the Retry-After", []contract.LimiterKind{contract.SlidingLog}, wrong{earlyReset: true}, 0, broken{contract.RateHeaders: should}},
		{"refusals without a body, but for the first", contract.LimiterKinds(), wrong{empty: 2}, 0, broken{contract.ContentType: must, contract.Envelope: must}},
		{"refused calls count", []contract.LimiterKind{contract.SlidingLog, contract.SlidingCounter}, wrong{countsRefused: true}, 0, broken{contract.RefusedFree: should}},
		{"refused calls cost money", timed, wrong{bills: true}, 0, broken{contract.RefusedFree: should}},
		{"refused calls reach the upstream", contract.LimiterKinds(), wrong{reaches: true}, 0, broken{contract.UpstreamUnused: should}},
		{"all keys share the limit", contract.LimiterKinds(), wrong{sharedKeys: true}, 0, broken{contract.KeyIsolation: should}},
		{"other keys wait", timed, wrong{slowsOthers: 3 * time.Second}, 0, broken{contract.KeyIsolation: should}},
		{"streams have a limit of their own", contract.LimiterKinds(), wrong{ownStreams: true}, 0, broken{contract.StreamShare: should}},
		{"what remains never falls", timed, wrong{noFall: true}, 0, broken{contract.RateHeaders: should}},
		{"what remains goes below nothing", contract.LimiterKinds(), wrong{negative: true}, 0, broken{contract.RateHeaders: should}},
		{"something remains on a refusal", contract.LimiterKinds(), wrong{leftOver: true}, 0, broken{contract.RateHeaders: should}},
		{"another limit is told", contract.LimiterKinds(), wrong{limitTold: 3}, 0, broken{contract.RateHeaders: should}},
		{"overload is an internal error", contract.LimiterKinds(), wrong{crash: true}, 0, broken{contract.StatusClass: must}},
		{"an upstream that refuses is asked five times", timed, wrong{attempts: 5}, 0, broken{contract.UpstreamRefusal: should}},
		{"an upstream's Retry-After is lost", timed, wrong{dropped: true}, 0, broken{contract.UpstreamRefusal: should}},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			for _, kind := range row.kinds {
				for run := range uint64(2) {
					synctest.Test(t, func(t *testing.T) {
						g := newGateway(kind, 20, 5*time.Second, rand.New(rand.NewPCG(run, 3)), run%2 == 1, row.wrong)
						findings, evidence := verify(t, g, Declared{Kind: kind, Limit: 20 + row.declared, Window: 5 * time.Second})
						got := broken{}
						for _, f := range findings {
							if got[f.Requirement] != must {
								got[f.Requirement] = f.Level
							}
						}
						require.Equal(t, row.want, got, "%s, run %d: %v", kind, run, findings)
						for _, c := range evidence.Checks {
							_, is := got[c.Requirement]
							require.Equal(t, is, c.Result == runlog.Violated, "%s: %+v", kind, c)
						}
					})
				}
			}
		})
	}
}

// Where the windows of the clock begin is not known, so one call too many can be due to a boundary once, but not always.
func TestVerifyFindsOneTooManyInWindowsOfTheClock(t *testing.T) {
	for _, kind := range []contract.LimiterKind{contract.FixedWindow, contract.SlidingCounter, contract.Concurrency} {
		for run := range uint64(4) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(kind, 20, 5*time.Second, rand.New(rand.NewPCG(run, 5)), run%2 == 1, wrong{})
				findings, _ := verify(t, g, Declared{Kind: kind, Limit: 19, Window: 5 * time.Second})
				require.True(t, slices.ContainsFunc(findings, func(f contract.Finding) bool {
					return f.Level == contract.Must && (f.Requirement == contract.LimitExact || f.Requirement == contract.LimitBurst)
				}), "%s, run %d: %v", kind, run, findings)
			})
		}
	}
}

func TestVerifyFindsALimitThatIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(contract.SlidingLog, 20, 2*time.Second, rand.New(rand.NewPCG(1, 5)), false, wrong{lockout: 3 * time.Second})
		findings, evidence := verify(t, g, Declared{Kind: contract.SlidingLog, Limit: 20, Window: 2 * time.Second})
		require.Equal(t, []contract.Requirement{contract.Recovery, contract.RetryAfterTrue}, obligations(findings), "%v", findings)
		require.Greater(t, evidence.Recovery, 2900*time.Millisecond)
	})
}

// Streams that are declared to have a limit of their own are neither missed nor counted where they do not belong.
func TestVerifyKnowsStreamsOfTheirOwn(t *testing.T) {
	for _, kind := range contract.LimiterKinds() {
		synctest.Test(t, func(t *testing.T) {
			d := Declared{Kind: kind, Limit: 20, Window: 5 * time.Second, Shared: new(false)}
			findings, _ := verify(t, newGateway(kind, 20, 5*time.Second, rand.New(rand.NewPCG(1, 5)), false, wrong{ownStreams: true}), d)
			require.Empty(t, findings, kind)
			findings, _ = verify(t, newGateway(kind, 20, 5*time.Second, rand.New(rand.NewPCG(1, 5)), false, wrong{}), d)
			require.Equal(t, []contract.Requirement{contract.StreamShare}, obligations(findings), kind)
		})
	}
}

// belated makes its first call late, when a window has turned over.
type belated struct {
	Prober

	by time.Duration
}

func (b *belated) Probe(ctx context.Context) (Call, error) {
	if b.by > 0 {
		time.Sleep(b.by)
		b.by = 0
	}
	return b.Prober.Probe(ctx)
}

func TestVerifyTriesStreamsAgainThatTimeHasLetPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(contract.FixedWindow, 5, time.Second, rand.New(rand.NewPCG(1, 5)), false, wrong{})
		with := g.probers()
		with.Stream = &belated{with.Stream, time.Second}
		findings, evidence, err := Verify(t.Context(), with, Declared{Kind: contract.FixedWindow, Limit: 5, Window: time.Second, Shared: new(true), UpstreamRetryAfter: 7}, Budget{})
		require.NoError(t, err)
		require.Empty(t, findings)
		tried := 0
		for _, p := range evidence.Phases {
			if p.Name == string(streamed) {
				tried++
			}
		}
		require.Equal(t, 2, tried, "once late, and once more")
		for _, c := range evidence.Checks {
			require.Equal(t, runlog.Held, c.Result, "%+v", c)
		}
	})
}

func TestVerificationsAreShort(t *testing.T) {
	for _, row := range []struct {
		kind    contract.LimiterKind
		windows float64
	}{{contract.FixedWindow, 3.2}, {contract.SlidingLog, 2.2}, {contract.TokenBucket, 2.4}, {contract.SlidingCounter, 3.3}, {"", 3.3}} {
		for run := range uint64(4) {
			synctest.Test(t, func(t *testing.T) {
				actual := row.kind
				if actual == "" {
					actual = contract.SlidingLog
				}
				g := newGateway(actual, 20, 10*time.Second, rand.New(rand.NewPCG(run, 7)), false, wrong{})
				_, evidence := verify(t, g, Declared{Kind: row.kind, Limit: 20, Window: 10 * time.Second})
				require.Less(t, evidence.Took.Seconds(), 10*row.windows, "%q, run %d: %+v", row.kind, run, evidence.Phases)
			})
		}
	}
}

func TestAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(contract.SlidingLog, 20, 10*time.Second, rand.New(rand.NewPCG(1, 5)), false, wrong{})
		_, evidence := verify(t, g, Declared{Kind: contract.SlidingLog, Limit: 20, Window: 10 * time.Second})
		a := evidence.Account()
		require.Equal(t, "sliding-log of 20 in 10s", a.Limiter)
		require.Contains(t, a.Sentence, fmt.Sprintf("%d calls: %d admitted, %d refused", evidence.Calls, evidence.Admitted, evidence.Refused))
		require.Equal(t, evidence.Checks, a.Checks)
		require.Equal(t, runlog.Check{
			Requirement: contract.LimitExact, Result: runlog.Held,
			Sentence: "19 calls admitted and 1 refused: the last of 20 places was still taken by the call that found the recovery",
		}, a.Checks[0])
		require.Equal(t, "5 calls that the upstream refused: at most 1 attempt each", a.Checks[len(contract.LoadRequirements(contract.LimitLoad))-1].Sentence)
		require.LessOrEqual(t, len(a.Spans), runlog.MaxSpans)
		var names []string
		for i, phase := range a.Phases {
			names = append(names, phase.Name)
			require.LessOrEqual(t, phase.From, phase.To)
			require.True(t, i == 0 || a.Phases[i-1].To <= phase.From, "%+v", a.Phases)
		}
		require.Equal(t, []string{"storm", "recovery", "sequence", "stream", "refusals", "recovery", "burst"}, names)
		counts := map[string]map[runlog.Outcome]int{}
		for i, span := range a.Spans {
			require.Equal(t, time.Duration(i)*span.Lasts, span.At)
			for part, outcomes := range span.Counts {
				for outcome, n := range outcomes {
					if counts[part] == nil {
						counts[part] = map[runlog.Outcome]int{}
					}
					counts[part][outcome] += n
				}
			}
		}
		require.Equal(t, map[string]map[runlog.Outcome]int{
			"limited key": {runlog.Admitted: evidence.Admitted, runlog.Refused: evidence.Refused - further},
			"streams":     {runlog.Refused: further}, "other key": {runlog.Admitted: 2 * further}, "refusing upstream": {runlog.Refused: further},
		}, counts)
		require.Equal(t, evidence.Calls+3*further, a.Calls)
		require.Len(t, a.Times, 2)
		require.Equal(t, further, a.Times[1].Count)
		require.Less(t, a.Times[1].P50, a.Times[1].Bound)
	})
	require.Empty(t, Evidence{}.Account().Limiter, "nothing was seen")
}

func obligations(findings []contract.Finding) []contract.Requirement {
	var all []contract.Requirement
	for _, f := range findings {
		all = append(all, f.Requirement)
	}
	return all
}

func TestVerifyRefusesWhatMakesNoSense(t *testing.T) {
	for sentence, d := range map[string]Declared{
		"no limit":        {Window: time.Second},
		"no window":       {Limit: 3},
		"an unknown kind": {Kind: "leaky", Limit: 3, Window: time.Second},
		"none":            {Kind: None, Limit: 3, Window: time.Second},
	} {
		_, _, err := Verify(t.Context(), Probers{}, d, Budget{})
		require.ErrorIs(t, err, ErrDeclared, sentence)
	}
}

// Whatever ends a verification early, what was seen until then is judged.
func TestVerifyJudgesWhatItHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(contract.SlidingLog, 20, 2*time.Second, rand.New(rand.NewPCG(1, 5)), false, wrong{empty: 1})
		findings, evidence, err := Verify(t.Context(), g.probers(), Declared{Kind: contract.SlidingLog, Limit: 20, Window: 2 * time.Second}, Budget{Calls: 60})
		require.ErrorIs(t, err, ErrBudget)
		require.Contains(t, obligations(findings), contract.Envelope)
		require.Positive(t, evidence.Refused)
		require.Equal(t, runlog.Untested, evidence.Checks[0].Result)
	})
}
