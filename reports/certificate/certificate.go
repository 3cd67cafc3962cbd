// Package certificate turns the log of a run into something that others can trust without trusting who ran it.
//
// [Issue] audits a log and signs a statement about it; [Verify] checks the signature and does the audit again. An audit
// takes nobody's word, not even the log's own: the cases that had to run are computed from the contract and the
// profile, and every verdict is judged again from the recorded observation. So a failing case cannot be edited into a
// passing one, taken out, or called not offered, with whatever key the result is signed.
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

// ErrUnsound is returned when a log does not prove what it says. Its text lists what is wrong.
var ErrUnsound = errors.New("the log is no proof")

// ErrNotVerified is returned when a certificate does not hold. Its text lists why.
var ErrNotVerified = errors.New("not verified")

// Certificate is the signed result of one run.
type Certificate struct {
	// Report is conformance-report.yaml, Envelope the DSSE envelope around the in-toto statement, as JSON.
	Report, Envelope []byte
}

// Issue audits a log and certifies what it says, be it good or bad. It returns [ErrUnsound] when the audit fails, the
// errors of [reports.Read], and [ErrKey] when the key cannot sign.
func Issue(ctx context.Context, log []byte, key Key) (Certificate, Report, error) {
	run, err := runlog.Read(bytes.NewReader(log))
	if err != nil {
		return Certificate{}, Report{}, err
	}
	if problems := Audit(run); len(problems) > 0 {
		return Certificate{}, Report{}, fmt.Errorf("%w: %s", ErrUnsound, listed(problems))
	}
	report := newReport(run, digestOf(log))
	text, err := report.yaml()
	if err != nil {
		return Certificate{}, report, err
	}
	payload, err := newStatement(run, log, text).json()
	if err != nil {
		return Certificate{}, report, err
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

// listed joins problems, the first of them.
func listed(problems []string) string {
	const most = 10
	if len(problems) > most {
		problems = append(problems[:most:most], fmt.Sprintf("and %d more", len(problems)-most))
	}
	return strings.Join(problems, "; ")
}
