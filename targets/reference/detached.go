package reference

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// detached is a way to providers on which nobody hangs up who loses patience: the provider's call goes on until the
// gateway is closed. Callers that leave are passed on all the same.
type detached struct {
	next    http.RoundTripper
	gateway *Gateway
}

func detach(g *Gateway, next http.RoundTripper) http.RoundTripper { return &detached{next, g} }

// RoundTrip implements [http.RoundTripper].
func (d *detached) RoundTrip(r *http.Request) (*http.Response, error) {
	type result struct {
		response *http.Response
		err      error
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	context.AfterFunc(d.gateway.running, cancel)
	context.AfterFunc(r.Context(), func() {
		if !errors.Is(context.Cause(r.Context()), errTooSlow) {
			cancel()
		}
	})
	came := make(chan result, 1)
	go func() {
		response, err := d.next.RoundTrip(r.WithContext(ctx)) //nolint:bodyclose // whoever takes it closes it
		came <- result{response, err}
	}()
	select {
	case got := <-came:
		if got.err != nil {
			return nil, got.err
		}
		got.response.Body = &leftOpen{ctx: r.Context(), source: got.response.Body}
		return got.response, nil
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	}
}

// CloseIdleConnections is what [http.Client.CloseIdleConnections] asks for.
func (d *detached) CloseIdleConnections() {
	if way, ok := d.next.(interface{ CloseIdleConnections() }); ok {
		way.CloseIdleConnections()
	}
}

// leftOpen is the body of such a call. Reading ends with the reader's patience, and the body stays open then.
type leftOpen struct {
	ctx    context.Context //nolint:containedctx // its end is that of every read
	source io.ReadCloser
}

func (b *leftOpen) Read(into []byte) (int, error) {
	type result struct {
		bytes []byte
		err   error
	}
	came := make(chan result, 1)
	size := len(into)
	go func() {
		buffer := make([]byte, size)
		n, err := b.source.Read(buffer)
		came <- result{buffer[:n], err}
	}()
	select {
	case got := <-came:
		return copy(into, got.bytes), got.err
	case <-b.ctx.Done():
		return 0, context.Cause(b.ctx)
	}
}

func (b *leftOpen) Close() error {
	if errors.Is(context.Cause(b.ctx), errTooSlow) {
		return nil
	}
	return b.source.Close()
}
