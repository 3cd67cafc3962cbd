package reference

import (
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestWindowSlides(t *testing.T) {
	at := &clock{now: time.Unix(1_000, 0)}
	l := newLimiter(at.read)
	rate := RateLimit{Requests: 2, Window: 10 * time.Second}
	require.Equal(t, allowance{ok: true, remaining: 1, reset: 10 * time.Second}, l.admit(1, rate))
	at.advance(4 * time.Second)
	require.Equal(t, allowance{ok: true, remaining: 0, reset: 10 * time.Second, wait: 6 * time.Second}, l.admit(1, rate))
	at.advance(time.Second)
	for range 3 {
		require.Equal(t, allowance{reset: 9 * time.Second, wait: 5 * time.Second}, l.admit(1, rate), "refused calls do not count")
	}
	require.True(t, l.admit(2, rate).ok, "another key has a limit of its own")
	at.advance(5*time.Second - 1)
	require.False(t, l.admit(1, rate).ok, "just before the time that was told")
	at.advance(1)
	require.True(t, l.admit(1, rate).ok, "at the time that was told")
	require.False(t, l.admit(1, rate).ok)
}

func TestLimitIsExactUnderABurst(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Rate = RateLimit{Requests: 7, Window: 59 * time.Second} })
	at := &clock{now: time.Unix(1_000, 0)}
	r.gateway.limiter = newLimiter(at.read)
	var admitted atomic.Int64
	var calls sync.WaitGroup
	for range 40 {
		calls.Go(func() {
			a := r.ask(contract.Chat, r.keys.Limited, r.models.Chat, "hi")
			if a.status == http.StatusOK {
				admitted.Add(1)
			}
		})
	}
	calls.Wait()
	require.Equal(t, int64(7), admitted.Load())

	forSurfaces(t, r, contract.Surfaces(), func(r *rig, s contract.Surface) {
		a := r.ask(s, r.keys.Limited, r.healthyModel(s), "hi")
		r.requireError(a, 429, "rate_limit_exceeded")
		require.Equal(r, "59", a.header.Get("Retry-After"))
		require.Equal(r, "7", a.header.Get("x-ratelimit-limit-requests"))
		require.Equal(r, "0", a.header.Get("x-ratelimit-remaining-requests"))
		require.Equal(r, "59s", a.header.Get("x-ratelimit-reset-requests"))
	})
	at.advance(59 * time.Second)
	a := r.ask(contract.Chat, r.keys.Limited, r.models.Chat, "hi")
	r.requireHealthy(a)
	require.Equal(t, "6", a.header.Get("x-ratelimit-remaining-requests"))
}

func TestUnlimitedKeysAreToldNoLimit(t *testing.T) {
	r := newRig(t)
	a := r.ask(contract.Chat, r.keys.Valid, r.models.Chat, "hi")
	require.Empty(t, a.header.Get("x-ratelimit-limit-requests"))
}

func TestWholeSecondsRoundUp(t *testing.T) {
	for wait, want := range map[time.Duration]int{
		time.Nanosecond: 1, time.Second: 1, time.Second + 1: 2, 59 * time.Second: 59, 0: 1, -time.Second: 1,
	} {
		require.Equal(t, strconv.Itoa(want), wholeSeconds(wait), wait)
	}
}
