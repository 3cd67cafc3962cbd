package reference

import "time"

// windowed is embedded by the counters that the end of a call does not change.
type windowed struct{}

func (windowed) release() {}

// fixedWindow counts the calls between two boundaries. They are those of the clock, the same for all keys: around a
// boundary twice the limit is admitted at once.
type fixedWindow struct {
	windowed
	start time.Time
	calls int
}

func (f *fixedWindow) admit(rate RateLimit, now time.Time) Allowance {
	if start := boundary(now, rate.Window); !start.Equal(f.start) {
		f.start, f.calls = start, 0
	}
	a := Allowance{OK: f.calls < rate.Requests}
	if a.OK {
		f.calls++
	}
	a.Remaining = max(rate.Requests-f.calls, 0)
	a.Reset = f.start.Add(rate.Window).Sub(now)
	if a.Remaining == 0 {
		a.Wait = a.Reset
	}
	return a
}

// boundary is the last instant at or before now at which a window of the clock began.
func boundary(now time.Time, window time.Duration) time.Time { return now.Round(0).Truncate(window) }

// slidingLog keeps the instant of each admitted call: no window, wherever it begins, holds more calls than the limit.
type slidingLog struct {
	windowed
	// calls holds at most RateLimit.Requests instants, oldest first.
	calls []time.Time
}

func (s *slidingLog) admit(rate RateLimit, now time.Time) Allowance {
	for len(s.calls) > 0 && now.Sub(s.calls[0]) >= rate.Window {
		s.calls = s.calls[1:]
	}
	a := Allowance{OK: len(s.calls) < rate.Requests}
	if a.OK {
		s.calls = append(s.calls, now)
	}
	a.Remaining = max(rate.Requests-len(s.calls), 0)
	if len(s.calls) == 0 {
		return a
	}
	a.Reset = s.calls[len(s.calls)-1].Add(rate.Window).Sub(now)
	if a.Remaining == 0 {
		// When the limit was lowered meanwhile, the call that makes room is not the oldest.
		a.Wait = s.calls[max(len(s.calls)-rate.Requests, 0)].Add(rate.Window).Sub(now)
	}
	return a
}

// slidingCounter estimates the sliding window from two numbers: the calls since the last boundary of the clock, and
// those of the window before, weighted by the share of it that the sliding window still covers.
type slidingCounter struct {
	windowed
	start    time.Time
	calls    int64
	previous int64
}

func (s *slidingCounter) admit(rate RateLimit, now time.Time) Allowance {
	start := boundary(now, rate.Window)
	switch {
	case start.Equal(s.start):
	case start.Equal(s.start.Add(rate.Window)):
		s.start, s.previous, s.calls = start, s.calls, 0
	default:
		s.start, s.previous, s.calls = start, 0, 0
	}
	// Everything is multiplied by the window, which keeps the fractions exact: up to 10^6 requests and 59 s the products
	// stay below 2^57.
	window, passed := int64(rate.Window), int64(now.Round(0).Sub(start))
	free := int64(rate.Requests)*window - s.previous*(window-passed) - s.calls*window
	a := Allowance{OK: free >= window}
	if a.OK {
		s.calls++
		free -= window
	}
	a.Remaining = int(max(free/window, 0))
	switch {
	case s.calls > 0:
		a.Reset = time.Duration(2*window - passed)
	case s.previous > 0:
		a.Reset = time.Duration(window - passed)
	}
	if a.Remaining == 0 {
		a.Wait = time.Duration(s.room(int64(rate.Requests), window) - passed)
	}
	return a
}

// room is the time from the last boundary, in nanoseconds, at which one more call is admitted.
func (s *slidingCounter) room(requests, window int64) int64 {
	if at, ok := fadesTo(s.previous, requests-s.calls-1, window); ok {
		return at
	}
	at, _ := fadesTo(s.calls, requests-1, window)
	return window + at
}

// fadesTo is the time from the beginning of a window, in nanoseconds, at which the calls of the window before weigh at
// most so many; ok is false when they never do.
func fadesTo(calls, most, window int64) (at int64, ok bool) {
	switch {
	case most < 0:
		return 0, false
	case calls <= most:
		return 0, true
	default:
		return window - most*window/calls, true
	}
}

// tokenBucket is stored as the instant at which the bucket is full again (GCRA's theoretical arrival time).
type tokenBucket struct {
	windowed
	full time.Time
}

func (t *tokenBucket) admit(rate RateLimit, now time.Time) Allowance {
	token := rate.Window / time.Duration(rate.Requests)
	capacity := time.Duration(rate.Capacity()) * token
	if t.full.Before(now) {
		t.full = now
	}
	a := Allowance{OK: t.full.Add(token).Sub(now) <= capacity}
	if a.OK {
		t.full = t.full.Add(token)
	}
	a.Reset = t.full.Sub(now)
	a.Remaining = int(max((capacity-a.Reset)/token, 0))
	if a.Remaining == 0 {
		a.Wait = a.Reset + token - capacity
	}
	return a
}

// concurrency counts the open calls. It gives no times: when the next call ends is unknown.
type concurrency struct {
	calls int
}

func (c *concurrency) admit(rate RateLimit, _ time.Time) Allowance {
	a := Allowance{OK: c.calls < rate.Requests}
	if a.OK {
		c.calls++
	}
	a.Remaining = max(rate.Requests-c.calls, 0)
	return a
}

func (c *concurrency) release() { c.calls-- }
