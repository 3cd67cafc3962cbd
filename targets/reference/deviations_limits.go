package reference

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// limitDeviations keep a limit badly, or keep a caller waiting, or fail only when more than one call is made.
func limitDeviations() []Deviation {
	return []Deviation{
		{
			Name:     "rate-unlimited",
			Sentence: "The declared rate limit is not kept at all.",
			Turns:    []Turn{fails(contract.NotSuccess, "http:429/**")},
			bend: wrapping("limit", func(*Gateway, step) step {
				return func(context.Context, *call) error { return nil }
			}),
		},
		{
			Name:     "rate-unlimited-on-gemini",
			Sentence: "The rate limit was forgotten on the Gemini routes.",
			Turns:    []Turn{fails(contract.NotSuccess, onSurfaces(gemini(), "http:429/*")...)},
			bend: wrapping("limit", func(_ *Gateway, limit step) step {
				return func(ctx context.Context, c *call) error {
					if c.surface.Dialect() == dialect.Gemini {
						return nil
					}
					return limit(ctx, c)
				}
			}),
		},
		{
			Name:     "rate-limit-hangs-up",
			Sentence: "A caller over its limit is hung up on.",
			Turns:    []Turn{fails(contract.Answered, "http:429/**")},
			bend:     answering(sending(hangUp), coded(rateLimited)),
		},
		{
			Name:     "oversize-hangs-up",
			Sentence: "Who sends a body over the limit is hung up on.",
			Turns:    []Turn{fails(contract.Answered, "code:read_request_body_failed/*/*/oversize")},
			bend:     answering(sending(hangUp), because(errTooLarge), at("read")),
		},
		{
			Name:     "no-time-limit",
			Sentence: "A provider that does not answer is waited for as long as the caller waits.",
			Turns:    []Turn{fails(contract.Answered, "code:channel:response_time_exceeded/**")},
			bend:     waiting(func(*call) bool { return true }),
		},
		{
			Name:     "no-time-limit-on-gemini-streams",
			Sentence: "On one surface a provider that does not answer is waited for without end.",
			Turns:    []Turn{fails(contract.Answered, "code:channel:response_time_exceeded/*/gemini-stream/*")},
			bend:     waiting(func(c *call) bool { return c.surface == dialect.GenerateStream }),
		},
		{
			Name:     "wrong-key-remembered-as-403",
			Sentence: "The first use of a wrong key is answered 401, every later one 403, from a list of bad keys.",
			Turns:    []Turn{some(fails(contract.StatusExact, "http:401/wrong-key/**"))},
			bend: func(b *bends) {
				var seen atomic.Bool
				failing(func(_ *call, f *failure) {
					if seen.Swap(true) {
						f.status = http.StatusForbidden
					}
				}, answered(401), func(c *call, f *failure) bool { return !keyless(c, f) })(b)
			},
		},
		{
			Name:     "busy-gateway-blames-itself",
			Sentence: "While other calls wait for the provider, input with a listed word is answered 503, as overload.",
			Turns:    []Turn{some(fails(contract.StatusClass, "code:sensitive_words_detected/**"))},
			bend: func(b *bends) {
				var waiting atomic.Int64
				wrapping("dial", func(_ *Gateway, dial step) step {
					return func(ctx context.Context, c *call) error {
						waiting.Add(1)
						defer waiting.Add(-1)
						return dial(ctx, c)
					}
				})(b)
				taking(503, coded(sensitiveWords), func(*call, *failure) bool { return waiting.Load() > 1 })(b)
			},
		},
	}
}

// waiting lifts the time limit from some of the calls.
func waiting(which func(*call) bool) func(*bends) {
	return func(b *bends) {
		b.patience = append(b.patience, func(c *call, allowed time.Duration) time.Duration {
			if which(c) {
				return time.Hour
			}
			return allowed
		})
	}
}

// hangUp closes the connection in place of an answer.
func hangUp(_ context.Context, r *reply, _ *wholeAnswer) error {
	conn, _, err := r.control.Hijack()
	if err != nil {
		return err
	}
	return conn.Close()
}
