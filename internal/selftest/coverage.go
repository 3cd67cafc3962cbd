package selftest

import (
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports"
)

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

// loadRows are the rows that have load cases.
func loadRows() []contract.Row {
	return slices.DeleteFunc(contract.Rows(), func(r contract.Row) bool {
		return !slices.ContainsFunc(contract.Cases(), func(c contract.Case) bool { return c.Row == r.ID && c.IsLoad() })
	})
}
