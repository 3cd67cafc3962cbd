package selftest

import (
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/mutants"
)

// wanted is the verdict that a case has to have; expected is nil for one that has to pass.
func wanted(expected *mutants.Expectation) contract.Verdict {
	if expected == nil {
		return contract.Pass
	}
	return expected.Verdict
}

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
		return "killed with another verdict: " + reports.Headline(c)
	}
	var missing []string
	for _, r := range expected.Breaks {
		if !slices.Contains(broken(c), r) {
			missing = append(missing, string(r))
		}
	}
	if len(missing) > 0 {
		return "not found to break " + strings.Join(missing, ", ") + ": " + reports.Headline(c)
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
