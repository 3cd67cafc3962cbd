package selftest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/mutants"
)

func TestOutcomesAreComparedWithWhatIsExpected(t *testing.T) {
	const id = "http:404/unknown-model/chat"
	found := func(v contract.Verdict, requirements ...contract.Requirement) runlog.Case {
		c := runlog.Case{CaseKey: runlog.CaseKey{ID: id, Row: "http:404"}, Verdict: v}
		for _, r := range requirements {
			c.Findings = append(c.Findings, contract.Finding{Requirement: r, Level: contract.Must, Want: "404", Got: "503"})
		}
		return c
	}
	fails := &mutants.Expectation{Verdict: contract.Fail, Breaks: []contract.Requirement{contract.StatusClass}}
	one := &mutants.Expectation{Verdict: contract.Fail, Breaks: fails.Breaks, AtLeastOne: true}
	notes := &mutants.Expectation{Verdict: contract.Pass, Breaks: []contract.Requirement{contract.RequestID}}
	const headline = "MUST status-class: got 503, want 404"
	for _, tt := range []struct {
		name     string
		expected *mutants.Expectation
		c        runlog.Case
		kills    bool
		problem  string // "" when nothing is wrong
	}{
		{"a case that passes as expected", nil, found(contract.Pass), false, ""},
		{"a case that fails and should pass", nil, found(contract.Fail, contract.StatusClass), false, "false alarm: " + headline},
		{"a warning where nothing is wrong", nil, found(contract.Warn, contract.StatusClass), false, "false alarm: " + headline},
		{"a case that is not offered does not show that it passes", nil, found(contract.NotOffered), false, "false alarm: not-offered"},
		{"a case that kills", fails, found(contract.Fail, contract.Code, contract.StatusClass), true, ""},
		{"a case that the mutant survives", fails, found(contract.Pass), false, "survived"},
		{"a case that only warns", fails, found(contract.Warn, contract.StatusClass), false, "killed with an unexpected verdict: " + headline},
		{"a case that fails for another reason", fails, found(contract.Fail, contract.Code), true, "killed without a finding for status-class: MUST code: got 503, want 404"},
		{"one of several that kills", one, found(contract.Fail, contract.StatusClass), true, ""},
		{"one of several that does not", one, found(contract.Pass), false, ""},
		{"one of several with another verdict", one, found(contract.Error, contract.StatusClass), false, "killed with an unexpected verdict: " + headline},
		{"a note that was made", notes, found(contract.Pass, contract.RequestID), true, ""},
		{"a note that was not made", notes, found(contract.Pass), true, "killed without a finding for request-id: pass"},
		{"a note that became a failure", notes, found(contract.Fail, contract.RequestID), false, "killed with an unexpected verdict: MUST request-id: got 503, want 404"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.problem, compare(tt.expected, tt.c))
			assert.Equal(t, tt.kills, kills(tt.expected, tt.c))
		})
	}
}

func TestRowsAndRequirementsWithoutAKillAreNamed(t *testing.T) {
	test := reports.SelfTest{Gateways: []reports.GatewayResult{{Kills: []reports.Kill{
		{Row: "http:404", Verdict: contract.Fail, Broken: []contract.Requirement{contract.StatusClass}},
		{Row: "http:400", Verdict: contract.Warn, Broken: []contract.Requirement{contract.CodeKnown}},
	}}}}
	addCoverage(&test, false)
	assert.Len(t, test.NeverFailed, 31)
	assert.NotContains(t, test.NeverFailed, contract.RowID("http:404"))
	assert.Contains(t, test.NeverFailed, contract.RowID("http:400"), "a warning does not show that a row can fail")
	assert.Len(t, test.NeverBroken, len(contract.Requirements())-2)
}

func TestNamesThatDoNotExist(t *testing.T) {
	for _, cfg := range []Config{
		{Mutants: []string{"nosuch"}}, {Permitted: []string{"nosuch"}}, {Mutants: []string{"chunked"}},
	} {
		_, err := Run(t.Context(), cfg)
		require.ErrorIs(t, err, runner.ErrUsage)
	}
}

func TestGatewaysWithMistakesAreTestedAgainAlone(t *testing.T) {
	const id = "code:bad_request_body/malformed-body/chat/cut-json"
	mistake := []reports.Mistake{{Case: id, Problem: "survived"}}
	quick := func(fails bool) gateway {
		g := gateway{name: "none", level: contract.Edge, cases: []string{id}}
		if fails {
			g.mutant.Expect = []mutants.Expectation{{Cases: []contract.Pattern{id}, Verdict: contract.Fail}}
		}
		return g
	}
	results := []reports.GatewayResult{{Name: "right"}, {Name: "slow", Mistakes: mistake}, {Name: "wrong", Mistakes: mistake}}
	require.NoError(t, testAlone(t.Context(), []gateway{quick(false), quick(false), quick(true)}, results))
	assert.Equal(t, reports.GatewayResult{Name: "right"}, results[0], "nothing to repeat")
	assert.True(t, results[1].OK())
	assert.Equal(t, mistake, results[1].ParallelMistakes)
	assert.False(t, results[2].OK(), "it survives alone too")
	assert.Equal(t, mistake, results[2].ParallelMistakes)

	many := make([]reports.GatewayResult, maxAlone+1)
	gateways := make([]gateway, len(many))
	for i := range many {
		many[i], gateways[i] = reports.GatewayResult{Mistakes: mistake}, quick(false)
	}
	require.NoError(t, testAlone(t.Context(), gateways, many))
	for _, m := range many {
		assert.False(t, m.OK(), "so many are no accident")
	}
}
