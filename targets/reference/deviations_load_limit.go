package reference

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// The obligations of a declared rate limit, as the package names them that verifies one under load.
const (
	limitExact      contract.Requirement = "limit-exact"
	limitBurst      contract.Requirement = "limit-burst"
	retryAfterTrue  contract.Requirement = "retry-after-true"
	rateHeaders     contract.Requirement = "rate-headers"
	refusedFree     contract.Requirement = "refused-free"
	keyIsolation    contract.Requirement = "key-isolation"
	streamShare     contract.Requirement = "stream-share"
	limitRecovery   contract.Requirement = "recovery"
	upstreamRefusal contract.Requirement = "upstream-429"
)

// limitsUnderLoad are the cases in which a rate limit is verified by many calls.
const limitsUnderLoad contract.Pattern = "http:429/over-rate-limit/*/" + contract.LoadVariant

// limitedLoadDeviations keep a rate limit in a way that only many calls show.
func limitedLoadDeviations() []Deviation {
	return []Deviation{
		{
			Name:      "over-admits-in-a-burst",
			Sentence:  "The count lives in a store of its own: calls that are being counted there are not seen by those that come meanwhile.",
			UnderLoad: true,
			Turns:     []Turn{fails(limitBurst, limitsUnderLoad)},
			bend:      overlooking(20 * time.Millisecond),
		},
		{
			Name:      "one-call-over-the-limit",
			Sentence:  "The call that goes over the limit is still let through: it is compared before it is counted.",
			UnderLoad: true,
			Turns:     []Turn{fails(limitExact, limitsUnderLoad)},
			bend: limiting(func(_ *call, admit admission) admission {
				return func(key int64, rate RateLimit) (allowance, func()) {
					rate.Requests++
					return admit(key, rate)
				}
			}),
		},
		{
			Name:      "retry-after-two-seconds-short",
			Sentence:  "The clock that the wait is told by runs two seconds ahead: who waits as told is refused again.",
			UnderLoad: true,
			Turns:     []Turn{warns(retryAfterTrue, limitsUnderLoad)},
			bend:      shifted(-2 * time.Second),
		},
		{
			Name:      "retry-after-two-seconds-late",
			Sentence:  "The clock that the wait is told by runs two seconds behind: who waits as told loses two seconds.",
			UnderLoad: true,
			Turns:     []Turn{warns(retryAfterTrue, limitsUnderLoad)},
			bend:      shifted(2 * time.Second),
		},
		{
			Name:      "retry-after-lost-on-streams",
			Sentence:  "Who is refused a stream is not told when to come back.",
			UnderLoad: true,
			Turns:     []Turn{warns(contract.RetryAfter, append(onSurfaces(streamingSurfaces(), "http:429/*"), limitsUnderLoad)...)},
			bend: together(
				after("decode", "limit"),
				failing(func(_ *call, f *failure) { f.header.Del("Retry-After") }, coded(rateLimited), streaming),
			),
		},
		{
			Name:      "remaining-from-a-cache",
			Sentence:  "What remains of the limit is told from a cache that was filled when it was whole.",
			UnderLoad: true,
			Turns:     []Turn{warns(rateHeaders, limitsUnderLoad)},
			bend: telling(func(a *allowance, rate RateLimit) {
				if a.ok {
					a.remaining = rate.most()
				}
			}),
		},
		{
			Name:      "refusals-empty-under-load",
			Sentence:  "From the twentieth refusal within a second on, refusals have no body, to save time.",
			UnderLoad: true,
			Turns: []Turn{{
				Cases: []contract.Pattern{limitsUnderLoad}, Verdict: contract.Fail,
				Breaks: []contract.Requirement{contract.ContentType, contract.Envelope},
			}},
			bend: func(b *bends) {
				refusals := recently{within: time.Second}
				answering(func(_ *call, a *wholeAnswer) {
					if refusals.add(time.Now()) >= 20 {
						a.header.Del("Content-Type")
						a.body = nil
					}
				}, coded(rateLimited))(b)
			},
		},
		{
			Name:      "refused-calls-count",
			Sentence:  "Calls that are refused use up the limit too: who keeps asking is never admitted again.",
			UnderLoad: true,
			Turns:     []Turn{warns(refusedFree, limitsUnderLoad)},
			bend: limiting(func(_ *call, admit admission) admission {
				return func(key int64, rate RateLimit) (allowance, func()) {
					a, release := admit(key, rate)
					if !a.ok {
						rate.Requests = mostRequests
						admit(key, rate)
					}
					return a, release
				}
			}),
		},
		{
			Name:      "refused-calls-billed",
			Sentence:  "Money is held before the limit is looked at, and the money of refused calls is never given back.",
			UnderLoad: true,
			Turns:     []Turn{warns(refusedFree, limitsUnderLoad)},
			bend: together(
				after("reserve", "limit"),
				keeping(func(c *call) bool { return c.failed.code == rateLimited && c.failed.stage == "limit" }),
			),
		},
		{
			Name:      "refused-calls-reach-the-provider",
			Sentence:  "The limit is looked at when the provider has begun to answer.",
			UnderLoad: true,
			Turns:     []Turn{warns(contract.UpstreamUnused, "http:429/**")},
			bend:      after("dial", "limit"),
		},
		{
			Name:      "storm-refuses-every-key",
			Sentence:  "While one key is refused again and again, five times within a tenth of a second, the others are refused as well.",
			UnderLoad: true,
			Turns:     []Turn{warns(keyIsolation, limitsUnderLoad)},
			bend:      catching(5, 100*time.Millisecond),
		},
		{
			Name:      "streams-limited-apart",
			Sentence:  "Streams are counted by themselves, though the profile says that they share the limit.",
			UnderLoad: true,
			Turns:     []Turn{warns(streamShare, limitsUnderLoad)},
			bend: together(
				after("decode", "limit"),
				limiting(func(c *call, admit admission) admission {
					return func(key int64, rate RateLimit) (allowance, func()) {
						if c.surface.Streaming() {
							key = -key
						}
						return admit(key, rate)
					}
				}),
			),
		},
		{
			Name:      "limit-recovers-late",
			Sentence:  "A key that was refused is locked out for a window and a half.",
			UnderLoad: true,
			Turns:     []Turn{warns(limitRecovery, limitsUnderLoad)},
			bend:      lockingOut,
		},
		{
			Name:      "provider-retry-after-lost",
			Sentence:  "When the provider itself has too much to do, its Retry-After is not passed on.",
			UnderLoad: true,
			Turns:     []Turn{warns(upstreamRefusal, limitsUnderLoad)},
			bend:      failing(func(_ *call, f *failure) { f.header.Del("Retry-After") }, refusedBy(429)),
		},
	}
}

// limiting bends how calls are counted.
func limiting(with func(*call, admission) admission) func(*bends) {
	return func(b *bends) { b.limit = append(b.limit, with) }
}

// telling changes what a caller is told of its limit.
func telling(change func(*allowance, RateLimit)) func(*bends) {
	return limiting(func(_ *call, admit admission) admission {
		return func(key int64, rate RateLimit) (allowance, func()) {
			a, release := admit(key, rate)
			change(&a, rate)
			return a, release
		}
	})
}

// shifted tells all times by another clock.
func shifted(by time.Duration) func(*bends) {
	return telling(func(a *allowance, _ RateLimit) {
		a.wait, a.reset = max(a.wait+by, 0), max(a.reset+by, 0)
	})
}

// overlooking counts calls in a store that takes so long to answer. Who asks it does not see those that ask meanwhile.
func overlooking(long time.Duration) func(*bends) {
	return func(b *bends) {
		var asking atomic.Int64
		wrapping("limit", func(_ *Gateway, limit step) step {
			return func(ctx context.Context, c *call) error {
				asking.Add(1)
				defer asking.Add(-1)
				select {
				case <-time.After(long):
				case <-ctx.Done():
				}
				return limit(ctx, c)
			}
		})(b)
		limiting(func(_ *call, admit admission) admission {
			return func(key int64, rate RateLimit) (allowance, func()) {
				overlooked := rate
				overlooked.Requests += int(asking.Load()) - 1
				if a, release := admit(key, overlooked); a.ok {
					return a, release
				}
				return admit(key, rate)
			}
		})(b)
	}
}

// catching refuses calls of all keys on a path on which so many were refused within so long.
func catching(many int, within time.Duration) func(*bends) {
	return wrapping("limit", func(_ *Gateway, limit step) step {
		var mu sync.Mutex
		paths := make(map[string]*recently)
		return func(ctx context.Context, c *call) error {
			mu.Lock()
			refusals := paths[c.request.URL.Path]
			if refusals == nil {
				refusals = &recently{within: within}
				paths[c.request.URL.Path] = refusals
			}
			mu.Unlock()
			err := limit(ctx, c)
			switch {
			case err != nil:
				refusals.add(time.Now())
			case c.account.rate.Requests < 1 && refusals.count(time.Now()) >= many:
				return refuse(rateLimited, nil).saying("Retry-After", strconv.Itoa(1))
			}
			return err
		}
	})
}

// lockingOut admits nothing of a key for a window and a half after a refusal.
func lockingOut(b *bends) {
	var mu sync.Mutex
	until := make(map[int64]time.Time)
	limiting(func(_ *call, admit admission) admission {
		return func(key int64, rate RateLimit) (allowance, func()) {
			mu.Lock()
			defer mu.Unlock()
			left := time.Until(until[key])
			if left <= 0 {
				a, release := admit(key, rate)
				if a.ok {
					return a, release
				}
				left = rate.Window * 3 / 2
				until[key] = time.Now().Add(left)
			}
			return allowance{wait: left, reset: left}, nil
		}
	})(b)
}

// recently counts what happened within a time that ends now.
type recently struct {
	within time.Duration

	mu  sync.Mutex
	all []time.Time
}

// add counts one more, and returns how many these are.
func (r *recently) add(now time.Time) int {
	r.mu.Lock()
	r.all = append(r.all, now)
	r.mu.Unlock()
	return r.count(now)
}

func (r *recently) count(now time.Time) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.all) > 0 && now.Sub(r.all[0]) >= r.within {
		r.all = r.all[1:]
	}
	return len(r.all)
}
