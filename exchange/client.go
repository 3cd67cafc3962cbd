package exchange

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange/redact"
)

// Client makes calls. It is safe for concurrent use.
type Client struct {
	limits    Limits
	redactor  *redact.Redactor
	transport *http.Transport
	raw       rawTransport
	calls     atomic.Int64
}

// Calls returns the number of calls that have begun.
func (c *Client) Calls() int64 { return c.calls.Load() }

// NewClient returns a client that observes the limits. It redacts the secrets, and the key of each call, in everything that it returns. roots are the
// trusted certificate authorities; nil means those of the system. The caller must close the client.
func NewClient(limits Limits, roots *x509.CertPool, secrets ...redact.Secret) *Client {
	return NewClientFrom(netip.Addr{}, limits, roots, secrets...)
}

// NewClientFrom is like [NewClient], but makes connections from the given address of this machine. The zero address leaves the choice to the system.
func NewClientFrom(source netip.Addr, limits Limits, roots *x509.CertPool, secrets ...redact.Secret) *Client {
	dialer := new(net.Dialer)
	if source.IsValid() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(source, 0))
	}
	return newClient(dialer, limits, &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, secrets...)
}

func newClient(dialer *net.Dialer, limits Limits, trust *tls.Config, secrets ...redact.Secret) *Client {
	limits = limits.withDefaults()
	dialer.Timeout = limits.Patience
	return &Client{
		limits:   limits,
		redactor: redact.New(secrets...),
		raw:      rawTransport{dialer: dialer, tls: trust},
		transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            dialer.DialContext,
			TLSClientConfig:        trust.Clone(),
			ForceAttemptHTTP2:      true, // a custom dialer or TLS configuration turns it off
			DisableCompression:     true, // ask for none; a compressed body that comes unasked is decoded here
			MaxResponseHeaderBytes: maxHead,
			// No HTTP/1.1 connection is used twice: the outcome of a call must not depend on the call before it, and a server
			// that closes an idle connection while a call is sent would look like one that drops its clients. Unlike
			// DisableKeepAlives this does not change the request. HTTP/2 connections are shared: HTTP/2 tells the client which
			// requests were not processed.
			MaxIdleConnsPerHost: -1,
		},
	}
}

// Close closes idle connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Do makes the call and returns the observation, redacted and limited in size. It does not follow redirects.
//
// If the call cannot be built, Do returns [ErrSurface], [ErrURL], [ErrMethod], [ErrHeader], [ErrEdit] or [ErrFault]. If ctx ends the call, Do returns
// the context's error, and the observation contains what had been received by then. Faults of the gateway are recorded in the observation and are
// never returned as an error.
func (c *Client) Do(ctx context.Context, call Call) (contract.Observation, error) {
	req, err := build(call)
	if err != nil {
		return contract.Observation{}, fmt.Errorf("call on %s: %w", call.Surface, err)
	}
	c.calls.Add(1)
	transport := c.transport
	if call.First != nil {
		if transport, err = c.keptConnection(ctx, *call.First); err != nil {
			return contract.Observation{}, err
		}
		defer transport.CloseIdleConnections()
	}
	out := &recorder{redactor: withKey(c.redactor, call.Key), maxBody: c.limits.Capture}
	out.Sent = req.sent(out.redactor, c.limits.Capture)

	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	overall := time.AfterFunc(c.limits.Total, func() { cancel(limitError(fmt.Sprintf("the response was not complete within %s", c.limits.Total))) })
	defer overall.Stop()
	timer := startTimer()
	out.Sent.At = timer.started.Round(0).UTC() // as it is read
	resp, err := c.head(inner, cancel, transport, req, timer)
	switch {
	case errors.Is(err, ErrURL), errors.Is(err, ErrFault):
		return contract.Observation{}, fmt.Errorf("call on %s: %w", call.Surface, err)
	case err == nil:
		out.recordHead(resp)
		out.recordBody(bodyReader{limits: c.limits.on(call.Surface), timer: timer, cancel: cancel}.read(inner, resp))
	case ctx.Err() == nil:
		out.recordFailure(classifyFailure(inner, err, timer))
	}
	if out.Sent.Kept = call.First != nil && timer.reused(); out.Sent.Kept {
		out.Sent.Curl = keptComment + out.Sent.Curl
	}
	out.Timing.FirstByte = timer.firstByte()
	out.Timing.End = timer.now()
	if whole := err == nil && out.Cut == "" && out.TransferError == ""; !whole && ctx.Err() != nil {
		return out.Observation, fmt.Errorf("call on %s: %w", call.Surface, ctx.Err())
	}
	return out.Observation, nil
}

// withKey adds the key of a call to the secrets. A key such as "test" would be found in ordinary text: it is replaced where it
// was sent, and not searched for.
func withKey(redactor *redact.Redactor, key string) *redact.Redactor {
	secret := redact.Secret{What: redact.CallerKey, Value: key}
	if secret.Weak() {
		return redactor
	}
	return redactor.With(secret)
}

// keptConnection makes a call and returns a transport that has its connection, if the gateway has left it open. Whatever
// became of the call, the next one can be made.
func (c *Client) keptConnection(ctx context.Context, first Call) (*http.Transport, error) {
	req, err := build(first)
	if err != nil {
		return nil, fmt.Errorf("first call on %s: %w", first.Surface, err)
	}
	transport := c.transport.Clone()
	transport.MaxIdleConnsPerHost = 1
	inner, cancel := context.WithTimeout(ctx, c.limits.Total)
	defer cancel()
	out, err := req.http(inner)
	if err != nil {
		return nil, fmt.Errorf("first call on %s: %w", first.Surface, err)
	}
	if resp, err := transport.RoundTrip(out); err == nil {
		_, _ = io.CopyN(io.Discard, resp.Body, c.limits.on(first.Surface).Body) // a connection is kept when its answer was read
		_ = resp.Body.Close()
	}
	return transport, ctx.Err()
}

// head sends the request and returns the answer once its head has arrived, within the patience.
func (c *Client) head(
	ctx context.Context, cancel context.CancelCauseFunc, transport *http.Transport, req *request, timer *callTimer,
) (*http.Response, error) {
	patience := time.AfterFunc(c.limits.Patience, func() {
		cancel(limitError(fmt.Sprintf("no response header within %s", c.limits.Patience)))
	})
	resp, err := c.send(ctx, transport, req, timer)
	if inTime := patience.Stop(); err == nil && !inTime {
		_ = resp.Body.Close() // it came too late
		return nil, context.Cause(ctx)
	}
	return resp, err
}

func (c *Client) send(ctx context.Context, transport *http.Transport, req *request, timer *callTimer) (*http.Response, error) {
	out, err := req.http(httptrace.WithClientTrace(ctx, timer.trace()))
	if err != nil {
		return nil, err
	}
	if !req.needsRawTransport() {
		return transport.RoundTrip(out)
	}
	if proxy, err := c.transport.Proxy(out); err != nil || proxy != nil {
		return nil, fmt.Errorf("%w: a request with the fault %s needs a direct connection, but the environment sets a proxy: add the gateway's host to NO_PROXY", ErrFault, req.fault)
	}
	return c.raw.roundTrip(out, req, timer)
}
