package exchange

import (
	"net/http/httptrace"
	"sync"
	"time"
)

// stopwatch records when the parts of one call happened. The transport's goroutines write to it while the call reads.
type stopwatch struct {
	mu        sync.Mutex
	started   time.Time
	connected time.Time
	headSent  time.Time
	sent      time.Time
	answered  time.Time // the answer's first byte
}

func newStopwatch() *stopwatch { return &stopwatch{started: time.Now()} }

// trace returns the hooks by which net/http sets the stopwatch.
func (s *stopwatch) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { s.connect() },
		WroteHeaders: func() { s.mark(&s.headSent) },
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err == nil {
				s.mark(&s.sent)
			}
		},
		GotFirstResponseByte: func() { s.mark(&s.answered) },
	}
}

// connect records a new connection. After the first one, the transport sends the request again: earlier times no longer count.
func (s *stopwatch) connect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connected, s.headSent, s.sent = time.Now(), time.Time{}, time.Time{}
}

// mark sets an instant, the first time only.
func (s *stopwatch) mark(instant *time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if instant.IsZero() {
		*instant = time.Now()
	}
}

// hasConnected reports whether there was a connection to the gateway.
func (s *stopwatch) hasConnected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.connected.IsZero()
}

// hasAnswer reports whether a byte of an answer was received.
func (s *stopwatch) hasAnswer() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.answered.IsZero()
}

// now is the time since the request was written, at least 1 ns.
func (s *stopwatch) now() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.since(time.Now())
}

// firstByte is the time to the answer's first byte, 0 if there is none.
func (s *stopwatch) firstByte() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answered.IsZero() {
		return 0
	}
	return s.since(s.answered)
}

// since counts from the end of writing the request. A gateway may answer before the request is written completely. Then
// the count begins with the last step that was complete when the answer began, so that no duration is negative.
func (s *stopwatch) since(instant time.Time) time.Duration {
	origin := s.started
	for _, completed := range []time.Time{s.connected, s.headSent, s.sent} {
		if !completed.IsZero() && (s.answered.IsZero() || !completed.After(s.answered)) {
			origin = completed
		}
	}
	return max(instant.Sub(origin), 1)
}
