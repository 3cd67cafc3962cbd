package reference

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gatecert/gatecert/targets/profile"
)

// TokenLimit is a number of tokens in a sliding window. It applies to the same key as the limit on requests, in addition to that limit. The zero
// value limits nothing.
type TokenLimit struct {
	// Tokens is at most [MaxRequests].
	Tokens int
	// Window is at most 59s.
	Window time.Duration
}

func (l TokenLimit) check() error {
	if l != (TokenLimit{}) && (l.Tokens < 1 || l.Tokens > MaxRequests || l.Window < time.Millisecond || l.Window > maxWindow) {
		return fmt.Errorf("%w: a token limit needs 1 to %d tokens and a window of 1ms to %s", ErrOptions, MaxRequests, maxWindow)
	}
	return nil
}

// tokenLog keeps what calls took, by key. A call is counted when its answer is complete, so that the last one may take more than
// was left.
type tokenLog struct {
	now    func() time.Time
	limit  TokenLimit
	counts tokenPart

	mu   sync.Mutex
	used map[int64][]tokensAt
}

// tokenPart are the tokens of a call that a limit counts, and how it is announced and declared.
type tokenPart struct {
	of       func(TokensUsed) int
	announce func(h http.Header, limit, remaining int, reset time.Duration, now time.Time)
	declare  func(profile.Rate, int) profile.Rate
}

type tokensAt struct {
	at time.Time
	n  int
}

// newTokenLogs returns a log for each limit on tokens.
func newTokenLogs(now func() time.Time, o Options) []*tokenLog {
	var logs []*tokenLog
	add := func(limit TokenLimit, counts tokenPart) {
		if limit.Tokens > 0 {
			logs = append(logs, &tokenLog{now: now, limit: limit, counts: counts, used: make(map[int64][]tokensAt)})
		}
	}
	add(o.Tokens, tokenPart{
		func(u TokensUsed) int { return u.Input + u.Output }, announceAsOpenAI,
		func(r profile.Rate, n int) profile.Rate { r.Tokens = n; return r },
	})
	add(o.InputTokens, tokenPart{
		func(u TokensUsed) int { return u.Input }, announceAsAnthropic("Input"),
		func(r profile.Rate, n int) profile.Rate { r.InputTokens = n; return r },
	})
	add(o.OutputTokens, tokenPart{
		func(u TokensUsed) int { return u.Output }, announceAsAnthropic("Output"),
		func(r profile.Rate, n int) profile.Rate { r.OutputTokens = n; return r },
	})
	return logs
}

func announceAsOpenAI(h http.Header, limit, remaining int, reset time.Duration, _ time.Time) {
	h.Set("X-Ratelimit-Limit-Tokens", strconv.Itoa(limit))
	h.Set("X-Ratelimit-Remaining-Tokens", strconv.Itoa(remaining))
	h.Set("X-Ratelimit-Reset-Tokens", reset.Round(time.Millisecond).String())
}

// announceAsAnthropic has the fields of Anthropic for the tokens of prompts or of answers. Their reset is an instant.
func announceAsAnthropic(part string) func(http.Header, int, int, time.Duration, time.Time) {
	return func(h http.Header, limit, remaining int, reset time.Duration, now time.Time) {
		prefix := "Anthropic-Ratelimit-" + part + "-Tokens-"
		h.Set(prefix+"Limit", strconv.Itoa(limit))
		h.Set(prefix+"Remaining", strconv.Itoa(remaining))
		h.Set(prefix+"Reset", now.Add(reset+time.Second-1).UTC().Truncate(time.Second).Format(time.RFC3339))
	}
}

// left is how many tokens a key may still use, and how long it takes until there is one, and until all are free again.
func (l *tokenLog) left(key int64) Allowance {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	used := l.used[key]
	for len(used) > 0 && now.Sub(used[0].at) >= l.limit.Window {
		used = used[1:]
	}
	l.used[key] = used
	a := Allowance{Remaining: l.limit.Tokens}
	for _, u := range used {
		a.Remaining -= u.n
		a.Reset = l.limit.Window - now.Sub(u.at)
	}
	a.OK = a.Remaining > 0
	over := -a.Remaining
	for i := 0; over >= 0 && i < len(used); i++ {
		over -= used[i].n
		a.Wait = l.limit.Window - now.Sub(used[i].at)
	}
	a.Remaining = max(a.Remaining, 0)
	return a
}

func (l *tokenLog) take(key int64, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used[key] = append(l.used[key], tokensAt{l.now(), n})
}

// limitTokens keeps a limited key within its limits on tokens.
func (g *Gateway) limitTokens(c *Call) error {
	var wait time.Duration
	refused := false
	for _, l := range g.tokens {
		a := l.left(c.caller.keyID)
		l.counts.announce(c.Reply.Header(), l.limit.Tokens, apply(c, c.hooks.RemainingTokens, a.Remaining), a.Reset, l.now())
		if !a.OK {
			refused, wait = true, max(wait, a.Wait)
		}
	}
	if !refused {
		return nil
	}
	return Refuse(RateLimited, nil).WithHeader(http.CanonicalHeaderKey("Retry-After"), wholeSeconds(wait))
}

// countTokens counts what a call of a limited key took.
func (g *Gateway) countTokens(c *Call, input, output int) {
	if len(g.tokens) == 0 || c.caller.rate.Requests == 0 {
		return
	}
	used := apply(c, c.hooks.Tokens, TokensUsed{input, output})
	for _, l := range g.tokens {
		l.take(c.caller.keyID, l.counts.of(used))
	}
}

// TokensUsed is the number of tokens that one call used.
type TokensUsed struct{ Input, Output int }
