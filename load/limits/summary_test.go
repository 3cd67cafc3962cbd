package limits

import (
	"fmt"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// polls are counts that depend on how often a limit was polled.
var polls = regexp.MustCompile(`\d{2,}( of| refus| were)`)

func TestChecksSayWhatWasFound(t *testing.T) {
	for _, row := range []struct {
		sentence string
		faults   faults
		shared   bool
		want     runlog.Check
	}{
		{"the control key fails during the burst", faults{failsControl: true}, true, runlog.Check{
			Requirement: contract.KeyIsolation, Result: contract.Violated,
			Sentence: "got 0 of 5 calls with the control key admitted (5 of 5 before the burst): 5 × 500 Internal Server Error, want calls with the control key to succeed while another key is over its limit",
		}},
		{"streaming calls with their own limit fail", faults{failsStreams: true}, false, runlog.Check{
			Requirement: contract.StreamShare, Result: contract.Violated,
			Sentence: "got 0 of 5 streaming calls admitted while the limit for other calls was used up: 5 × 500 Internal Server Error, want streaming calls to have their own limit, as declared",
		}},
		{"Retry-After is a date", faults{dates: true}, true, runlog.Check{
			Requirement: contract.RetryAfterTrue, Result: contract.Untested, Sentence: "N of N refusals carried an HTTP date as Retry-After but no Date header, so the wait is unknown",
		}},
		{"Retry-After is a date, and the clock is known", faults{dates: true, clock: true}, true, runlog.Check{
			Requirement: contract.RetryAfterTrue, Result: contract.Held, Sentence: "all N refusals carried Retry-After; for N of them, gatecert compared the value with a later admitted call",
		}},
		{"Retry-After is right", faults{}, true, runlog.Check{
			Requirement: contract.RetryAfterTrue, Result: contract.Held, Sentence: "all N refusals carried Retry-After; for N of them, gatecert compared the value with a later admitted call",
		}},
		{"refused calls are free", faults{}, true, runlog.Check{
			Requirement: contract.RefusedFree, Result: contract.Held, Sentence: "N refused calls did not count against the limit; 5 consecutive refused calls cost nothing",
		}},
		{"refusals are judged by the contract", faults{}, true, runlog.Check{
			Requirement: contract.Answered, Result: contract.Held, Sentence: "all N refusals are complete 429 responses",
		}},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := simulation{contract.SlidingLog, 20, 10 * time.Second, 1, 5, false}.gateway(row.faults)
				_, evidence := verify(t, g, DeclaredLimit{Kind: contract.SlidingLog, Limit: 20, Window: 10 * time.Second, Shared: &row.shared})
				got := checkOf(evidence, row.want.Requirement)
				got.Sentence = polls.ReplaceAllString(got.Sentence, "N$1")
				require.Equal(t, row.want, got, "%+v", evidence)
			})
		})
	}
}

func TestChecksIncludeViolatedRequirementsOfTheContract(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := simulation{contract.SlidingLog, 20, 10 * time.Second, 1, 5, false}.gateway(faults{crash: true})
		_, evidence := verify(t, g, DeclaredLimit{Kind: contract.SlidingLog, Limit: 20, Window: 10 * time.Second})
		require.Equal(t, contract.Violated, checkOf(evidence, contract.StatusClass).Result)
		require.Contains(t, checkOf(evidence, contract.StatusClass).Sentence, "got 500")
		require.Empty(t, checkOf(evidence, contract.Answered))
		require.Equal(t, contract.Held, checkOf(evidence, contract.LimitExact).Result, "%+v", evidence.Checks)
	})
}

func TestSummary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := simulation{contract.SlidingLog, 20, 10 * time.Second, 1, 5, false}.gateway(faults{})
		_, s := verify(t, g, DeclaredLimit{Kind: contract.SlidingLog, Limit: 20, Window: 10 * time.Second})
		require.Equal(t, "sliding-log of 20 in 10s", s.Limiter)
		var calls, admitted, refused int
		_, err := fmt.Sscanf(s.Sentence, "the limited key made %d calls, in bursts and one at a time: %d admitted, %d refused", &calls, &admitted, &refused)
		require.NoError(t, err, s.Sentence)
		require.Equal(t, calls, admitted+refused)
		require.Equal(t, runlog.Check{
			Requirement: contract.LimitExact, Result: contract.Held,
			Sentence: "19 calls admitted and 1 refused; the call that detected the recovery used 1 of the 20 calls that the limit allows",
		}, s.Checks[0])
		require.Equal(t, "the upstream answered 5 calls with 429; the gateway passed on the upstream's Retry-After and made at most 1 attempt for each call (limit: 3)", s.Checks[len(contract.LoadRequirements(contract.LimitLoad))-1].Sentence)
		var names []string
		for i, phase := range s.Phases {
			names = append(names, phase.Name)
			require.LessOrEqual(t, phase.From, phase.To)
			require.True(t, i == 0 || s.Phases[i-1].To <= phase.From, "%+v", s.Phases)
		}
		require.Equal(t, []string{"initial burst", "recovery", "sequential", "streaming", "over limit", "recovery", "burst"}, names)
		require.Equal(t, map[string]map[runlog.Outcome]int{
			"limited key":     {runlog.Admitted: admitted, runlog.Refused: refused - repeats},
			"streaming calls": {runlog.Refused: repeats}, "control key": {runlog.Admitted: 2 * repeats}, "upstream 429s": {runlog.Refused: repeats},
		}, countsOf(t, s.Spans))
		require.Equal(t, calls+3*repeats, s.Calls)
		require.Len(t, s.Times, 2)
		require.Equal(t, repeats, s.Times[1].Count)
		require.Less(t, s.Times[1].P50, s.Times[1].Bound)
	})
}

// countsOf adds the counts of all spans.
func countsOf(t *testing.T, spans []runlog.Span) map[string]map[runlog.Outcome]int {
	t.Helper()
	require.LessOrEqual(t, len(spans), runlog.MaxSpans)
	counts := map[string]map[runlog.Outcome]int{}
	for i, span := range spans {
		require.Equal(t, time.Duration(i)*span.Lasts, span.At)
		for series, outcomes := range span.Counts {
			for outcome, n := range outcomes {
				if counts[series] == nil {
					counts[series] = map[runlog.Outcome]int{}
				}
				counts[series][outcome] += n
			}
		}
	}
	return counts
}
