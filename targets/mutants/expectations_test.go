//go:build !race

// Patterns are compared with all cases, by one goroutine; with the race detector this takes ten times as long.

package mutants

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

func TestEveryExpectationNamesCasesThatNoEarlierOneNames(t *testing.T) {
	for _, m := range All() {
		require.NotEmpty(t, m.Cases(), m.Name)
		first := map[int]bool{}
		for _, c := range contract.Cases() {
			first[slices.IndexFunc(m.Expect, func(e Expectation) bool {
				return slices.ContainsFunc(e.Cases, func(p contract.Pattern) bool { return p.Matches(c.ID()) })
			})] = true
		}
		for i, e := range m.Expect {
			require.True(t, first[i], "%s: expectation %d is hidden by those before it", m.Name, i)
			for _, p := range e.Cases {
				_, err := contract.ParsePattern(string(p))
				require.NoError(t, err, m.Name)
				require.NotEmpty(t, p.Cases(), "%s: %s", m.Name, p)
			}
		}
	}
}
