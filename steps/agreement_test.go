package steps

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// requirementsOf remembers what sentences state: matching them takes most of the time of these tests.
var requirementsOf = map[string][]contract.Requirement{}

// stated are the requirements of a step, whose text begins with a keyword.
func stated(t *testing.T, text string) []contract.Requirement {
	t.Helper()
	_, sentence, _ := strings.Cut(text, " ")
	if known, ok := requirementsOf[sentence]; ok {
		return known
	}
	for _, d := range definitions() {
		if d.sentence.MatchString(sentence) {
			requirementsOf[sentence] = d.requirements
			return d.requirements
		}
	}
	require.Fail(t, "no step says", sentence)
	return nil
}

// assertStepsAgree checks the steps of a case against its findings, both ways: a violated MUST fails a step, a violated
// SHOULD warns or fails one, and a step that failed or warned has a finding. NOTEs change nothing. A step passed only when
// everything that it states was checked.
func assertStepsAgree(t *testing.T, c runlog.Case) {
	t.Helper()
	for _, f := range c.Findings {
		shown := slices.ContainsFunc(c.Scenario.Steps, func(s runlog.Step) bool {
			return slices.Contains(stated(t, s.Text), f.Requirement) && (s.Status == runlog.StepFailed || s.Status == runlog.StepWarned && f.Level == contract.Should)
		})
		if !shown && f.Level != contract.Note {
			assert.Fail(t, "no step shows a finding", "%s: %s\n%v", c.ID, f, c.Scenario.Steps)
		}
	}
	var results map[contract.Requirement]contract.Result
	if parsed, err := contract.ParseCase(c.ID); err == nil && c.Observation != nil && c.Load == nil {
		results = contract.Judge(parsed, *c.Observation).Results
	}
	for _, s := range c.Scenario.Steps {
		requirements := stated(t, s.Text)
		if len(requirements) == 0 {
			continue // the circumstance or the call
		}
		worst := contract.VerdictOf(filter(c.Findings, func(f contract.Finding) bool { return slices.Contains(requirements, f.Requirement) }))
		want := map[runlog.StepStatus]contract.Verdict{
			runlog.StepPassed: contract.Pass, runlog.StepUntested: contract.Pass, runlog.StepWarned: contract.Warn, runlog.StepFailed: contract.Fail,
		}[s.Status]
		if worst != want {
			assert.Fail(t, "a step disagrees with the findings", "%s: %s is %s, the findings say %s", c.ID, s.Text, s.Status, worst)
		}
		checked := func(r contract.Requirement) bool { return results[r] != "" && results[r] != contract.Untested }
		skipped := func(r contract.Requirement) bool { return results[r] == contract.Untested }
		if s.Status == runlog.StepPassed && results != nil && (slices.ContainsFunc(requirements, skipped) || !slices.ContainsFunc(requirements, checked)) {
			assert.Fail(t, "a step passed without a check", "%s: %s", c.ID, s.Text)
		}
	}
}
