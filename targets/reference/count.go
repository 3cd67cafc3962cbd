package reference

import "time"

// windowed is the part of the counts that no end of a call changes.
type windowed struct{}

func (windowed) release() {}

// fixedWindow counts the calls between one boundary and the next. The boundaries are those of the clock, the same for
// all keys: around one of them twice the limit is admitted at once.
type fixedWindow struct {
	windowed
	start time.Time
	calls int
}

func (f *fixedWindow) admit(rate RateLimit, now time.Time) allowance {
	if start := boundary(now, rate.Window); !start.Equal(f.start) {
		f.start, f.calls = start, 0
	}
	a := allowance{ok: f.calls < rate.Requests}
	if a.ok {
		f.calls++
	}
	a.remaining = max(rate.Requests-f.calls, 0)
	a.reset = f.start.Add(rate.Window).Sub(now)
	if a.remaining == 0 {
		a.wait = a.reset
	}
	return a
}

// boundary is the last instant at or before now at which a window of the clock began.
func boundary(now time.Time, window time.Duration) time.Time { return now.Round(0).Truncate(window) }

// slidingLog remembers when each admitted call came: no window of its length, wherever it begins, holds more than the
// limit.
type slidingLog struct {
	windowed
	// calls holds at most as many instants as the limit has requests, oldest first.
	calls []time.Time
}

func (s *slidingLog) admit(rate RateLimit, now time.Time) allowance {
	for len(s.calls) > 0 && now.Sub(s.calls[0]) >= rate.Window {
		s.calls = s.calls[1:]
	}
	a := allowance{ok: len(s.calls) < rate.Requests}
	if a.ok {
		s.calls = append(s.calls, now)
	}
	a.remaining = max(rate.Requests-len(s.calls), 0)
	if len(s.calls) == 0 {
		return a
	}
	a.reset = s.calls[len(s.calls)-1].Add(rate.Window).Sub(now)
	if a.remaining == 0 {
		// The call that makes room is not the oldest when the limit was lowered meanwhile.
		a.wait = s.calls[max(len(s.calls)-rate.Requests, 0)].Add(rate.Window).Sub(now)
	}
	return a
}

// slidingCounter estimates the sliding window from two numbers: the calls since the last boundary of the clock, and
// those of the window before, of which it counts the share that the sliding window still covers.
type slidingCounter struct {
	windowed
	start    time.Time
	calls    int64
	previous int64
}

func (s *slidingCounter) admit(rate RateLimit, now time.Time) allowance {
	start := boundary(now, rate.Window)
	switch {
	case start.Equal(s.start):
	case start.Equal(s.start.Add(rate.Window)):
		s.start, s.previous, s.calls = start, s.calls, 0
	default:
		s.start, s.previous, s.calls = start, 0, 0
	}
	// Everything is multiplied by the window, which keeps the fractions exact: below 10^6 requests and 59 s the products
	// stay below 2^57.
	window, passed := int64(rate.Window), int64(now.Round(0).Sub(start))
	free := int64(rate.Requests)*window - s.previous*(window-passed) - s.calls*window
	a := allowance{ok: free >= window}
	if a.ok {
		s.calls++
		free -= window
	}
	a.remaining = int(max(free/window, 0))
	switch {
	case s.calls > 0:
		a.reset = time.Duration(2*window - passed)
	case s.previous > 0:
		a.reset = time.Duration(window - passed)
	}
	if a.remaining == 0 {
		a.wait = time.Duration(s.room(int64(rate.Requests), window) - passed)
	}
	return a
}

// room is the instant, counted from the last boundary, at which one more call is admitted.
func (s *slidingCounter) room(requests, window int64) int64 {
	if at, ok := fadesTo(s.previous, requests-s.calls-1, window); ok {
		return at
	}
	at, _ := fadesTo(s.calls, requests-1, window)
	return window + at
}

// fadesTo is the instant of a window at which the calls of the window before weigh no more than so many; ok is false
// when they never do.
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

// tokenBucket is kept as the one instant at which the bucket is full again (the GCRA's theoretical arrival time).
type tokenBucket struct {
	windowed
	full time.Time
}

func (t *tokenBucket) admit(rate RateLimit, now time.Time) allowance {
	token := rate.Window / time.Duration(rate.Requests)
	capacity := time.Duration(rate.most()) * token
	if t.full.Before(now) {
		t.full = now
	}
	a := allowance{ok: t.full.Add(token).Sub(now) <= capacity}
	if a.ok {
		t.full = t.full.Add(token)
	}
	a.reset = t.full.Sub(now)
	a.remaining = int(max((capacity-a.reset)/token, 0))
	if a.remaining == 0 {
		a.wait = a.reset + token - capacity
	}
	return a
}

// concurrent counts the calls under way. When the next one ends nobody knows, so it tells no time.
type concurrent struct {
	calls int
}

func (c *concurrent) admit(rate RateLimit, _ time.Time) allowance {
	a := allowance{ok: c.calls < rate.Requests}
	if a.ok {
		c.calls++
	}
	a.remaining = max(rate.Requests-c.calls, 0)
	return a
}

func (c *concurrent) release() { c.calls-- }
