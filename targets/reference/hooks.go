package reference

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Hooks are the extension points of a gateway: the decisions that a hook may change, in the order in which a call reaches them. Each hook is called
// where the gateway makes the decision, so that a changed decision fails for the same reason as in real gateways.
//
// The hooks of one extension point run in the order of its slice; each receives the result of the previous one. They run on the goroutine of the
// call, so hooks that share state must lock it. A gateway without hooks only ranges over a nil slice for each decision.
type Hooks struct {
	// Order changes the order of a model call's handlers when the gateway is created. A handler that is left out does not run.
	Order []func([]HandlerName) []HandlerName
	// Handler wraps the handlers of a model call when the gateway is created. It is called once for each handler.
	Handler []func(HandlerName, Handler) Handler
	// Limit changes how a call counts against the rate limit of its key.
	Limit []func(*Call, LimitFunc) LimitFunc
	// Slot changes the function that releases a call's slot among the calls in flight.
	Slot []func(c *Call, release func()) func()
	// Tokens changes how many tokens a call counts against the limit on tokens. RemainingTokens changes the remaining number of tokens that the
	// client is shown.
	Tokens          []func(*Call, TokensUsed) TokensUsed
	RemainingTokens []func(c *Call, left int) int
	// Attempts changes how often a call may be sent to the upstream.
	Attempts []func(c *Call, allowed int) int
	// Timeout changes how long the upstream may take to send the first byte and each later one.
	Timeout []func(c *Call, allowed time.Duration) time.Duration
	// Transport wraps the transport to upstreams when the gateway is created. The context ends when the gateway is closed.
	Transport []func(context.Context, http.RoundTripper) http.RoundTripper
	// Failure changes a failure before the client sees it, and before the refund.
	Failure []func(*Call, *Failure)
	// Refund changes the function that gives back a failed call's reserved quota.
	Refund []func(c *Call, refund func()) func()
	// StreamError changes the events that report a failure in a stream that has begun.
	StreamError []func(c *Call, events []byte) []byte
	// Answer changes a complete response, a success or an error, before it is sent.
	Answer []func(*Call, *Answer)
	// Events changes the events of a stream before they are sent.
	Events []func(c *Call, events []byte) []byte
}

// apply runs the hooks of one extension point on a value.
func apply[T any](c *Call, hooks []func(*Call, T) T, value T) T {
	for _, hook := range hooks {
		value = hook(c, value)
	}
	return value
}

// arrange returns the handlers of a model call in the order of the hooks, wrapped by them. It returns [ErrOptions]
// when a hook orders a handler that is not one of them.
func (h *Hooks) arrange(handlers []namedHandler) ([]namedHandler, error) {
	var order []HandlerName
	for _, handler := range handlers {
		order = append(order, handler.name)
	}
	for _, hook := range h.Order {
		order = hook(order)
	}
	var arranged []namedHandler
	for _, name := range order {
		i := slices.IndexFunc(handlers, func(handler namedHandler) bool { return handler.name == name })
		if i < 0 {
			return nil, fmt.Errorf("%w: a hook refers to the handler %q, but model calls have no such handler", ErrOptions, name)
		}
		arranged = append(arranged, handlers[i])
	}
	return h.wrap(arranged), nil
}

// wrap returns the handlers wrapped by the hooks, in their own order.
func (h *Hooks) wrap(handlers []namedHandler) []namedHandler {
	wrapped := slices.Clone(handlers)
	for i := range wrapped {
		for _, hook := range h.Handler {
			wrapped[i].run = hook(wrapped[i].name, wrapped[i].run)
		}
	}
	return wrapped
}
