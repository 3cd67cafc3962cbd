//go:build !race

// The whole contract, which the root package plays too: make test-whole.

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
