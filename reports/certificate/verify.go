package certificate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"github.com/gatecert/gatecert/reports/runlog"
)

// Verify checks that a certificate was signed with the key, is about exactly this log and agrees with it, and that the log
// is sound. It returns [ErrNotVerified] with every problem. The result of the gateway is in the report.
func (a Auditor) Verify(ctx context.Context, log []byte, c Certificate, key Key) (Report, error) {
	claimed, problems := opened(ctx, c.Envelope, key)
	run, err := runlog.Read(bytes.NewReader(log))
	if err != nil {
		problems = append(problems, err.Error())
		return Report{}, notVerified(problems)
	}
	problems = append(problems, a.Audit(run)...)
	if run.Footer == nil {
		return Report{}, notVerified(problems) // nothing to compare the statement with
	}
	report := newReport(run, digestOf(log))
	text := report.yaml()
	if !bytes.Equal(text, c.Report) {
		problems = append(problems, ReportFile+" does not agree with the log")
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
		return nil, []string{fmt.Sprintf("the envelope holds %.60q, want %s", e.PayloadType, payloadType)}
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
		return nil, []string{"the payload is not a statement: " + err.Error()}
	}
	if s.Type != statementType || s.PredicateType != predicateType {
		return nil, []string{fmt.Sprintf("the payload is not a test result: %.80q, %.80q", s.Type, s.PredicateType)}
	}
	return &s, nil
}

// compared lists where a signed statement differs from the one that follows from the log.
func compared(claimed, actual statement) []string {
	var problems []string
	for i, name := range []string{LogFile, ReportFile} {
		if len(claimed.Subject) != len(actual.Subject) || !reflect.DeepEqual(claimed.Subject[i], actual.Subject[i]) {
			problems = append(problems, "the statement is about another "+name)
		}
	}
	if !reflect.DeepEqual(claimed.Predicate, actual.Predicate) {
		problems = append(problems, fmt.Sprintf("the statement's result and cases differ from the log's: %s, the log's is %s",
			claimed.Predicate.Result, actual.Predicate.Result))
	}
	return problems
}
