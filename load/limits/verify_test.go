//go:build !race

// With the race detector these simulations take ten times as long; race_test.go has some of each kind.

package limits

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// exceedsLimit reports whether a finding is a MUST about too many admitted calls.
func exceedsLimit(f contract.Finding) bool {
	return f.Level == contract.Must && (f.Requirement == contract.LimitExact || f.Requirement == contract.LimitBurst)
}

func TestVerifyRaisesNoFalseAlarm(t *testing.T) {
	for _, kind := range contract.LimiterKinds() {
		for _, size := range []struct {
			limit  int
			window time.Duration
		}{{5, time.Second}, {20, 2 * time.Second}, {60, 10 * time.Second}} {
			t.Run(fmt.Sprintf("%s of %d in %s", kind, size.limit, size.window), func(t *testing.T) {
				t.Parallel()
				for run := range runsOf(3, 6) {
					synctest.Test(t, func(t *testing.T) {
						g := simulation{kind, size.limit, size.window, run, 3, run%2 == 1}.gateway(faults{})
						d := DeclaredLimit{Kind: kind, Limit: size.limit, Window: size.window}
						if run%3 == 2 && kind != contract.Concurrency {
							d.Kind = "" // not declared
						}
						findings, evidence := verify(t, g, d)
						require.Empty(t, findings, "run %d: %+v", run, evidence)
						requireAllHeld(t, kind, evidence)
					})
				}
			})
		}
	}
}

// burstChecks verifies a sliding counter whose windows begin at eight different times, and returns its checks of limit-burst.
func burstChecks(t *testing.T, limit int) (checks []runlog.Check) {
	t.Helper()
	for run := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			g := simulation{contract.SlidingCounter, limit, 2 * time.Second, run, 3, false}.gateway(faults{})
			findings, evidence := verify(t, g, DeclaredLimit{Kind: contract.SlidingCounter, Limit: limit, Window: 2 * time.Second})
			require.Empty(t, findings)
			checks = append(checks, checkOf(evidence, contract.LimitBurst))
		})
	}
	return checks
}

// A sliding counter may still count calls of the window before when the burst begins. The check then rests on the initial burst.
func TestASlidingCounterIsJudgedByTheInitialBurst(t *testing.T) {
	judged := 0
	for _, check := range burstChecks(t, 20) {
		require.Equal(t, contract.Held, check.Result, check.Sentence)
		if strings.Contains(check.Sentence, "in the initial burst") {
			require.Regexp(t, `^20 calls admitted and \d+ refused in the initial burst; the later burst admitted \d and refused \d+; part of the limit of 20 calls may still have been in use$`, check.Sentence)
			judged++
		}
	}
	require.Positive(t, judged)
	require.Less(t, judged, 8)
}

// The calls of the initial burst double, so a limit of 1 + 2 + 4 + 8 calls is used up exactly between two of them: none is admitted while
// another is refused, which would show nothing about a race.
func TestAnInitialBurstThatEndsBetweenTwoBurstsShowsNothing(t *testing.T) {
	untested := 0
	for _, check := range burstChecks(t, 15) {
		require.NotContains(t, check.Sentence, "initial burst")
		if check.Result == contract.Untested {
			untested++
		}
	}
	require.Positive(t, untested)
}

func TestVerifyFindsEveryFault(t *testing.T) {
	const must, should = contract.Must, contract.Should
	type violations map[contract.Requirement]contract.RequirementLevel
	timed := []contract.LimiterKind{contract.FixedWindow, contract.SlidingLog, contract.SlidingCounter, contract.TokenBucket}
	for _, row := range []struct {
		sentence string
		kinds    []contract.LimiterKind
		faults   faults
		declared int // added to the declared limit
		want     violations
	}{
		{"a burst admits three calls too many", contract.LimiterKinds(), faults{burstExcess: 3}, 0, violations{contract.LimitBurst: must}},
		{"the limit is one more than declared", []contract.LimiterKind{contract.SlidingLog, contract.TokenBucket}, faults{}, -1, violations{contract.LimitExact: must, contract.LimitBurst: must, contract.RateHeaders: should}},
		{"the limit is one less than declared", []contract.LimiterKind{contract.FixedWindow, contract.SlidingLog, contract.Concurrency}, faults{}, 1, violations{contract.LimitExact: should, contract.RateHeaders: should}},
		{"Retry-After is 2s too long", timed, faults{retryAfter: 2}, 0, violations{contract.RetryAfterTrue: should}},
		{"Retry-After is 2s too short", []contract.LimiterKind{contract.SlidingLog}, faults{retryAfter: -2}, 0, violations{contract.RetryAfterTrue: should}},
		{"Retry-After is a Unix timestamp", timed, faults{epoch: true}, 0, violations{contract.RetryAfter: should, contract.RetryAfterTrue: should, contract.RateHeaders: should}},
		{"the reset is before Retry-After", []contract.LimiterKind{contract.SlidingLog}, faults{earlyReset: true}, 0, violations{contract.RateHeaders: should}},
		{"the reset is two windows late", timed, faults{lateReset: true}, 0, violations{contract.RateHeaders: should}},
		{"the policy has another window", timed, faults{otherPolicy: true}, 0, violations{contract.RateHeaders: should}},
		{"Retry-After is a date, 4s too late", timed, faults{dates: true, clock: true, retryAfter: 4}, 0, violations{contract.RetryAfter: should, contract.RetryAfterTrue: should}},
		{"Retry-After is a date, 3s too early", []contract.LimiterKind{contract.SlidingLog}, faults{dates: true, clock: true, retryAfter: -3}, 0, violations{contract.RetryAfter: should, contract.RetryAfterTrue: should}},
		{"retry-after-ms is 1s too short", []contract.LimiterKind{contract.SlidingLog}, faults{milliseconds: -time.Second}, 0, violations{contract.RetryAfterTrue: should}},
		{"retry-after-ms is 2s too long", timed, faults{milliseconds: 2 * time.Second}, 0, violations{contract.RetryAfterTrue: should}},
		{"retry-after-ms is right", timed, faults{milliseconds: time.Millisecond}, 0, violations{}},
		{"all refusals but the first have no body", contract.LimiterKinds(), faults{emptyFrom: 2}, 0, violations{contract.ContentType: must, contract.Envelope: must}},
		{"refused calls count", []contract.LimiterKind{contract.SlidingLog, contract.SlidingCounter}, faults{countsRefused: true}, 0, violations{contract.RefusedFree: should}},
		{"refused calls cost money", timed, faults{bills: true}, 0, violations{contract.RefusedFree: should}},
		{"refused calls reach the upstream", contract.LimiterKinds(), faults{reaches: true}, 0, violations{contract.UpstreamUnused: should}},
		{"all keys share the limit", contract.LimiterKinds(), faults{sharedKeys: true}, 0, violations{contract.KeyIsolation: should}},
		{"other keys wait", timed, faults{slowsControl: 3 * time.Second}, 0, violations{contract.KeyIsolation: should}},
		{"callers who left keep their places", []contract.LimiterKind{contract.Concurrency}, faults{keepsDeparted: true}, 0, violations{contract.DepartedFree: should}},
		{"callers who left keep their places for 9s", []contract.LimiterKind{contract.Concurrency}, faults{departedLate: 9 * time.Second}, 0, violations{contract.DepartedFree: should}},
		{"callers who left keep their places for 3s", []contract.LimiterKind{contract.Concurrency}, faults{departedLate: 3 * time.Second}, 0, violations{}},
		{"streaming calls have their own limit", contract.LimiterKinds(), faults{ownStreams: true}, 0, violations{contract.StreamShare: should}},
		{"the remaining requests never decrease", timed, faults{noDecrease: true}, 0, violations{contract.RateHeaders: should}},
		{"the remaining requests fall below 0", contract.LimiterKinds(), faults{negative: true}, 0, violations{contract.RateHeaders: should}},
		{"a refusal has remaining requests", contract.LimiterKinds(), faults{leftOver: true}, 0, violations{contract.RateHeaders: should}},
		{"the header has another limit", contract.LimiterKinds(), faults{wrongLimit: 3}, 0, violations{contract.RateHeaders: should}},
		{"a refusal is an internal error", contract.LimiterKinds(), faults{crash: true}, 0, violations{contract.StatusClass: must}},
		{"an upstream that answers 429 is called five times", timed, faults{attempts: 5}, 0, violations{contract.UpstreamRefusal: should}},
		{"the upstream's Retry-After is lost", timed, faults{dropped: true}, 0, violations{contract.UpstreamRefusal: should}},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			t.Parallel()
			for _, kind := range row.kinds {
				for run := range uint64(2) {
					synctest.Test(t, func(t *testing.T) {
						g := simulation{kind, 20, 5 * time.Second, run, 3, run%2 == 1}.gateway(row.faults)
						findings, evidence := verify(t, g, DeclaredLimit{Kind: kind, Limit: 20 + row.declared, Window: 5 * time.Second})
						got := violations{}
						for _, f := range findings {
							if got[f.Requirement] != must {
								got[f.Requirement] = f.Level
							}
						}
						require.Equal(t, row.want, got, "%s, run %d: %v", kind, run, findings)
						for _, c := range evidence.Checks {
							_, violated := got[c.Requirement]
							require.Equal(t, violated, c.Result == contract.Violated, "%s: %+v", kind, c)
						}
					})
				}
			}
		})
	}
}

// Where clock-aligned windows begin is not known, so one call too many can be due to a boundary once, but not every time.
func TestVerifyFindsOneCallTooManyInClockWindows(t *testing.T) {
	t.Parallel()
	for _, kind := range []contract.LimiterKind{contract.FixedWindow, contract.SlidingCounter, contract.Concurrency} {
		for run := range runsOf(2, 4) {
			synctest.Test(t, func(t *testing.T) {
				g := simulation{kind, 20, 5 * time.Second, run, 5, run%2 == 1}.gateway(faults{})
				findings, _ := verify(t, g, DeclaredLimit{Kind: kind, Limit: 19, Window: 5 * time.Second})
				require.True(t, slices.ContainsFunc(findings, exceedsLimit), "%s, run %d: %v", kind, run, findings)
			})
		}
	}
}

// A gateway that grants its limit in half of the declared time grants twice as much.
func TestVerifyFindsTwiceTheRate(t *testing.T) {
	for declared, actuals := range map[contract.LimiterKind][]contract.LimiterKind{
		contract.FixedWindow: {contract.SlidingLog, contract.FixedWindow},
		contract.SlidingLog:  {contract.SlidingLog, contract.FixedWindow, contract.SlidingCounter, contract.TokenBucket},
		contract.TokenBucket: {contract.SlidingLog, contract.FixedWindow, contract.TokenBucket},
		"":                   {contract.SlidingLog, contract.FixedWindow, contract.SlidingCounter, contract.TokenBucket},
	} {
		for _, actual := range actuals {
			t.Run(fmt.Sprintf("%s declared as %q", actual, declared), func(t *testing.T) {
				t.Parallel()
				for run := range runsOf(4, 8) {
					synctest.Test(t, func(t *testing.T) {
						s := simulation{actual, 10, 2 * time.Second, run, 3, run%2 == 1}.limiter()
						s.startsOnRequest = run%4 > 1
						findings, evidence, err := Verify(t.Context(), Probers{Limited: s.call}, DeclaredLimit{Kind: declared, Limit: 10, Window: 4 * time.Second}, Budget{})
						require.NoError(t, err)
						require.True(t, slices.ContainsFunc(findings, exceedsLimit), "run %d: %+v %+v", run, findings, evidence.Checks)
					})
				}
			})
		}
	}
}

// A bucket of one is full or empty, and shows its rate only in when it is full again.
func TestVerifyFindsHalfTheRateOfABucketOfOne(t *testing.T) {
	for run := range uint64(4) {
		synctest.Test(t, func(t *testing.T) {
			l := simulation{contract.TokenBucket, 5, time.Second, run, 3, run%2 == 1}.limiter()
			l.burst = 1
			findings, _, err := Verify(t.Context(), Probers{Limited: l.call}, DeclaredLimit{Kind: contract.TokenBucket, Limit: 10, Window: time.Second, Burst: 1}, Budget{})
			require.NoError(t, err)
			require.Contains(t, requirements(findings), contract.Recovery, "run %d: %v", run, findings)
			require.NotContains(t, requirements(findings), contract.RefusedFree)
		})
	}
}

func TestVerifyFindsALateRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := simulation{contract.SlidingLog, 20, 2 * time.Second, 1, 5, false}.gateway(faults{lockout: 3 * time.Second})
		findings, evidence := verify(t, g, DeclaredLimit{Kind: contract.SlidingLog, Limit: 20, Window: 2 * time.Second})
		require.Equal(t, []contract.Requirement{contract.Recovery, contract.RetryAfterTrue}, requirements(findings), "%v", findings)
		require.Equal(t, string(phaseRecovery), evidence.Phases[1].Name)
		require.Greater(t, evidence.Phases[1].To-evidence.Phases[1].From, 2900*time.Millisecond)
	})
}

// Of a limit of one call, the call that detects the recovery takes all.
func TestVerifyTestsTheSmallestLimits(t *testing.T) {
	for _, kind := range append(contract.LimiterKinds(), "") {
		for limit := 1; limit <= 3; limit++ {
			t.Run(fmt.Sprintf("%q of %d in 1s", kind, limit), func(t *testing.T) {
				t.Parallel()
				for run := range runsOf(4, 6) {
					synctest.Test(t, func(t *testing.T) {
						actual := kind
						if kind == "" {
							actual = []contract.LimiterKind{contract.FixedWindow, contract.SlidingLog, contract.SlidingCounter, contract.TokenBucket}[run%4]
						}
						g := simulation{actual, limit, time.Second, run, 3, false}.gateway(faults{})
						findings, evidence := verify(t, g, DeclaredLimit{Kind: kind, Limit: limit, Window: time.Second})
						require.Empty(t, findings, "%s, run %d: %+v", actual, run, evidence)
						require.Equal(t, contract.Held, checkOf(evidence, contract.LimitExact).Result, "%s, run %d: %+v", actual, run, evidence)
						burst := checkOf(evidence, contract.LimitBurst)
						require.Equal(t, contract.Held, burst.Result, "%s, run %d: %+v", actual, run, evidence)
						require.NotContains(t, burst.Sentence, "initial burst", "%s, run %d: %+v", actual, run, evidence)
					})
				}
			})
		}
	}
}

// Streaming calls that are declared to have their own limit are neither missed nor counted against the other one.
func TestVerifyKnowsStreamsWithTheirOwnLimit(t *testing.T) {
	t.Parallel()
	for _, kind := range contract.LimiterKinds() {
		synctest.Test(t, func(t *testing.T) {
			d := DeclaredLimit{Kind: kind, Limit: 20, Window: 5 * time.Second, Shared: new(false)}
			simulated := simulation{kind, 20, 5 * time.Second, 1, 5, false}
			findings, _ := verify(t, simulated.gateway(faults{ownStreams: true}), d)
			require.Empty(t, findings, kind)
			findings, _ = verify(t, simulated.gateway(faults{}), d)
			require.Equal(t, []contract.Requirement{contract.StreamShare}, requirements(findings), kind)
		})
	}
}

func TestVerifyRepeatsStreamsWhenTimeFreedTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := simulation{contract.FixedWindow, 5, time.Second, 1, 5, false}.gateway(faults{}).probers()
		stream, late := p.Stream, time.Second
		p.Stream = func(ctx context.Context, hold time.Duration) (Call, error) {
			time.Sleep(late) // the first call comes when a window has ended
			late = 0
			return stream(ctx, hold)
		}
		findings, evidence, err := Verify(t.Context(), p,
			DeclaredLimit{Kind: contract.FixedWindow, Limit: 5, Window: time.Second, Shared: new(true), UpstreamRetryAfter: 7}, Budget{})
		require.NoError(t, err)
		require.Empty(t, findings)
		tries := 0
		for _, p := range evidence.Phases {
			if p.Name == string(phaseStreaming) {
				tries++
			}
		}
		require.Equal(t, 2, tries, "once late, and once more")
		requireAllHeld(t, contract.FixedWindow, evidence)
	})
}

func TestVerificationsAreShort(t *testing.T) {
	for _, row := range []struct {
		kind    contract.LimiterKind
		windows float64
	}{{contract.FixedWindow, 3.2}, {contract.SlidingLog, 2.2}, {contract.TokenBucket, 3.1}, {contract.SlidingCounter, 3.2}, {"", 3.2}} {
		t.Run(string(row.kind), func(t *testing.T) {
			t.Parallel()
			for run := range runsOf(2, 4) {
				synctest.Test(t, func(t *testing.T) {
					actual := row.kind
					if actual == "" {
						actual = contract.SlidingLog
					}
					g := simulation{actual, 20, 10 * time.Second, run, 7, false}.gateway(faults{})
					_, evidence := verify(t, g, DeclaredLimit{Kind: row.kind, Limit: 20, Window: 10 * time.Second})
					require.Less(t, evidence.Took.Seconds(), 10*row.windows, "%q, run %d: %+v", row.kind, run, evidence.Phases)
				})
			}
		})
	}
}

func TestVerifyRejectsInvalidLimits(t *testing.T) {
	for sentence, d := range map[string]DeclaredLimit{
		"no limit":        {Window: time.Second},
		"no window":       {Limit: 3},
		"an unknown kind": {Kind: "leaky", Limit: 3, Window: time.Second},
		"none":            {Kind: None, Limit: 3, Window: time.Second},
	} {
		_, _, err := Verify(t.Context(), Probers{}, d, Budget{})
		require.ErrorIs(t, err, ErrDeclared, sentence)
	}
}

// Whatever ends a verification early, the calls until then are assessed.
func TestVerifyAssessesWhatItHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := simulation{contract.SlidingLog, 20, 2 * time.Second, 1, 5, false}.gateway(faults{emptyFrom: 1})
		findings, evidence, err := Verify(t.Context(), g.probers(), DeclaredLimit{Kind: contract.SlidingLog, Limit: 20, Window: 2 * time.Second}, Budget{Calls: 60})
		require.ErrorIs(t, err, ErrBudget)
		require.Contains(t, requirements(findings), contract.Envelope)
		require.NotContains(t, evidence.Sentence, " 0 refused")
		require.Equal(t, contract.Untested, evidence.Checks[0].Result)
	})
}
