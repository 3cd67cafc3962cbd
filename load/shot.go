package load

import (
	"fmt"
	"strconv"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Result is one request and what came of it. All instants are durations since the stage began; 0 means it never came.
type Result struct {
	// Seq counts the shots of a stage in the order in which they were due.
	Seq uint64
	// Request is the index of the stage's part that the request belongs to.
	Request int
	// Expect is when the schedule wanted the request to be sent, Sent just before its first byte was written.
	Due, Sent time.Duration
	// TTFB is when the answer's first byte came, FirstEvent when the first event of a stream was complete. The
	// gateway decided between Sent and FirstByte.
	FirstByte, FirstEvent time.Duration
	// End is when the answer was complete, or it was certain that it will not be.
	End time.Duration
	// Status is the HTTP status, 0 when no head came.
	Status  int
	Outcome runlog.Outcome
	// Bytes is the size of the answer's body.
	Bytes int
	// NewConn says that a connection was made for the shot; the making is between Due and Sent. Resent says that a
	// kept connection turned out to be closed before a byte of the answer came, and the request was sent once more.
	NewConn, Resent bool
	// Waited says that every connection was in use when the shot was due, so that its delay is the gateway's.
	Waited bool
	// Findings are the obligations of the contract that the answer breaks. The slice is shared: do not change it.
	Findings []contract.Finding

	stamp  uint32
	limits string
}

// Token is what stood in the request in the place of [TokenPlaceholder]: unique to the shot.
func (s Result) Token() string {
	var b [len(TokenPlaceholder)]byte
	putToken(b[:], s.stamp, s.Seq)
	return string(b[:])
}

// Lag is how much later than due the request was sent.
func (s Result) Lag() time.Duration { return max(s.Sent-s.Due, 0) }

// ServiceTime is the time from sending the request to the end of the answer.
func (s Result) ServiceTime() time.Duration { return s.End - s.Sent }

// Latency is the time from when the request was due to the end of the answer. In an open loop it is what a caller
// meets, also when the request had to wait for a connection.
func (s Result) Latency() time.Duration { return s.End - s.Due }

// Field is the value of one of the answer's header fields that speak of limits: Retry-After, and every field with
// "ratelimit" or "rate-limit" in its name. It is "" for all others, and for those that the answer does not have.
func (s Result) Field(name string) string {
	value, _ := field([]byte(s.limits), name)
	return string(value)
}

// RetryAfter is the Retry-After of the answer in whole seconds; ok is false when it has none, or a date.
func (s Result) RetryAfter() (seconds int, ok bool) {
	seconds, err := strconv.Atoi(s.Field("Retry-After"))
	return seconds, err == nil && seconds >= 0
}

// TokenPlaceholder in a call's prompt (or anywhere in its body) is replaced by a token of the same length that is unique to
// each shot, so that the upstream's records can be found again.
const TokenPlaceholder = "gatecerttokenxxx"

// putToken writes a token: the stage's stamp and the shot's number, in hexadecimal.
func putToken(place []byte, stamp uint32, seq uint64) {
	const digits = "0123456789abcdef"
	word := uint64(stamp)<<32 | seq&0xffffffff
	for i := len(place) - 1; i >= 0; i-- {
		place[i] = digits[word&0xf]
		word >>= 4
	}
}

func (s Result) String() string {
	return fmt.Sprintf("shot %d: %s (%d) after %s", s.Seq, s.Outcome, s.Status, s.ServiceTime())
}
