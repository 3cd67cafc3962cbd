package reference

import (
	"context"
	"net/http"
	"slices"
	"time"
)

// bends are the decisions of a gateway that its deviations and variations take over, in the order in which a call meets
// them. Each sits where the gateway decides, so that what is bent goes wrong for the reason for which it goes wrong in
// gateways. A gateway that is as it should be has none: every list is empty, and each decision costs it one look.
type bends struct {
	// options changes how the gateway is set up, and with it what its profile declares.
	options []func(*Options)
	// front puts something between the gateway and its callers, such as a proxy.
	front []func(http.Handler) http.Handler
	// secure serves over TLS, where callers can speak HTTP/2.
	secure bool
	// stages rearranges the stages of a call to a model.
	stages []func(*Gateway, []stage) []stage
	// limit changes how a call is counted against the limit of its key.
	limit []func(c *call, admit admission) admission
	// attempts changes how often a call may be tried at the provider.
	attempts []func(c *call, allowed int) int
	// patience changes how long a provider may take.
	patience []func(c *call, allowed time.Duration) time.Duration
	// provider changes the way to the provider.
	provider []func(*Gateway, http.RoundTripper) http.RoundTripper
	// failed changes what a failure is taken for.
	failed []func(*call, *failure)
	// keeps says whether the money of a call that failed is kept.
	keeps []func(*Gateway, *call) bool
	// broken changes the events by which a stream that has begun tells of a failure.
	broken []func(c *call, events []byte) []byte
	// whole changes an answer before it is sent.
	whole []func(*call, *wholeAnswer)
	// events changes the events of a stream before they are sent.
	events []func(c *call, events []byte) []byte
}

// wholeAnswer is a whole answer before it is sent.
type wholeAnswer struct {
	status int
	header http.Header
	body   []byte
	// write, if any, sends the answer in a way of its own. The answer's header is not sent yet.
	write func(context.Context, *reply, *wholeAnswer) error
}

func (b *bends) setUp(o Options) Options {
	for _, bend := range b.options {
		bend(&o)
	}
	return o
}

func (b *bends) wrap(h http.Handler) http.Handler {
	for _, front := range b.front {
		h = front(h)
	}
	return h
}

func (b *bends) arrange(g *Gateway, stages []stage) []stage {
	for _, arrange := range b.stages {
		stages = arrange(g, slices.Clone(stages))
	}
	return stages
}

func (b *bends) counted(c *call, admit admission) admission {
	for _, bend := range b.limit {
		admit = bend(c, admit)
	}
	return admit
}

func (b *bends) allowed(c *call, attempts int) int {
	for _, bend := range b.attempts {
		attempts = bend(c, attempts)
	}
	return attempts
}

func (b *bends) patient(c *call, allowed time.Duration) time.Duration {
	for _, bend := range b.patience {
		allowed = bend(c, allowed)
	}
	return allowed
}

func (b *bends) reach(g *Gateway, way http.RoundTripper) http.RoundTripper {
	for _, bend := range b.provider {
		way = bend(g, way)
	}
	return way
}

func (b *bends) take(c *call, f *failure) {
	for _, bend := range b.failed {
		bend(c, f)
	}
}

func (b *bends) keep(g *Gateway, c *call) bool {
	return slices.ContainsFunc(b.keeps, func(keeps func(*Gateway, *call) bool) bool { return keeps(g, c) })
}

func (b *bends) breakOff(c *call, events []byte) []byte {
	for _, bend := range b.broken {
		events = bend(c, events)
	}
	return events
}

func (b *bends) answer(c *call, a *wholeAnswer) {
	for _, bend := range b.whole {
		bend(c, a)
	}
}

func (b *bends) say(c *call, events []byte) []byte {
	for _, bend := range b.events {
		events = bend(c, events)
	}
	return events
}
