package exchange

import (
	"cmp"
	"time"
)

// Limits bounds what one call may cost. A field that is zero or negative takes its default.
type Limits struct {
	// Patience is how long to wait for the answer's head, the making of the connection included. Default 30 s.
	Patience time.Duration
	// Total is how long the whole call may take. Default 60 s.
	Total time.Duration
	// Idle is how long an answer's body may stand still. Default 30 s.
	Idle time.Duration
	// Body is how many bytes of an answer's body are read, before and after decompression. Default 4 MiB.
	Body int64
	// Event is how many bytes one event of a stream may have. Default 1 MiB.
	Event int
	// Events is how many events of a stream are read. Default 10,000.
	Events int
	// Capture is how many bytes of the request's body, of the answer's body and of an unfinished event are kept in the
	// observation. Complete events are kept whole; Body bounds them together. Default 64 KiB.
	Capture int
}

// maxHead bounds an answer's head, in bytes. Common servers and proxies stop at 8 to 64 KiB.
const maxHead = 256 << 10

// withDefaults returns the limits with every gap filled.
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
