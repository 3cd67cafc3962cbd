package certificate

import (
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// The types of an in-toto attestation: https://github.com/in-toto/attestation, predicate test-result v0.1.
const (
	statementType = "https://in-toto.io/Statement/v1"
	predicateType = "https://in-toto.io/attestation/test-result/v0.1"
	payloadType   = "application/vnd.in-toto+json"
)

// statement is an in-toto statement about a log and its report.
type statement struct {
	Type          string       `json:"_type"`
	Subject       []descriptor `json:"subject"`
	PredicateType string       `json:"predicateType"`
	Predicate     testResult   `json:"predicate"`
}

// descriptor has the fields of in-toto's ResourceDescriptor that gatecert uses.
type descriptor struct {
	Name   string            `json:"name"`
	Digest map[string]string `json:"digest"`
}

// testResult is the predicate. Its lists leave out the cases that are not offered: they were not tested.
type testResult struct {
	Result        string       `json:"result"` // PASSED, WARNED or FAILED
	Configuration []descriptor `json:"configuration"`
	PassedTests   []string     `json:"passedTests"`
	WarnedTests   []string     `json:"warnedTests"`
	FailedTests   []string     `json:"failedTests"`
}

func newStatement(run runlog.Run, log, report []byte) statement {
	s := statement{
		Type: statementType, PredicateType: predicateType,
		Subject: []descriptor{describe(LogFile, log), describe(ReportFile, report)},
		Predicate: testResult{
			Result: "PASSED",
			Configuration: []descriptor{
				{Name: "contract", Digest: map[string]string{"sha256": hexDigest(run.ContractDigest)}},
				describe("profile", []byte(run.Target.Profile)),
			},
			PassedTests: []string{}, WarnedTests: []string{}, FailedTests: []string{},
		},
	}
	p := &s.Predicate
	for _, c := range run.Cases {
		switch {
		case isFailure(c.Verdict):
			p.FailedTests = append(p.FailedTests, c.ID)
		case c.Verdict == contract.Warn:
			p.WarnedTests = append(p.WarnedTests, c.ID)
		case c.Verdict == contract.Pass:
			p.PassedTests = append(p.PassedTests, c.ID)
		}
	}
	switch {
	case len(p.FailedTests) > 0:
		p.Result = "FAILED"
	case len(p.WarnedTests) > 0:
		p.Result = "WARNED"
	}
	return s
}

func describe(name string, content []byte) descriptor {
	return descriptor{Name: name, Digest: map[string]string{"sha256": hexDigest(digestOf(content))}}
}
