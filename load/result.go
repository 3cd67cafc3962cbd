package load

import (
	"fmt"
	"strconv"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Result is one request and what came of it. Its instants are durations since the phase began; 0 means that there was no
// such instant.
type Result struct {
	// Seq numbers the requests of a phase in the order in which they were due, from 0.
	Seq uint64
	// Request is the index of the request's kind in the phase's mix.
	Request int
	// Due is when the schedule wanted the request to be sent, Sent just before its first byte was written.
	Due, Sent time.Duration
	// FirstByte is when the first byte of the response came, FirstEvent when the first event of a stream was complete.
	// Whatever the gateway decided about the request, it decided between Sent and FirstByte.
	FirstByte, FirstEvent time.Duration
	// End is when the response was complete, or when it was certain that it never would be.
	End time.Duration
	// Status is the HTTP status, 0 when no response header came.
	Status  int
	Outcome runlog.Outcome
	// Bytes is the size of the response's body.
	Bytes int
	// NewConn says that a connection was opened for the request, between Due and Sent. Resent says that a kept connection
	// turned out to be closed before a byte of the response came, and the request was sent once more on a new one.
	NewConn, Resent bool
	// Waited says that every connection was in use when the request was due: the gateway caused its delay.
	Waited bool
	// Findings are the requirements of the contract that the response violates. The slice is shared: do not change it.
	Findings []contract.Finding

	tokenPrefix uint32
	limits      string // header fields about rate limits, as lines
}

// Token returns what replaced [TokenPlaceholder] in the request.
func (r Result) Token() string {
	var b [len(TokenPlaceholder)]byte
	putToken(b[:], r.tokenPrefix, r.Seq)
	return string(b[:])
}

// ServiceTime returns the time from sending the request to the end of the response.
func (r Result) ServiceTime() time.Duration { return r.End - r.Sent }

// Latency returns the time from when the request was due to the end of the response. In an open loop this is what a
// caller experiences, a wait for a connection included: it is free of coordinated omission.
func (r Result) Latency() time.Duration { return r.End - r.Due }

// Field returns the value of one of the response's header fields about rate limits: Retry-After, and every field with
// "ratelimit" or "rate-limit" in its name. For any other field, and for one that is absent, it returns "".
func (r Result) Field(name string) string {
	value, _ := field([]byte(r.limits), name)
	return string(value)
}

// RetryAfter returns the response's Retry-After in seconds. ok is false when it has none, or gives a date.
func (r Result) RetryAfter() (seconds int, ok bool) {
	seconds, err := strconv.Atoi(r.Field("Retry-After"))
	return seconds, err == nil && seconds >= 0
}

// TokenPlaceholder in a call's prompt, or anywhere in its body, is replaced by a token of the same length that is unique
// to each request. By it the upstream's record of the request is found.
const TokenPlaceholder = "gatecerttokenxxx"

// putToken writes a token in hexadecimal: a prefix that is random for each phase, and the request's number.
func putToken(place []byte, prefix uint32, seq uint64) {
	const digits = "0123456789abcdef"
	word := uint64(prefix)<<32 | seq&0xffffffff
	for i := len(place) - 1; i >= 0; i-- {
		place[i] = digits[word&0xf]
		word >>= 4
	}
}

func (r Result) String() string {
	return fmt.Sprintf("request %d: %s (%d) after %s", r.Seq, r.Outcome, r.Status, r.ServiceTime())
}
