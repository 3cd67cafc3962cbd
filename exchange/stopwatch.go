package exchange

import (
	"net/http/httptrace"
	"sync"
	"time"
)

// stopwatch takes the instants of one call. The transport's goroutines write to it while the call reads.
type stopwatch struct {
	mu        sync.Mutex
	started   time.Time
	connected time.Time
	headSent  time.Time
	sent      time.Time
	answered  time.Time // the answer's first byte
}

func newStopwatch() *stopwatch { return &stopwatch{started: time.Now()} }

// trace lets net/http drive the stopwatch.
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

// connect notes a connection. Another one means that the transport sends again, so what was sent counts no more.
func (s *stopwatch) connect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connected, s.headSent, s.sent = time.Now(), time.Time{}, time.Time{}
}

// mark notes an instant of the call, the first time only.
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

// hasAnswer reports whether a byte of an answer came.
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

// firstByte is when the answer's first byte came, 0 for never.
func (s *stopwatch) firstByte() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answered.IsZero() {
		return 0
	}
	return s.since(s.answered)
}

// since counts from the end of writing the request. A gateway may answer before it has read everything, even before
// everything is written; then the count begins at the last stage that was over when the answer began, so that no
// duration is negative and none runs backwards.
func (s *stopwatch) since(instant time.Time) time.Duration {
	origin := s.started
	for _, stage := range []time.Time{s.connected, s.headSent, s.sent} {
		if !stage.IsZero() && (s.answered.IsZero() || !stage.After(s.answered)) {
			origin = stage
		}
	}
	return max(instant.Sub(origin), 1)
}
