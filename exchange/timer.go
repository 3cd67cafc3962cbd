package exchange

import (
	"net/http/httptrace"
	"sync"
	"time"
)

// callTimer records the times of one call. The goroutines of the transport write to it while the call reads it.
type callTimer struct {
	mu        sync.Mutex
	started   time.Time
	connected time.Time
	headSent  time.Time
	sent      time.Time
	answered  time.Time // first byte of the answer
	kept      bool      // the connection had been used before
}

func startTimer() *callTimer { return &callTimer{started: time.Now()} }

// trace makes net/http record the times.
func (t *callTimer) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn:      func(info httptrace.GotConnInfo) { t.connect(info.Reused) },
		WroteHeaders: func() { t.mark(&t.headSent) },
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err == nil {
				t.mark(&t.sent)
			}
		},
		GotFirstResponseByte: func() { t.mark(&t.answered) },
	}
}

// connect records a connection. A second one means that the transport sends the request again, so that the times of the
// first are dropped.
func (t *callTimer) connect(reused bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.connected, t.headSent, t.sent, t.kept = time.Now(), time.Time{}, time.Time{}, reused
}

// reused reports whether the connection of the call had been used before.
func (t *callTimer) reused() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.kept
}

// mark records a time of the call, unless it has been recorded.
func (t *callTimer) mark(instant *time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if instant.IsZero() {
		*instant = time.Now()
	}
}

// happened reports whether a time of the call was recorded: connected to the gateway, answered with a byte.
func (t *callTimer) happened(instant *time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !instant.IsZero()
}

// now returns the time since the request was written, at least 1 ns.
func (t *callTimer) now() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.since(time.Now())
}

// firstByte returns the time of the first byte of the answer, 0 when none came.
func (t *callTimer) firstByte() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.answered.IsZero() {
		return 0
	}
	return t.since(t.answered)
}

// since returns the time from the end of writing the request. A gateway may answer before it has read the whole request,
// and even before the request is written. The time then counts from the last event before the answer began, so that it is
// never negative and never decreases.
func (t *callTimer) since(instant time.Time) time.Duration {
	origin := t.started
	for _, event := range []time.Time{t.connected, t.headSent, t.sent} {
		if !event.IsZero() && (t.answered.IsZero() || !event.After(t.answered)) {
			origin = event
		}
	}
	return max(instant.Sub(origin), 1)
}
