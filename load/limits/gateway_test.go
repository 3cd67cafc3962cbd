package limits

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sort"
	"strconv"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// wrong is what a simulated gateway does wrong.
type wrong struct {
	overBurst     int           // so many too many are admitted while others are on their way
	retryAfter    int           // seconds added to Retry-After
	empty         int           // the n-th and every later refusal has no body
	countsRefused bool          // refused calls use up the limit
	sharedKeys    bool          // another key uses the same limit
	slowsOthers   time.Duration // another key waits while the limit is used up
	ownStreams    bool          // streaming calls have a limit of their own
	lockout       time.Duration // after the first refusal nothing is admitted for so long
	noFall        bool          // what remains never falls
	negative      bool          // what remains goes below nothing
	leftOver      bool          // one always remains
	earlyReset    bool          // the reset is at once
	limitTold     int           // added to the limit that is told
	epoch         bool          // Retry-After is a time since 1970
	bills         bool          // refused calls cost money
	reaches       bool          // refused calls reach the upstream
	crash         bool          // overload is a 500
	attempts      int           // at an upstream that refuses
	dropped       bool          // the upstream's Retry-After is lost
	dates         bool          // Retry-After is an HTTP date
	failsOthers   bool          // another key's calls are a 500 while the limit is used up
	failsStreams  bool          // streaming calls are a 500
	goneAfter     int           // so many calls the process ends
}

// gateway is a simulated limiter behind HTTP's clothes.
type gateway struct {
	*simulated

	wrong   wrong
	inside  int
	refused int
	made    int
	locked  time.Time
	balance float64
}

// caller is a prober for one key and surface.
type caller struct {
	*gateway

	surface   dialect.Surface
	limited   bool
	throttled bool
}

func newGateway(kind contract.LimiterKind, limit int, window time.Duration, random *rand.Rand, loud bool, w wrong) *gateway {
	s := &simulated{kind: kind, limit: limit, window: window, noise: quiet(random)}
	if loud {
		s.noise = busy(random)
	}
	s.phase = time.Duration(random.Int64N(int64(window)))
	return &gateway{simulated: s, wrong: w, balance: 1000}
}

func (g *gateway) probers() Probers {
	return Probers{
		Limited:   &caller{gateway: g, surface: dialect.Chat, limited: true},
		Stream:    &caller{gateway: g, surface: dialect.ChatStream, limited: true},
		Other:     &caller{gateway: g, surface: dialect.Chat},
		Throttled: &caller{gateway: g, surface: dialect.Chat, throttled: true},
		Balance:   func(context.Context) (float64, error) { return g.balance, nil },
	}
}

// retryAfter is the truth about the time to the next admission.
func (g *gateway) retryAfter(now time.Time) time.Duration {
	if g.kind == contract.Concurrency {
		return time.Second
	}
	if g.kind == contract.TokenBucket {
		return time.Duration((1 - g.tokens) * float64(g.window) / float64(g.limit))
	}
	most := int(2 * g.window / time.Millisecond)
	return time.Duration(sort.Search(most, func(ms int) bool { return g.allow(now.Add(time.Duration(ms) * time.Millisecond)) })) * time.Millisecond
}

func (c *caller) Probe(ctx context.Context) (Call, error) { return c.once(ctx, 0) }

func (c *caller) Burst(ctx context.Context, n int, hold time.Duration) ([]Call, error) {
	calls := make([]Call, n)
	done := make(chan struct{}, n)
	for i := range n {
		go func() { calls[i], _ = c.once(ctx, hold); done <- struct{}{} }()
	}
	for range n {
		<-done
	}
	return calls, ctx.Err()
}

func (c *caller) once(ctx context.Context, hold time.Duration) (Call, error) {
	call := Call{Earliest: time.Now()}
	c.mu.Lock()
	c.inside++
	c.mu.Unlock()
	c.wait()
	c.mu.Lock()
	c.inside--
	o, ok := c.decide()
	c.mu.Unlock()
	if ok {
		time.Sleep(hold)
		call.Held = hold
		c.mu.Lock()
		c.underWay--
		c.mu.Unlock()
	} else if !c.limited {
		time.Sleep(c.wrong.slowsOthers)
	}
	c.wait()
	call.Ended = time.Now()
	call.Latest = call.Ended.Add(-call.Held)
	o.Sent.Surface = c.surface
	call.Observation = o
	return call, ctx.Err()
}

// decide answers one call; ok says that it is under way.
func (c *caller) decide() (o contract.Observation, ok bool) {
	now := time.Now()
	o = contract.Observation{Status: http.StatusOK, Header: map[string][]string{"X-Request-Id": {"r"}}, Upstream: &contract.Seen{}}
	c.made++
	switch {
	case c.wrong.goneAfter > 0 && c.made > c.wrong.goneAfter:
		kind := contract.Unreachable
		if c.made == c.wrong.goneAfter+1 {
			kind = contract.Reset // the one that was under way
		}
		return contract.Observation{Failure: &contract.Failure{Kind: kind, Detail: "connection refused"}}, false
	case c.wrong.failsOthers && !c.limited && c.refused > 0, c.wrong.failsStreams && c.surface.Streaming():
		o.Status = http.StatusInternalServerError
		return o, false
	case c.throttled:
		o.Status = http.StatusTooManyRequests
		for range max(c.wrong.attempts, 1) {
			o.Upstream.Attempts = append(o.Upstream.Attempts, contract.Attempt{Status: http.StatusTooManyRequests})
		}
		if !c.wrong.dropped {
			o.Header["Retry-After"] = []string{"7"}
		}
		return o, false
	case !c.limited && !c.wrong.sharedKeys, c.surface.Streaming() && c.wrong.ownStreams:
		if c.wrong.slowsOthers > 0 && c.refused > 0 {
			return o, false
		}
		c.underWay++ // given back by the caller
		return o, true
	}
	allowed := c.allow(now)
	if !allowed && c.inside > 3 {
		allowed = c.race(now)
	}
	if now.Before(c.locked) {
		allowed = false
	}
	if allowed || c.wrong.countsRefused {
		c.passed = append(c.passed, now)
	}
	if allowed {
		c.underWay++
		c.balance--
	} else {
		c.refuse(&o, now)
	}
	c.tell(&o, now, allowed)
	return o, allowed
}

// race lets calls pass that looked at the count before others entered themselves in it.
func (c *caller) race(now time.Time) bool {
	if c.kind == contract.TokenBucket {
		if c.tokens >= 1-float64(c.wrong.overBurst) {
			c.tokens--
			return true
		}
		return false
	}
	c.limit += c.wrong.overBurst
	defer func() { c.limit -= c.wrong.overBurst }()
	return c.allow(now)
}

func (c *caller) refuse(o *contract.Observation, now time.Time) {
	c.refused++
	if c.wrong.lockout > 0 && now.After(c.locked) {
		c.locked = now.Add(c.wrong.lockout)
	}
	if c.wrong.bills {
		c.balance--
	}
	if c.wrong.reaches {
		o.Upstream.Attempts = []contract.Attempt{{Status: http.StatusOK}}
	}
	o.Status = http.StatusTooManyRequests
	if c.wrong.crash {
		o.Status = http.StatusInternalServerError
	}
	seconds := int64((c.retryAfter(now)+time.Second-1)/time.Second) + int64(c.wrong.retryAfter)
	if c.wrong.epoch {
		seconds += now.Unix()
	}
	o.Header["Retry-After"] = []string{strconv.FormatInt(max(seconds, 0), 10)}
	if c.wrong.dates {
		o.Header["Retry-After"] = []string{now.Add(time.Duration(seconds) * time.Second).UTC().Format(http.TimeFormat)}
	}
	if c.wrong.empty > 0 && c.refused >= c.wrong.empty {
		return
	}
	o.Header["Content-Type"] = []string{"application/json"}
	o.Body = contract.Bytes(`{"error":{"message":"Too many requests.","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}`)
}

// tell adds the rate limit header fields.
func (c *caller) tell(o *contract.Observation, now time.Time, allowed bool) {
	left := 0
	if allowed {
		left = c.left(now)
	}
	switch {
	case c.wrong.noFall && allowed:
		left = c.limit
	case c.wrong.negative && !allowed:
		left = -1
	case c.wrong.leftOver && !allowed:
		left = 1
	}
	reset := 2 * c.window
	if c.wrong.earlyReset {
		reset = 0
	}
	o.Header["X-Ratelimit-Limit-Requests"] = []string{strconv.Itoa(c.limit + c.wrong.limitTold)}
	o.Header["X-Ratelimit-Remaining-Requests"] = []string{strconv.Itoa(left)}
	o.Header["X-Ratelimit-Reset-Requests"] = []string{reset.String()}
	o.Header["Ratelimit-Policy"] = []string{fmt.Sprintf(`"key";q=%d;w=%d`, c.limit, int(c.window.Seconds()))}
	o.Header["Ratelimit"] = []string{fmt.Sprintf(`"key";r=%d;t=%d`, max(left, 0), int(reset.Seconds()))}
}

// left is how many calls would be admitted now.
func (c *caller) left(now time.Time) int {
	switch c.kind {
	case contract.TokenBucket:
		return max(int(c.tokens), 0)
	case contract.Concurrency:
		return max(c.limit-c.underWay, 0)
	case None:
		return c.limit
	default:
	}
	passed, n := c.passed, 0
	for c.allow(now) {
		c.passed = append(c.passed, now)
		n++
	}
	c.passed = passed
	return n
}
