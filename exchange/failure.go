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

// classifyFailure says why there is no answer. A limit that ended the call takes precedence over the error of the transport.
func classifyFailure(ctx context.Context, err error, timer *callTimer) contract.Failure {
	var limit limitError
	switch timedOut := errors.As(context.Cause(ctx), &limit); {
	case timedOut && !timer.happened(&timer.connected):
		return contract.Failure{Kind: contract.Unreachable, Detail: "no connection: " + limit.Error()}
	case timedOut:
		return contract.Failure{Kind: contract.TimedOut, Detail: limit.Error()}
	case !timer.happened(&timer.connected):
		return contract.Failure{Kind: contract.Unreachable, Detail: err.Error()}
	case isReset(err):
		return contract.Failure{Kind: contract.Reset, Detail: describeBreak(err)}
	case isEnd(err) && !timer.happened(&timer.answered):
		return contract.Failure{Kind: contract.Closed, Detail: "the connection was closed before the first byte of a response"}
	case isEnd(err):
		return contract.Failure{Kind: contract.Protocol, Detail: "the connection was closed in the middle of the response header"}
	default:
		return contract.Failure{Kind: contract.Protocol, Detail: describeBreak(err)}
	}
}

// describeBreak describes how a transfer broke off, without addresses and ports, which differ from call to call.
func describeBreak(err error) string {
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

// closedIdle is the text of an error that net/http does not export: the connection ended before net/http began to wait for
// an answer.
const closedIdle = "http: server closed idle connection"

func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || strings.HasSuffix(err.Error(), closedIdle)
}

func isReset(err error) bool {
	var stream streamError
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.As(err, &stream)
}

// streamError is a type with the fields of the StreamError of net/http's bundled HTTP/2: errors.As converts it to such a
// type.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (e streamError) Error() string {
	return fmt.Sprintf("stream %d: error code %d", e.StreamID, e.Code)
}
