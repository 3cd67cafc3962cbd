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

// judgement is what an answer amounts to. Shots with the same answer share one.
type judgement struct {
	outcome  runlog.Outcome
	findings []contract.Finding
	// evidence is the answer, redacted, where it breaks something.
	evidence *contract.Observation
}

// judge judges every answer while the load goes on. A healthy answer is recognised without being taken apart, and the
// judgement of any other is remembered by all that [contract.Judge] looks at, because a full judgement takes about
// 50 µs and thousands of refusals say the same.
type judge struct {
	seed maphash.Seed

	mu    sync.RWMutex
	known map[uint64]judgement
}

const (
	// maxKnown bounds the judgements that are remembered: with 4 KiB of evidence each they stay under 3 MB.
	maxKnown = 512
	// evidenceBytes bounds the body of an answer that is kept as evidence.
	evidenceBytes = 4 << 10
	// judgedBytes bounds the body of an answer that is taken apart.
	judgedBytes = 1 << 20
)

func newJudge() *judge { return &judge{seed: maphash.MakeSeed(), known: map[uint64]judgement{}} }

// answer judges an answer whose head came.
func (j *judge) answer(r *request, a reply) judgement {
	guessed := r.due == contract.Case{}
	if guessed && a.status == http.StatusOK && a.broken == nil && healthy(r.surface, a) {
		return judgement{outcome: runlog.Admitted}
	}
	// Fields that the judge does not look at may still hold what must stay inside.
	_, leaked := r.redactor.Bytes(a.header)
	if len(leaked) > 0 || len(a.body) > judgedBytes {
		return j.full(r, a)
	}
	key := j.key(r, a)
	j.mu.RLock()
	found, ok := j.known[key]
	j.mu.RUnlock()
	if ok {
		return found
	}
	found = j.full(r, a)
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.known) == maxKnown {
		clear(j.known) // what is common comes back at once, what is not would only stand in its way
	}
	j.known[key] = found
	return found
}

// key is a digest of all that the judgement of an answer hangs on: the request, the status, which fields there are, the
// values of those that are judged, the body without the answer's own request id, and how the transfer ended.
func (j *judge) key(r *request, a reply) uint64 {
	var h maphash.Hash
	h.SetSeed(j.seed)
	part := func(b []byte) {
		_, _ = h.Write(b) // a hash never fails
		_ = h.WriteByte(0)
	}
	part(strconv.AppendInt(nil, int64(a.status), 10))
	part([]byte(r.due.ID()))
	part([]byte(r.surface))
	part([]byte(ending(a.broken)))
	var id []byte
	lines(a.header, func(name, value []byte) bool {
		part(name)
		switch {
		case isField(name, "Content-Type"), isField(name, "Content-Encoding"):
			part(value)
		case isField(name, "Retry-After") && len(bytes.Trim(value, "0123456789")) > 0:
			part(value)
		case len(value) == 0: // as if the field were not there
			_ = h.WriteByte(1)
		case len(value) >= minID && (containsFold(name, "request-id") || containsFold(name, "trace-id")):
			id = value
		}
		return true
	})
	if id == nil {
		part(a.body)
		return h.Sum64()
	}
	for piece := range bytes.SplitSeq(a.body, id) {
		part(piece)
	}
	return h.Sum64()
}

// minID is the fewest bytes of a request id that is taken out of a body: shorter ones stand in other words too.
const minID = 8

func isField(name []byte, want string) bool {
	return len(name) == len(want) && bytes.EqualFold(name, []byte(want))
}

// ending says how a transfer ended in one of few words, without addresses and ports that differ from shot to shot.
func ending(broken error) string {
	switch {
	case broken == nil:
		return ""
	case timedOut(broken):
		return "not over in time"
	case errors.Is(broken, errTooLong), errors.Is(broken, errNotHTTP):
		return broken.Error()
	case errors.Is(broken, io.ErrUnexpectedEOF):
		return "unexpected EOF"
	default:
		return "connection reset by peer"
	}
}

// full judges an answer without a short cut.
func (j *judge) full(r *request, a reply) judgement {
	o := observe(r, a)
	c := r.due
	guessed := c == contract.Case{}
	if guessed {
		if ok, _ := contract.IsSuccess(r.surface, o); ok {
			return judgement{outcome: runlog.Admitted}
		}
		if a.status/100 == 2 && timedOut(a.broken) {
			return judgement{outcome: runlog.Timeout} // our patience is no limit of the contract
		}
		c = circumstanceOf(r.surface, o)
	}
	findings := contract.Judge(c, o).Findings
	findings = slices.DeleteFunc(findings, func(f contract.Finding) bool {
		return f.Level == contract.Note || guessed && ofCircumstance(f.Requirement)
	})
	out := judgement{outcome: classOf(r.surface, o, findings), findings: findings}
	if out.outcome == runlog.TransportError && timedOut(a.broken) {
		out.outcome = runlog.Timeout
	}
	if len(findings) > 0 {
		out.evidence = &o
	}
	return out
}

// ofCircumstance names the obligations that cannot be judged when nobody knows what went wrong behind an answer.
func ofCircumstance(o contract.Requirement) bool {
	return o == contract.StatusExact || o == contract.StatusClass || o == contract.StatusBlame
}

func observe(r *request, a reply) contract.Observation {
	end := io.EOF
	if a.broken != nil {
		end = a.broken
	}
	resp := &http.Response{
		StatusCode: a.status, Proto: "HTTP/1.1", Header: headerOf(a.header),
		Body: io.NopCloser(io.MultiReader(bytes.NewReader(a.body), failing{end})),
	}
	limits := exchange.Limits{Body: judgedBytes, Capture: evidenceBytes}
	o := exchange.Observe(resp, r.sent, limits, r.redactor)
	switch {
	case timedOut(a.broken), errors.Is(a.broken, errTooLong):
		o.Cut, o.TransferError = ending(a.broken), "" // it was us who stopped
	case a.broken != nil:
		o.TransferError = ending(a.broken)
	}
	return o
}

// failing is a reader that has nothing but its end.
type failing struct{ end error }

func (f failing) Read([]byte) (int, error) { return 0, f.end }

// classOf is the outcome of an answer that is not healthy.
func classOf(surface dialect.Surface, o contract.Observation, findings []contract.Finding) runlog.Outcome {
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
		return runlog.Error5xx // a stream that had begun and ended with a lawful error event
	default:
		return runlog.Wrong
	}
}

// failure judges a call to which no head came.
func (j *judge) failure(r *request, err error) judgement {
	switch {
	case ours(err):
		return judgement{outcome: runlog.LocalError}
	case timedOut(err):
		return j.noAnswer(r, runlog.Timeout, contract.TimedOut, "no head in time")
	}
	var unmade *dialError
	switch {
	case errors.As(err, &unmade):
		return j.noAnswer(r, runlog.TransportError, contract.Unreachable, "no connection")
	case errors.Is(err, errNotHTTP), errors.Is(err, errTooLong):
		return j.noAnswer(r, runlog.TransportError, contract.Protocol, err.Error())
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return j.noAnswer(r, runlog.TransportError, contract.Closed, "the connection ended before the answer")
	default:
		return j.noAnswer(r, runlog.TransportError, contract.Reset, "connection reset by peer")
	}
}

func (j *judge) noAnswer(r *request, outcome runlog.Outcome, kind contract.FailureKind, detail string) judgement {
	c := r.due
	if (c == contract.Case{}) {
		if outcome == runlog.Timeout {
			return judgement{outcome: runlog.Timeout} // our patience is no limit of the contract
		}
		c = gatewayError(r.surface)
	}
	o := contract.Observation{
		Sent: r.sent, Failure: &contract.Failure{Kind: kind, Detail: r.redactor.Text(detail)},
	}
	return judgement{outcome: outcome, findings: contract.Judge(c, o).Findings, evidence: &o}
}
