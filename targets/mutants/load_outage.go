package mutants

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference"
)

// loadOutageMutants let failing calls spoil the others. What they do begins in an outage, or with more calls at once than
// cases without load make, so that those still pass.
func loadOutageMutants() []Mutant {
	const (
		slow    contract.Pattern = "code:channel:response_time_exceeded/slow-upstream/*/" + contract.LoadVariant
		failing contract.Pattern = "http:5xx/upstream-error/*/" + contract.LoadVariant
	)
	return []Mutant{
		mutant("slow-calls-starve-the-others",
			"Each endpoint has five upstream connections. While all five are occupied by calls that hang, every other call to the endpoint waits until one of the five times out.",
			limitUpstreamCalls(5),
			warns(contract.HealthySpared, slow)),
		mutant("breaker-locks-out",
			"After a few failures on an endpoint, the gateway refuses every call to it for 700 ms, even calls that would succeed.",
			inOutage(func(s *outages) change {
				return refuseWhen(s, func(e *endpoint) bool { return e.sinceOutage() < 700*time.Millisecond })
			}),
			fails(contract.HealthyServed, slow, failing)),
		mutant("recovers-late", "For six seconds after an outage of an endpoint, the gateway refuses every second call to that endpoint.",
			inOutage(func(s *outages) change {
				return refuseWhen(s, func(e *endpoint) bool {
					// During an outage fewer calls go by without a failure: it has ended.
					if e.sinceFailure <= 20 || e.sinceOutage() >= 6*time.Second {
						return false
					}
					e.considered++
					return e.considered%2 == 0
				})
			}),
			warns(contract.Recovery, slow, failing)),
		mutant("timeout-stretches-in-outage", "While an endpoint has more than five open upstream calls, the timeout of that endpoint is 2.5 times as long as usual.",
			stretchTimeout(5),
			fails(contract.InTime, slow)),
		mutant("upstream-calls-leak-in-outage", "During an outage, the gateway does not cancel upstream calls that timed out.",
			inOutage(leakCalls),
			warns(contract.UpstreamFreed, slow)), // the leaked calls are still open afterwards too
		mutant("slots-leak-in-outage",
			"Each endpoint has 48 slots for upstream calls. During an outage, every second call that fails keeps its slot forever.",
			inOutage(func(s *outages) change {
				var failed atomic.Int64
				return upstreamSlots(48, func(c *reference.Call, err error, free func()) {
					if err == nil || c.Request.Context().Err() != nil || !s.active(c) || failed.Add(1)%2 == 0 {
						free()
					}
				})
			}),
			warns(contract.CapacityKept, slow, failing)),
		mutant("disconnects-not-passed-on", "When a client disconnects, the gateway does not cancel the upstream call, which continues until the timeout.",
			all(wrap(reference.Dial, ignoreDisconnect), wrap(reference.Deliver, ignoreDisconnect)),
			warns(contract.Departure, slow)),
		mutant("streams-end-well-in-outage",
			"During an outage, the gateway ends a stalled stream as if it were complete, with an invented finish event and [DONE].",
			inOutage(func(s *outages) change {
				return changeStreamError(finish, causedBy(reference.ErrTooSlow), s.condition())
			}),
			fails(contract.StreamEnd, slow)),
		mutant("errors-change-in-outage",
			"Before an outage, the gateway reports a slow call as a timeout. During the outage, it reports a slow call as an unreachable upstream.",
			inOutage(func(s *outages) change {
				return replaceBy(reference.DoRequest, causedBy(reference.ErrTooSlow), s.condition())
			}),
			fails(contract.Code, slow)),
		mutant("retries-pile-up-in-outage",
			"After a few failures on an endpoint, the gateway makes up to six times the usual number of upstream attempts for each call to that endpoint.",
			inOutage(func(s *outages) change {
				return changeAttempts(func(c *reference.Call, allowed int) int {
					if s.active(c) {
						allowed *= 6
					}
					return allowed
				})
			}),
			warns(contract.RetriesBounded, failing)),
	}
}

// refuseWhen refuses some of the calls before the upstream is called.
func refuseWhen(s *outages, which func(*endpoint) bool) change {
	return wrap(reference.Dial, func(ctx context.Context, c *reference.Call, dial reference.Handler) error {
		var refused bool
		s.update(c, func(e *endpoint) { refused = which(e) })
		if refused {
			return reference.Refuse(reference.GetChannel, nil)
		}
		return dial(ctx, c)
	})
}

// duringUpstreamCall runs begin before the upstream is called, and end when the answer is delivered or has failed.
func duringUpstreamCall(begin func(context.Context, *reference.Call) error, end func(*reference.Call, error)) change {
	return all(
		wrap(reference.Dial, func(ctx context.Context, c *reference.Call, dial reference.Handler) error {
			if err := begin(ctx, c); err != nil {
				return err
			}
			err := dial(ctx, c)
			if err != nil {
				end(c, err)
			}
			return err
		}),
		wrap(reference.Deliver, func(ctx context.Context, c *reference.Call, deliver reference.Handler) (err error) {
			defer func() { end(c, err) }()
			return deliver(ctx, c)
		}),
	)
}

// upstreamSlots allows so many open upstream calls on each endpoint. ended is called when one of them has ended, with its error, and calls
// free when another may take its place.
func upstreamSlots(most int, ended func(c *reference.Call, err error, free func())) change {
	return func(o *reference.Options) {
		var mu sync.Mutex
		slots := make(map[dialect.Surface]chan struct{})
		of := func(c *reference.Call) chan struct{} {
			mu.Lock()
			defer mu.Unlock()
			key := c.Surface.Endpoint()
			if slots[key] == nil {
				slots[key] = make(chan struct{}, most)
			}
			return slots[key]
		}
		duringUpstreamCall(func(ctx context.Context, c *reference.Call) error {
			select {
			case of(c) <- struct{}{}:
				return nil
			case <-ctx.Done():
				return reference.ErrClientGone
			}
		}, func(c *reference.Call, err error) {
			ended(c, err, func() { <-of(c) })
		})(o)
	}
}

// limitUpstreamCalls allows so many open upstream calls on each endpoint. The timeout counts from a call's arrival: the
// wait for its turn is taken off.
func limitUpstreamCalls(most int) change {
	return func(o *reference.Options) {
		var mu sync.Mutex
		open := make(map[dialect.Surface]chan struct{})
		waited := make(map[*reference.Call]time.Duration)
		slots := func(c *reference.Call) chan struct{} {
			mu.Lock()
			defer mu.Unlock()
			key := c.Surface.Endpoint()
			if open[key] == nil {
				open[key] = make(chan struct{}, most)
			}
			return open[key]
		}
		duringUpstreamCall(func(ctx context.Context, c *reference.Call) error {
			arrived := time.Now()
			select {
			case slots(c) <- struct{}{}:
			case <-ctx.Done():
				return reference.ErrClientGone
			}
			mu.Lock()
			defer mu.Unlock()
			waited[c] = time.Since(arrived)
			return nil
		}, func(c *reference.Call, _ error) {
			mu.Lock()
			delete(waited, c)
			mu.Unlock()
			<-slots(c)
		})(o)
		changeTimeout(func(c *reference.Call, allowed time.Duration) time.Duration {
			mu.Lock()
			defer mu.Unlock()
			return allowed - waited[c]
		})(o)
	}
}

// stretchTimeout has a longer timeout for calls that find more than so many open ones on their endpoint.
func stretchTimeout(most int) change {
	return func(o *reference.Options) {
		var mu sync.Mutex
		open := make(map[dialect.Surface]int)
		count := func(c *reference.Call, n int) {
			mu.Lock()
			defer mu.Unlock()
			open[c.Surface.Endpoint()] += n
		}
		duringUpstreamCall(func(_ context.Context, c *reference.Call) error {
			count(c, 1)
			return nil
		}, func(c *reference.Call, _ error) { count(c, -1) })(o)
		changeTimeout(func(c *reference.Call, allowed time.Duration) time.Duration {
			mu.Lock()
			defer mu.Unlock()
			if open[c.Surface.Endpoint()] > most {
				return allowed * 5 / 2
			}
			return allowed
		})(o)
	}
}

// ofLimited changes the calls of the limited key alone.
func ofLimited(with func(context.Context, *reference.Call, reference.Handler) error) func(context.Context, *reference.Call, reference.Handler) error {
	return func(ctx context.Context, c *reference.Call, next reference.Handler) error {
		if c.Limited() {
			return with(ctx, c, next)
		}
		return next(ctx, c)
	}
}

// ignoreDisconnect goes on when the client has disconnected.
func ignoreDisconnect(ctx context.Context, c *reference.Call, next reference.Handler) error {
	return next(context.WithoutCancel(ctx), c)
}
