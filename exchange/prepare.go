package exchange

import (
	"context"
	"fmt"
	"net/http"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange/redact"
)

// Request is a prepared request for another transport, such as the load engine's.
type Request struct {
	Method string
	// URL contains the key if it is sent in the query.
	URL string
	// Header has all fields except those of the framing. "Host", if set, replaces the URL's authority.
	Header http.Header
	Body   []byte
	// Sent is the request for reports, redacted.
	Sent contract.Sent
}

// Prepare builds the request of a call without sending it. It returns the errors of [Client.Do], and [ErrFault] for
// [ShortBody] and [Oversize], which only a [Client] can send.
func Prepare(call Call, redactor *redact.Redactor) (Request, error) {
	req, err := build(call)
	if err != nil {
		return Request{}, fmt.Errorf("call on %s: %w", call.Surface, err)
	}
	if req.ownWire() {
		return Request{}, fmt.Errorf("call on %s: %w: only a Client can send %s", call.Surface, ErrFault, call.Fault)
	}
	redactor = redactor.With(redact.Secret{What: redact.CallerKey, Value: call.Key})
	return Request{
		Method: req.method, URL: req.url(), Header: req.fields(req.key), Body: req.body.head,
		Sent: req.sent(redactor, Limits{}.withDefaults().Capture),
	}, nil
}

// Observe makes an observation of an answer that another transport received: resp.Body returns the received bytes, and
// then io.EOF or the error with which the transfer broke off. The observation is redacted and bounded and its event
// stream decoded, as by [Client.Do]; its times are not set.
func Observe(resp *http.Response, sent contract.Sent, limits Limits, redactor *redact.Redactor) contract.Observation {
	limits = limits.withDefaults()
	out := &capture{redactor: redactor, limit: limits.Capture}
	out.Sent = sent
	out.head(resp)
	// The bytes are in memory: reading them needs no timeout, so there is nothing to cancel.
	out.body(bodyReader{limits: limits, watch: newStopwatch(), cancel: func(error) {}}.read(context.Background(), resp))
	out.Timing = contract.Timing{}
	if out.Stream != nil {
		for i := range out.Stream.Events {
			out.Stream.Events[i].At = 0
		}
	}
	return out.Observation
}
