package limits

import (
	"fmt"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
)

// DeclaredLimit is a limit as the target's profile declares it.
type DeclaredLimit struct {
	// Kind is how calls are counted. "" means not declared: the calls are then judged by the kind that explains them best.
	Kind contract.LimiterKind
	// Limit is the number of calls in a window or in flight, or the number of tokens if Tokens is set.
	Limit int
	// Tokens means that the limit is on tokens. Part states which tokens it counts.
	Tokens bool
	Part   TokenPart
	Window time.Duration
	// Burst is the capacity of a token bucket. 0 means Limit.
	Burst int
	// RefusedCount means that refused calls count against the limit too.
	RefusedCount bool
	// Shared states whether streaming calls count against the same limit. nil means that this is not declared.
	Shared *bool
	// Attempts is the number of times that the gateway may try one call at the upstream. 0 means
	// contract.DefaultAttempts.
	Attempts int
	// UpstreamRetryAfter is the Retry-After, in seconds, that the upstream behind [Probers.Throttled] sends.
	UpstreamRetryAfter int
	// Slack is how far the gateway's clock may be off at any decision. 0 means 25 ms.
	Slack time.Duration
}

const defaultSlack = 25 * time.Millisecond

// check returns [ErrDeclared] when the limit is not valid.
func (d DeclaredLimit) check() error {
	switch {
	case d.Kind != "" && !d.Kind.Valid():
		return fmt.Errorf("%w: the kind is %q, but must be one of %s", ErrDeclared, d.Kind, plain.Joined(contract.LimiterKinds()))
	case d.Limit < 1:
		return fmt.Errorf("%w: the limit is %d, but must be at least 1", ErrDeclared, d.Limit)
	case d.Tokens && (d.Kind == contract.Concurrency || d.RefusedCount):
		return fmt.Errorf("%w: a token limit cannot be a concurrency limit, and refused calls cannot count against it", ErrDeclared)
	case !d.Tokens && d.Part != AllTokens, !slices.Contains([]TokenPart{AllTokens, InputTokens, OutputTokens}, d.Part):
		return fmt.Errorf("%w: invalid part %q: a token limit counts prompt tokens (%s), response tokens (%s), or both", ErrDeclared, d.Part, InputTokens, OutputTokens)
	case d.Kind != contract.Concurrency && d.Window <= 0:
		return fmt.Errorf("%w: the window is %s, but must be greater than 0", ErrDeclared, plain.Duration(d.Window))
	}
	return nil
}

// model returns the limit as a limiter of one kind.
func (d DeclaredLimit) model(kind contract.LimiterKind) LimiterModel {
	if kind == contract.TokenBucket {
		return newTokenBucketModel(d.capacity(), float64(d.Limit)/d.Window.Seconds())
	}
	return LimiterModel{Kind: kind, Limit: d.Limit, Window: d.Window}
}

// String describes the limit in one line: "a limit of 20 calls in 5s", "a token bucket of 20 calls, refilled at 4/s", "a limit of 2000
// tokens in 10s".
func (d DeclaredLimit) String() string {
	if d.Tokens {
		return fmt.Sprintf("a limit of %d %s in %s", d.Limit, d.Part.unit(), round(d.Window))
	}
	switch d.Kind {
	case contract.TokenBucket:
		return fmt.Sprintf("a token bucket of %s, refilled at %.3g/s", plain.Count(d.capacity(), "call"), float64(d.Limit)/d.Window.Seconds())
	case contract.Concurrency:
		return fmt.Sprintf("a limit of %s in flight", plain.Count(d.Limit, "call"))
	default:
		return fmt.Sprintf("a limit of %s in %s", plain.Count(d.Limit, "call"), round(d.Window))
	}
}

// capacity is how many calls an unused limiter admits at once.
func (d DeclaredLimit) capacity() int {
	if d.Burst > 0 {
		return d.Burst
	}
	return d.Limit
}

// timeToReset is the longest time in which a limiter of the declared kind, or of any kind, forgets all earlier calls.
func (d DeclaredLimit) timeToReset() time.Duration {
	if d.Kind != "" {
		return d.model(d.Kind).timeToReset()
	}
	return d.model(contract.SlidingCounter).timeToReset()
}

// kinds returns the kinds that the limiter may be of.
func (d DeclaredLimit) kinds() []contract.LimiterKind {
	switch {
	case d.Kind != "":
		return []contract.LimiterKind{d.Kind}
	case d.Burst > 0:
		return []contract.LimiterKind{contract.TokenBucket} // the others have none
	}
	return []contract.LimiterKind{contract.SlidingLog, contract.FixedWindow, contract.TokenBucket, contract.SlidingCounter}
}

// margin is the time between an instant at which the limit is free and the first call that is counted: long enough that the
// call is certainly decided after that instant.
func (d DeclaredLimit) margin() time.Duration { return 6 * d.Slack }

// sharesStreams reports whether streaming calls are declared to count against the limit.
func (d DeclaredLimit) sharesStreams() bool { return d.Shared != nil && *d.Shared }

// usage counts the calls that use up the limit: the admitted ones, and the refused ones where these count too.
func (d DeclaredLimit) usage(decisions []decision) admissions {
	if d.RefusedCount {
		return countAttempts(decisions)
	}
	return countAdmissions(decisions)
}
