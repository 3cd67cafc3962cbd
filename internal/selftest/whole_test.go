//go:build !race

// With the race detector these take five times as long. The tests of the root package run all cases with it.

package selftest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/targets/mutants"
)

// The gateway has no mutant and the self-test believes that it has: what a blind harness would look like.
func TestAMutantThatSurvivesIsReported(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the whole contract")
	}
	i := slices.IndexFunc(mutants.All(), func(m mutants.Mutant) bool { return m.Name == "malformed-body-as-500" })
	m := mutants.All()[i]
	result, err := gateway{name: "none", mutant: m}.test(t.Context())
	require.NoError(t, err)
	assert.False(t, result.OK())
	assert.Empty(t, result.Kills)
	assert.Len(t, result.Mistakes, len(m.Cases()))
	for _, mistake := range result.Mistakes {
		assert.Equal(t, "survived", mistake.Problem)
		assert.Equal(t, contract.RowID("code:bad_request_body"), mistake.Row)
	}
	assert.Equal(t, len(slices.DeleteFunc(contract.Cases(), contract.Case.IsLoad)), result.Ran)
}

func TestAMutantRunsAgainstItsOwnCasesAndASampleOfTheOthers(t *testing.T) {
	sampled := make(map[string]bool)
	for _, m := range mutants.All() {
		if m.Load {
			continue
		}
		ids := sampledCases(m)
		assert.Equal(t, ids, sampledCases(m), "every run has the same sample")
		others := 0
		for _, id := range ids {
			c, err := contract.ParseCase(id)
			require.NoError(t, err)
			if m.Expected(c) == nil {
				others++
				sampled[id] = true
			}
		}
		all := len(slices.DeleteFunc(contract.Cases(), contract.Case.IsLoad))
		assert.Subset(t, ids, caseIDs(func(c contract.Case) bool { return !c.IsLoad() && m.Expected(c) != nil }))
		if untouched := all - len(ids) + others; untouched > 500 {
			assert.InDelta(t, untouched/sampleOf, others, float64(untouched)/20, m.Name)
		}
	}
	for _, c := range contract.Cases() {
		assert.True(t, c.IsLoad() || sampled[c.ID()], "no mutant that has to leave %s alone runs it", c.ID())
	}
}
