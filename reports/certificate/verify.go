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

// Verify checks a certificate against the log that it is about: that the key signed it, that it is about these very
// bytes, that it says what the log says, and that the log is sound. It returns [ErrNotVerified] with everything that
// does not hold; whether the gateway is conformant, the report says.
func Verify(ctx context.Context, log []byte, c Certificate, key Key) (Report, error) {
	claimed, problems := opened(ctx, c.Envelope, key)
	run, err := runlog.Read(bytes.NewReader(log))
	if err != nil {
		problems = append(problems, err.Error())
		return Report{}, notVerified(problems)
	}
	audit := Audit(run)
	problems = append(problems, audit...)
	if run.Footer == nil {
		return Report{}, notVerified(problems) // nothing to compare the statement with
	}
	report := newReport(run, digestOf(log))
	text, err := report.yaml()
	if err != nil {
		return report, err
	}
	if !bytes.Equal(text, c.Report) {
		problems = append(problems, ReportFile+" does not say what the log says")
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

// opened takes the statement out of its envelope; it is nil when nothing could be read that the key signed.
func opened(ctx context.Context, envelope []byte, key Key) (*statement, []string) {
	var e dsse.Envelope
	if err := json.Unmarshal(envelope, &e); err != nil {
		return nil, []string{EnvelopeFile + " is no DSSE envelope: " + err.Error()}
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
		return nil, []string{"the payload is no statement: " + err.Error()}
	}
	if s.Type != statementType || s.PredicateType != predicateType {
		return nil, []string{fmt.Sprintf("the payload is no test result: %.80q, %.80q", s.Type, s.PredicateType)}
	}
	return &s, nil
}

// compared says where a signed statement differs from the one that the log deserves.
func compared(claimed, deserved statement) []string {
	var problems []string
	for i, name := range []string{LogFile, ReportFile} {
		if len(claimed.Subject) != len(deserved.Subject) || !reflect.DeepEqual(claimed.Subject[i], deserved.Subject[i]) {
			problems = append(problems, "the statement is about another "+name)
		}
	}
	if !reflect.DeepEqual(claimed.Predicate, deserved.Predicate) {
		problems = append(problems, fmt.Sprintf("the statement's result and cases are not those of the log: it says %s, the log says %s",
			claimed.Predicate.Result, deserved.Predicate.Result))
	}
	return problems
}
