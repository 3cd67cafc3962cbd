package reference

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// limiter keeps the calls of each key within its rate, exactly, by one of five kinds of counter. Refused calls do not
// count.
type limiter struct {
	now func() time.Time

	mu       sync.Mutex
	counters map[int64]keyCounter
}

// keyCounter is what a key has used of its limit, in the kind of counter that the key had at its last call.
type keyCounter struct {
	kind    contract.LimiterKind
	counter counter
}

// counter is one kind of limiter for one key. Its instants never run backwards by more than the clock does.
type counter interface {
	// admit counts one call, if the limit permits it.
	admit(rate RateLimit, now time.Time) Allowance
	// release ends a call that was admitted.
	release()
}

// Allowance is what a limited key is still permitted to do.
type Allowance struct {
	// OK means that the call is admitted.
	OK bool
	// Remaining is how many more calls would be admitted now.
	Remaining int
	// Reset is the time until the limit has recovered completely. It is 0 if the limit is unused, or if the passing of time alone does not free it.
	Reset time.Duration
	// Wait is the time until the next call is admitted. It is 0 if a call is admitted now, or if the passing of time alone does not free the limit.
	Wait time.Duration
}

func newLimiter(now func() time.Time) *limiter {
	return &limiter{now: now, counters: make(map[int64]keyCounter)}
}

// LimitFunc counts one call of a key against its limit, if the limit permits the call. release ends an admitted call; it is nil for a refused call.
type LimitFunc func(key int64, rate RateLimit) (a Allowance, release func())

// admit is the gateway's own [LimitFunc].
func (l *limiter) admit(key int64, rate RateLimit) (a Allowance, release func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, known := l.counters[key]
	if !known || c.kind != rate.Kind {
		c = keyCounter{rate.Kind, newCounter(rate.Kind)}
		l.counters[key] = c
	}
	a = c.counter.admit(rate, l.now())
	if !a.OK {
		return a, nil
	}
	return a, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		c.counter.release()
	}
}

func newCounter(kind contract.LimiterKind) counter {
	switch kind {
	case contract.FixedWindow:
		return new(fixedWindow)
	case contract.SlidingCounter:
		return new(slidingCounter)
	case contract.TokenBucket:
		return new(tokenBucket)
	case contract.Concurrency:
		return new(concurrency)
	default:
		return new(slidingLog)
	}
}

// limit is the handler that keeps limited keys within their rate.
func (g *Gateway) limit(_ context.Context, c *Call) error {
	rate := c.caller.rate
	if rate.Requests < 1 {
		return nil
	}
	if err := g.limitTokens(c); err != nil {
		return err
	}
	if err := g.takeSlot(c); err != nil {
		return err
	}
	a, release := apply(c, c.hooks.Limit, g.limiter.admit)(c.caller.keyID, rate)
	c.Reply.onEnd(release)
	header := c.Reply.Header()
	header.Set("X-Ratelimit-Limit-Requests", strconv.Itoa(rate.Capacity()))
	header.Set("X-Ratelimit-Remaining-Requests", strconv.Itoa(a.Remaining))
	if rate.Kind != contract.Concurrency {
		header.Set("X-Ratelimit-Reset-Requests", a.Reset.Round(time.Millisecond).String())
	}
	if a.OK {
		return nil
	}
	return Refuse(RateLimited, nil).WithHeader("Retry-After", wholeSeconds(a.Wait))
}

// wholeSeconds rounds up, so that a client that waits so long (RFC 9110 10.2.3) is not refused again.
func wholeSeconds(d time.Duration) string {
	seconds := (d + time.Second - 1) / time.Second
	return strconv.Itoa(max(int(seconds), 1))
}
