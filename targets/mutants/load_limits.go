package mutants

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/wait"
	"github.com/gatecert/gatecert/targets/reference"
)

// limitCases are the load cases of rate limits.
const limitCases contract.Pattern = "http:429/over-rate-limit/*/" + contract.LoadVariant

// loadCountMutants count calls wrongly, in a way that only many calls show.
func loadCountMutants() []Mutant {
	return []Mutant{
		mutant("over-admits-in-a-burst", "The gateway counts calls in a slow remote store, so it allows too many calls when many arrive at the same time.",
			slowCounter(20*time.Millisecond),
			fails(contract.LimitBurst, limitCases)),
		mutant("one-call-over-the-limit", "The gateway allows one call over the limit because it checks the limit before it counts the call.",
			changeLimit(func(_ *reference.Call, admit reference.LimitFunc, key int64, rate reference.RateLimit) (reference.Allowance, func()) {
				rate.Requests++
				return admit(key, rate)
			}),
			fails(contract.LimitExact, limitCases)),
		mutant("refused-calls-count", "Refused calls also count against the limit, so a client that keeps calling never gets through again.",
			changeLimit(func(_ *reference.Call, admit reference.LimitFunc, key int64, rate reference.RateLimit) (reference.Allowance, func()) {
				a, release := admit(key, rate)
				if !a.OK {
					rate.Requests = reference.MaxRequests
					admit(key, rate)
				}
				return a, release
			}),
			warns(contract.RefusedFree, limitCases)),
		mutant("streams-limited-apart", "Streaming calls have their own counter, although the profile declares that they share the limit with other calls.",
			all(moveBehind(reference.Decode, reference.Limit),
				changeLimit(func(c *reference.Call, admit reference.LimitFunc, key int64, rate reference.RateLimit) (reference.Allowance, func()) {
					if c.Surface.Streaming() {
						key = -key
					}
					return admit(key, rate)
				})),
			warns(contract.StreamShare, limitCases)),
		mutant("burst-refuses-every-key", "If the gateway refuses five calls with one key within 100 ms, it also refuses calls with other keys.",
			refuseAllKeys(5, 100*time.Millisecond),
			warns(contract.KeyIsolation, limitCases)),
		mutant("departed-keep-their-slots", "If a caller disconnects, the gateway never frees the call's slot, so the call still counts against the concurrency limit.",
			all(limitConcurrent, changeSlot(func(c *reference.Call, release func()) {
				if c.Request.Context().Err() == nil {
					release()
				}
			})),
			warns(contract.DepartedFree, limitCases)),
		mutant("limit-recovers-late", "After the gateway refuses a call over the limit, it refuses every call with the same key for 1.5 times the limit's window.",
			lockOut,
			warns(contract.Recovery, limitCases), tooLong()),
		mutant("tokens-never-counted", "The gateway announces a token limit but never counts any tokens against it.",
			all(limitTokens, func(o *reference.Options) {
				o.Hooks.Tokens = append(o.Hooks.Tokens, func(*reference.Call, reference.TokensUsed) reference.TokensUsed { return reference.TokensUsed{} })
			}),
			fails(contract.LimitExact, limitCases).and(contract.RateHeaders)),
		mutant("output-tokens-never-counted", "Input tokens and output tokens have separate limits, but the gateway never counts the output tokens.",
			all(limitTokensApart, func(o *reference.Options) {
				o.Hooks.Tokens = append(o.Hooks.Tokens, func(_ *reference.Call, used reference.TokensUsed) reference.TokensUsed {
					used.Output = 0
					return used
				})
			}),
			fails(contract.LimitExact, limitCases).and(contract.RateHeaders)),
	}
}

// limitTokens makes the gateway limit the tokens of the limited key too: more than its requests take, so that only calls that are
// made for it reach the limit.
func limitTokens(o *reference.Options) {
	o.Tokens = reference.TokenLimit{Tokens: 2000, Window: 3 * time.Second}
}

// limitTokensApart makes the gateway limit the tokens of prompts, and those of answers, as Anthropic does.
func limitTokensApart(o *reference.Options) {
	o.InputTokens = reference.TokenLimit{Tokens: 2000, Window: 3 * time.Second}
	o.OutputTokens = reference.TokenLimit{Tokens: 1500, Window: 3 * time.Second}
}

// limitConcurrent makes the gateway limit the calls under way of the limited key too.
func limitConcurrent(o *reference.Options) { o.Concurrent = 6 }

// changeSlot changes when a call's place among those under way is given back.
func changeSlot(end func(c *reference.Call, release func())) change {
	return func(o *reference.Options) {
		o.Hooks.Slot = append(o.Hooks.Slot, func(c *reference.Call, release func()) func() { return func() { end(c, release) } })
	}
}

// tooLong is what single calls see of a Retry-After that is longer than the window: most of them do, as time decides.
func tooLong() Expectation { return atLeastOne(warns(contract.RetryAfter, "http:429/*/*")) }

// loadRefusalMutants refuse the right calls in a wrong way.
func loadRefusalMutants() []Mutant {
	return []Mutant{
		mutant("retry-after-two-seconds-short", "Retry-After is two seconds too short, so a client that obeys it is refused again.",
			changeAllowance(func(a *reference.Allowance, _ reference.RateLimit) { a.Wait = max(a.Wait-2*time.Second, 0) }),
			warns(contract.RetryAfterTrue, limitCases)),
		mutant("retry-after-two-seconds-late", "Retry-After is two seconds too long, so a client that obeys it waits longer than necessary.",
			changeAllowance(func(a *reference.Allowance, _ reference.RateLimit) {
				a.Wait, a.Reset = a.Wait+2*time.Second, a.Reset+2*time.Second
			}),
			warns(contract.RetryAfterTrue, limitCases), tooLong()),
		mutant("retry-after-lost-on-streams", "The response to a refused streaming call has no Retry-After header.",
			all(moveBehind(reference.Decode, reference.Limit), deleteHeader("Retry-After", withCode(reference.RateLimited), streaming)),
			warns(contract.RetryAfter, append(onSurfaces(streamingSurfaces(), "http:429/*"), limitCases)...)),
		mutant("reset-at-once", "The rate-limit header always shows a reset time of zero, as if the limit were unused.",
			changeAllowance(func(a *reference.Allowance, _ reference.RateLimit) { a.Reset = 0 }),
			warns(contract.RateHeaders, limitCases)),
		mutant("remaining-from-a-cache", "The number of remaining calls in the rate-limit header comes from a stale cache and never decreases.",
			changeAllowance(func(a *reference.Allowance, rate reference.RateLimit) {
				if a.OK {
					a.Remaining = rate.Capacity()
				}
			}),
			warns(contract.RateHeaders, limitCases)),
		mutant("remaining-tokens-from-a-cache", "The number of remaining tokens in the rate-limit header comes from a stale cache and never decreases.",
			all(limitTokens, func(o *reference.Options) {
				o.Hooks.RemainingTokens = append(o.Hooks.RemainingTokens, func(*reference.Call, int) int { return o.Tokens.Tokens })
			}),
			warns(contract.RateHeaders, limitCases)),
		mutant("refusals-empty-in-a-burst", "Starting with the 20th refusal within one second, the gateway sends refusals with an empty body to save time.",
			emptyRefusals(20, time.Second),
			fails(contract.ContentType, limitCases).and(contract.Envelope)),
		mutant("refused-calls-billed", "The gateway reserves quota before it checks the limit and never refunds the quota reserved for refused calls.",
			all(moveBehind(reference.Reserve, reference.Limit), loseRefund(withCode(reference.RateLimited), at(reference.Limit))),
			warns(contract.RefusedFree, limitCases)),
		mutant("refused-calls-reach-the-upstream", "The gateway checks the limit only after the upstream has begun to respond, so refused calls also reach the upstream.",
			moveBehind(reference.Dial, reference.Limit),
			passes("http:429/*/models"), // without an upstream
			warns(contract.UpstreamUnused, "http:429/**")),
		mutant("upstream-retry-after-lost", "When the upstream returns 429, the gateway does not pass on the Retry-After header.",
			deleteHeader("Retry-After", upstreamStatus(429)),
			warns(contract.RetryAfter, limitedUpstream),
			warns(contract.UpstreamRefusal, limitCases)),
	}
}

// changeAllowance changes what a client learns about its limit.
func changeAllowance(do func(*reference.Allowance, reference.RateLimit)) change {
	return changeLimit(func(_ *reference.Call, admit reference.LimitFunc, key int64, rate reference.RateLimit) (reference.Allowance, func()) {
		a, release := admit(key, rate)
		do(&a, rate)
		return a, release
	})
}

// slowCounter takes so long to count a call. A call does not see those that are being counted at the same time.
func slowCounter(latency time.Duration) change {
	return func(o *reference.Options) {
		var counting atomic.Int64
		wrap(reference.Limit, func(ctx context.Context, c *reference.Call, limit reference.Handler) error {
			counting.Add(1)
			defer counting.Add(-1)
			_ = wait.For(ctx, latency)
			return limit(ctx, c)
		})(o)
		changeLimit(func(_ *reference.Call, admit reference.LimitFunc, key int64, rate reference.RateLimit) (reference.Allowance, func()) {
			unseen := rate
			unseen.Requests += int(counting.Load()) - 1
			if a, release := admit(key, unseen); a.OK {
				return a, release
			}
			return admit(key, rate)
		})(o)
	}
}

// emptyRefusals leaves the body out from the n-th refusal within a time on.
func emptyRefusals(n int, within time.Duration) change {
	return func(o *reference.Options) {
		refusals := recentCount{within: within}
		changeError(func(c *reference.Call, a *reference.Answer) {
			if refusals.count(time.Now()) >= n {
				nothing(c, a)
			}
		}, withCode(reference.RateLimited))(o)
	}
}

// refuseAllKeys refuses calls of all keys on a path that had n refusals within a time.
func refuseAllKeys(n int, within time.Duration) change {
	var mu sync.Mutex
	paths := make(map[string]*recentCount)
	return wrap(reference.Limit, func(ctx context.Context, c *reference.Call, limit reference.Handler) error {
		path := c.Request.URL.Path
		mu.Lock()
		refusals := paths[path]
		if refusals == nil {
			refusals = &recentCount{within: within}
			paths[path] = refusals
		}
		mu.Unlock()
		err := limit(ctx, c)
		switch {
		case err != nil:
			refusals.count(time.Now())
		case !c.Limited() && refusals.count() >= n:
			return reference.Refuse(reference.RateLimited, nil).WithHeader("Retry-After", "1")
		}
		return err
	})
}

// lockOut admits no call of a key for one and a half windows after a refusal.
func lockOut(o *reference.Options) {
	var mu sync.Mutex
	until := make(map[int64]time.Time)
	changeLimit(func(_ *reference.Call, admit reference.LimitFunc, key int64, rate reference.RateLimit) (reference.Allowance, func()) {
		mu.Lock()
		defer mu.Unlock()
		left := time.Until(until[key])
		if left <= 0 {
			a, release := admit(key, rate)
			if a.OK {
				return a, release
			}
			left = rate.Window * 3 / 2
			until[key] = time.Now().Add(left)
		}
		return reference.Allowance{Wait: left, Reset: left}, nil
	})(o)
}

// recentCount counts what happened within a time that ends now.
type recentCount struct {
	within time.Duration

	mu  sync.Mutex
	all []time.Time
}

// count adds what happens now, and returns how many there are.
func (r *recentCount) count(now ...time.Time) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(recent(r.all, r.within), now...)
	return len(r.all)
}
