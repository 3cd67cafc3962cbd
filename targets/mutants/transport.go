package mutants

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/gatecert/gatecert/targets/reference"
)

// callKey is the key of a call in the context of its upstream request.
type callKey struct{}

// leakCalls does not cancel upstream calls in an outage.
func leakCalls(s *outages) change {
	return all(
		wrap(reference.Dial, func(ctx context.Context, c *reference.Call, dial reference.Handler) error {
			return dial(context.WithValue(ctx, callKey{}, c), c)
		}),
		func(o *reference.Options) {
			o.Hooks.Transport = append(o.Hooks.Transport, func(closed context.Context, next http.RoundTripper) http.RoundTripper {
				return &fork{RoundTripper: next, other: neverCancel(closed, next), which: s.active}
			})
		},
	)
}

// fork takes another transport for some of the calls.
type fork struct {
	http.RoundTripper

	other http.RoundTripper
	which func(*reference.Call) bool
}

// RoundTrip implements [http.RoundTripper].
func (f *fork) RoundTrip(r *http.Request) (*http.Response, error) {
	if c, ok := r.Context().Value(callKey{}).(*reference.Call); ok && f.which(c) {
		return f.other.RoundTrip(r)
	}
	return f.RoundTripper.RoundTrip(r)
}

// CloseIdleConnections is for [http.Client.CloseIdleConnections].
func (f *fork) CloseIdleConnections() { closeIdle(f.RoundTripper) }

// uncancelled is a transport that does not cancel calls which time out: they stay open until the gateway is closed. A
// client that disconnects still cancels its call.
type uncancelled struct {
	next   http.RoundTripper
	closed context.Context //nolint:containedctx // the gateway's lifetime
}

func neverCancel(closed context.Context, next http.RoundTripper) http.RoundTripper {
	return &uncancelled{next, closed}
}

// RoundTrip implements [http.RoundTripper].
func (u *uncancelled) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	context.AfterFunc(u.closed, cancel)
	context.AfterFunc(r.Context(), func() {
		if !timedOut(r.Context()) {
			cancel()
		}
	})
	response, err := await(r.Context(), func() (*http.Response, error) {
		return u.next.RoundTrip(r.WithContext(ctx)) // uncancelledBody closes the body
	})
	if err != nil {
		return nil, err
	}
	response.Body = &uncancelledBody{ctx: r.Context(), source: response.Body}
	return response, nil
}

// CloseIdleConnections is for [http.Client.CloseIdleConnections].
func (u *uncancelled) CloseIdleConnections() { closeIdle(u.next) }

func closeIdle(transport http.RoundTripper) {
	if closer, ok := transport.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// uncancelledBody is the body of such a call. A read ends with the context; the body then stays open after a timeout.
type uncancelledBody struct {
	ctx    context.Context //nolint:containedctx // its end is that of every read
	source io.ReadCloser
}

func (b *uncancelledBody) Read(into []byte) (int, error) {
	// A late read must not write into the caller's buffer.
	buffer := make([]byte, len(into))
	type read struct {
		n   int
		err error
	}
	got, err := await(b.ctx, func() (read, error) {
		n, err := b.source.Read(buffer)
		return read{n, err}, nil
	})
	if err != nil {
		return 0, err
	}
	return copy(into, buffer[:got.n]), got.err
}

func (b *uncancelledBody) Close() error {
	if timedOut(b.ctx) {
		return nil
	}
	return b.source.Close()
}

func timedOut(ctx context.Context) bool { return errors.Is(context.Cause(ctx), reference.ErrTooSlow) }

// await runs do, and returns its result or the cause of the context's end, whichever comes first.
func await[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()
	select {
	case got := <-done:
		return got.value, got.err
	case <-ctx.Done():
		var zero T
		return zero, context.Cause(ctx)
	}
}
