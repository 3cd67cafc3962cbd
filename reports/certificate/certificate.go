// Package certificate turns the log of a run into evidence that others can check without trusting whoever made the run.
//
// [Auditor.Issue] audits a log and signs a statement about it. [Auditor.Verify] checks the signature and audits the log again. An audit does not rely
// on the log's own claims: it computes the expected cases from the contract and the profile, and judges every recorded observation again. Therefore,
// a failed case cannot be changed into a passed one, removed, or marked not-offered, regardless of the key that signs the result.
package certificate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// ErrUnsound is returned if a log does not prove its verdicts. Its text lists the problems.
var ErrUnsound = errors.New("the log does not prove its verdicts")

// ErrNotVerified is returned if a certificate is not valid for a log. Its text lists the problems.
var ErrNotVerified = errors.New("not verified")

// Certificate is the signed result of one run.
type Certificate struct {
	// Report is conformance-report.yaml. Envelope is the DSSE envelope around the in-toto statement, as JSON.
	Report, Envelope []byte
}

// Issue audits a log and certifies its result, whether good or bad. It returns [ErrUnsound] if the audit fails, the errors of [runlog.Read], and
// [ErrKey] if the key cannot sign.
func (a Auditor) Issue(ctx context.Context, log []byte, key Key) (Certificate, Report, error) {
	run, err := a.Sound(log)
	if err != nil {
		return Certificate{}, Report{}, err
	}
	report := a.report(run, digestOf(log))
	text := report.yaml()
	payload, err := json.Marshal(newStatement(run, log, text))
	if err != nil {
		return Certificate{}, report, fmt.Errorf("write the statement: %w", err)
	}
	signer, err := dsse.NewEnvelopeSigner(key)
	if err != nil {
		return Certificate{}, report, fmt.Errorf("%w: %w", ErrKey, err)
	}
	envelope, err := signer.SignPayload(ctx, payloadType, payload)
	if err != nil {
		return Certificate{}, report, err
	}
	out, err := json.MarshalIndent(envelope, "", "  ")
	if err != nil {
		return Certificate{}, report, fmt.Errorf("write the envelope: %w", err)
	}
	return Certificate{Report: text, Envelope: append(out, '\n')}, report, nil
}

// Sound reads a log and audits it. It returns [ErrUnsound] if the log does not prove its verdicts, and the errors of [runlog.Read].
func (a Auditor) Sound(log []byte) (runlog.Run, error) {
	run, err := runlog.Read(bytes.NewReader(log))
	if err != nil {
		return runlog.Run{}, err
	}
	if problems := append(auditLines(log), a.Audit(run)...); len(problems) > 0 {
		return run, fmt.Errorf("%w: %s", ErrUnsound, listed(problems))
	}
	return run, nil
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func listed(problems []string) string {
	const most = 10
	if len(problems) > most {
		problems = append(problems[:most:most], fmt.Sprintf("and %d more", len(problems)-most))
	}
	return strings.Join(problems, "; ")
}

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
				describe("target", []byte(run.Target.BaseURL)),
				describe("scope", scopeOf(run)),
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

// scopeOf is what the result is about, as a text: who was asked what, when, by which gatecert.
func scopeOf(run runlog.Run) []byte {
	s := run.Selection
	return []byte(strings.Join([]string{
		"run " + run.RunID, "started " + run.Started.UTC().Format(time.RFC3339Nano), "tool " + run.Tool, "target " + run.Target.BaseURL,
		"version " + run.Target.Version, "claims " + run.Target.Claims.String(), "level " + s.Scope(), fmt.Sprintf("surfaces %v", s.Surfaces),
		fmt.Sprintf("rows %v", s.Rows), fmt.Sprintf("cases %v", s.Cases),
	}, "\n"))
}

func describe(name string, content []byte) descriptor {
	return descriptor{Name: name, Digest: map[string]string{"sha256": hexDigest(digestOf(content))}}
}

// Verify checks that a certificate was signed with the key, is about exactly this log and agrees with it, and that the log is sound. If not, it
// returns [ErrNotVerified] with every problem. The result for the gateway is in the report.
func (a Auditor) Verify(ctx context.Context, log []byte, c Certificate, key Key) (Report, error) {
	claimed, problems := opened(ctx, c.Envelope, key)
	run, err := runlog.Read(bytes.NewReader(log))
	if err != nil {
		problems = append(problems, err.Error())
		return Report{}, notVerified(problems)
	}
	problems = append(problems, append(auditLines(log), a.Audit(run)...)...)
	if run.Footer == nil {
		return Report{}, notVerified(problems) // nothing to compare the statement with
	}
	report := a.report(run, digestOf(log))
	text := report.yaml()
	if !bytes.Equal(text, c.Report) {
		problems = append(problems, ReportFile+" does not match the log")
	}
	if claimed != nil {
		problems = append(problems, compared(*claimed, newStatement(run, log, text))...)
	}
	if len(problems) > 0 {
		return report, notVerified(problems)
	}
	return report, nil
}

func notVerified(problems []string) error {
	return fmt.Errorf("%w: %s", ErrNotVerified, listed(problems))
}

// opened returns the statement in an envelope, or nil and the problems when the envelope does not hold one that the key
// signed.
func opened(ctx context.Context, envelope []byte, key Key) (*statement, []string) {
	var e dsse.Envelope
	if err := json.Unmarshal(envelope, &e); err != nil {
		return nil, []string{EnvelopeFile + " is not a DSSE envelope: " + err.Error()}
	}
	if e.PayloadType != payloadType {
		return nil, []string{fmt.Sprintf("the envelope's payload type is %.60q instead of %s", e.PayloadType, payloadType)}
	}
	verifier, err := dsse.NewEnvelopeVerifier(key)
	if err != nil {
		return nil, []string{err.Error()}
	}
	_, payload, err := verifier.VerifyAndDecode(ctx, &e)
	if err != nil {
		return nil, []string{"the envelope was not signed with this key: " + err.Error()}
	}
	var s statement
	if err := json.Unmarshal(payload, &s); err != nil {
		return nil, []string{"the payload is not an in-toto statement: " + err.Error()}
	}
	if s.Type != statementType || s.PredicateType != predicateType {
		return nil, []string{fmt.Sprintf("the payload is not a test result: its statement type is %.80q and its predicate type is %.80q, but they must be %q and %q",
			s.Type, s.PredicateType, statementType, predicateType)}
	}
	return &s, nil
}

// compared lists where a signed statement differs from the one that follows from the log.
func compared(claimed, actual statement) []string {
	var problems []string
	for i, name := range []string{LogFile, ReportFile} {
		if len(claimed.Subject) != len(actual.Subject) || !reflect.DeepEqual(claimed.Subject[i], actual.Subject[i]) {
			problems = append(problems, "the statement refers to a different "+name)
		}
	}
	if !reflect.DeepEqual(claimed.Predicate, actual.Predicate) {
		problems = append(problems, fmt.Sprintf("the statement does not match the log: the result is %s in the statement and %s in the log (if these are the same, the lists of cases or the configuration differ)",
			claimed.Predicate.Result, actual.Predicate.Result))
	}
	return problems
}
