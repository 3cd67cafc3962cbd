package runner

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/gatecert/gatecert/internal/wait"
)

// How [Restarts] watches a gateway.
const (
	// knockEvery is the interval between two attempts to reach a gateway that is gone.
	knockEvery = 100 * time.Millisecond
	// knockTimeout is how long one attempt may take.
	knockTimeout = 2 * time.Second
	// A gateway that closes an idle connection is asked anew so often, for so long, before that counts as a mere timeout of its own.
	closedEvery = 10 * time.Millisecond
	closedFor   = time.Second
)

// Address returns the host and port of a base URL.
func Address(baseURL string) (string, error) {
	u, err := url.Parse(baseURL)
	if err != nil || u.Hostname() == "" {
		return "", fmt.Errorf("%w: %q has no host", ErrUsage, shownURL(baseURL))
	}
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port), nil
}

// Accepts reports whether a server accepts connections at an address.
func Accepts(ctx context.Context, address string) bool {
	connection, err := (&net.Dialer{Timeout: knockTimeout}).DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	_ = connection.Close()
	return true
}

// AwaitRestart returns when the server at an address has stopped accepting connections for a moment and accepts them again. It sends nothing: it
// keeps one connection open, which is closed when the process at the other end exits. AwaitRestart cannot detect a restart behind a proxy that
// continues to accept connections. If ctx is cancelled, it returns the cause.
func AwaitRestart(ctx context.Context, address string) error {
	for {
		gone, err := awaitEnd(ctx, address)
		if err != nil {
			return err
		}
		if gone {
			return awaitStart(ctx, address)
		}
	}
}

// awaitEnd holds a connection until it ends, and reports whether nobody accepts another one soon after that.
func awaitEnd(ctx context.Context, address string) (gone bool, err error) {
	connection, err := (&net.Dialer{Timeout: knockTimeout}).DialContext(ctx, "tcp", address)
	if err != nil {
		return true, context.Cause(ctx)
	}
	stop := context.AfterFunc(ctx, func() { _ = connection.Close() })
	defer stop()
	defer connection.Close()             //nolint:errcheck // nothing was written
	for buffer := make([]byte, 512); ; { // a gateway may say why it closes an idle connection
		if _, err := connection.Read(buffer); err != nil {
			break
		}
	}
	for ended := time.Now(); time.Since(ended) < closedFor; {
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		if !Accepts(ctx, address) {
			return true, context.Cause(ctx)
		}
		if err := wait.For(ctx, closedEvery); err != nil {
			return false, err
		}
	}
	return false, nil
}

func awaitStart(ctx context.Context, address string) error {
	for !Accepts(ctx, address) {
		if err := wait.For(ctx, knockEvery); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}
