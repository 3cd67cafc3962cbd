package zoo

import (
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
func calling(client *exchange.Client, url string) func(*admissionLog) limits.Prober {
	return func(log *admissionLog) limits.Prober {
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
					log.add(admission{c.Earliest, c.Latest, c.Latest.Add(c.Held)})
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

// middlewares are limiters of Go web servers, called over the network.
func middlewares(t *testing.T) []species {
	client, mock := newClient(t), newUpstream()
	serve := func(h http.Handler) func(*admissionLog) limits.Prober {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return calling(client, server.URL)
	}
	refuse := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte(refusal))
	}
	byKey := func(r *http.Request) (string, error) { return r.Header.Get("Authorization"), nil }
	return []species{
		{name: "sliding counter 20 in 2s", library: "httprate", truth: slidingCounter(20, 2*time.Second),
			keep: serve(httprate.Limit(20, 2*time.Second, httprate.WithKeyFuncs(byKey), httprate.WithLimitHandler(refuse))(mock))},
		{name: "bucket of 10, 10/s", library: "tollbooth", truth: tokenBucket(10, time.Second, 10), keep: serve(limitedByTollbooth(mock, refuse))},
		// Its clock has whole seconds, so that two of its windows may begin 1.1 s apart.
		{name: "window 20 in 2s, clock of 1s", library: "fiber", truth: anyKind(20, 2*time.Second), loose: true, rates: []float64{10}, keep: serveFiber(t, client, mock, fiberlimiter.FixedWindow{})},
		{name: "counter 20 in 2s, clock of 1s", library: "fiber", truth: countingRefused(anyKind(20, 2*time.Second)), loose: true, rates: []float64{10}, keep: serveFiber(t, client, mock, fiberlimiter.SlidingWindow{})},
	}
}

func limitedByTollbooth(next http.Handler, refuse http.HandlerFunc) http.Handler {
	var mu sync.Mutex
	l := tollbooth.NewLimiter(10, &tollboothlimiter.ExpirableOptions{DefaultExpirationTTL: time.Hour})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		err := tollbooth.LimitByKeys(l, []string{r.Header.Get("Authorization")})
		mu.Unlock()
		if err != nil {
			refuse(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func serveFiber(t *testing.T, client *exchange.Client, next http.Handler, algorithm fiberlimiter.LimiterHandler) func(*admissionLog) limits.Prober {
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
