package contract

import "slices"

// LimiterKind is a method of counting calls against a rate limit.
type LimiterKind string

// The kinds of limiter.
const (
	FixedWindow    LimiterKind = "fixed-window"    // in windows whose boundaries are aligned with the clock
	SlidingLog     LimiterKind = "sliding-log"     // in every window of the given length, wherever it begins
	SlidingCounter LimiterKind = "sliding-counter" // since the last boundary, plus a decreasing share of the previous window
	TokenBucket    LimiterKind = "token-bucket"    // as long as the bucket holds tokens; also known as GCRA
	Concurrency    LimiterKind = "concurrency"     // calls in flight at the same time
)

// LimiterKinds returns the five kinds of limiter.
func LimiterKinds() []LimiterKind {
	return []LimiterKind{FixedWindow, SlidingLog, SlidingCounter, TokenBucket, Concurrency}
}

// Valid reports whether the kind is one of the five.
func (k LimiterKind) Valid() bool { return slices.Contains(LimiterKinds(), k) }
