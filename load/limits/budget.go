package limits

import "time"

// Budget bounds what may be sent. A zero field takes its default.
type Budget struct {
	// Calls is the largest number of calls. Default 4000.
	Calls int
	// Time is the longest duration of the whole experiment. Default 3 minutes.
	Time time.Duration
	// Concurrency is the largest number of calls in flight. Default 128.
	Concurrency int
	// Hold is how long the upstream delays its response to keep a call in flight. Some calls are held four times as long,
	// which must be less than the gateway's upstream timeout. Default 250 ms.
	Hold time.Duration
}

const (
	defaultCalls       = 4000
	defaultTime        = 3 * time.Minute
	defaultConcurrency = 128
	defaultHold        = 250 * time.Millisecond
)

func (b Budget) withDefaults() Budget {
	if b.Calls <= 0 {
		b.Calls = defaultCalls
	}
	if b.Time <= 0 {
		b.Time = defaultTime
	}
	if b.Concurrency <= 0 {
		b.Concurrency = defaultConcurrency
	}
	if b.Hold <= 0 {
		b.Hold = defaultHold
	}
	return b
}
