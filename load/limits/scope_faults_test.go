//go:build !race

// Some ten thousand simulated runs take too long with the race detector; scope_test.go has one of each kind.

package limits

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

// sharings counts what was found in several hundred runs. Each has a random source of its own, and asks about another address.
func sharings(t *testing.T, runs int, setUp func(r *rand.Rand) (m LimiterModel, limited, other Prober)) map[Sharing]int {
	t.Helper()
	found := map[Sharing]int{}
	for run := range runs {
		synctest.Test(t, func(t *testing.T) {
			m, limited, other := setUp(rand.New(rand.NewPCG(uint64(run), 11)))
			got, _, err := InferScope(t.Context(), m, ScopeProbers{Limited: limited, OtherSource: other}, Budget{})
			require.NoError(t, err)
			found[got.Sources]++
		})
	}
	t.Logf("%s: %v", t.Name(), found)
	return found
}

// between draws delays of one way.
func between(r *rand.Rand, from, to time.Duration) func() time.Duration {
	return func() time.Duration { return from + time.Duration(r.Int64N(int64(to-from))) }
}

// Limits that are shared, and limits that are not, at latencies of a language model and on a busy machine. The boundary of a window falls into
// any of the bursts.
func TestScopeAtLatencies(t *testing.T) {
	for _, kind := range contract.LimiterKinds() {
		for _, limit := range []int{2, 5, 10, 20, 40} {
			for name, x := range map[string]struct {
				window time.Duration
				delay  func(r *rand.Rand) func() time.Duration
			}{
				"0.1 to 0.5 s": {5 * time.Second, func(r *rand.Rand) func() time.Duration { return between(r, 100*time.Millisecond, 500*time.Millisecond) }},
				"60 to 90 ms":  {2 * time.Second, func(r *rand.Rand) func() time.Duration { return between(r, 60*time.Millisecond, 90*time.Millisecond) }},
				"busy":         {2 * time.Second, busyMachine},
			} {
				for _, shared := range []bool{true, false} {
					t.Run(fmt.Sprintf("%s of %d, %s, shared %t", kind, limit, name, shared), func(t *testing.T) {
						t.Parallel()
						found := sharings(t, 100, func(r *rand.Rand) (LimiterModel, Prober, Prober) {
							limiter := func() *simulatedLimiter {
								l := simulation{kind, limit, x.window, r.Uint64(), 1, false}.limiter()
								l.delay, l.startsOnRequest = x.delay(r), r.IntN(2) == 0
								return l
							}
							own := limiter()
							other := own
							if !shared {
								other = limiter()
							}
							return modelOf(kind, limit, x.window), own.call, other.call
						})
						wrong := Apart
						if !shared {
							wrong = Shared
						}
						assert.Zero(t, found[wrong])
						if limit > 4 && x.window < 5*time.Second {
							assert.LessOrEqual(t, found[Unclear], 5)
						}
					})
				}
			}
		}
	}
}

// Several instances, each with counters of its own, behind a balancer that takes one at random. Whoever calls, the limit is the same.
func TestScopeOfInstances(t *testing.T) {
	const window = 2 * time.Second
	for _, kind := range contract.LimiterKinds() {
		for _, limit := range []int{1, 2, 5, 10, 20, 50} {
			for _, instances := range []int{2, 3, 6} {
				t.Run(fmt.Sprintf("%d of %s of %d", instances, kind, limit), func(t *testing.T) {
					t.Parallel()
					found := sharings(t, 200, func(r *rand.Rand) (LimiterModel, Prober, Prober) {
						all := make([]*simulatedLimiter, instances)
						for i := range all {
							all[i] = simulation{kind, limit, window, r.Uint64(), uint64(i), false}.limiter()
							all[i].phase = all[0].phase
						}
						seen := limit + r.IntN((instances-1)*limit+1) // by the inference
						call := func(ctx context.Context, hold time.Duration) (Call, error) {
							all[0].mu.Lock()
							n := r.IntN(instances)
							all[0].mu.Unlock()
							return all[n].call(ctx, hold)
						}
						return modelOf(kind, seen, window), call, call
					})
					assert.Zero(t, found[Apart])
				})
			}
		}
	}
}

// refusal is a call that is refused whoever made what before.
func refusal(context.Context, time.Duration) (Call, error) {
	c := Call{Observation: contract.Observation{Status: http.StatusTooManyRequests}, Earliest: time.Now()}
	time.Sleep(time.Millisecond)
	c.Latest, c.Ended = time.Now(), time.Now()
	return c, nil
}

// Somebody who is refused for a reason of their own does not share the limit.
func TestScopeOfTheRefused(t *testing.T) {
	const window = 2 * time.Second
	for _, kind := range contract.LimiterKinds() {
		for name, other := range map[string]func(limit int, r *rand.Rand) Prober{
			"always": func(int, *rand.Rand) Prober { return refusal },
			// A quota of a day is used up after some calls.
			"after some calls": func(limit int, r *rand.Rand) Prober {
				l, left := simulation{kind, limit, window, r.Uint64(), 1, false}.limiter(), r.IntN(6*min(limit, mostAsked))
				return func(ctx context.Context, hold time.Duration) (Call, error) {
					l.mu.Lock()
					left--
					spent := left < 0
					l.mu.Unlock()
					if spent {
						return refusal(ctx, hold)
					}
					return l.call(ctx, hold)
				}
			},
			"until some instant": func(limit int, r *rand.Rand) Prober {
				l := simulation{kind, limit, window, r.Uint64(), 1, false}.limiter()
				until := time.Now().Add(time.Duration(r.Int64N(int64(8 * window))))
				return func(ctx context.Context, hold time.Duration) (Call, error) {
					if time.Now().Before(until) {
						return refusal(ctx, hold)
					}
					return l.call(ctx, hold)
				}
			},
			"by a limit of another size, in another window": func(limit int, r *rand.Rand) Prober {
				kinds := contract.LimiterKinds()
				window := time.Duration((0.3 + 4*r.Float64()) * float64(window))
				return simulation{kinds[r.IntN(len(kinds))], 1 + r.IntN(2*limit), window, r.Uint64(), 1, false}.limiter().call
			},
			"by a limit of the same size, in another window": func(limit int, r *rand.Rand) Prober {
				kinds := contract.LimiterKinds()
				window := time.Duration((0.3 + 4*r.Float64()) * float64(window))
				return simulation{kinds[r.IntN(len(kinds))], max(limit-r.IntN(2), 1), window, r.Uint64(), 1, false}.limiter().call
			},
		} {
			for _, limit := range []int{1, 4, 10} {
				t.Run(fmt.Sprintf("%s of %d, %s", kind, limit, name), func(t *testing.T) {
					t.Parallel()
					found := sharings(t, 200, func(r *rand.Rand) (LimiterModel, Prober, Prober) {
						own := simulation{kind, limit, window, r.Uint64(), 1, r.IntN(2) == 0}.limiter()
						return modelOf(kind, limit, window), own.call, other(limit, r)
					})
					assert.Zero(t, found[Shared])
				})
			}
		}
	}
}

// counting counts the calls of a prober.
func counting(p Prober, made *atomic.Int64) Prober {
	return func(ctx context.Context, hold time.Duration) (Call, error) {
		made.Add(1)
		return p(ctx, hold)
	}
}

// However little an inference leaves, not more is made than was allowed, and what is left unasked says why.
func TestScopeWithWhatIsLeft(t *testing.T) {
	const window = 2 * time.Second
	for _, kind := range contract.LimiterKinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			asked := 0
			for run := range 200 {
				synctest.Test(t, func(t *testing.T) {
					r := rand.New(rand.NewPCG(uint64(run), 12))
					own, other := simulation{kind, 40, window, r.Uint64(), 1, true}.limiter(), simulation{kind, 40, window, r.Uint64(), 2, true}.limiter()
					var made atomic.Int64
					counted := func(p Prober) Prober { return counting(p, &made) }
					began, b := time.Now(), Budget{Calls: 200 + r.IntN(1500), Time: time.Duration(r.Int64N(int64(time.Minute)))}
					spent := []Experiment{{Calls: r.IntN(250)}}
					left := b.Calls - spent[0].Calls
					time.Sleep(time.Duration(r.Int64N(int64(10 * time.Second))))
					_, experiments, err := InferScope(t.Context(), modelOf(kind, 40, window),
						ScopeProbers{Limited: counted(own.call), OtherSource: counted(other.call), OtherKey: counted(own.call)}, b.Left(spent, began))
					require.NoError(t, err)
					require.Len(t, experiments, 2)
					sum := 0
					for _, e := range experiments {
						sum += e.Calls
						if !strings.Contains(e.Sentence, ": not ") {
							asked++
						}
					}
					assert.Equal(t, int(made.Load()), sum)
					assert.LessOrEqual(t, sum, max(left, 0))
					assert.LessOrEqual(t, time.Since(began), max(b.Time, 10*time.Second)+time.Second)
				})
			}
			assert.Greater(t, asked, 50)
			assert.Less(t, asked, 350)
		})
	}
}

// An inference and that of the scope together make no more calls than were allowed.
func TestScopeAfterAnInference(t *testing.T) {
	for calls, want := range map[int]Scope{1200: {Unclear, Unclear}, 4000: {Apart, Shared}} {
		synctest.Test(t, func(t *testing.T) {
			own := simulation{contract.FixedWindow, 100, 2 * time.Second, 1, 1, false}.limiter()
			other := simulation{contract.FixedWindow, 100, 2 * time.Second, 2, 1, false}.limiter()
			var made atomic.Int64
			counted := func(p Prober) Prober { return counting(p, &made) }
			began, b := time.Now(), Budget{Calls: calls}
			m, experiments, err := Infer(t.Context(), counted(own.call), b)
			require.NoError(t, err)
			got, _, err := InferScope(t.Context(), m, ScopeProbers{counted(own.call), counted(other.call), counted(own.call)}, b.Left(experiments, began))
			require.NoError(t, err)
			assert.Equal(t, want, got)
			assert.LessOrEqual(t, int(made.Load()), calls)
		})
	}
}
