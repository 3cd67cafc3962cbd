package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Server is an upstream that listens. [Server.Close] ends it.
type Server struct {
	http     *http.Server
	listener net.Listener
	// dismiss ends every request that is going on.
	dismiss context.CancelCauseFunc
	// busy counts open connections and running handlers.
	busy sync.WaitGroup
	// served is closed when the accept loop has ended.
	served chan struct{}
	// unhook takes back the hook on the context of Listen.
	unhook func() bool
	close  sync.Once
	err    error
}

// Listen serves the upstream on a TCP address such as "127.0.0.1:0" until Close is called or ctx is done. It fails
// when the address cannot be listened on.
func Listen(ctx context.Context, addr string, u *Upstream) (*Server, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("upstream: %w", err)
	}
	return Serve(ctx, listener, u), nil
}

// Serve is [Listen] for a listener that is there already: its port can be told to others before the upstream is made.
func Serve(ctx context.Context, listener net.Listener, u *Upstream) *Server {
	base, dismiss := context.WithCancelCause(context.WithoutCancel(ctx))
	s := &Server{listener: listener, dismiss: dismiss, served: make(chan struct{})}
	s.http = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.busy.Add(1)
			defer s.busy.Done()
			u.ServeHTTP(w, r)
		}),
		BaseContext: func(net.Listener) context.Context { return base },
		ConnState: func(conn net.Conn, state http.ConnState) {
			u.ConnState(conn, state)
			switch state {
			case http.StateNew:
				s.busy.Add(1)
			case http.StateClosed, http.StateHijacked:
				s.busy.Done()
			case http.StateActive, http.StateIdle: // it is still open
			}
		},
		ReadHeaderTimeout: 30 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // a gateway's broken connections are its own affair
	}
	go func() {
		defer close(s.served)
		_ = s.http.Serve(listener) // ends with ErrServerClosed, and only through shut
	}()
	s.unhook = context.AfterFunc(ctx, s.shut)
	return s
}

// Addr is the address listened on, "127.0.0.1:9901".
func (s *Server) Addr() string { return s.listener.Addr().String() }

// URL is the base URL without a path, "http://127.0.0.1:9901".
func (s *Server) URL() string { return "http://" + s.Addr() }

// Close stops listening, ends all requests at once, hung ones too, and returns when no goroutine is left.
func (s *Server) Close() error {
	s.unhook()
	s.shut()
	<-s.served
	s.busy.Wait()
	return s.err
}

func (s *Server) shut() {
	s.close.Do(func() {
		s.dismiss(errClosing)
		if err := s.http.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			s.err = fmt.Errorf("upstream: %w", err)
		}
	})
}
