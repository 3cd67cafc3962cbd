package limits

import (
	"context"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// simulatedLimiter is a gateway with a limiter of its own, on the clock of a synctest bubble. It shares no code with what it
// tests.
type simulatedLimiter struct {
	kind   contract.LimiterKind
	limit  int
	window time.Duration
	burst  int
	// startsOnRequest is set for fixed windows that begin with the first call after the last one ended.
	startsOnRequest bool
	// other decides in place of the kind.
	other func(now time.Time) bool
	// delay is the time of one way, before the decision and after it.
	delay func() time.Duration

	mu       sync.Mutex
	phase    time.Duration
	opened   time.Time
	admitted []time.Time // in order
	tokens   float64
	filled   time.Time
	inFlight int
}

// allow decides about a call, and takes a token from a bucket that has one.
func (s *simulatedLimiter) allow(now time.Time) bool {
	if s.other != nil {
		return s.other(now)
	}
	since := func(from time.Time) int {
		first, _ := slices.BinarySearchFunc(s.admitted, from, time.Time.Compare)
		last, _ := slices.BinarySearchFunc(s.admitted, now.Add(1), time.Time.Compare)
		return max(last-first, 0)
	}
	start := now.Add(s.phase).Truncate(s.window).Add(-s.phase)
	switch s.kind {
	case contract.FixedWindow:
		if s.startsOnRequest {
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
		return s.inFlight < s.limit
	default:
		return true
	}
}

// call is a [Prober].
func (s *simulatedLimiter) call(ctx context.Context, hold time.Duration) (Call, error) {
	c := Call{Earliest: time.Now()}
	s.travel()
	s.mu.Lock()
	ok := s.allow(time.Now())
	if ok {
		s.admitted = append(s.admitted, time.Now())
		s.inFlight++
	}
	s.mu.Unlock()
	c.Observation = contract.Observation{Status: http.StatusTooManyRequests}
	if ok {
		c.Observation.Status = http.StatusOK
		time.Sleep(hold)
		c.Held = hold
		s.mu.Lock()
		s.inFlight--
		s.mu.Unlock()
	}
	s.travel()
	c.Ended = time.Now()
	c.Latest = c.Ended.Add(-c.Held)
	return c, ctx.Err()
}

func (s *simulatedLimiter) travel() {
	s.mu.Lock()
	d := s.delay()
	s.mu.Unlock()
	time.Sleep(d)
}

// idleMachine has the delays of a loopback.
func idleMachine(random *rand.Rand) func() time.Duration {
	return func() time.Duration { return time.Duration(200+random.IntN(600)) * time.Microsecond }
}

// busyMachine has delays of a few milliseconds, and now and then of a tenth of a second.
func busyMachine(random *rand.Rand) func() time.Duration {
	return func() time.Duration {
		d := time.Duration(random.ExpFloat64() * float64(4*time.Millisecond))
		if random.IntN(50) == 0 {
			d += time.Duration(random.IntN(100)) * time.Millisecond
		}
		return d
	}
}

// simulation describes a limiter on a machine. Equal simulations have equal delays.
type simulation struct {
	kind      contract.LimiterKind
	limit     int
	window    time.Duration
	run, seed uint64
	busy      bool
}

func (s simulation) limiter() *simulatedLimiter {
	random := rand.New(rand.NewPCG(s.run, s.seed))
	l := &simulatedLimiter{kind: s.kind, limit: s.limit, window: s.window, delay: idleMachine(random)}
	if s.busy {
		l.delay = busyMachine(random)
	}
	l.phase = time.Duration(random.Int64N(int64(s.window)))
	return l
}

func (s simulation) gateway(f faults) *simulatedGateway {
	return &simulatedGateway{simulatedLimiter: s.limiter(), faults: f, balance: 1000}
}
