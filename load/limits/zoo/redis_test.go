package zoo

import (
	"context"
	"net"
	"sync"
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

// redisLimiters are limiters whose state is in Redis, each in a Redis of its own.
func redisLimiters() []species {
	gcra := func(limit redis_rate.Limit) func(subject) limits.Prober {
		return direct(func(t testing.TB) handler {
			r := serveRedis(t)
			l, key := redis_rate.NewLimiter(r.client), newKey()
			return deciding(func(ctx context.Context) answer {
				r.expire()
				r, err := l.Allow(ctx, key, limit)
				if failed(ctx, t, err) {
					return answer{}
				}
				return answer{r.Allowed > 0, r.RetryAfter}
			})
		})
	}
	script := func(s *redis.Script, limit int, window time.Duration) func(subject) limits.Prober {
		return direct(func(t testing.TB) handler {
			r, key := serveRedis(t), newKey()
			return deciding(func(ctx context.Context) answer {
				r.expire()
				n, err := s.Run(ctx, r.client, []string{key}, limit, window.Milliseconds(), newKey()).Int()
				return answer{admitted: !failed(ctx, t, err) && n == 1}
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

// failed reports whether an error ended a call to Redis. A call that failed was not refused: no result that rests on it may be counted.
func failed(ctx context.Context, t testing.TB, err error) bool {
	if err != nil && ctx.Err() == nil {
		t.Errorf("call Redis: %v", err)
	}
	return err != nil
}

// redisInProcess is a Redis that is reached without a network, so that it may have a clock that is simulated.
type redisInProcess struct {
	server *miniredis.Miniredis
	client *redis.Client

	mu      sync.Mutex
	expired time.Time
}

// serveRedis serves a Redis until the test ends.
func serveRedis(t testing.TB) *redisInProcess {
	server := miniredis.NewMiniRedis()
	require.NoError(t, server.Start())
	server.Server().Close() // it needs no listener
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:6379", Protocol: 2, PoolSize: 64, Dialer: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		server.Server().ServeConn(theirs)
		return ours, nil
	}})
	t.Cleanup(func() {
		require.NoError(t, client.Close())
		server.Close()
	})
	return &redisInProcess{server: server, client: client, expired: time.Now()}
}

// expire lets keys expire: this Redis has to be asked to.
func (r *redisInProcess) expire() {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.server.FastForward(now.Sub(r.expired))
	r.expired = now
}
