package exchange

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/gatecert/gatecert/contract"
)

// failure says in what way no answer came. The error is the transport's; a limit that ended the call goes before it.
func failure(ctx context.Context, err error, watch *stopwatch) contract.Failure {
	var limit stop
	switch timedOut := errors.As(context.Cause(ctx), &limit); {
	case timedOut && !watch.hasConnected():
		return contract.Failure{Kind: contract.Unreachable, Detail: "no connection: " + limit.Error()}
	case timedOut:
		return contract.Failure{Kind: contract.TimedOut, Detail: limit.Error()}
	case !watch.hasConnected():
		return contract.Failure{Kind: contract.Unreachable, Detail: err.Error()}
	case isReset(err):
		return contract.Failure{Kind: contract.Reset, Detail: breakage(err)}
	case isEnd(err) && !watch.hasAnswer():
		return contract.Failure{Kind: contract.Closed, Detail: "the connection ended before a byte of an answer came"}
	case isEnd(err):
		return contract.Failure{Kind: contract.Protocol, Detail: "the connection ended inside the answer's head"}
	default:
		return contract.Failure{Kind: contract.Protocol, Detail: breakage(err)}
	}
}

// breakage describes how a transfer broke off, without addresses and ports that differ from call to call.
func breakage(err error) string {
	var stream streamError
	switch {
	case errors.As(err, &stream):
		return fmt.Sprintf("HTTP/2 stream reset with error code %d", stream.Code)
	case isReset(err):
		return "connection reset by peer"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "unexpected EOF"
	default:
		return strings.TrimPrefix(err.Error(), "net/http: HTTP/1.x transport connection broken: ")
	}
}

// closedIdle is what net/http says, in a value it does not export, when the connection ends before it began to wait
// for an answer.
const closedIdle = "http: server closed idle connection"

func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || strings.HasSuffix(err.Error(), closedIdle)
}

func isReset(err error) bool {
	var stream streamError
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.As(err, &stream)
}

// streamError is what net/http's bundled HTTP/2 lets its own StreamError be read as: a type of the same fields.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (e streamError) Error() string {
	return fmt.Sprintf("stream %d: error code %d", e.StreamID, e.Code)
}
