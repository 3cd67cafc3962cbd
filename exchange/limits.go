package exchange

import (
	"cmp"
	"time"

	"github.com/gatecert/gatecert/dialect"
)

// Limits are the limits for one call. A field that is zero or negative has its default value.
type Limits struct {
	// Patience is the maximum time until the response head arrives, including the time to connect. Default 30 s.
	Patience time.Duration
	// Total is the maximum duration of the whole call. Default 60 s.
	Total time.Duration
	// Idle is the maximum time between two reads of the body. Default 30 s.
	Idle time.Duration
	// Body is the maximum size of the body in bytes, before and after decompression. Default 4 MiB, or [LargeBody] on surfaces with large responses.
	Body int64
	// Event is the maximum size of one stream event in bytes. Default 1 MiB.
	Event int
	// Events is the maximum number of events in a stream. Default 10,000.
	Events int
	// Capture is the maximum number of bytes that the observation keeps of the request body, of the response body and of an incomplete event.
	// Complete events and the bodies of errors are kept whole, up to Body. Default 64 KiB.
	Capture int
}

// maxHead bounds the head of an answer in bytes. Common servers and proxies limit it to 8 to 64 KiB.
const maxHead = 256 << 10

// LargeBody is the maximum size of a response body, in bytes, on a surface with large responses. An image of 1,792 by 1,024 pixels takes up to about
// 8 MB in base64, and ten minutes of speech take 10 MB. A hostile gateway may send this much in response to every call in flight.
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
