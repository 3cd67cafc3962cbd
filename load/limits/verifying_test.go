package limits

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// verify verifies a simulated gateway, and returns the findings that change a verdict.
func verify(t *testing.T, g *simulatedGateway, d DeclaredLimit) ([]contract.Finding, runlog.LoadSummary) {
	t.Helper()
	if d.Shared == nil {
		d.Shared = new(true)
	}
	d.UpstreamRetryAfter = 7
	findings, evidence, err := Verify(t.Context(), g.probers(), d, Budget{})
	require.NoError(t, err)
	return slices.DeleteFunc(findings, func(f contract.Finding) bool { return f.Level == contract.Note }), evidence
}

// requireAllHeld requires that every check held that a limit of the kind can have.
func requireAllHeld(t *testing.T, kind contract.LimiterKind, e runlog.LoadSummary) {
	t.Helper()
	for _, c := range e.Checks {
		want := contract.Held
		if c.Requirement == contract.DepartedFree && kind != contract.Concurrency {
			want = contract.Untested
		}
		require.Equal(t, want, c.Result, "%+v", c)
	}
}

// requirements returns those of the findings, in their order.
func requirements(findings []contract.Finding) []contract.Requirement {
	var all []contract.Requirement
	for _, f := range findings {
		all = append(all, f.Requirement)
	}
	return all
}

// checkOf returns the check of a requirement, the zero value without one.
func checkOf(e runlog.LoadSummary, r contract.Requirement) runlog.Check {
	for _, c := range e.Checks {
		if c.Requirement == r {
			return c
		}
	}
	return runlog.Check{}
}
