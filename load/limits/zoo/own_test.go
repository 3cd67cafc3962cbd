package zoo

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/gatecert/gatecert/load/limits"
)

// ownLimiters are of the designs that no library here has.
func ownLimiters() []species {
	return []species{
		{name: "log 20 in 2s", library: "own", truth: slidingLog(20, 2*time.Second), keep: locked(func() func(time.Time) bool {
			return (&logOf{limit: 20, window: 2 * time.Second}).allow
		})},
		{name: "log 10 in 1s, counts refused", library: "own", truth: countingRefused(slidingLog(10, time.Second)), keep: locked(func() func(time.Time) bool {
			return (&logOf{limit: 10, window: time.Second, countsRefused: true}).allow
		})},
		{name: "20 in 2s from the first call", library: "own", truth: fixedWindow(20, 2*time.Second), keep: locked(func() func(time.Time) bool {
			return (&windowFromFirst{limit: 20, window: 2 * time.Second}).allow
		})},
		{name: "bucket of 10, +5 every 1.5s", library: "own", truth: tokenBucket(5, 1500*time.Millisecond, 15), loose: true, rates: []float64{5 / 1.5}, keep: locked(func() func(time.Time) bool {
			return newStepped(10, 5, 1500*time.Millisecond).allow
		})},
		// Envoy's local rate limit has max_tokens, tokens_per_fill and fill_interval.
		{name: "bucket of 20, +10 every 1s", library: "like Envoy", truth: tokenBucket(10, time.Second, 30), loose: true, rates: []float64{10}, keep: locked(func() func(time.Time) bool {
			return newStepped(20, 10, time.Second).allow
		})},
		{name: "bucket of 20, +20 every 2s", library: "like Envoy", truth: fixedWindow(20, 2*time.Second), keep: locked(func() func(time.Time) bool {
			return newStepped(20, 20, 2*time.Second).allow
		})},
		{name: "logs 10 in 1s and 20 in 4s", library: "own", truth: slidingLog(20, 4*time.Second), loose: true, rates: []float64{5}, keep: locked(func() func(time.Time) bool {
			short, long := &logOf{limit: 10, window: time.Second}, &logOf{limit: 20, window: 4 * time.Second}
			return func(now time.Time) bool {
				if !short.hasRoom(now) || !long.hasRoom(now) {
					return false
				}
				return short.allow(now) && long.allow(now)
			}
		})},
		// 1,000 tokens in 2 s; prompts of 40 to 160 tokens, 100 on average.
		{name: "1000 tokens in 2s, by prompt", library: "own", inferOnly: true, rates: []float64{5}, keep: locked(func() func(time.Time) bool {
			tokens, last, n := 1000.0, time.Now(), 0
			return func(now time.Time) bool {
				tokens, last = min(tokens+500*now.Sub(last).Seconds(), 1000), now
				cost := float64(40 + 20*(n*5%7))
				if tokens < cost {
					return false
				}
				tokens -= cost
				n++
				return true
			}
		})},
	}
}

// locked returns a species' keep from a limiter that one goroutine may use.
func locked(open func() func(now time.Time) bool) func(subject) limits.Prober {
	return direct(func(testing.TB) handler {
		var mu sync.Mutex
		allow := open()
		return deciding(func(context.Context) answer {
			mu.Lock()
			defer mu.Unlock()
			return answer{admitted: allow(time.Now())}
		})
	})
}

// logOf admits so many calls in any window.
type logOf struct {
	limit         int
	window        time.Duration
	countsRefused bool

	calls []time.Time
}

func (l *logOf) hasRoom(now time.Time) bool {
	for len(l.calls) > 0 && now.Sub(l.calls[0]) >= l.window {
		l.calls = l.calls[1:]
	}
	return len(l.calls) < l.limit
}

func (l *logOf) allow(now time.Time) bool {
	room := l.hasRoom(now)
	if room || l.countsRefused {
		l.calls = append(l.calls, now)
	}
	return room
}

// windowFromFirst has windows that begin with the first call after the last one.
type windowFromFirst struct {
	limit  int
	window time.Duration

	began time.Time
	calls int
}

func (w *windowFromFirst) allow(now time.Time) bool {
	if now.Sub(w.began) >= w.window {
		w.began, w.calls = now, 0
	}
	w.calls++
	return w.calls <= w.limit
}

// stepped is a bucket that is refilled at once, now and then.
type stepped struct {
	capacity, fill int
	interval       time.Duration

	tokens int
	filled time.Time
}

func newStepped(capacity, fill int, interval time.Duration) *stepped {
	return &stepped{capacity: capacity, fill: fill, interval: interval, tokens: capacity, filled: time.Now()}
}

func (s *stepped) allow(now time.Time) bool {
	for now.Sub(s.filled) >= s.interval {
		s.filled = s.filled.Add(s.interval)
		s.tokens = min(s.tokens+s.fill, s.capacity)
	}
	if s.tokens == 0 {
		return false
	}
	s.tokens--
	return true
}
