package mutants

import (
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/targets/reference"
)

// headerMutants lack header fields that errors should carry.
func headerMutants() []Mutant {
	const requestID = "X-Request-ID"
	return []Mutant{
		mutant("retry-after-missing", "A 429 response has no Retry-After header.",
			deleteHeader("Retry-After", withCode(reference.RateLimited)),
			warns(contract.RetryAfter, "http:429/**", limitedUpstream)),
		mutant("retry-after-a-fraction", "Retry-After is a fractional number of seconds. Clients that expect an integer ignore it.",
			changeFailure(func(_ *reference.Call, f *reference.Failure) { f.WithHeader("Retry-After", "9.72") }, withCode(reference.RateLimited)),
			warns(contract.RetryAfter, "http:429/**", limitedUpstream)),
		mutant("retry-after-of-two-days", "Retry-After asks clients to wait two days, although the limit's window is shorter.",
			changeFailure(func(_ *reference.Call, f *reference.Failure) { f.WithHeader("Retry-After", "172800") }, withCode(reference.RateLimited)),
			warns(contract.RetryAfter, "http:429/**", limitedUpstream)),
		mutant("retry-after-in-milliseconds", "In a 429 response, only the retry-after-ms header states how long to wait.",
			changeFailure(func(_ *reference.Call, f *reference.Failure) {
				f.Header.Del("Retry-After")
				f.WithHeader("Retry-After-Ms", "1500")
			}, withCode(reference.RateLimited)),
			warns(contract.RetryAfter, "http:429/**", limitedUpstream)),
		mutant("no-request-id", "Error responses have no request id.",
			all(changeAnswer(func(_ *reference.Call, a *reference.Answer) { a.Header.Del(requestID) }),
				changeEvents(func(c *reference.Call, events []byte) []byte {
					c.Reply.Header().Del(requestID)
					return events
				})),
			notes(contract.RequestID, "**")),
		mutant("no-challenge", "A 401 response has no WWW-Authenticate header.",
			deleteHeader("WWW-Authenticate", withStatus(401)),
			notes(contract.Challenge, "http:401/**")),
		mutant("no-allow", "A 405 response has no Allow header.",
			deleteHeader("Allow", withStatus(405)),
			notes(contract.Allow, "http:404/unknown-path/*/wrong-method")),
	}
}
