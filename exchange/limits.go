package exchange

import (
	"cmp"
	"time"
)

// Limits bounds one call. A field that is zero or negative has its default.
type Limits struct {
	// Patience bounds the time to the answer's head, connecting included. Default 30 s.
	Patience time.Duration
	// Total bounds the whole call. Default 60 s.
	Total time.Duration
	// Idle bounds the time between two reads of the answer's body. Default 30 s.
	Idle time.Duration
	// Body bounds the bytes of the answer's body, before and after decompression. Default 4 MiB.
	Body int64
	// Event bounds the bytes of one event. Default 1 MiB.
	Event int
	// Events bounds the events of a stream. Default 10,000.
	Events int
	// Capture bounds the bytes that the observation keeps of the request's body, of the answer's body and of an
	// unfinished event. Complete events are kept whole; Body bounds their sum. Default 64 KiB.
	Capture int
}

// maxHead bounds the head of an answer, in bytes. Common servers and proxies allow 8 to 64 KiB.
const maxHead = 256 << 10

// withDefaults returns the limits with their defaults.
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
