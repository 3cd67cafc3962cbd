package limits

import (
	"context"
	"math"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// simulated is a gateway with a limiter of its own making, on the clock of a synctest bubble. It shares no code with
// what it is there to test.
type simulated struct {
	kind   contract.LimiterKind
	limit  int
	window time.Duration
	burst  int
	// anchored fixed windows begin with the first call after the last one ended
	anchored bool
	noise    func() time.Duration // one way, before the decision and after it
	calls    func(c *Call)        // adjusts what is told, nil for nothing

	mu       sync.Mutex
	phase    time.Duration
	opened   time.Time
	passed   []time.Time // of all admitted calls
	tokens   float64
	filled   time.Time
	underWay int
}

func (s *simulated) allow(now time.Time) bool {
	since := func(from time.Time) int {
		n := 0
		for _, at := range s.passed {
			if !at.Before(from) && !at.After(now) {
				n++
			}
		}
		return n
	}
	start := now.Add(s.phase).Truncate(s.window).Add(-s.phase)
	switch s.kind {
	case contract.FixedWindow:
		if s.anchored {
			if !now.Before(s.opened.Add(s.window)) {
				s.opened = now
			}
			start = s.opened
		}
		return since(start) < s.limit
	case contract.SlidingLog:
		return since(now.Add(1-s.window)) < s.limit
	case contract.SlidingCounter:
		current := since(start)
		before := since(start.Add(-s.window)) - current
		share := 1 - float64(now.Sub(start))/float64(s.window)
		return float64(before)*share+float64(current)+1 <= float64(s.limit)+1e-9
	case contract.TokenBucket:
		capacity := float64(s.limit)
		if s.burst > 0 {
			capacity = float64(s.burst)
		}
		if s.filled.IsZero() {
			s.tokens, s.filled = capacity, now
		}
		s.tokens = math.Min(capacity, s.tokens+now.Sub(s.filled).Seconds()*float64(s.limit)/s.window.Seconds())
		s.filled = now
		if s.tokens < 1 {
			return false
		}
		s.tokens--
		return true
	case contract.Concurrency:
		return s.underWay < s.limit
	default:
		return true
	}
}

func (s *simulated) Probe(ctx context.Context) (Call, error) { return s.call(ctx, 0) }

func (s *simulated) call(ctx context.Context, hold time.Duration) (Call, error) {
	c := Call{Earliest: time.Now()}
	s.wait()
	s.mu.Lock()
	ok := s.allow(time.Now())
	if ok {
		s.passed = append(s.passed, time.Now())
		s.underWay++
	}
	s.mu.Unlock()
	c.Observation = contract.Observation{Status: http.StatusTooManyRequests}
	if ok {
		c.Observation.Status = http.StatusOK
		time.Sleep(hold)
		c.Held = hold
		s.mu.Lock()
		s.underWay--
		s.mu.Unlock()
	}
	s.wait()
	c.Ended = time.Now()
	c.Latest = c.Ended.Add(-c.Held)
	if s.calls != nil {
		s.calls(&c)
	}
	return c, ctx.Err()
}

func (s *simulated) wait() {
	s.mu.Lock()
	d := s.noise()
	s.mu.Unlock()
	time.Sleep(d)
}

func (s *simulated) Burst(ctx context.Context, n int, hold time.Duration) ([]Call, error) {
	calls := make([]Call, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { calls[i], _ = s.call(ctx, hold) })
	}
	all.Wait()
	return calls, ctx.Err()
}

// quiet is a loopback; busy is one whose machine has other things to do: usually a few milliseconds, now and then a
// tenth of a second.
func quiet(random *rand.Rand) func() time.Duration {
	return func() time.Duration { return time.Duration(200+random.IntN(600)) * time.Microsecond }
}

func busy(random *rand.Rand) func() time.Duration {
	return func() time.Duration {
		d := time.Duration(random.ExpFloat64() * float64(4*time.Millisecond))
		if random.IntN(50) == 0 {
			d += time.Duration(random.IntN(100)) * time.Millisecond
		}
		return d
	}
}
