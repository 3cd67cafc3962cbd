package reference

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// limiter keeps the calls of each key within its rate, exactly, by one of five kinds of count. Calls that it refuses do
// not count.
type limiter struct {
	now func() time.Time

	mu     sync.Mutex
	counts map[int64]counted
}

// counted is what a key has used of its limit, in the kind of count that the key had at its last call.
type counted struct {
	kind  contract.LimiterKind
	count count
}

// count is one kind of limiter for one key. Its instants never run backwards by more than the clock does.
type count interface {
	// admit counts one call, if the limit permits it.
	admit(rate RateLimit, now time.Time) allowance
	// release ends a call that was admitted.
	release()
}

// allowance is what a limited key may still do.
type allowance struct {
	ok        bool
	remaining int
	// reset is the time until the whole limit is free again, 0 when it is, or when time alone does not free it.
	reset time.Duration
	// wait is the time until the next call is admitted; 0 when one is admitted now, or when time alone does not tell.
	wait time.Duration
}

func newLimiter(now func() time.Time) *limiter {
	return &limiter{now: now, counts: make(map[int64]counted)}
}

// admission is how a call is counted: [limiter.admit], or what a deviation makes of it.
type admission func(key int64, rate RateLimit) (a allowance, release func())

// admit counts one call of a key, if its limit permits it. An admitted call must be ended with release.
func (l *limiter) admit(key int64, rate RateLimit) (a allowance, release func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, known := l.counts[key]
	if !known || c.kind != rate.Kind {
		c = counted{rate.Kind, newCount(rate.Kind)}
		l.counts[key] = c
	}
	a = c.count.admit(rate, l.now())
	if !a.ok {
		return a, nil
	}
	return a, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		c.count.release()
	}
}

func newCount(kind contract.LimiterKind) count {
	switch kind {
	case contract.FixedWindow:
		return new(fixedWindow)
	case contract.SlidingCounter:
		return new(slidingCounter)
	case contract.TokenBucket:
		return new(tokenBucket)
	case contract.Concurrency:
		return new(concurrent)
	default:
		return new(slidingLog)
	}
}

// limit is the stage that keeps limited keys within their rate.
func (g *Gateway) limit(_ context.Context, c *call) error {
	rate := c.account.rate
	if rate.Requests < 1 {
		return nil
	}
	a, release := g.bends.counted(c, g.limiter.admit)(c.account.keyID, rate)
	c.reply.leave = release
	header := c.reply.Header()
	header.Set("X-Ratelimit-Limit-Requests", strconv.Itoa(rate.most()))
	header.Set("X-Ratelimit-Remaining-Requests", strconv.Itoa(a.remaining))
	if rate.Kind != contract.Concurrency {
		header.Set("X-Ratelimit-Reset-Requests", a.reset.Round(time.Millisecond).String())
	}
	if a.ok {
		return nil
	}
	return refuse(rateLimited, nil).saying("Retry-After", wholeSeconds(a.wait))
}

// wholeSeconds rounds up, so that who waits so long (RFC 9110 10.2.3) is not sent away again.
func wholeSeconds(d time.Duration) string {
	seconds := (d + time.Second - 1) / time.Second
	return strconv.Itoa(max(int(seconds), 1))
}
