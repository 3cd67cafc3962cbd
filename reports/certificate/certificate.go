// Package certificate turns the log of a run into evidence that others can check without trusting who ran it.
//
// [Auditor.Issue] audits a log and signs a statement about it; [Auditor.Verify] checks the signature and audits again. An
// audit does not rely on the log's own claims: it computes the expected cases from the contract and the profile, and judges
// every recorded observation again. So a failing case cannot be edited into a passing one, removed, or marked not-offered,
// whatever key signs the result.
package certificate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"github.com/gatecert/gatecert/reports/runlog"
)

// ErrUnsound is returned when a log does not prove its verdicts. Its text lists the problems.
var ErrUnsound = errors.New("the log does not prove its verdicts")

// ErrNotVerified is returned when a certificate is not valid for a log. Its text lists the problems.
var ErrNotVerified = errors.New("not verified")

// Certificate is the signed result of one run.
type Certificate struct {
	// Report is conformance-report.yaml, Envelope the JSON of the DSSE envelope around the in-toto statement.
	Report, Envelope []byte
}

// Issue audits a log and certifies its result, good or bad. It returns [ErrUnsound] when the audit fails, the errors of
// [runlog.Read], and [ErrKey] when the key cannot sign.
func (a Auditor) Issue(ctx context.Context, log []byte, key Key) (Certificate, Report, error) {
	run, err := runlog.Read(bytes.NewReader(log))
	if err != nil {
		return Certificate{}, Report{}, err
	}
	if problems := a.Audit(run); len(problems) > 0 {
		return Certificate{}, Report{}, fmt.Errorf("%w: %s", ErrUnsound, listed(problems))
	}
	report := newReport(run, digestOf(log))
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

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// listed joins the first problems.
func listed(problems []string) string {
	const most = 10
	if len(problems) > most {
		problems = append(problems[:most:most], fmt.Sprintf("and %d more", len(problems)-most))
	}
	return strings.Join(problems, "; ")
}
