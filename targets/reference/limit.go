package reference

import (
	"context"
	"strconv"
	"sync"
	"time"
)

// limiter counts the calls of each key in a sliding window, exactly: it remembers when each admitted call came. Calls
// that it refuses do not count.
type limiter struct {
	now func() time.Time

	mu sync.Mutex
	// admitted holds at most as many instants for a key as its limit has requests, oldest first.
	admitted map[int64][]time.Time
}

// allowance is what a limited key may still do.
type allowance struct {
	ok        bool
	remaining int
	// reset is the time until the whole limit is free again.
	reset time.Duration
	// wait is the time until the next call is admitted; 0 when one is admitted now.
	wait time.Duration
}

func newLimiter(now func() time.Time) *limiter {
	return &limiter{now: now, admitted: make(map[int64][]time.Time)}
}

// admit counts one call of a key, if its limit permits it.
func (l *limiter) admit(key int64, rate RateLimit) allowance {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	calls := l.admitted[key]
	for len(calls) > 0 && now.Sub(calls[0]) >= rate.Window {
		calls = calls[1:]
	}
	a := allowance{ok: len(calls) < rate.Requests}
	if a.ok {
		calls = append(calls, now)
	}
	l.admitted[key] = calls
	a.remaining = max(rate.Requests-len(calls), 0)
	if len(calls) == 0 {
		return a
	}
	a.reset = calls[len(calls)-1].Add(rate.Window).Sub(now)
	if a.remaining == 0 {
		// The call that makes room is not the oldest when the limit was lowered meanwhile.
		a.wait = calls[max(len(calls)-rate.Requests, 0)].Add(rate.Window).Sub(now)
	}
	return a
}

// limit is the stage that keeps limited keys within their rate.
func (g *Gateway) limit(_ context.Context, c *call) error {
	rate := c.account.rate
	if rate.Requests < 1 {
		return nil
	}
	a := g.limiter.admit(c.account.keyID, rate)
	header := c.reply.Header()
	header.Set("X-Ratelimit-Limit-Requests", strconv.Itoa(rate.Requests))
	header.Set("X-Ratelimit-Remaining-Requests", strconv.Itoa(a.remaining))
	header.Set("X-Ratelimit-Reset-Requests", a.reset.Round(time.Millisecond).String())
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
