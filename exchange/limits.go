package exchange

import (
	"cmp"
	"time"

	"github.com/gatecert/gatecert/dialect"
)

// Limits bounds one call. A field that is zero or negative takes its default.
type Limits struct {
	// Patience bounds the time until the head of the answer, the connection included. Default 30 s.
	Patience time.Duration
	// Total bounds the time of the whole call. Default 60 s.
	Total time.Duration
	// Idle bounds the time between two reads of the body. Default 30 s.
	Idle time.Duration
	// Body bounds the body in bytes, before and after decompression. Default 4 MiB, and [LargeBody] on the surfaces whose
	// answers are large.
	Body int64
	// Event bounds one event of a stream in bytes. Default 1 MiB.
	Event int
	// Events bounds the number of events of a stream. Default 10,000.
	Events int
	// Capture bounds the bytes that the observation keeps of the request body, of the answer's body and of an unfinished
	// event. Complete events and the bodies of errors are kept whole; Body bounds them. Default 64 KiB.
	Capture int
}

// maxHead bounds the head of an answer in bytes. Common servers and proxies limit it to 8 to 64 KiB.
const maxHead = 256 << 10

// LargeBody bounds the body of an answer, in bytes, on a surface whose answers are large. An image of 1,792 by 1,024 pixels has up
// to some 8 MB in base64; ten minutes of speech have 10. A hostile gateway may send as much to each of the calls in flight.
const LargeBody = 12 << 20

// on are the limits of a call on a surface.
func (l Limits) on(s dialect.Surface) Limits {
	if s.Large() {
		l.Body = max(l.Body, LargeBody)
	}
	return l
}

func (l Limits) withDefaults() Limits {
	l.Patience = cmp.Or(max(l.Patience, 0), 30*time.Second)
	l.Total = cmp.Or(max(l.Total, 0), 60*time.Second)
	l.Idle = cmp.Or(max(l.Idle, 0), 30*time.Second)
	l.Body = cmp.Or(max(l.Body, 0), 4<<20)
	l.Event = cmp.Or(max(l.Event, 0), 1<<20)
	l.Events = cmp.Or(max(l.Events, 0), 10_000)
	l.Capture = cmp.Or(max(l.Capture, 0), 64<<10)
	return l
}
