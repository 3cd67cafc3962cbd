package load

import (
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
	// Resent says that a kept connection turned out to be closed before a byte of the response came, and the request was sent
	// once more on a new one.
	Resent bool
	// Waited says that every connection was in use when the request was due: the gateway caused its delay.
	Waited bool
	// Findings are the requirements of the contract that the response violates. The slice is shared: do not change it.
	Findings []contract.Finding

	tokenPrefix uint32
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
