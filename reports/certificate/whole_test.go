//go:build !race

// With the race detector these take five times as long. The tests of the root package run all cases with it.

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
	"github.com/gatecert/gatecert/reports/runlog"
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

func TestALoadCaseIsAudited(t *testing.T) {
	t.Parallel()
	const id = "http:5xx/upstream-error/chat/under-load"
	log, err := record(t.Context(), gatecert.Config{Cases: []string{id}})
	require.NoError(t, err)
	broken := contract.Finding{Requirement: "healthy-served", Level: contract.Must, Want: "healthy calls answered", Got: "9 of 90 failed"}
	breaks := func(r *runlog.Run) {
		for i := range at(r, id).Load.Checks {
			if check := &at(r, id).Load.Checks[i]; check.Requirement == broken.Requirement {
				check.Result = contract.Violated
			}
		}
	}
	assertForgeries(t, log, []forgery{
		{"the log as it is", func(*runlog.Run) {}, ""},
		{"a load case that failed is sound too", func(r *runlog.Run) {
			breaks(r)
			at(r, id).Findings, at(r, id).Verdict = []contract.Finding{broken}, contract.Fail
		}, ""},
		{"and one that is untestable", func(r *runlog.Run) { at(r, id).Verdict, at(r, id).Load = contract.Untestable, nil }, ""},
		{"a load case without its summary", func(r *runlog.Run) { at(r, id).Load = nil }, id + " is pass without a load summary"},
		{"a summary without checks", func(r *runlog.Run) { at(r, id).Load.Checks = nil }, id + " is pass without a load summary"},
		{"a summary of nothing", func(r *runlog.Run) { at(r, id).Load.Calls = 0 }, id + " is pass without a load summary"},
		{"a summary in which nothing was tested", func(r *runlog.Run) {
			for i := range at(r, id).Load.Checks {
				at(r, id).Load.Checks[i].Result = contract.Untested
			}
		}, id + " is pass without a load summary"},
		{"a failure that is called a pass", func(r *runlog.Run) { at(r, id).Findings = []contract.Finding{broken} }, id + " is pass, but its findings mean fail"},
		{"a violated check without its finding", breaks, id + " omits a finding: healthy-served"},
		{"a load case that was not selected", func(r *runlog.Run) { r.Selection.WithoutLoad = true }, id + " was not selected"},
	})
}
