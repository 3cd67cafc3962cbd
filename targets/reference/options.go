package reference

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/targets/profile"
)

// Options configure a gateway. The zero value of every field but Upstream is usable.
type Options struct {
	// StorePath is the SQLite file to create. "" means a temporary file that Close removes.
	StorePath string
	// Upstream is the upstream's base URL, such as http://127.0.0.1:9901. Required.
	Upstream string
	// DeadUpstream is a URL at which nothing listens. Default http://127.0.0.1:1.
	DeadUpstream string
	// Timeout is the maximum time to wait for the upstream's whole response, or for the first byte of its stream. Default 1.5s.
	Timeout time.Duration
	// IdleTimeout is the maximum time between two reads of an upstream's stream. Default Timeout.
	IdleTimeout time.Duration
	// BodyLimit is the largest request body in bytes, after decompression. Default 1 MiB.
	BodyLimit int64
	// Rate is the limit of the key Fixtures.Keys.Limited. Default 20 requests in a sliding window of 10s. Setting only the number or only the window
	// is an error.
	Rate RateLimit
	// Tokens is the same key's limit on prompt and response tokens together. InputTokens and OutputTokens are its limits on prompt tokens and on
	// response tokens. Default: none.
	Tokens, InputTokens, OutputTokens TokenLimit
	// Concurrent is how many calls of the same key may be in flight at once. Default: any number.
	Concurrent int
	// Retries is how often a failed upstream call is retried, on the next route if there is one. Default 0.
	Retries int
	// TLS serves over HTTPS, where clients can use HTTP/2, with a self-signed certificate.
	TLS bool
	// Hooks change the gateway's decisions. Default: none.
	Hooks Hooks
	// Logger receives one record for each failed call, with its cause. Default: nowhere.
	Logger *slog.Logger
}

// RateLimit is a number of requests in a window, counted by one of five kinds of limiter.
type RateLimit struct {
	// Kind is how calls are counted. Default contract.SlidingLog.
	Kind contract.LimiterKind
	// Requests is the number of calls in a window or, if Kind is contract.Concurrency, the number of calls in flight. At most [MaxRequests].
	Requests int
	// Window is at most 59s, the longest wait that all client libraries interpret in the same way. A contract.TokenBucket gains Requests tokens per
	// Window. contract.Concurrency ignores Window.
	Window time.Duration
	// Burst is the capacity of a contract.TokenBucket. Default Requests. It is 0 for the other kinds.
	Burst int
}

// MaxRequests is the maximum of RateLimit.Requests and RateLimit.Burst.
const MaxRequests = 1_000_000

const maxWindow = 59 * time.Second

// Capacity returns how many calls an unused limit admits at once.
func (r RateLimit) Capacity() int {
	if r.Kind == contract.TokenBucket && r.Burst > 0 {
		return r.Burst
	}
	return r.Requests
}

func (r RateLimit) check() error {
	switch {
	case !r.Kind.Valid():
		return fmt.Errorf("%w: %q is not a kind of limiter", ErrOptions, r.Kind)
	case r.Requests < 1 || r.Requests > MaxRequests || r.Window < time.Millisecond || r.Window > maxWindow:
		return fmt.Errorf("%w: a rate limit needs 1 to %d requests and a window of 1ms to %s", ErrOptions, MaxRequests, maxWindow)
	case r.Burst != 0 && r.Kind != contract.TokenBucket:
		return fmt.Errorf("%w: a burst is allowed only for a %s limiter", ErrOptions, contract.TokenBucket)
	case r.Burst < 0 || r.Burst > MaxRequests:
		return fmt.Errorf("%w: a burst must be from 1 to %d requests", ErrOptions, MaxRequests)
	}
	return nil
}

// ErrOptions is returned when an option is invalid or the upstream's URL is missing.
var ErrOptions = errors.New("invalid gateway options")

func (o Options) withDefaults() (Options, error) {
	o.DeadUpstream = cmp.Or(o.DeadUpstream, "http://127.0.0.1:1")
	o.Timeout = cmp.Or(o.Timeout, 1500*time.Millisecond)
	o.IdleTimeout = cmp.Or(o.IdleTimeout, o.Timeout)
	o.BodyLimit = cmp.Or(o.BodyLimit, 1<<20)
	o.Rate.Kind = cmp.Or(o.Rate.Kind, contract.SlidingLog)
	if o.Rate.Requests == 0 && o.Rate.Window == 0 {
		o.Rate.Requests, o.Rate.Window = 20, 10*time.Second
	}
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))

	for _, address := range []string{o.Upstream, o.DeadUpstream} {
		if !profile.AbsoluteURL(address) {
			return o, fmt.Errorf("%w: the upstream address %q is not an http or https URL", ErrOptions, address)
		}
	}
	switch {
	case o.Timeout < 0 || o.IdleTimeout < 0:
		return o, fmt.Errorf("%w: the timeout or the idle timeout is negative", ErrOptions)
	case o.BodyLimit < 0:
		return o, fmt.Errorf("%w: the body limit is negative", ErrOptions)
	case o.Concurrent < 0 || o.Concurrent > MaxRequests:
		return o, fmt.Errorf("%w: %d concurrent calls is not valid: the number must be from 0 to %d", ErrOptions, o.Concurrent, MaxRequests)
	case o.Retries < 0:
		return o, fmt.Errorf("%w: the number of retries is negative", ErrOptions)
	}
	return o, errors.Join(o.Rate.check(), o.Tokens.check(), o.InputTokens.check(), o.OutputTokens.check())
}
