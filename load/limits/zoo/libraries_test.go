package zoo

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	slidingcounter "github.com/RussellLuo/slidingwindow"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/ratelimiter"
	juju "github.com/juju/ratelimit"
	"github.com/sethvargo/go-limiter/memorystore"
	"github.com/stretchr/testify/require"
	"github.com/throttled/throttled/v2"
	"github.com/throttled/throttled/v2/store/memstore"
	ulule "github.com/ulule/limiter/v3"
	ululememory "github.com/ulule/limiter/v3/drivers/store/memory"
	uber "go.uber.org/ratelimit"
	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"github.com/gatecert/gatecert/load/limits"
)

// keys makes keys that differ.
var keys atomic.Int64

func newKey() string { return fmt.Sprintf("key-%d", keys.Add(1)) }

// libraries are the limiters of Go libraries that are called in this process.
func libraries() []species {
	xtime := func(perSecond rate.Limit, burst int) func(subject) limits.Prober {
		return direct(func(testing.TB) handler { return allowing(rate.NewLimiter(perSecond, burst).Allow) })
	}
	return []species{
		{name: "bucket of 20, 10/s", library: "x/time/rate", truth: tokenBucket(20, 2*time.Second, 20), keep: xtime(10, 20)},
		{name: "bucket of 5, 10/s", library: "x/time/rate", truth: tokenBucket(10, time.Second, 5), keep: xtime(10, 5)},
		{name: "bucket of 1, 5/s", library: "x/time/rate", truth: tokenBucket(5, time.Second, 1), burst1: true, keep: xtime(5, 1)},

		{name: "GCRA 20 in 2s", library: "throttled", truth: tokenBucket(20, 2*time.Second, 20), keep: throttledGCRA(20, 2*time.Second, 19)},
		{name: "GCRA 10/s, burst 1", library: "throttled", truth: tokenBucket(10, time.Second, 1), burst1: true, keep: throttledGCRA(10, time.Second, 0)},

		// It counts whole ticks, here of 100 ms: who takes 20 just before a tick gets one more just after it.
		{name: "bucket of 20, 10/s", library: "juju", truth: tokenBucket(20, 2*time.Second, 21), loose: true, rates: []float64{10}, keep: direct(func(testing.TB) handler {
			b := juju.NewBucketWithRate(10, 20)
			return allowing(func() bool { return b.TakeAvailable(1) == 1 })
		})},
		// A call that comes just before a tick finds 10 tokens, and those that come just after it 5 more.
		{name: "bucket of 10, +5 every 1.5s", library: "juju", truth: tokenBucket(5, 1500*time.Millisecond, 15), loose: true, rates: []float64{5 / 1.5}, keep: direct(func(testing.TB) handler {
			b := juju.NewBucketWithQuantum(1500*time.Millisecond, 10, 5)
			return allowing(func() bool { return b.TakeAvailable(1) == 1 })
		})},

		// It asks for the time by a way of its own.
		{name: "20 in 2s from the first call", library: "sethvargo", real: true, truth: fixedWindow(20, 2*time.Second), keep: direct(func(t testing.TB) handler {
			store, err := memorystore.New(&memorystore.Config{Tokens: 20, Interval: 2 * time.Second})
			require.NoError(t, err)
			t.Cleanup(func() { _ = store.Close(context.Background()) })
			return deciding(func(ctx context.Context) answer {
				_, _, reset, ok, err := store.Take(ctx, "key")
				return answer{err == nil && ok, time.Until(time.Unix(0, int64(reset)))}
			})
		})},

		{name: "20 in 2s from the first call", library: "ulule", truth: fixedWindow(20, 2*time.Second), keep: direct(func(testing.TB) handler {
			l := ulule.New(ululememory.NewStoreWithOptions(ulule.StoreOptions{}), ulule.Rate{Period: 2 * time.Second, Limit: 20})
			return deciding(func(ctx context.Context) answer {
				c, err := l.Get(ctx, "key")
				return answer{admitted: err == nil && !c.Reached}
			})
		})},

		{name: "sliding counter 20 in 2s", library: "RussellLuo", truth: slidingCounter(20, 2*time.Second), keep: direct(func(testing.TB) handler {
			l, _ := slidingcounter.NewLimiter(2*time.Second, 20, func() (slidingcounter.Window, slidingcounter.StopFunc) {
				return slidingcounter.NewLocalWindow()
			})
			return allowing(l.Allow)
		})},

		// One call in each tenth of a second of its clock, so that two may follow each other at once.
		{name: "smooth 10/s", library: "failsafe-go", truth: fixedWindow(1, 100*time.Millisecond), keep: direct(func(testing.TB) handler {
			return allowing(ratelimiter.NewSmooth[any](10, time.Second).TryAcquirePermit)
		})},
		{name: "bursty 20 in 2s", library: "failsafe-go", truth: fixedWindow(20, 2*time.Second), keep: direct(func(testing.TB) handler {
			return allowing(ratelimiter.NewBursty[any](20, 2*time.Second).TryAcquirePermit)
		})},
		{name: "bulkhead of 5", library: "failsafe-go", truth: concurrency(5), keep: direct(func(testing.TB) handler {
			b := bulkhead.New[any](5)
			return inFlight(b.TryAcquirePermit, b.ReleasePermit)
		})},
		// A call waits for a place for up to 100 ms, which is less than any call is held.
		{name: "bulkhead of 5, waits 100ms", library: "failsafe-go", truth: concurrency(5), keep: direct(func(testing.TB) handler {
			b := bulkhead.New[any](5)
			return func(ctx context.Context, upstream func()) answer {
				if b.AcquirePermitWithMaxWait(ctx, 100*time.Millisecond) != nil {
					return answer{}
				}
				defer b.ReleasePermit()
				upstream()
				return answer{admitted: true}
			}
		})},

		{name: "semaphore of 8", library: "x/sync", truth: concurrency(8), keep: direct(func(testing.TB) handler {
			s := semaphore.NewWeighted(8)
			return inFlight(func() bool { return s.TryAcquire(1) }, func() { s.Release(1) })
		})},
		{name: "semaphore of 5, 5 wait", library: "x/sync", truth: concurrency(5), loose: true, queues: true, keep: direct(func(testing.TB) handler {
			s := semaphore.NewWeighted(5)
			var inside atomic.Int64
			return func(ctx context.Context, upstream func()) answer {
				defer inside.Add(-1)
				if inside.Add(1) > 10 || s.Acquire(ctx, 1) != nil {
					return answer{}
				}
				defer s.Release(1)
				upstream()
				return answer{admitted: true}
			}
		})},

		// It refuses nothing, and delays.
		{name: "100/s, all calls wait", library: "uber", truth: tokenBucket(100, time.Second, 1), loose: true, queues: true, rates: []float64{100}, keep: direct(func(testing.TB) handler {
			l := uber.New(100, uber.WithoutSlack)
			return deciding(func(context.Context) answer { l.Take(); return answer{admitted: true} })
		})},
	}
}

// inFlight is a limit on the calls in flight.
func inFlight(acquire func() bool, release func()) handler {
	return func(_ context.Context, upstream func()) answer {
		if !acquire() {
			return answer{}
		}
		defer release()
		upstream()
		return answer{admitted: true}
	}
}

// throttledGCRA admits one call more at once than its burst.
func throttledGCRA(limit int, window time.Duration, burst int) func(subject) limits.Prober {
	return direct(func(t testing.TB) handler {
		store, err := memstore.NewCtx(0)
		require.NoError(t, err)
		l, err := throttled.NewGCRARateLimiterCtx(store, throttled.RateQuota{MaxRate: throttled.PerDuration(limit, window), MaxBurst: burst})
		require.NoError(t, err)
		l.SetMaxCASAttemptsLimit(1000)
		return deciding(func(ctx context.Context) answer {
			limited, result, err := l.RateLimitCtx(ctx, "key", 1)
			return answer{err == nil && !limited, result.RetryAfter}
		})
	})
}
