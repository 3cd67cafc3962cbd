package reference

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// TokenLimit is a number of tokens, of prompts and answers, in a sliding window: besides the limit on requests, and of the same key.
// The zero value does not limit anything.
type TokenLimit struct {
	// Tokens is at most [MaxRequests].
	Tokens int
	// Window is at most 59s.
	Window time.Duration
}

func (l TokenLimit) check() error {
	if l != (TokenLimit{}) && (l.Tokens < 1 || l.Tokens > MaxRequests || l.Window < time.Millisecond || l.Window > maxWindow) {
		return fmt.Errorf("%w: a limit on tokens needs 1 to %d tokens and a window of 1ms to %s", ErrOptions, MaxRequests, maxWindow)
	}
	return nil
}

// tokenLog keeps what calls took, by key. A call is counted when its answer is complete, so that the last one may take more than
// was left.
type tokenLog struct {
	now   func() time.Time
	limit TokenLimit

	mu   sync.Mutex
	used map[int64][]tokensAt
}

type tokensAt struct {
	at time.Time
	n  int
}

func newTokenLog(now func() time.Time, limit TokenLimit) *tokenLog {
	return &tokenLog{now: now, limit: limit, used: make(map[int64][]tokensAt)}
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

// limitTokens keeps a limited key within its limit on tokens.
func (g *Gateway) limitTokens(c *Call) error {
	if g.tokens.limit.Tokens == 0 {
		return nil
	}
	a := g.tokens.left(c.caller.keyID)
	header := c.Reply.Header()
	header.Set("X-Ratelimit-Limit-Tokens", strconv.Itoa(g.tokens.limit.Tokens))
	header.Set("X-Ratelimit-Remaining-Tokens", strconv.Itoa(apply(c, c.hooks.RemainingTokens, a.Remaining)))
	header.Set("X-Ratelimit-Reset-Tokens", a.Reset.Round(time.Millisecond).String())
	if a.OK {
		return nil
	}
	return Refuse(RateLimited, nil).WithHeader(http.CanonicalHeaderKey("Retry-After"), wholeSeconds(a.Wait))
}

// countTokens counts what a call of a limited key took.
func (g *Gateway) countTokens(c *Call, input, output int) {
	if g.tokens.limit.Tokens > 0 && c.caller.rate.Requests > 0 {
		used := apply(c, c.hooks.Tokens, TokensUsed{input, output})
		g.tokens.take(c.caller.keyID, used.Input+used.Output)
	}
}

// TokensUsed are the tokens of one call.
type TokensUsed struct{ Input, Output int }
