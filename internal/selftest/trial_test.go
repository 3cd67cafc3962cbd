package selftest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/reference"
)

func TestACaseIsComparedWithItsTurn(t *testing.T) {
	const id = "http:404/unknown-model/chat"
	found := func(v contract.Verdict, obligations ...contract.Requirement) runlog.Case {
		c := runlog.Case{ID: id, Row: "http:404", Verdict: v}
		for _, o := range obligations {
			c.Findings = append(c.Findings, contract.Finding{Requirement: o, Level: contract.Must, Want: "404", Got: "503"})
		}
		return c
	}
	fails := &reference.Turn{Verdict: contract.Fail, Breaks: []contract.Requirement{contract.StatusClass}}
	some := &reference.Turn{Verdict: contract.Fail, Breaks: fails.Breaks, Some: true}
	notes := &reference.Turn{Verdict: contract.Pass, Breaks: []contract.Requirement{contract.RequestID}}
	const headline = "MUST status-class: got 503, want 404"
	for _, tt := range []struct {
		name    string
		turn    *reference.Turn
		c       runlog.Case
		noticed bool
		problem string // "" when nothing is wrong
	}{
		{"a case that stays well", nil, found(contract.Pass), false, ""},
		{"a case that turned and should not have", nil, found(contract.Fail, contract.StatusClass), false, "turned although it is well: " + headline},
		{"a warning where nothing is wrong", nil, found(contract.Warn, contract.StatusClass), false, "turned although it is well: " + headline},
		{"a case that is not offered is no evidence that it is well", nil, found(contract.NotOffered), false, "turned although it is well: not-offered"},
		{"a case that was caught", fails, found(contract.Fail, contract.Code, contract.StatusClass), true, ""},
		{"a case that survived", fails, found(contract.Pass), false, "survived"},
		{"a case that was only warned about", fails, found(contract.Warn, contract.StatusClass), false, "noticed, but not as it should be: " + headline},
		{"a case that was caught for another reason", fails, found(contract.Fail, contract.Code), false, "not found to break status-class: MUST code: got 503, want 404"},
		{"one of some that turned", some, found(contract.Fail, contract.StatusClass), true, ""},
		{"one of some that did not", some, found(contract.Pass), false, ""},
		{"one of some that turned otherwise", some, found(contract.Error, contract.StatusClass), false, "noticed, but not as it should be: " + headline},
		{"a note that was made", notes, found(contract.Pass, contract.RequestID), true, ""},
		{"a note that was not made", notes, found(contract.Pass), false, "not found to break request-id: pass"},
		{"a note that became a failure", notes, found(contract.Fail, contract.RequestID), false, "noticed, but not as it should be: MUST request-id: got 503, want 404"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fault, noticed := compare(tt.turn, tt.c)
			assert.Equal(t, tt.noticed, noticed)
			if tt.problem == "" {
				assert.Nil(t, fault)
				return
			}
			require.NotNil(t, fault)
			assert.Equal(t, tt.problem, fault.Problem)
			assert.Equal(t, id, fault.Case)
			assert.Equal(t, tt.c.Verdict, fault.Got)
		})
	}
}

func TestUnprovenRowsAndObligationsAreNamed(t *testing.T) {
	rows, obligations := unproven([]reports.Trial{
		{Turned: []reports.TurnedCase{
			{Row: "http:404", Verdict: contract.Fail, Broken: []contract.Requirement{contract.StatusClass}},
			{Row: "http:400", Verdict: contract.Warn, Broken: []contract.Requirement{contract.CodeKnown}},
		}},
	}, contract.Rows(), contract.Requirements())
	assert.Len(t, rows, 31)
	assert.NotContains(t, rows, contract.RowID("http:404"))
	assert.Contains(t, rows, contract.RowID("http:400"), "a warning does not prove that a row can fail")
	assert.Len(t, obligations, len(contract.Requirements())-2)
}

// The gateway is as it should be, and the trial believes that it deviates: what a blind harness would look like.
func TestADeviationThatSurvivesIsTold(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the whole contract")
	}
	var d reference.Deviation
	for _, d = range reference.Deviations() {
		if d.Name == "malformed-body-as-500" {
			break
		}
	}
	tried, err := trial{name: "none", theme: d.Theme, turnOf: d.TurnOf, turns: d.Turns}.try(t.Context())
	require.NoError(t, err)
	assert.False(t, tried.OK())
	assert.Empty(t, tried.Turned)
	assert.Len(t, tried.Faults, len(d.Turned()))
	for _, f := range tried.Faults {
		assert.Equal(t, "survived", f.Problem)
		assert.Equal(t, contract.RowID("code:bad_request_body"), f.Row)
	}
	assert.Equal(t, len(slices.DeleteFunc(contract.Cases(), contract.Case.IsLoad)), tried.Ran)
}

func TestTrialsThatDoNotExist(t *testing.T) {
	for _, cfg := range []Config{
		{Deviations: []string{"nosuch"}}, {Variations: []string{"nosuch"}}, {Deviations: []string{"chunked"}},
	} {
		_, err := Run(t.Context(), cfg)
		require.ErrorIs(t, err, runner.ErrUsage)
	}
}

func TestTrialsThatCameOutWrongAreRepeatedAlone(t *testing.T) {
	const id = "code:bad_request_body/malformed-body/chat/cut-json"
	fault := []reports.TrialFault{{Case: id, Problem: "survived"}}
	quick := func(turns bool) trial {
		return trial{name: "none", level: contract.Edge, cases: []string{id}, turnOf: func(contract.Case) *reference.Turn {
			if !turns {
				return nil
			}
			return &reference.Turn{Verdict: contract.Fail}
		}}
	}
	tried := []reports.Trial{{Name: "well"}, {Name: "hasty", Faults: fault}, {Name: "wrong", Faults: fault}}
	require.NoError(t, tryAlone(t.Context(), []trial{quick(false), quick(false), quick(true)}, tried))
	assert.Equal(t, reports.Trial{Name: "well"}, tried[0], "nothing to repeat")
	assert.True(t, tried[1].OK())
	assert.Equal(t, fault, tried[1].Together)
	assert.False(t, tried[2].OK(), "it survives alone too")
	assert.Equal(t, fault, tried[2].Together)

	many := make([]reports.Trial, mostAlone+1)
	trials := make([]trial, len(many))
	for i := range many {
		many[i], trials[i] = reports.Trial{Faults: fault}, quick(false)
	}
	require.NoError(t, tryAlone(t.Context(), trials, many))
	for _, m := range many {
		assert.False(t, m.OK(), "so many are no accident")
	}
}
