package exchange

import (
	"context"
	"fmt"
	"net/http"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange/redact"
)

// Request is a prepared call that another package's transport, such as that of the load engine, can send.
type Request struct {
	Method string
	// URL contains the key if the key is sent in the query.
	URL string
	// Header contains all fields except those of the framing. "Host", if set, replaces the authority of the URL.
	Header http.Header
	Body   []byte
	// Sent is the redacted request for reports.
	Sent contract.Sent
}

// Prepare builds the request of a call without sending it. For calls that cannot be built, it returns the errors of [Client.Do]. It returns
// [ErrFault] for [ShortBody] and [Oversize], because these faults concern how a request is sent, not its bytes.
func Prepare(call Call, redactor *redact.Redactor) (Request, error) {
	if !call.Sampled {
		call.ID = "" // a load is many requests: nobody looks for the trace of one, unless it was asked for
	}
	req, err := build(call)
	if err != nil {
		return Request{}, fmt.Errorf("call on %s: %w", call.Surface, err)
	}
	if req.needsRawTransport() {
		return Request{}, fmt.Errorf("call on %s: %w: %s cannot be part of a prepared request: send the call with a Client", call.Surface, ErrFault, call.Fault)
	}
	redactor = withKey(redactor, call.Key)
	return Request{
		Method: req.method, URL: req.url(), Header: req.fields(req.key), Body: req.body.head,
		Sent: req.sent(redactor, Limits{}.withDefaults().Capture),
	}, nil
}

// Observe builds the observation of a response that another transport has received. resp.Body must return the received bytes, followed by io.EOF or
// the error that ended the transfer. The observation is redacted, limited in size, and contains the decoded event stream, as with [Client.Do], but it
// has no times.
func Observe(resp *http.Response, sent contract.Sent, limits Limits, redactor *redact.Redactor) contract.Observation {
	limits = limits.withDefaults().on(sent.Surface)
	out := &recorder{redactor: redactor, maxBody: limits.Capture}
	out.Sent = sent
	out.recordHead(resp)
	// The bytes are in memory, so that no read can block and there is nothing to cancel.
	out.recordBody(bodyReader{limits: limits, timer: startTimer(), cancel: func(error) {}}.read(context.Background(), resp))
	out.Timing = contract.Timing{}
	if out.Stream != nil {
		for i := range out.Stream.Events {
			out.Stream.Events[i].At = 0
		}
	}
	return out.Observation
}
