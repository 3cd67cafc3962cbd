package contract

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// RetryWait is the time for which a response asks the client to wait before it calls again.
type RetryWait struct {
	// Value is the verbatim value of Retry-After, or "" if the field is missing.
	Value string
	// Seconds is the number of seconds in Value, or -1 if Value is not a whole number. Date is the HTTP date in Value (RFC 9110 10.2.3).
	Seconds int64
	Date    time.Time
	// Milliseconds is the value of retry-after-ms, which some official clients prefer to Retry-After. It is -1 if the field is missing.
	Milliseconds int64

	sent time.Time // the answer's own Date
}

// firstTimestamp is the first number that is read as a Unix timestamp: as seconds to wait it would be 30 years.
const firstTimestamp = 1_000_000_000

// RetryWaitOf returns the time for which a response asks the client to wait.
func RetryWaitOf(o Observation) RetryWait {
	w := ReadRetryAfter(header(o, "Retry-After"))
	w.Milliseconds = wholeNumber(header(o, "Retry-After-Ms"))
	w.sent = httpDate(header(o, "Date"))
	return w
}

// ReadRetryAfter parses the value of the Retry-After field.
func ReadRetryAfter(value string) RetryWait {
	w := RetryWait{Value: value, Seconds: wholeNumber(value), Milliseconds: -1}
	if w.Seconds < 0 {
		w.Date = httpDate(value)
	}
	return w
}

// IsTimestamp reports whether the number is a Unix timestamp rather than a duration.
func (w RetryWait) IsTimestamp() bool { return w.Seconds >= firstTimestamp }

// Reasonable reports whether the value is a whole number of seconds that does not exceed a day.
func (w RetryWait) Reasonable() bool {
	return w.Seconds >= 0 && w.Seconds <= int64(longestRetryAfter.Seconds())
}

// From returns how long a client waits if it received the response at time now. It returns 0 if the response asks for no wait. A date is compared
// with the gateway's own clock, if that is known.
func (w RetryWait) From(now time.Time) time.Duration {
	switch {
	case w.Milliseconds >= 0:
		return lasting(w.Milliseconds, time.Millisecond)
	case w.IsTimestamp():
		return max(0, time.Unix(w.Seconds, 0).Sub(now))
	case w.Seconds >= 0:
		return lasting(w.Seconds, time.Second)
	case w.Date.IsZero():
		return 0
	case !w.sent.IsZero():
		now = w.sent
	}
	return max(0, w.Date.Sub(now))
}

func lasting(n int64, unit time.Duration) time.Duration {
	return time.Duration(min(n, math.MaxInt64/int64(unit))) * unit
}

// wholeNumber is the number that a field consists of, -1 for anything else. What is beyond any number is the greatest.
func wholeNumber(value string) int64 {
	if value == "" || strings.Trim(value, "0123456789") != "" {
		return -1
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return math.MaxInt64
	}
	return n
}

// httpDate reads the three forms that a recipient has to accept (RFC 9110 5.6.7). It is the zero time for anything else.
func httpDate(value string) time.Time {
	for _, layout := range []string{"Mon, 02 Jan 2006 15:04:05 GMT", "Monday, 02-Jan-06 15:04:05 GMT", time.ANSIC} {
		if t, err := time.Parse(layout, value); err == nil {
			return t
		}
	}
	return time.Time{}
}
