package exchange

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange/redact"
)

// Client makes calls. It may be used from many goroutines.
type Client struct {
	limits    Limits
	redactor  *redact.Redactor
	transport *http.Transport
	wire      wire
}

// NewClient returns a client that keeps to the limits and replaces the secrets in whatever it returns. A call's own
// key is a secret without being listed. Close it when the last call is done.
func NewClient(limits Limits, secrets ...redact.Secret) *Client {
	return NewTrustingClient(limits, nil, secrets...)
}

// NewTrustingClient is [NewClient] for gateways whose certificates the roots vouch for; nil stands for the system's.
func NewTrustingClient(limits Limits, roots *x509.CertPool, secrets ...redact.Secret) *Client {
	return newClient(limits, &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, secrets...)
}

func newClient(limits Limits, trust *tls.Config, secrets ...redact.Secret) *Client {
	limits = limits.withDefaults()
	dialer := &net.Dialer{Timeout: limits.Patience}
	return &Client{
		limits:   limits,
		redactor: redact.New(secrets...),
		wire:     wire{dialer: dialer, tls: trust},
		transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            dialer.DialContext,
			TLSClientConfig:        trust.Clone(),
			ForceAttemptHTTP2:      true, // a dialer or a TLS configuration of one's own turns it off
			DisableCompression:     true, // ask for none; what comes compressed all the same is decoded here
			MaxResponseHeaderBytes: maxHead,
			// No HTTP/1.1 connection is used twice: a call's outcome must not hang on the call before it, and a server that
			// closes an idle connection just as a call is sent would look like one that drops its callers. Unlike
			// DisableKeepAlives this leaves the request as it is. HTTP/2 says which calls it had not begun, and shares.
			MaxIdleConnsPerHost: -1,
		},
	}
}

// Close closes the connections that no call uses.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Do makes the call and returns what came of it, redacted and bounded. Redirects are not followed.
//
// It fails when the call cannot be built: [ErrSurface], [ErrURL], [ErrMethod], [ErrHeader], [ErrEdit], [ErrFault]. It
// fails with the context's error when the caller gives up; the observation then holds what had come until then.
// Whatever the gateway does wrong is in the observation alone.
func (c *Client) Do(ctx context.Context, call Call) (contract.Observation, error) {
	req, err := build(call)
	if err != nil {
		return contract.Observation{}, fmt.Errorf("call on %s: %w", call.Surface, err)
	}
	redactor := c.redactor.With(redact.Secret{What: redact.CallerKey, Value: call.Key})
	out := &capture{redactor: redactor, limit: c.limits.Capture}
	out.Sent = req.sent(redactor, c.limits.Capture)

	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	overall := time.AfterFunc(c.limits.Total, func() { cancel(stop(fmt.Sprintf("not over within %s", c.limits.Total))) })
	defer overall.Stop()
	watch := newStopwatch()
	resp, err := c.head(inner, cancel, req, watch)
	switch {
	case errors.Is(err, ErrURL), errors.Is(err, ErrFault):
		return contract.Observation{}, fmt.Errorf("call on %s: %w", call.Surface, err)
	case err == nil:
		out.head(resp)
		out.body(intake{limits: c.limits, watch: watch, cancel: cancel}.read(inner, resp))
	case ctx.Err() == nil:
		out.failure(failure(inner, err, watch))
	}
	out.Timing.FirstByte = watch.firstByte()
	out.Timing.End = watch.now()
	if whole := err == nil && out.Cut == "" && out.TransferError == ""; !whole && ctx.Err() != nil {
		return out.Observation, fmt.Errorf("call on %s given up: %w", call.Surface, ctx.Err())
	}
	return out.Observation, nil
}

// head sends the request and returns the answer once its head has come, which has to be within the patience.
func (c *Client) head(
	ctx context.Context, cancel context.CancelCauseFunc, req *request, watch *stopwatch,
) (*http.Response, error) {
	patience := time.AfterFunc(c.limits.Patience, func() {
		cancel(stop(fmt.Sprintf("no head within %s", c.limits.Patience)))
	})
	resp, err := c.send(ctx, req, watch)
	if inTime := patience.Stop(); err == nil && !inTime {
		_ = resp.Body.Close() // the answer came too late to be one
		return nil, context.Cause(ctx)
	}
	return resp, err
}

// send returns the answer once its head has come.
func (c *Client) send(ctx context.Context, req *request, watch *stopwatch) (*http.Response, error) {
	out, err := req.http(httptrace.WithClientTrace(ctx, watch.trace()))
	if err != nil {
		return nil, err
	}
	if !req.ownWire() {
		return c.transport.RoundTrip(out)
	}
	if proxy, err := c.transport.Proxy(out); err != nil || proxy != nil {
		return nil, fmt.Errorf("%w: %s needs a direct connection, and the environment names a proxy", ErrFault, req.fault)
	}
	return c.wire.roundTrip(out, req, watch)
}
