package upstream

import (
	"context"
	"maps"
	"net"
	"net/http"

	"github.com/gatecert/gatecert/internal/wait"
)

// outcome is how the sending of a response ended.
type outcome int

const (
	complete    outcome = iota // everything was sent that had to be
	mustClose                  // the server has to close the connection now
	interrupted                // the client left, or the server closes, before everything was sent
)

// sender sends responses over one connection.
type sender struct {
	w http.ResponseWriter
	// answered is called with the status, and the error in it, before the header is sent.
	answered func(status int, problem []byte)
}

// sendNothing does what an ending without a response demands.
func (s sender) sendNothing(ctx context.Context, ending Ending) outcome {
	switch ending {
	case Hang:
		<-ctx.Done()
		return interrupted
	case Reset:
		return s.reset()
	default:
		return mustClose
	}
}

func (s sender) send(ctx context.Context, r response) outcome {
	if ctx.Err() != nil {
		return interrupted
	}
	maps.Copy(s.w.Header(), r.header)
	s.answered(r.status, r.problem)
	s.w.WriteHeader(r.status)
	control := http.NewResponseController(s.w)
	if r.flush && control.Flush() != nil {
		return interrupted
	}
	for i, part := range r.parts {
		if i > 0 && wait.For(ctx, r.gap) != nil {
			return interrupted
		}
		if !s.write(ctx, part) || r.flush && control.Flush() != nil {
			return interrupted
		}
	}
	switch r.end {
	case bodySilent:
		<-ctx.Done()
		return interrupted
	case bodyCut:
		return mustClose
	default:
		return complete
	}
}

func (s sender) write(ctx context.Context, part []byte) bool {
	if ctx.Err() != nil {
		return false
	}
	if len(part) == 0 {
		return true // for a status without a body, net/http refuses even an empty Write
	}
	_, err := s.w.Write(part) //nolint:gosec // what a test asked for, on loopback
	return err == nil
}

// reset makes the kernel send RST, which closing a connection with a linger of zero does. Where the connection cannot be
// had, closing it comes closest.
func (s sender) reset() outcome {
	conn, _, err := http.NewResponseController(s.w).Hijack()
	if err != nil {
		return mustClose
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a connection that is gone already needs no reset
	}
	_ = conn.Close()
	return complete
}
