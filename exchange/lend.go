package exchange

import (
	"context"
	"fmt"
	"net/http"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange/redact"
)

// Request is a call made ready for a transport that is not this package's, such as the load engine's.
type Request struct {
	Method string
	// URL holds the key where it travels in the query.
	URL string
	// Header holds every field but those of the framing. "Host", where it is set, overrides the URL's authority.
	Header http.Header
	Body   []byte
	// Sent is the request as a report may show it, redacted.
	Sent contract.Sent
}

// Prepare builds the request of a call without sending it. It fails as [Client.Do] does, and with [ErrFault] for the
// faults that are made on the wire and not in the bytes: [ShortBody] and [Oversize].
func Prepare(call Call, redactor *redact.Redactor) (Request, error) {
	req, err := build(call)
	if err != nil {
		return Request{}, fmt.Errorf("call on %s: %w", call.Surface, err)
	}
	if req.ownWire() {
		return Request{}, fmt.Errorf("call on %s: %w: %s cannot be lent", call.Surface, ErrFault, call.Fault)
	}
	redactor = redactor.With(redact.Secret{What: redact.CallerKey, Value: call.Key})
	return Request{
		Method: req.method, URL: req.url(), Header: req.fields(req.key), Body: req.body.head,
		Sent: req.sent(redactor, Limits{}.withDefaults().Capture),
	}, nil
}

// Observe makes an observation of an answer that another transport took in: resp.Body gives the bytes that came and
// then the error with which the transfer broke off, or io.EOF. The observation is redacted, bounded, and its event
// stream decoded, as if [Client.Do] had made it; its instants are not set.
func Observe(resp *http.Response, sent contract.Sent, limits Limits, redactor *redact.Redactor) contract.Observation {
	limits = limits.withDefaults()
	out := &capture{redactor: redactor, limit: limits.Capture}
	out.Sent = sent
	out.head(resp)
	// The bytes are in memory: nothing can stand still, so nobody has to be told to stop.
	out.body(intake{limits: limits, watch: newStopwatch(), cancel: func(error) {}}.read(context.Background(), resp))
	out.Timing = contract.Timing{}
	if out.Stream != nil {
		for i := range out.Stream.Events {
			out.Stream.Events[i].At = 0
		}
	}
	return out.Observation
}
