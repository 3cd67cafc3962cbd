package limits

import (
	"context"
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// faults is what a simulated gateway does wrong.
type faults struct {
	burstExcess   int           // calls admitted beyond the limit while others are on their way
	retryAfter    int           // seconds added to Retry-After
	emptyFrom     int           // the n-th and every later refusal has no body
	countsRefused bool          // refused calls count against the limit
	sharedKeys    bool          // another key uses the same limit
	slowsControl  time.Duration // another key waits while the limit is used up
	ownStreams    bool          // streaming calls have their own limit
	lockout       time.Duration // after the first refusal nothing is admitted for so long
	noDecrease    bool          // the remaining requests never decrease
	negative      bool          // the remaining requests fall below 0
	leftOver      bool          // one request always remains
	earlyReset    bool          // the reset is at once
	wrongLimit    int           // added to the limit in the header
	epoch         bool          // Retry-After is a Unix timestamp
	bills         bool          // refused calls cost money
	reaches       bool          // refused calls reach the upstream
	crash         bool          // a refusal is a 500
	attempts      int           // at an upstream that answers 429
	dropped       bool          // the upstream's Retry-After is lost
	dates         bool          // Retry-After is an HTTP date
	clock         bool          // answers have a Date
	milliseconds  time.Duration // added to retry-after-ms, which refusals have then
	otherPolicy   bool          // RateLimit-Policy has another window
	lateReset     bool          // the reset is five windows away
	failsControl  bool          // another key's calls are a 500 while the limit is used up
	failsStreams  bool          // streaming calls are a 500
	keepsDeparted bool          // callers who left keep their places
	departedLate  time.Duration // callers who left keep their places so much longer
	goneAfter     int           // the process ends after so many calls
}

// simulatedGateway answers as an HTTP gateway with a simulated limiter.
type simulatedGateway struct {
	*simulatedLimiter

	faults   faults
	arriving int
	refused  int
	made     int
	locked   time.Time
	balance  float64
}

// simulatedProber calls a simulated gateway with one key on one surface.
type simulatedProber struct {
	*simulatedGateway

	surface   dialect.Surface
	limited   bool
	throttled bool
}

func (g *simulatedGateway) probers() Probers {
	return Probers{
		Limited:   (&simulatedProber{simulatedGateway: g, surface: dialect.Chat, limited: true}).call,
		Stream:    (&simulatedProber{simulatedGateway: g, surface: dialect.ChatStream, limited: true}).call,
		Control:   (&simulatedProber{simulatedGateway: g, surface: dialect.Chat}).call,
		Throttled: (&simulatedProber{simulatedGateway: g, surface: dialect.Chat, throttled: true}).call,
		Balance:   func(context.Context) (float64, error) { return g.balance, nil },
	}
}

// timeToAdmission is the true time to the next admission.
func (g *simulatedGateway) timeToAdmission(now time.Time) time.Duration {
	if g.kind == contract.Concurrency {
		return time.Second
	}
	if g.kind == contract.TokenBucket {
		return time.Duration((1 - g.tokens) * float64(g.window) / float64(g.limit))
	}
	most := int(2 * g.window / time.Millisecond)
	return time.Duration(sort.Search(most, func(ms int) bool { return g.allow(now.Add(time.Duration(ms) * time.Millisecond)) })) * time.Millisecond
}

// call is a [Prober].
func (p *simulatedProber) call(ctx context.Context, hold time.Duration) (Call, error) {
	call := Call{Earliest: time.Now()}
	p.mu.Lock()
	p.arriving++
	p.mu.Unlock()
	p.travel()
	p.mu.Lock()
	p.arriving--
	o, ok := p.decide()
	p.mu.Unlock()
	if ok {
		p.keep(ctx, hold)
		call.Held = hold
	} else if !p.limited {
		time.Sleep(p.faults.slowsControl)
	}
	p.travel()
	call.Ended = time.Now()
	call.Latest = call.Ended.Add(-call.Held)
	o.Sent.Surface = p.surface
	call.Observation = o
	return call, ctx.Err()
}

// keep holds a place until the upstream's call ends, or the caller leaves.
func (p *simulatedProber) keep(ctx context.Context, hold time.Duration) {
	release := func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.inFlight--
	}
	select {
	case <-time.After(hold):
		release()
	case <-ctx.Done():
		if !p.faults.keepsDeparted {
			time.AfterFunc(p.faults.departedLate, release)
		}
	}
}

// decide answers one call; ok says that it is in flight.
func (p *simulatedProber) decide() (o contract.Observation, ok bool) {
	now := time.Now()
	o = contract.Observation{Status: http.StatusOK, Header: map[string][]string{"X-Request-Id": {"r"}}, Upstream: &contract.Seen{}}
	p.made++
	switch {
	case p.faults.goneAfter > 0 && p.made > p.faults.goneAfter:
		kind := contract.Unreachable
		if p.made == p.faults.goneAfter+1 {
			kind = contract.Reset // the one that was in flight
		}
		return contract.Observation{Failure: &contract.Failure{Kind: kind, Detail: "connection refused"}}, false
	case p.faults.failsControl && !p.limited && p.refused > 0, p.faults.failsStreams && p.surface.Streaming():
		o.Status = http.StatusInternalServerError
		return o, false
	case p.throttled:
		o.Status = http.StatusTooManyRequests
		for range max(p.faults.attempts, 1) {
			o.Upstream.Attempts = append(o.Upstream.Attempts, contract.Attempt{Status: http.StatusTooManyRequests})
		}
		if !p.faults.dropped {
			o.Header["Retry-After"] = []string{"7"}
		}
		return o, false
	case !p.limited && !p.faults.sharedKeys, p.surface.Streaming() && p.faults.ownStreams:
		if p.faults.slowsControl > 0 && p.refused > 0 {
			return o, false
		}
		p.inFlight++ // the caller decrements it
		return o, true
	}
	allowed := p.allow(now)
	if !allowed && p.arriving > 3 {
		allowed = p.race(now)
	}
	if now.Before(p.locked) {
		allowed = false
	}
	if allowed || p.faults.countsRefused {
		p.admitted = append(p.admitted, now)
	}
	if allowed {
		p.inFlight++
		p.balance--
	} else {
		p.refuse(&o, now)
	}
	p.addHeaders(&o, now, allowed)
	return o, allowed
}

// race lets calls pass that read the count before others were added to it.
func (p *simulatedProber) race(now time.Time) bool {
	if p.kind == contract.TokenBucket {
		if p.tokens >= 1-float64(p.faults.burstExcess) {
			p.tokens--
			return true
		}
		return false
	}
	p.limit += p.faults.burstExcess
	defer func() { p.limit -= p.faults.burstExcess }()
	return p.allow(now)
}

func (p *simulatedProber) refuse(o *contract.Observation, now time.Time) {
	p.refused++
	if p.faults.lockout > 0 && now.After(p.locked) {
		p.locked = now.Add(p.faults.lockout)
	}
	if p.faults.bills {
		p.balance--
	}
	if p.faults.reaches {
		o.Upstream.Attempts = []contract.Attempt{{Status: http.StatusOK}}
	}
	o.Status = http.StatusTooManyRequests
	if p.faults.crash {
		o.Status = http.StatusInternalServerError
	}
	seconds := int64((p.timeToAdmission(now)+time.Second-1)/time.Second) + int64(p.faults.retryAfter)
	if p.faults.epoch {
		seconds += now.Unix()
	}
	o.Header["Retry-After"] = []string{strconv.FormatInt(max(seconds, 0), 10)}
	if p.faults.dates {
		o.Header["Retry-After"] = []string{now.Add(time.Duration(seconds) * time.Second).UTC().Format(http.TimeFormat)}
	}
	if p.faults.milliseconds != 0 {
		o.Header["Retry-After-Ms"] = []string{strconv.FormatInt(max((p.timeToAdmission(now)+p.faults.milliseconds).Milliseconds(), 0), 10)}
	}
	if p.faults.emptyFrom > 0 && p.refused >= p.faults.emptyFrom {
		return
	}
	o.Header["Content-Type"] = []string{"application/json"}
	o.Body = contract.Bytes(`{"error":{"message":"Too many requests.","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}`)
}

// addHeaders adds the rate-limit header fields.
func (p *simulatedProber) addHeaders(o *contract.Observation, now time.Time, allowed bool) {
	remaining := 0
	if allowed {
		remaining = p.remaining(now)
	}
	switch {
	case p.faults.noDecrease && allowed:
		remaining = p.limit
	case p.faults.negative && !allowed:
		remaining = -1
	case p.faults.leftOver && !allowed:
		remaining = 1
	}
	reset := 2 * p.window
	if p.faults.earlyReset {
		reset = 0
	}
	if p.faults.lateReset {
		reset = 5 * p.window
	}
	if p.faults.clock {
		o.Header["Date"] = []string{now.UTC().Format(http.TimeFormat)}
	}
	policyWindow := p.window
	if p.faults.otherPolicy {
		policyWindow += 2 * time.Second
	}
	o.Header["X-Ratelimit-Limit-Requests"] = []string{strconv.Itoa(p.limit + p.faults.wrongLimit)}
	o.Header["X-Ratelimit-Remaining-Requests"] = []string{strconv.Itoa(remaining)}
	o.Header["X-Ratelimit-Reset-Requests"] = []string{reset.String()}
	o.Header["Ratelimit-Policy"] = []string{fmt.Sprintf(`"key";q=%d;w=%d`, p.limit, int(policyWindow.Seconds()))}
	o.Header["Ratelimit"] = []string{fmt.Sprintf(`"key";r=%d;t=%d`, max(remaining, 0), int(reset.Seconds()))}
}

// remaining is how many calls would be admitted now.
func (p *simulatedProber) remaining(now time.Time) int {
	switch p.kind {
	case contract.TokenBucket:
		return max(int(p.tokens), 0)
	case contract.Concurrency:
		return max(p.limit-p.inFlight, 0)
	case None:
		return p.limit
	default:
	}
	admitted, n := p.admitted, 0
	for p.allow(now) {
		p.admitted = append(p.admitted, now)
		n++
	}
	p.admitted = admitted
	return n
}
