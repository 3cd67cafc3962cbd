package contract

import "slices"

// LimiterKind is a way to count calls against a rate limit.
type LimiterKind string

// The kinds of limiter.
const (
	FixedWindow    LimiterKind = "fixed-window"    // from one boundary of the clock to the next
	SlidingLog     LimiterKind = "sliding-log"     // in every window of its length, wherever it begins
	SlidingCounter LimiterKind = "sliding-counter" // since the last boundary, plus a fading share of the window before it
	TokenBucket    LimiterKind = "token-bucket"    // as long as the bucket holds tokens; also known as GCRA
	Concurrency    LimiterKind = "concurrency"     // under way at once
)

// LimiterKinds returns the five kinds of limiter.
func LimiterKinds() []LimiterKind {
	return []LimiterKind{FixedWindow, SlidingLog, SlidingCounter, TokenBucket, Concurrency}
}

// Valid reports whether the kind is one of the five.
func (k LimiterKind) Valid() bool { return slices.Contains(LimiterKinds(), k) }
