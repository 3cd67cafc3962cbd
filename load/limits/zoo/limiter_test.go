package zoo

import (
	"context"
	"math"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/load/limits"
)

// species is a limiter of the zoo.
type species struct {
	name    string
	library string
	// truth is what its library documents. Its kind is "" where none of the package's kinds is right.
	truth limits.DeclaredLimit
	// burst1 says that it never admits two calls at once, so that a bucket of 1 and a log of 1 are the same.
	burst1 bool
	// loose says that truth is a promise that it keeps, but that it refuses more: another limit acts too, or the refill comes
	// in steps. A remark about that is right, and so is none.
	loose bool
	// queues says that calls wait in place of being refused, so that a higher limit is kept as well.
	queues bool
	// rates are the rates in calls per second that may be inferred where no kind is right.
	rates []float64
	// inferOnly says that no limit that can be declared is true of it.
	inferOnly bool
	// real says that it has a clock of its own, or runs in another process, so that it is tried on the real clock.
	real bool
	// keep returns a limiter that has admitted nothing yet.
	keep func(subject) limits.Prober
}

// subject is one limiter of a species while it is tried.
type subject struct {
	t testing.TB
	// log gets the calls that the limiter admits.
	log *admissionLog
	// hop is how long a call takes to a limiter in the same process, and how long its response takes.
	hop func() time.Duration
}

// handler decides about a call. If it admits the call, it runs upstream while the call is in flight, once.
type handler func(ctx context.Context, upstream func()) answer

type answer struct {
	admitted bool
	// retryAfter is what a refused call is asked to wait, 0 where the library does not say.
	retryAfter time.Duration
}

// deciding returns a handler from a function that decides about one call.
func deciding(decide func(context.Context) answer) handler {
	return func(ctx context.Context, upstream func()) answer {
		a := decide(ctx)
		if a.admitted {
			upstream()
		}
		return a
	}
}

// allowing is deciding for the many libraries that say yes or no.
func allowing(allow func() bool) handler {
	return deciding(func(context.Context) answer { return answer{admitted: allow()} })
}

// admission is a call that a limiter admitted.
type admission struct {
	// The limiter decided between from and to, and the call certainly was in flight from to until ended.
	from, to, ended time.Time
}

// admissionLog has the admitted calls in no particular order.
type admissionLog struct {
	mu    sync.Mutex
	calls []admission
}

func (l *admissionLog) add(a admission) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, a)
}

func (l *admissionLog) all() []admission {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]admission(nil), l.calls...)
}

// direct returns a species' keep that calls handlers in this process.
func direct(open func(testing.TB) handler) func(subject) limits.Prober {
	return func(s subject) limits.Prober {
		handle := open(s.t)
		return func(ctx context.Context, hold time.Duration) (limits.Call, error) {
			c := limits.Call{Earliest: time.Now()}
			time.Sleep(s.hop())
			arrived := time.Now()
			a := handle(ctx, func() {
				passed := time.Now()
				time.Sleep(hold)
				s.log.add(admission{arrived, passed, time.Now()})
			})
			time.Sleep(s.hop())
			c.Ended = time.Now()
			c.Latest = c.Ended
			c.Observation = observe(a)
			if a.admitted {
				c.Held = hold
				c.Latest = c.Ended.Add(-hold)
			}
			return c, ctx.Err()
		}
	}
}

// quietMachine has the delays of a loopback, busyMachine those of one that works on something else: a few milliseconds, and now
// and then a tenth of a second.
func quietMachine(random *rand.Rand) func() time.Duration {
	return func() time.Duration { return time.Duration(200+random.IntN(600)) * time.Microsecond }
}

func busyMachine(random *rand.Rand) func() time.Duration {
	return func() time.Duration {
		d := time.Duration(random.ExpFloat64() * float64(4*time.Millisecond))
		if random.IntN(50) == 0 {
			d += time.Duration(random.IntN(100)) * time.Millisecond
		}
		return d
	}
}

// observe returns the response that a conformant gateway with such a limiter gives.
func observe(a answer) contract.Observation {
	o := contract.Observation{Status: 200, Header: map[string][]string{"X-Request-Id": {"r"}}}
	o.Sent.Surface = dialect.Chat
	if a.admitted {
		return o
	}
	o.Status = 429
	o.Header["Content-Type"] = []string{"application/json"}
	o.Body = contract.Bytes(refusal)
	if a.retryAfter > 0 {
		o.Header["Retry-After"] = []string{retryAfterSeconds(a.retryAfter)}
	}
	return o
}

const refusal = `{"error":{"message":"Too many requests.","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}`

func retryAfterSeconds(d time.Duration) string {
	return strconv.Itoa(int(math.Ceil(d.Seconds())))
}

// The truths, in short.

func tokenBucket(limit int, window time.Duration, burst int) limits.DeclaredLimit {
	return limits.DeclaredLimit{Kind: contract.TokenBucket, Limit: limit, Window: window, Burst: burst}
}

func fixedWindow(limit int, window time.Duration) limits.DeclaredLimit {
	return limits.DeclaredLimit{Kind: contract.FixedWindow, Limit: limit, Window: window}
}

func slidingLog(limit int, window time.Duration) limits.DeclaredLimit {
	return limits.DeclaredLimit{Kind: contract.SlidingLog, Limit: limit, Window: window}
}

func slidingCounter(limit int, window time.Duration) limits.DeclaredLimit {
	return limits.DeclaredLimit{Kind: contract.SlidingCounter, Limit: limit, Window: window}
}

func anyKind(limit int, window time.Duration) limits.DeclaredLimit {
	return limits.DeclaredLimit{Limit: limit, Window: window}
}

func concurrency(limit int) limits.DeclaredLimit {
	return limits.DeclaredLimit{Kind: contract.Concurrency, Limit: limit}
}

func countingRefused(d limits.DeclaredLimit) limits.DeclaredLimit {
	d.RefusedCount = true
	return d
}
