package zoo

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/didip/tollbooth/v7"
	tollboothlimiter "github.com/didip/tollbooth/v7/limiter"
	"github.com/go-chi/httprate"
	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	fiberlimiter "github.com/gofiber/fiber/v2/middleware/limiter"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/internal/freeport"
	"github.com/gatecert/gatecert/load/limits"
	"github.com/gatecert/gatecert/targets/upstream"
)

// calling returns a species' keep that calls an HTTP server, each limiter with a key of its own.
func calling(client *exchange.Client, url string) func(subject) limits.Prober {
	return func(s subject) limits.Prober {
		key := newKey()
		return limits.ClientProber{
			Client: client, CanHold: true,
			NewRequest: func(hold time.Duration) limits.Request {
				prompt := "Say hello."
				if hold > 0 {
					prompt = "[[gatecert delay=" + hold.String() + "]] " + prompt
				}
				return limits.Request{Call: exchange.Call{Surface: dialect.Chat, BaseURL: url, Key: key, Model: "m", Prompt: prompt}}
			},
			OnEnd: func(c limits.Call) {
				if c.Outcome() == limits.Admitted {
					s.log.add(admission{c.Earliest, c.Latest, c.Latest.Add(c.Held)})
				}
			},
		}.Probe
	}
}

// newClient returns a client for all servers of a test.
func newClient(t *testing.T) *exchange.Client {
	t.Helper()
	client := exchange.NewClient(exchange.Limits{}, nil)
	t.Cleanup(client.Close)
	return client
}

// newUpstream returns the mock upstream, which honours a hold.
func newUpstream() *upstream.Upstream { return upstream.New(upstream.Options{}) }

// middlewares are limiters of Go web servers. All but fiber's are called in this process.
func middlewares(t *testing.T) []species {
	client, mock := newClient(t), newUpstream()
	return []species{
		{name: "sliding counter 20 in 2s", library: "httprate", truth: slidingCounter(20, 2*time.Second), keep: direct(func(testing.TB) handler {
			return behind(httprate.Limit(20, 2*time.Second, httprate.WithKeyFuncs(func(*http.Request) (string, error) { return "key", nil })))
		})},
		{name: "bucket of 10, 10/s", library: "tollbooth", truth: tokenBucket(10, time.Second, 10), keep: direct(func(testing.TB) handler {
			l := tollbooth.NewLimiter(10, &tollboothlimiter.ExpirableOptions{DefaultExpirationTTL: time.Hour})
			var mu sync.Mutex
			return allowing(func() bool {
				mu.Lock()
				defer mu.Unlock()
				return tollbooth.LimitByKeys(l, []string{"key"}) == nil
			})
		})},
		// Its clock has whole seconds, so that two of its windows may begin 1.1 s apart.
		{name: "window 20 in 2s, clock of 1s", library: "fiber", real: true, truth: anyKind(20, 2*time.Second), loose: true, rates: []float64{10}, keep: serveFiber(t, client, mock, fiberlimiter.FixedWindow{})},
		{name: "counter 20 in 2s, clock of 1s", library: "fiber", real: true, truth: countingRefused(anyKind(20, 2*time.Second)), loose: true, rates: []float64{10}, keep: serveFiber(t, client, mock, fiberlimiter.SlidingWindow{})},
	}
}

// behind returns a handler for calls behind a middleware.
func behind(middleware func(http.Handler) http.Handler) handler {
	type upstreamKey struct{}
	limited := middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		upstream, _ := r.Context().Value(upstreamKey{}).(func())
		upstream()
	}))
	return func(ctx context.Context, upstream func()) answer {
		w := httptest.NewRecorder()
		limited.ServeHTTP(w, httptest.NewRequestWithContext(context.WithValue(ctx, upstreamKey{}, upstream), http.MethodPost, "/", nil))
		return answer{admitted: w.Code == http.StatusOK}
	}
}

func serveFiber(t *testing.T, client *exchange.Client, next http.Handler, algorithm fiberlimiter.LimiterHandler) func(subject) limits.Prober {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Use(fiberlimiter.New(fiberlimiter.Config{
		Max: 20, Expiration: 2 * time.Second, LimiterMiddleware: algorithm,
		KeyGenerator: func(c *fiber.Ctx) string { return c.Get("Authorization") },
		LimitReached: func(c *fiber.Ctx) error {
			c.Set("Content-Type", "application/json")
			return c.Status(http.StatusTooManyRequests).SendString(refusal)
		},
	}))
	app.Use(adaptor.HTTPHandler(next))
	address := freeport.Address(t)
	go func() { _ = app.Listen(address) }()
	t.Cleanup(func() { require.NoError(t, app.ShutdownWithTimeout(time.Second)) })
	awaitListening(t, address)
	return calling(client, "http://"+address)
}
