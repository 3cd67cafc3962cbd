package selftest

import (
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/mutants"
)

// compare says what is wrong with the outcome of a case, "" for nothing.
func compare(expected *mutants.Expectation, c runlog.Case) string {
	switch {
	case expected == nil && c.Verdict == contract.Pass:
		return ""
	case expected == nil:
		return "false alarm: " + reports.Headline(c)
	case expected.AtLeastOne && c.Verdict == contract.Pass:
		return ""
	case c.Verdict == contract.Pass && expected.Verdict != contract.Pass:
		return "survived"
	case c.Verdict != expected.Verdict:
		return "killed with an unexpected verdict: " + reports.Headline(c)
	}
	var missing []string
	for _, r := range expected.Breaks {
		if !slices.Contains(broken(c), r) {
			missing = append(missing, string(r))
		}
	}
	if len(missing) > 0 {
		return "killed without a finding for " + strings.Join(missing, ", ") + ": " + reports.Headline(c)
	}
	return ""
}

// kills reports whether a case whose outcome is right kills the mutant.
func kills(expected *mutants.Expectation, c runlog.Case) bool {
	return expected != nil && c.Verdict == expected.Verdict
}

// broken are the requirements that a case found broken, each once.
func broken(c runlog.Case) []contract.Requirement {
	var requirements []contract.Requirement
	for _, f := range c.Findings {
		if !slices.Contains(requirements, f.Requirement) {
			requirements = append(requirements, f.Requirement)
		}
	}
	return requirements
}

// addCoverage adds the rows that no mutant made fail, and the requirements that were never found broken: a check that was
// never seen to fail may be blind.
func addCoverage(test *reports.SelfTest, load bool) {
	rows, requirements := contract.Rows(), contract.Requirements()
	if load {
		rows, requirements = loadRows(), contract.LoadRequirements(contract.AnyLoad)
		test.Load = true
		for _, r := range rows {
			test.Rows = append(test.Rows, r.ID)
		}
	}
	failed := make(map[contract.RowID]bool)
	broken := make(map[contract.Requirement]bool)
	for _, g := range test.Gateways {
		for _, k := range g.Kills {
			failed[k.Row] = failed[k.Row] || !k.Verdict.Conformant()
			for _, r := range k.Broken {
				broken[r] = true
			}
		}
	}
	for _, r := range rows {
		if !failed[r.ID] {
			test.NeverFailed = append(test.NeverFailed, r.ID)
		}
	}
	for _, r := range requirements {
		if !broken[r] {
			test.NeverBroken = append(test.NeverBroken, r)
		}
	}
}

func loadRows() []contract.Row {
	return slices.DeleteFunc(contract.Rows(), func(r contract.Row) bool {
		return !slices.ContainsFunc(contract.Cases(), func(c contract.Case) bool { return c.Row == r.ID && c.IsLoad() })
	})
}
