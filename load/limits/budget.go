package limits

import (
	"cmp"
	"time"
)

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

func (b Budget) withDefaults() Budget {
	return Budget{
		Calls: cmp.Or(b.Calls, 4000), Time: cmp.Or(b.Time, 3*time.Minute),
		Concurrency: cmp.Or(b.Concurrency, 128), Hold: cmp.Or(b.Hold, 250*time.Millisecond),
	}
}
