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

// NewClient returns a client that keeps to the limits and replaces the secrets in everything that it returns. A call's
// own key always counts as a secret. Close the client after the last call.
func NewClient(limits Limits, secrets ...redact.Secret) *Client {
	return NewTrustingClient(limits, nil, secrets...)
}

// NewTrustingClient is [NewClient] with the certificate authorities to trust; nil means those of the system.
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
			ForceAttemptHTTP2:      true, // DialContext and TLSClientConfig turn it off
			DisableCompression:     true, // do not ask for it; an answer that is compressed all the same is decoded here
			MaxResponseHeaderBytes: maxHead,
			// No HTTP/1.1 connection is used twice: a call must not depend on the call before it, and a server that closes an idle
			// connection just when a call is sent would seem to drop its clients. Unlike DisableKeepAlives this does not
			// change the request. HTTP/2 connections are shared: they report which calls were not begun.
			MaxIdleConnsPerHost: -1,
		},
	}
}

// Close closes idle connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Do makes the call and returns the observation, redacted and bounded. Redirects are not followed.
//
// It returns [ErrSurface], [ErrURL], [ErrMethod], [ErrHeader], [ErrEdit] or [ErrFault] when the call cannot be built, and
// the context's error when ctx ends; the observation then has what was received until then. Whatever the gateway does
// wrong is in the observation, and is not an error.
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
		out.body(bodyReader{limits: c.limits, watch: watch, cancel: cancel}.read(inner, resp))
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

// head sends the request and returns the answer when its head was received, which must be within Limits.Patience.
func (c *Client) head(
	ctx context.Context, cancel context.CancelCauseFunc, req *request, watch *stopwatch,
) (*http.Response, error) {
	patience := time.AfterFunc(c.limits.Patience, func() {
		cancel(stop(fmt.Sprintf("no head within %s", c.limits.Patience)))
	})
	resp, err := c.send(ctx, req, watch)
	if inTime := patience.Stop(); err == nil && !inTime {
		_ = resp.Body.Close() // the answer came too late
		return nil, context.Cause(ctx)
	}
	return resp, err
}

// send sends the request and returns the answer when its head was received.
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
