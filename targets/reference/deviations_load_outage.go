package reference

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// The obligations of a gateway whose provider goes wrong, as the package names them that plays an outage.
const (
	obligedInTime        contract.Requirement = "in-time"
	obligedHealthyServed contract.Requirement = "healthy-served"
	obligedHealthySpared contract.Requirement = "healthy-spared"
	obligedRecovery      contract.Requirement = "recovery"
	obligedDeparture     contract.Requirement = "departure"
)

// outageLoadDeviations let the calls that go wrong spoil the others. What they do begins with a route under strain, or
// with more calls at once than cases at rest make, so that these do not turn.
func outageLoadDeviations() []Deviation {
	const (
		slow    contract.Pattern = "code:channel:response_time_exceeded/slow-upstream/*/" + contract.LoadVariant
		failing contract.Pattern = "http:5xx/upstream-error/*/" + contract.LoadVariant
	)
	return []Deviation{
		{
			Name:      "slow-calls-starve-the-others",
			Sentence:  "Five calls of a route can be under way at the provider. While it hangs, all others wait for one of them to give up.",
			UnderLoad: true,
			Turns:     []Turn{warns(obligedHealthySpared, slow)},
			bend:      starving(5),
		},
		{
			Name:      "breaker-locks-out",
			Sentence:  "When a route has had a few failures, every call of it is refused for most of a second, however healthy.",
			UnderLoad: true,
			Turns:     []Turn{fails(obligedHealthyServed, slow, failing)},
			bend: straining(func(s *strain) func(*bends) {
				return refusing(func(c *call) bool {
					since, _ := s.since(c)
					return since < 700*time.Millisecond
				})
			}),
		},
		{
			Name:      "recovers-late",
			Sentence:  "A route whose provider is well again is let in slowly: for six seconds every other call is refused.",
			UnderLoad: true,
			Turns:     []Turn{warns(obligedRecovery, slow, failing)},
			bend: straining(func(s *strain) func(*bends) {
				every := make(perRoute)
				return refusing(func(c *call) bool {
					since, calls := s.since(c)
					// In an outage not so many calls go by without a failure: it has ended.
					return calls > 20 && since < 6*time.Second && every.next(s, c)%2 == 0
				})
			}),
		},
		{
			Name:      "limit-stretches-under-load",
			Sentence:  "When more than five calls of a route wait for the provider, its time limit is two and a half times as long.",
			UnderLoad: true,
			Turns:     []Turn{fails(obligedInTime, slow)},
			bend:      stretching(5),
		},
		{
			Name:      "provider-forgotten-under-load",
			Sentence:  "Under strain nobody hangs up on a provider that was too slow.",
			UnderLoad: true,
			// The calls left open are under way afterwards too.
			Turns: []Turn{warns(contract.UpstreamFreed, slow)},
			bend: straining(func(s *strain) func(*bends) {
				return rerouting(detach, s.under)
			}),
		},
		{
			Name:      "departures-not-passed-on",
			Sentence:  "The provider works on for callers that have left, up to its time limit.",
			UnderLoad: true,
			Turns:     []Turn{warns(obligedDeparture, slow)},
			bend:      together(wrapping("dial", staying), wrapping("deliver", staying)),
		},
		{
			Name:      "streams-end-well-under-load",
			Sentence:  "Under strain a stream whose provider fell silent is closed as if it were complete, finish and [DONE] made up.",
			UnderLoad: true,
			Turns:     []Turn{fails(contract.StreamEnd, slow)},
			bend: straining(func(s *strain) func(*bends) {
				return breaking(finishing, because(errTooSlow), func(c *call, _ *failure) bool { return s.under(c) })
			}),
		},
		{
			Name:      "errors-change-under-load",
			Sentence:  "The first slow calls are told that the provider was too slow, those under strain that it could not be reached.",
			UnderLoad: true,
			Turns:     []Turn{fails(contract.Code, slow)},
			bend: straining(func(s *strain) func(*bends) {
				return mistaking(doRequest, because(errTooSlow), func(c *call, _ *failure) bool { return s.under(c) })
			}),
		},
		{
			Name:      "retries-pile-up-under-load",
			Sentence:  "When a route has had a few failures, every call of it is tried six times as often.",
			UnderLoad: true,
			Turns:     []Turn{warns(contract.RetriesBounded, failing)},
			bend: straining(func(s *strain) func(*bends) {
				return func(b *bends) {
					b.attempts = append(b.attempts, func(c *call, allowed int) int {
						if s.under(c) {
							allowed *= 6
						}
						return allowed
					})
				}
			}),
		},
	}
}

// refusing turns some of the calls away before the provider is reached for.
func refusing(which func(*call) bool) func(*bends) {
	return wrapping("dial", func(_ *Gateway, dial step) step {
		return func(ctx context.Context, c *call) error {
			if which(c) {
				return refuse(getChannel, nil)
			}
			return dial(ctx, c)
		}
	})
}

// spanning puts something around all that a call has to do with the provider, from dialling to the end of the delivery.
func spanning(with func(step) step) func(*bends) {
	return func(b *bends) {
		b.stages = append(b.stages, func(_ *Gateway, stages []stage) []stage {
			from := slices.IndexFunc(stages, func(s stage) bool { return s.name == "dial" })
			to := slices.IndexFunc(stages, func(s stage) bool { return s.name == "deliver" })
			dial, deliver := stages[from].run, stages[to].run
			stages[from].run = with(func(ctx context.Context, c *call) error {
				if err := dial(ctx, c); err != nil {
					return err
				}
				return deliver(ctx, c)
			})
			return slices.Delete(stages, to, to+1)
		})
	}
}

// starving lets so many calls of each route be under way at the provider. What a call waited for its place is taken off its
// time limit, which counts from its arrival.
func starving(places int) func(*bends) {
	return func(b *bends) {
		var mu sync.Mutex
		routes := make(map[string]chan struct{})
		waited := make(map[*call]time.Duration)
		spanning(func(next step) step {
			return func(ctx context.Context, c *call) error {
				mu.Lock()
				taken := routes[routeOf(c)]
				if taken == nil {
					taken = make(chan struct{}, places)
					routes[routeOf(c)] = taken
				}
				mu.Unlock()
				began := time.Now()
				select {
				case taken <- struct{}{}:
				case <-ctx.Done():
					return errLeft
				}
				mu.Lock()
				waited[c] = time.Since(began)
				mu.Unlock()
				defer func() {
					mu.Lock()
					delete(waited, c)
					mu.Unlock()
					<-taken
				}()
				return next(ctx, c)
			}
		})(b)
		b.patience = append(b.patience, func(c *call, allowed time.Duration) time.Duration {
			mu.Lock()
			defer mu.Unlock()
			return allowed - waited[c]
		})
	}
}

// stretching has a longer time limit for calls that find more than so many of their route under way.
func stretching(most int) func(*bends) {
	return func(b *bends) {
		var mu sync.Mutex
		underWay := make(map[string]int)
		spanning(func(next step) step {
			return func(ctx context.Context, c *call) error {
				mu.Lock()
				underWay[routeOf(c)]++
				mu.Unlock()
				defer func() {
					mu.Lock()
					defer mu.Unlock()
					underWay[routeOf(c)]--
				}()
				return next(ctx, c)
			}
		})(b)
		b.patience = append(b.patience, func(c *call, allowed time.Duration) time.Duration {
			mu.Lock()
			defer mu.Unlock()
			if underWay[routeOf(c)] > most {
				return allowed * 5 / 2
			}
			return allowed
		})
	}
}

// staying goes on when the caller has left.
func staying(_ *Gateway, next step) step {
	return func(ctx context.Context, c *call) error { return next(context.WithoutCancel(ctx), c) }
}

// callKey is the key of a call in the context of what it asks of the provider.
type callKey struct{}

// rerouting asks the provider another way for some of the calls.
func rerouting(other func(*Gateway, http.RoundTripper) http.RoundTripper, which func(*call) bool) func(*bends) {
	return together(
		wrapping("dial", func(_ *Gateway, dial step) step {
			return func(ctx context.Context, c *call) error { return dial(context.WithValue(ctx, callKey{}, c), c) }
		}),
		func(b *bends) {
			b.provider = append(b.provider, func(g *Gateway, way http.RoundTripper) http.RoundTripper {
				return &fork{RoundTripper: way, other: other(g, way), which: which}
			})
		},
	)
}

// fork is a way to providers that has two ends.
type fork struct {
	http.RoundTripper

	other http.RoundTripper
	which func(*call) bool
}

// RoundTrip implements [http.RoundTripper].
func (f *fork) RoundTrip(r *http.Request) (*http.Response, error) {
	if c, ok := r.Context().Value(callKey{}).(*call); ok && f.which(c) {
		return f.other.RoundTrip(r)
	}
	return f.RoundTripper.RoundTrip(r)
}
