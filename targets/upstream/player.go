package upstream

import (
	"context"
	"maps"
	"net"
	"net/http"
	"time"
)

// exit is how an answer came to its end.
type exit int

const (
	finished  exit = iota // everything was sent that was to be sent
	brokenOff             // and now the connection must be broken off
	abandoned             // the other side left, or the server closes, before everything was sent
)

// player sends answers over one connection.
type player struct {
	w http.ResponseWriter
	// answered is told the status when the head leaves.
	answered func(status int)
}

// unanswered plays the endings that have no head.
func (p player) unanswered(ctx context.Context, ending Ending) exit {
	switch ending {
	case Hang:
		<-ctx.Done()
		return abandoned
	case Reset:
		return p.reset()
	default:
		return brokenOff
	}
}

// play sends a script.
func (p player) play(ctx context.Context, s script) exit {
	if ctx.Err() != nil {
		return abandoned
	}
	maps.Copy(p.w.Header(), s.header)
	p.answered(s.status)
	p.w.WriteHeader(s.status)
	control := http.NewResponseController(p.w)
	if s.flushed && control.Flush() != nil {
		return abandoned
	}
	for i, piece := range s.pieces {
		if i > 0 && !pause(ctx, s.gap) {
			return abandoned
		}
		if !p.send(ctx, piece) || s.flushed && control.Flush() != nil {
			return abandoned
		}
	}
	switch s.final {
	case silence:
		<-ctx.Done()
		return abandoned
	case breach:
		return brokenOff
	default:
		return finished
	}
}

func (p player) send(ctx context.Context, piece []byte) bool {
	if ctx.Err() != nil {
		return false
	}
	if len(piece) == 0 {
		return true // a status without a body refuses even an empty one
	}
	_, err := p.w.Write(piece)
	return err == nil
}

// reset makes the kernel send RST: a connection that closes with a linger of zero has nothing left to say. Where the
// connection cannot be had, breaking it off comes closest.
func (p player) reset() exit {
	conn, _, err := http.NewResponseController(p.w).Hijack()
	if err != nil {
		return brokenOff
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a connection that is gone already needs no reset
	}
	_ = conn.Close()
	return finished
}

// pause waits, and reports whether it came to the end before the context.
func pause(ctx context.Context, span time.Duration) bool {
	if span <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(span)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
