package steps

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/features"
	"github.com/gatecert/gatecert/reports/runlog"
)

const overLimit = "http:429/over-rate-limit/chat/under-load"

func summary(checks ...runlog.Check) runlog.LoadSummary {
	return runlog.LoadSummary{Calls: 12, Checks: checks}
}

func check(r contract.Requirement, result contract.Result) runlog.Check {
	return runlog.Check{Requirement: r, Result: result, Sentence: "10 admitted"}
}

func TestALoadCaseIsJudgedByItsFindings(t *testing.T) {
	sum := summary(check(contract.LimitBurst, contract.Held))
	violated := func(r contract.Requirement, level contract.RequirementLevel) []contract.Finding {
		return []contract.Finding{{Requirement: r, Level: level, Want: "10", Got: "12"}}
	}
	evidence := observation(429, "{}")
	const (
		many    = `When many clients call "chat"`
		exactly = "Then the gateway admits exactly as many calls as the limit allows, whether they are sent one at a time or all at once"
	)
	for _, tt := range []struct {
		name           string
		load           LoadResult
		err            error
		verdict        contract.Verdict
		reason         string
		failed, warned []string
	}{
		{name: "nothing was found", load: LoadResult{Summary: sum}, verdict: contract.Pass},
		{
			name: "a MUST was violated", load: LoadResult{Summary: sum, Findings: violated(contract.LimitBurst, contract.Must), Evidence: &evidence},
			verdict: contract.Fail, failed: []string{exactly},
		},
		{
			name: "an answer was not whole", load: LoadResult{Summary: sum, Findings: violated(contract.Envelope, contract.Must)},
			verdict: contract.Fail, failed: []string{"And every error response has this row's status and code, is complete and in the client's API format, and leaks no internals"},
		},
		{
			name: "a SHOULD was violated", load: LoadResult{Summary: sum, Findings: violated(contract.RefusedFree, contract.Should)},
			verdict: contract.Warn, warned: []string{"And refused calls cost nothing, and the gateway admits calls again once the limit allows them"},
		},
		{
			name: "the load did not reach the limit", load: LoadResult{Summary: sum}, err: fmt.Errorf("%w: nobody was refused", ErrUnreached),
			verdict: contract.Untestable, reason: "the load did not create the circumstance that the case tests: nobody was refused", failed: []string{many},
		},
		{
			name: "the load ended early, and a MUST was violated by then",
			load: LoadResult{Summary: sum, Findings: violated(contract.LimitBurst, contract.Must)}, err: fmt.Errorf("%w: 900 calls", ErrUnreached),
			verdict: contract.Fail, reason: "the load did not create the circumstance that the case tests: 900 calls", failed: []string{many, exactly},
		},
		{
			name: "the harness failed", err: errors.New("no descriptors left"),
			verdict: contract.Error, reason: overLimit + ": no descriptors left", failed: []string{many},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			session := &fakeSession{load: func(c contract.Case) (LoadResult, error) {
				assert.Equal(t, overLimit, c.ID())
				return tt.load, tt.err
			}}
			out := play(t, Suite{Features: features.FS, Session: session}, overLimit)
			require.Len(t, out, 1)
			c := out[overLimit].Case
			assert.Equal(t, tt.verdict, c.Verdict)
			assert.Equal(t, tt.reason, c.Reason)
			assert.Equal(t, tt.load.Findings, c.Findings)
			assert.Equal(t, tt.load.Evidence, c.Observation)
			if len(tt.load.Summary.Checks) > 0 {
				assert.Equal(t, &sum, c.Load)
			} else {
				assert.Nil(t, c.Load)
			}
			assert.Equal(t, tt.failed, texts(c, runlog.StepFailed))
			assert.Equal(t, tt.warned, texts(c, runlog.StepWarned))
			assertStepsAgree(t, c)
		})
	}
}

// texts are those of the steps of a case with a status.
func texts(c runlog.Case, status runlog.StepStatus) []string {
	var all []string
	for _, s := range c.Scenario.Steps {
		if s.Status == status {
			all = append(all, s.Text)
		}
	}
	return all
}

// Every requirement of a load case belongs to a sentence: a violation fails it, and a sentence passes only when all that
// it states was checked.
func TestEverySentenceOfALoadCaseStatesItsRequirements(t *testing.T) {
	ids := map[string]contract.LoadKind{
		overLimit: contract.LimitLoad, "http:5xx/upstream-error/chat/under-load": contract.OutageLoad,
		"code:channel:response_time_exceeded/slow-upstream/chat/under-load": contract.OutageLoad,
	}
	stated := map[contract.Requirement]bool{}
	for id, kind := range ids {
		requirements := append(contract.LoadRequirements(kind), contract.Answered, contract.RetriesBounded, contract.UpstreamFreed)
		run := func(findings []contract.Finding, checks []runlog.Check) runlog.Case {
			session := &fakeSession{load: func(contract.Case) (LoadResult, error) {
				return LoadResult{Findings: findings, Summary: summary(checks...)}, nil
			}}
			return play(t, Suite{Features: features.FS, Session: session}, id)[id].Case
		}
		all := func(result contract.Result, but contract.Requirement) (checks []runlog.Check) {
			for _, r := range requirements {
				if r != but {
					checks = append(checks, check(r, contract.Held))
				}
			}
			return append(checks, check(but, result))
		}
		require.Empty(t, texts(run(nil, all(contract.Held, contract.Answered)), runlog.StepUntested), id)
		for _, r := range requirements {
			failed := texts(run([]contract.Finding{{Requirement: r, Level: contract.Must}}, all(contract.Violated, r)), runlog.StepFailed)
			untested := texts(run(nil, all(contract.Untested, r)), runlog.StepUntested)
			assert.Equal(t, failed, untested, "%s: %s", id, r)
			assert.LessOrEqual(t, len(failed), 1, "%s: %s", id, r)
			stated[r] = stated[r] || len(failed) == 1
		}
	}
	for _, r := range contract.LoadRequirements(contract.AnyLoad) {
		assert.True(t, stated[r], "no sentence states %s", r)
	}
}

func TestALoadCaseIsRunAgainWhereTheGeneratorCouldNotKeepUp(t *testing.T) {
	for _, tt := range []struct {
		name    string
		busy    int // how many times
		verdict contract.Verdict
		tries   int
		reason  string
	}{
		{"once", 1, contract.Pass, 2, ""},
		{"every time", 9, contract.Error, 3, overLimit + ": the load generator could not keep up on this machine: 900ms late"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			runs := 0
			session := &fakeSession{load: func(contract.Case) (LoadResult, error) {
				if runs++; runs <= tt.busy {
					return LoadResult{}, fmt.Errorf("%w: 900ms late", ErrGeneratorBusy)
				}
				return LoadResult{Summary: summary(check(contract.LimitBurst, contract.Held))}, nil
			}}
			out := play(t, Suite{Features: features.FS, Session: session}, overLimit)[overLimit]
			assert.Equal(t, tt.verdict, out.Case.Verdict)
			assert.Equal(t, tt.tries, out.Case.Tries)
			assert.Equal(t, tt.tries, runs)
			assert.Equal(t, tt.reason, out.Case.Reason)
			assert.Len(t, out.Notes, tt.tries-1)
		})
	}
}

func TestALoadCaseThatIsCutShortKeepsWhatWasSent(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	sum := summary(check(contract.LimitBurst, contract.Untested))
	var out []Outcome
	s := Suite{
		Features: features.FS, Selected: map[string]bool{overLimit: true}, Sink: func(o Outcome) { out = append(out, o) },
		Session: &fakeSession{load: func(contract.Case) (LoadResult, error) {
			cancel()
			return LoadResult{Summary: sum, Findings: []contract.Finding{{Requirement: contract.LimitBurst, Level: contract.Must}}}, ctx.Err()
		}},
	}
	require.ErrorIs(t, s.Run(ctx), context.Canceled)
	require.Len(t, out, 1)
	c := out[0].Case
	assert.Equal(t, contract.Error, c.Verdict)
	assert.Equal(t, "interrupted", c.Reason)
	assert.Equal(t, &sum, c.Load)
	assert.Empty(t, c.Findings, "half a load is not enough to judge by")
	assert.True(t, slices.Equal(statuses(c)[:2], []runlog.StepStatus{runlog.StepPassed, runlog.StepFailed}), statuses(c))
	assertStepsAgree(t, c)
}
