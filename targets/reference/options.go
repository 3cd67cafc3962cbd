package reference

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// Options configure a gateway. The zero value of every field but Upstream is usable.
type Options struct {
	// StorePath is the SQLite file to create. "" means a temporary file that Close removes.
	StorePath string
	// Upstream is the provider's base URL, such as http://127.0.0.1:9901. Required.
	Upstream string
	// DeadUpstream is a URL at which nobody listens. Default http://127.0.0.1:1.
	DeadUpstream string
	// Timeout bounds the wait for the provider's whole answer, or for the first byte of its stream. Default 1.5s.
	Timeout time.Duration
	// IdleTimeout bounds the silence within a provider's stream. Default Timeout.
	IdleTimeout time.Duration
	// BodyLimit is the greatest request body in bytes, after decompression. Default 1 MiB.
	BodyLimit int64
	// Rate is the limit of the key Fixtures.Keys.Limited. Default 20 requests in a sliding window of 10s; one without the
	// other is an error.
	Rate RateLimit
	// Bends are names of deviations and variations, which make the gateway other than it should be, or merely other.
	Bends []string
	// Retries is how many further routes or attempts are tried after a failed call of the provider. Default 0.
	Retries int
	// Logger receives one record for each failed call, with its cause. Default: nowhere.
	Logger *slog.Logger
}

// RateLimit is a number of requests in a window, as one of five kinds of limiter counts them.
type RateLimit struct {
	// Kind is how calls are counted. Default contract.SlidingLog.
	Kind contract.LimiterKind
	// Requests are the calls in a window, those under way at once where Kind is contract.Concurrency. At most 1,000,000.
	Requests int
	// Window is at most 59s: the longest wait that all client libraries understand alike is 59s. A contract.TokenBucket
	// gains Requests tokens in it; contract.Concurrency does not look at it.
	Window time.Duration
	// Burst is the capacity of a contract.TokenBucket. Default Requests. The other kinds have none.
	Burst int
}

const (
	longestWindow = 59 * time.Second
	mostRequests  = 1_000_000
)

// most is how many calls the limit admits at once after a rest.
func (r RateLimit) most() int {
	if r.Kind == contract.TokenBucket && r.Burst > 0 {
		return r.Burst
	}
	return r.Requests
}

func (r RateLimit) check() error {
	switch {
	case !r.Kind.Valid():
		return fmt.Errorf("%w: %q is no kind of limiter", ErrOptions, r.Kind)
	case r.Requests < 1 || r.Requests > mostRequests || r.Window < time.Millisecond || r.Window > longestWindow:
		return fmt.Errorf("%w: a rate needs 1 to %d requests and a window of 1ms to %s", ErrOptions, mostRequests, longestWindow)
	case r.Burst != 0 && r.Kind != contract.TokenBucket:
		return fmt.Errorf("%w: only a %s has a burst", ErrOptions, contract.TokenBucket)
	case r.Burst < 0 || r.Burst > mostRequests:
		return fmt.Errorf("%w: a burst is 1 to %d requests", ErrOptions, mostRequests)
	}
	return nil
}

// ErrOptions is returned when the options contradict themselves or lack the provider's address.
var ErrOptions = errors.New("invalid gateway options")

func (o Options) withDefaults() (Options, error) {
	setDefault(&o.DeadUpstream, "http://127.0.0.1:1")
	setDefault(&o.Timeout, 1500*time.Millisecond)
	setDefault(&o.IdleTimeout, o.Timeout)
	setDefault(&o.BodyLimit, 1<<20)
	setDefault(&o.Rate.Kind, contract.SlidingLog)
	if o.Rate.Requests == 0 && o.Rate.Window == 0 {
		o.Rate.Requests, o.Rate.Window = 20, 10*time.Second
	}
	setDefault(&o.Logger, slog.New(slog.DiscardHandler))

	for _, address := range []string{o.Upstream, o.DeadUpstream} {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return o, fmt.Errorf("%w: %q is no http URL of a provider", ErrOptions, address)
		}
	}
	switch {
	case o.Timeout < 0 || o.IdleTimeout < 0:
		return o, fmt.Errorf("%w: negative timeout", ErrOptions)
	case o.BodyLimit < 0:
		return o, fmt.Errorf("%w: negative body limit", ErrOptions)
	case o.Retries < 0:
		return o, fmt.Errorf("%w: negative number of retries", ErrOptions)
	}
	return o, o.Rate.check()
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
