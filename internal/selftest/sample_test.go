//go:build !race

// Patterns are compared with all cases, by one goroutine; with the race detector this takes five times as long.

package selftest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/targets/mutants"
)

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
