package mutants

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference"
)

// limitMutants keep limits badly, keep a client waiting, or fail only when more than one call is made.
func limitMutants() []Mutant {
	return []Mutant{
		mutant("rate-unlimited", "The declared rate limit is not enforced.",
			unlimited(func(*reference.Call) bool { return true }),
			fails(contract.NotSuccess, "http:429/**")),
		mutant("rate-unlimited-on-gemini", "The rate limit is not enforced on the Gemini endpoints.",
			unlimited(func(c *reference.Call) bool { return c.Surface.Dialect() == dialect.Gemini }),
			fails(contract.NotSuccess, onSurfaces(gemini(), "http:429/*")...)),
		mutant("rate-limit-hangs-up", "If a client exceeds its rate limit, the gateway closes the connection without sending a response.",
			changeError(writeWith(closeConnection), withCode(reference.RateLimited)),
			fails(contract.Answered, "http:429/**", limitedUpstream)),
		mutant("oversize-hangs-up", "If a client sends an oversized request, the gateway closes the connection without sending a response.",
			changeError(writeWith(closeConnection), causedBy(reference.ErrTooLarge), at(reference.Read)),
			fails(contract.Answered, "code:read_request_body_failed/*/*/oversize")),
		mutant("no-time-limit", "The gateway never times out: it waits for a silent upstream until the client gives up.",
			changeTimeout(func(*reference.Call, time.Duration) time.Duration { return time.Hour }),
			fails(contract.Answered, "code:channel:response_time_exceeded/**")),
		mutant("no-time-limit-on-gemini-streams", "On the streaming Gemini endpoint, the gateway waits indefinitely for a silent upstream.",
			changeTimeout(func(c *reference.Call, allowed time.Duration) time.Duration {
				if c.Surface == dialect.GenerateStream {
					return time.Hour
				}
				return allowed
			}),
			fails(contract.Answered, "code:channel:response_time_exceeded/*/gemini-stream/*")),
		mutant("wrong-key-remembered-as-403",
			"After it has rejected the first wrong key with 401, the gateway rejects every wrong key with 403.",
			wrongKeyRemembered,
			atLeastOne(fails(contract.StatusExact, "http:401/wrong-key/**"))),
	}
}

func unlimited(which func(*reference.Call) bool) change {
	return wrap(reference.Limit, func(ctx context.Context, c *reference.Call, limit reference.Handler) error {
		if which(c) {
			return nil
		}
		return limit(ctx, c)
	})
}

func wrongKeyRemembered(o *reference.Options) {
	var seen atomic.Bool
	changeFailure(func(_ *reference.Call, f *reference.Failure) {
		if seen.Swap(true) {
			f.Status = http.StatusForbidden
		}
	}, withStatus(401), not(withoutKey))(o)
}
