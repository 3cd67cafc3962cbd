package reference

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
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

func TestLimitIsExactUnderABurst(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Rate = RateLimit{Requests: 7, Window: 59 * time.Second} })
	at := &clock{now: time.Unix(1_000, 0)}
	r.gateway.limiter = newLimiter(at.read)
	var admitted atomic.Int64
	var calls sync.WaitGroup
	for range 40 {
		calls.Go(func() {
			a := r.ask(dialect.Chat, r.keys.Limited, r.models.Chat, "hi")
			if a.status == http.StatusOK {
				admitted.Add(1)
			}
		})
	}
	calls.Wait()
	require.Equal(t, int64(7), admitted.Load())

	forSurfaces(t, r, dialect.Surfaces(), func(r *rig, s dialect.Surface) {
		a := r.ask(s, r.keys.Limited, r.healthyModel(s), "hi")
		r.requireError(a, 429, "rate_limit_exceeded")
		require.Equal(r, "59", a.header.Get("Retry-After"))
		require.Equal(r, "7", a.header.Get("x-ratelimit-limit-requests"))
		require.Equal(r, "0", a.header.Get("x-ratelimit-remaining-requests"))
		require.Equal(r, "59s", a.header.Get("x-ratelimit-reset-requests"))
	})
	at.advance(59 * time.Second)
	a := r.ask(dialect.Chat, r.keys.Limited, r.models.Chat, "hi")
	r.requireHealthy(a)
	require.Equal(t, "6", a.header.Get("x-ratelimit-remaining-requests"))
}

func TestUnlimitedKeysHaveNoRateHeaders(t *testing.T) {
	r := newRig(t)
	a := r.ask(dialect.Chat, r.keys.Valid, r.models.Chat, "hi")
	require.Empty(t, a.header.Get("x-ratelimit-limit-requests"))
}

func TestWholeSecondsRoundUp(t *testing.T) {
	for wait, want := range map[time.Duration]int{
		time.Nanosecond: 1, time.Second: 1, time.Second + 1: 2, 59 * time.Second: 59, 0: 1, -time.Second: 1,
	} {
		require.Equal(t, strconv.Itoa(want), wholeSeconds(wait), wait)
	}
}

// A call holds its slot until its answer is over, and no longer: a client that has read the end finds the slot free.
func TestConcurrencyCountsOpenCalls(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Rate = RateLimit{Kind: contract.Concurrency, Requests: 1, Window: time.Second}
	})
	for range 20 {
		for _, s := range []dialect.Surface{dialect.Chat, dialect.ChatStream, dialect.MessagesStream} {
			r.requireHealthy(r.ask(s, r.keys.Limited, r.healthyModel(s), "hi"))
		}
		long := r.ask(dialect.Chat, r.keys.Limited, r.models.Chat, "hi "+strings.Repeat("word ", 4_000))
		r.requireHealthy(long)
		r.requireError(r.ask(dialect.Chat, r.keys.Limited, "gc-no-such-model", "hi"), 404, "model_not_found")
	}
	held := make(chan answer)
	go func() {
		held <- r.ask(dialect.ChatStream, r.keys.Limited, r.models.Chat, "[[gatecert token=held gap=200ms]]")
	}()
	now, over := context.WithCancel(t.Context())
	over()
	require.Eventually(t, func() bool {
		seen, _ := r.mock.Seen(now, "held")
		return len(seen.Attempts) == 1
	}, 5*time.Second, time.Millisecond)
	refused := r.ask(dialect.Chat, r.keys.Limited, r.models.Chat, "hi")
	r.requireError(refused, 429, "rate_limit_exceeded")
	require.Equal(t, "1", refused.header.Get("Retry-After"))
	require.Equal(t, "0", refused.header.Get("X-Ratelimit-Remaining-Requests"))
	require.Empty(t, refused.header.Values("X-Ratelimit-Reset-Requests"), "nobody knows when the open call ends")
	r.requireHealthy(<-held)
	r.requireHealthy(r.ask(dialect.Chat, r.keys.Limited, r.models.Chat, "hi"))
}
