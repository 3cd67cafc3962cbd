//go:build !race

// The whole contract, which the root package plays too: make test-whole.

package certificate_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/certificate"
)

func TestTheReferenceGatewaysWholeRunIsCertified(t *testing.T) {
	t.Parallel() // with the load case: both wait more than they work
	log, err := record(t.Context(), gatecert.Config{})
	require.NoError(t, err)
	private, public := keys(t)
	cert, report, err := auditor.Issue(t.Context(), log, private)
	require.NoError(t, err)
	assert.Equal(t, certificate.Partial, report.Result, "the load cases were not asked for")
	assert.Equal(t, 12, report.NotAsked)
	assert.Empty(t, report.NotAskedSurfaces)
	assert.Contains(t, report.Recipes, "unconvertible-request on chat: body [n]")
	assert.Len(t, report.Rows.Passed, 32)
	assert.Empty(t, report.FailedCases)

	again, err := auditor.Verify(t.Context(), log, cert, public)
	require.NoError(t, err)
	assert.Equal(t, report, again)

	var read certificate.Report
	require.NoError(t, yaml.UnmarshalWithOptions(cert.Report, &read, yaml.Strict()))
	assert.Equal(t, "ConformanceReport", read.Kind)
	assert.Equal(t, report, read)

	var envelope struct {
		PayloadType string
		Payload     []byte
		Signatures  []struct{ KeyID, Sig string }
	}
	require.NoError(t, json.Unmarshal(cert.Envelope, &envelope))
	assert.Equal(t, "application/vnd.in-toto+json", envelope.PayloadType)
	require.Len(t, envelope.Signatures, 1)
	id, _ := public.KeyID()
	assert.Equal(t, id, envelope.Signatures[0].KeyID)
	var statement struct {
		Type          string `json:"_type"`
		PredicateType string
		Subject       []struct{ Name string }
		Predicate     struct {
			Result      string
			PassedTests []string
		}
	}
	require.NoError(t, json.Unmarshal(envelope.Payload, &statement))
	assert.Equal(t, "https://in-toto.io/Statement/v1", statement.Type)
	assert.Equal(t, "https://in-toto.io/attestation/test-result/v0.1", statement.PredicateType)
	assert.Equal(t, "run.ndjson", statement.Subject[0].Name)
	assert.Equal(t, "conformance-report.yaml", statement.Subject[1].Name)
	assert.Equal(t, "PASSED", statement.Predicate.Result)
	atRest := slices.DeleteFunc(contract.Cases(), contract.Case.IsLoad)
	assert.Len(t, statement.Predicate.PassedTests, len(atRest))
}
