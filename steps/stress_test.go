package steps

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/features"
	"github.com/gatecert/gatecert/reports/runlog"
)

const overLimit = "http:429/over-rate-limit/chat/under-load"

func TestALoadIsJudgedByItsFindings(t *testing.T) {
	account := runlog.LoadSummary{Calls: 12, Checks: []runlog.Check{{Requirement: contract.LimitBurst, Result: runlog.Held, Sentence: "10 admitted"}}}
	broken := func(o contract.Requirement, s contract.RequirementLevel) []contract.Finding {
		return []contract.Finding{{Requirement: o, Level: s, Want: "10", Got: "12"}}
	}
	evidence := observation(429, "{}")
	for _, tt := range []struct {
		name    string
		came    LoadResult
		err     error
		verdict contract.Verdict
		reason  string
		failed  string // the step that failed, "" for none
	}{
		{"nothing was found", LoadResult{Summary: account}, nil, contract.Pass, "", ""},
		{"a MUST was broken", LoadResult{Summary: account, Findings: broken(contract.LimitBurst, contract.Must), Evidence: &evidence}, nil,
			contract.Fail, "", "Then as many are admitted as the limit allows, one by one and all at once"},
		{"an answer was not whole", LoadResult{Summary: account, Findings: broken(contract.Envelope, contract.Must)}, nil,
			contract.Fail, "", "And every other answer is the error of this row, whole and in the caller's dialect"},
		{"a SHOULD was broken", LoadResult{Summary: account, Findings: broken(contract.RefusedFree, contract.Should)}, nil, contract.Warn, "", ""},
		{"the load did not show it", LoadResult{Summary: account}, fmt.Errorf("%w: nobody was refused", ErrUnreached),
			contract.Untestable, "the load did not show it: nobody was refused", `When many callers ask on "chat"`},
		{"the load did not show all of it, and a MUST was broken by then", LoadResult{Summary: account, Findings: broken(contract.LimitBurst, contract.Must)},
			fmt.Errorf("%w: 900 calls", ErrUnreached), contract.Fail, "the load did not show it: 900 calls", `When many callers ask on "chat"`},
		{"the harness failed", LoadResult{}, errors.New("no descriptors left"),
			contract.Error, overLimit + ": no descriptors left", `When many callers ask on "chat"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stage := &fakeStage{stress: func(c contract.Case) (LoadResult, error) {
				assert.Equal(t, overLimit, c.ID())
				return tt.came, tt.err
			}}
			out := play(t, Suite{Features: features.FS, Session: stage}, overLimit)
			require.Len(t, out, 1)
			o := out[overLimit]
			assert.Equal(t, tt.verdict, o.Verdict)
			assert.Equal(t, tt.reason, o.Reason)
			assert.Equal(t, tt.came.Findings, o.Findings)
			assert.Equal(t, tt.came.Evidence, o.Observation)
			if len(tt.came.Summary.Checks) > 0 {
				assert.Equal(t, &account, o.Load)
			} else {
				assert.Nil(t, o.Load)
			}
			failed := ""
			for _, s := range o.Steps {
				if s.Status == "failed" {
					failed = s.Text
				}
			}
			assert.Equal(t, tt.failed, failed)
		})
	}
}

// A finding that no sentence holds would leave its scenario green.
func TestEverySentenceUnderLoadHoldsSomething(t *testing.T) {
	held := map[contract.Requirement]bool{}
	for _, o := range contract.LoadRequirements(contract.AnyLoad) {
		for _, id := range []string{overLimit, "code:channel:response_time_exceeded/slow-upstream/chat/under-load", "http:5xx/upstream-error/chat/under-load"} {
			stage := &fakeStage{stress: func(contract.Case) (LoadResult, error) {
				return LoadResult{Findings: []contract.Finding{{Requirement: o, Level: contract.Must}}}, nil
			}}
			for _, s := range play(t, Suite{Features: features.FS, Session: stage}, id)[id].Steps {
				held[o] = held[o] || s.Status == "failed"
			}
		}
		assert.True(t, held[o], "no step fails when %s is broken", o)
	}
}

func TestALoadIsPlayedAgainWhereTheMachineWasTooBusy(t *testing.T) {
	for _, tt := range []struct {
		name    string
		busy    int // how many times
		verdict contract.Verdict
		tries   int
		reason  string
	}{
		{"once", 1, contract.Pass, 2, ""},
		{"for good", 9, contract.Error, 3, overLimit + ": this machine was too busy: 900ms late"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			played := 0
			stage := &fakeStage{stress: func(contract.Case) (LoadResult, error) {
				if played++; played <= tt.busy {
					return LoadResult{}, fmt.Errorf("%w: 900ms late", ErrGeneratorBusy)
				}
				return LoadResult{Summary: runlog.LoadSummary{Checks: []runlog.Check{{Requirement: contract.LimitBurst, Result: runlog.Held}}}}, nil
			}}
			o := play(t, Suite{Features: features.FS, Session: stage}, overLimit)[overLimit]
			assert.Equal(t, tt.verdict, o.Verdict)
			assert.Equal(t, tt.tries, o.Tries)
			assert.Equal(t, tt.tries, played)
			assert.Equal(t, tt.reason, o.Reason)
			assert.Len(t, o.Notes, tt.tries-1)
		})
	}
}

func TestALoadThatIsCutShortTellsWhatWasSent(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	account := runlog.LoadSummary{Calls: 12, Checks: []runlog.Check{{Requirement: contract.LimitBurst, Result: runlog.Untested, Sentence: "the calls for it were not made"}}}
	var out []Outcome
	s := Suite{
		Features: features.FS, Selected: map[string]bool{overLimit: true}, Sink: func(o Outcome) { out = append(out, o) },
		Session: &fakeStage{stress: func(contract.Case) (LoadResult, error) {
			cancel()
			return LoadResult{Summary: account, Findings: []contract.Finding{{Requirement: contract.LimitBurst, Level: contract.Must}}}, ctx.Err()
		}},
	}
	require.ErrorIs(t, s.Run(ctx), context.Canceled)
	require.Len(t, out, 1)
	assert.Equal(t, contract.Error, out[0].Verdict)
	assert.Equal(t, "interrupted", out[0].Reason)
	assert.Equal(t, &account, out[0].Load)
	assert.Empty(t, out[0].Findings, "half a load proves nothing")
}
