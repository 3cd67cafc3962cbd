package load

import (
	"bytes"
	"errors"
	"hash/maphash"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/reports/runlog"
)

// classification is the outcome of a request and what its response violates. Equal responses share one.
type classification struct {
	outcome  runlog.Outcome
	findings []contract.Finding
	// evidence is the response, redacted; nil when it violates nothing.
	evidence *contract.Observation
}

// classifier classifies every response while the load goes on. It recognises most successes without parsing them, and
// remembers the classification of everything else by what [contract.Judge] looks at: a full judgement takes about 50 µs,
// and thousands of refusals are the same.
type classifier struct {
	seed maphash.Seed

	mu   sync.RWMutex
	memo map[uint64]classification
}

const (
	// maxMemo bounds the classifications that are remembered. With 4 KiB of evidence each they take less than 3 MB.
	maxMemo = 512
	// evidenceBytes bounds the body of a response that is kept as evidence.
	evidenceBytes = 4 << 10
	// maxClassifiedBytes bounds the body of a response that is parsed.
	maxClassifiedBytes = 1 << 20
)

func newClassifier() *classifier {
	return &classifier{seed: maphash.MakeSeed(), memo: map[uint64]classification{}}
}

// response classifies a response of which at least the head came.
func (c *classifier) response(r *wireRequest, resp response) classification {
	if !r.expectsError() && resp.status == http.StatusOK && resp.transferErr == nil && isCertainSuccess(r.surface, resp) {
		return classification{outcome: runlog.Admitted}
	}
	// Fields that are not part of the key may still leak a secret.
	_, leaked := r.redactor.Bytes(resp.header)
	if len(leaked) > 0 || len(resp.body) > maxClassifiedBytes {
		return classify(r, resp)
	}
	key := c.key(r, resp)
	c.mu.RLock()
	found, ok := c.memo[key]
	c.mu.RUnlock()
	if ok {
		return found
	}
	found = classify(r, resp)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.memo) == maxMemo {
		clear(c.memo) // frequent responses come back at once, and the others would only take up the room
	}
	c.memo[key] = found
	return found
}

// key returns a digest of everything that the classification of a response depends on: the request, the status, which
// fields there are, the values of those that are judged, the body without the response's own request id, and how the
// transfer ended.
func (c *classifier) key(r *wireRequest, resp response) uint64 {
	var h maphash.Hash
	h.SetSeed(c.seed)
	write := func(b []byte) {
		_, _ = h.Write(b) // a hash never fails
		_ = h.WriteByte(0)
	}
	write(strconv.AppendInt(nil, int64(resp.status), 10))
	write([]byte(r.expect.ID()))
	write([]byte(r.surface))
	write([]byte(transferErrorText(resp.transferErr)))
	var id []byte
	eachField(resp.header, func(name, value []byte) bool {
		write(name)
		switch {
		case isField(name, "Content-Type"), isField(name, "Content-Encoding"):
			write(value)
		case isField(name, "Retry-After") && !contract.ReadRetryAfter(string(value)).Reasonable():
			write(value)
		case len(value) == 0: // the same as an absent field
			_ = h.WriteByte(1)
		case len(value) >= minID && (containsFold(name, "request-id") || containsFold(name, "trace-id")):
			id = value
		}
		return true
	})
	if id == nil {
		write(resp.body)
		return h.Sum64()
	}
	for piece := range bytes.SplitSeq(resp.body, id) {
		write(piece)
	}
	return h.Sum64()
}

// minID is the fewest bytes of a request id that is cut out of a body. A shorter one may be part of a word.
const minID = 8

func isField(name []byte, want string) bool {
	return len(name) == len(want) && bytes.EqualFold(name, []byte(want))
}

// transferErrorText returns one of a few texts, without the addresses and ports that differ from request to request.
func transferErrorText(err error) string {
	switch {
	case err == nil:
		return ""
	case isTimeout(err):
		return "the response did not end within gatecert's own timeout"
	case errors.Is(err, errTooLong), errors.Is(err, errNotHTTP):
		return err.Error()
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "unexpected EOF"
	default:
		return "connection reset by peer"
	}
}

// classify classifies a response in full.
func classify(r *wireRequest, resp response) classification {
	o := observe(r, resp)
	expected := r.expect
	if !r.expectsError() {
		if ok, _ := contract.IsSuccess(r.surface, o); ok {
			return classification{outcome: runlog.Admitted}
		}
		if resp.status/100 == 2 && isTimeout(resp.transferErr) {
			return classification{outcome: runlog.Timeout} // our timeout is not a limit of the contract
		}
		expected = claimedCase(r.surface, o)
	}
	findings := slices.DeleteFunc(contract.Judge(expected, o).Findings, func(f contract.Finding) bool {
		return f.Level == contract.Note || !r.expectsError() && needsCircumstance(f.Requirement)
	})
	out := classification{outcome: outcomeOf(r.surface, o, findings), findings: findings}
	if out.outcome == runlog.TransportError && isTimeout(resp.transferErr) {
		out.outcome = runlog.Timeout
	}
	if len(findings) > 0 {
		o.Body = o.Body[:min(len(o.Body), evidenceBytes)] // judged whole
		out.evidence = &o
	}
	return out
}

// needsCircumstance reports whether a requirement can be judged only when it is known why the gateway failed.
func needsCircumstance(r contract.Requirement) bool {
	return r == contract.StatusExact || r == contract.StatusClass || r == contract.StatusBlame
}

func observe(r *wireRequest, resp response) contract.Observation {
	end := io.EOF
	if resp.transferErr != nil {
		end = resp.transferErr
	}
	o := exchange.Observe(&http.Response{
		StatusCode: resp.status, Proto: "HTTP/1.1", Header: parseHeader(resp.header),
		Body: io.NopCloser(io.MultiReader(bytes.NewReader(resp.body), errorReader{end})),
	}, r.sent, exchange.Limits{Body: maxClassifiedBytes, Capture: evidenceBytes}, r.redactor)
	if r.codes != nil {
		o.Declared = &contract.Declared{Codes: r.codes}
	}
	switch {
	case isTimeout(resp.transferErr), errors.Is(resp.transferErr, errTooLong):
		o.Cut, o.TransferError = transferErrorText(resp.transferErr), "" // we stopped reading
	case resp.transferErr != nil:
		o.TransferError = transferErrorText(resp.transferErr)
	}
	return o
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

// outcomeOf returns the outcome of a response that is judged in full.
func outcomeOf(surface dialect.Surface, o contract.Observation, findings []contract.Finding) runlog.Outcome {
	switch {
	case o.Status == http.StatusTooManyRequests:
		return runlog.Refused
	case o.Status/100 == 4:
		return runlog.Error4xx
	case o.Status/100 == 5:
		return runlog.Error5xx
	}
	if ok, _ := contract.IsSuccess(surface, o); ok {
		return runlog.Admitted
	}
	switch {
	case o.Status/100 == 2 && (o.TransferError != "" || o.Cut != ""):
		return runlog.TransportError
	case o.Stream != nil && contract.VerdictOf(findings).Conformant():
		return runlog.Error5xx // a stream that had begun and ended with a conformant error event
	default:
		return runlog.Wrong
	}
}

// noResponse classifies a request to which no head came.
func noResponse(r *wireRequest, err error) classification {
	switch {
	case isLocalError(err):
		return classification{outcome: runlog.LocalError}
	case isTimeout(err):
		return classifyFailure(r, runlog.Timeout, contract.TimedOut, "no response headers within gatecert's own timeout")
	}
	var dial *dialError
	switch {
	case errors.As(err, &dial):
		return classifyFailure(r, runlog.TransportError, contract.Unreachable, "no connection")
	case errors.Is(err, errNotHTTP), errors.Is(err, errTooLong):
		return classifyFailure(r, runlog.TransportError, contract.Protocol, err.Error())
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return classifyFailure(r, runlog.TransportError, contract.Closed, "the connection was closed before a response arrived")
	default:
		return classifyFailure(r, runlog.TransportError, contract.Reset, "connection reset by peer")
	}
}

func classifyFailure(r *wireRequest, outcome runlog.Outcome, kind contract.FailureKind, detail string) classification {
	expected := r.expect
	if !r.expectsError() {
		if outcome == runlog.Timeout {
			return classification{outcome: runlog.Timeout} // our timeout is not a limit of the contract
		}
		expected = gatewayError(r.surface)
	}
	o := contract.Observation{
		Sent: r.sent, Failure: &contract.Failure{Kind: kind, Detail: r.redactor.Text(detail)},
	}
	return classification{outcome: outcome, findings: contract.Judge(expected, o).Findings, evidence: &o}
}
