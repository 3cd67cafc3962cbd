package zoo

import (
	"context"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/load/limits"
)

// The two scripts of countless tutorials, and the second one as it is often written: refused calls are added too.
var (
	countAndExpire = redis.NewScript(`
		local n = redis.call('INCR', KEYS[1])
		if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
		if n > tonumber(ARGV[1]) then return 0 end
		return 1`)
	slidingSet = redis.NewScript(`
		local t = redis.call('TIME')
		local now = t[1] * 1000000 + t[2]
		redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, now - ARGV[2] * 1000)
		if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
		redis.call('ZADD', KEYS[1], now, now .. '-' .. ARGV[3])
		return 1`)
	slidingSetOfAll = redis.NewScript(`
		local t = redis.call('TIME')
		local now = t[1] * 1000000 + t[2]
		redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, now - ARGV[2] * 1000)
		redis.call('ZADD', KEYS[1], now, now .. '-' .. ARGV[3])
		if redis.call('ZCARD', KEYS[1]) > tonumber(ARGV[1]) then return 0 end
		return 1`)
)

// redisLimiters are limiters whose state is in Redis.
func redisLimiters(t *testing.T) []species {
	client := serveRedis(t)
	gcra := func(limit redis_rate.Limit) func(*admissionLog) limits.Prober {
		return direct(func() handler {
			l, key := redis_rate.NewLimiter(client), newKey()
			return deciding(func(ctx context.Context) answer {
				r, err := l.Allow(ctx, key, limit)
				if err != nil {
					return answer{}
				}
				return answer{r.Allowed > 0, r.RetryAfter}
			})
		})
	}
	script := func(s *redis.Script, limit int, window time.Duration) func(*admissionLog) limits.Prober {
		return direct(func() handler {
			key := newKey()
			return deciding(func(ctx context.Context) answer {
				n, err := s.Run(ctx, client, []string{key}, limit, window.Milliseconds(), newKey()).Int()
				return answer{admitted: err == nil && n == 1}
			})
		})
	}
	return []species{
		{name: "GCRA 20 in 2s", library: "redis_rate", truth: tokenBucket(20, 2*time.Second, 20), keep: gcra(redis_rate.Limit{Rate: 20, Period: 2 * time.Second, Burst: 20})},
		{name: "GCRA 10/s, burst 5", library: "redis_rate", truth: tokenBucket(10, time.Second, 5), keep: gcra(redis_rate.Limit{Rate: 10, Period: time.Second, Burst: 5})},
		{name: "INCR, PEXPIRE 20 in 2s", library: "Redis script", truth: fixedWindow(20, 2*time.Second), keep: script(countAndExpire, 20, 2*time.Second)},
		{name: "ZSET 20 in 2s", library: "Redis script", truth: slidingLog(20, 2*time.Second), keep: script(slidingSet, 20, 2*time.Second)},
		{name: "ZSET 10 in 1s, all calls", library: "Redis script", truth: countingRefused(slidingLog(10, time.Second)), keep: script(slidingSetOfAll, 10, time.Second)},
	}
}

// serveRedis serves a Redis in this process until the test ends.
func serveRedis(t *testing.T) *redis.Client {
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), PoolSize: 64})
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	// Keys expire when they are asked to, not by the clock.
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for last := time.Now(); ctx.Err() == nil; time.Sleep(2 * time.Millisecond) {
			now := time.Now()
			server.FastForward(now.Sub(last))
			last = now
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return client
}
