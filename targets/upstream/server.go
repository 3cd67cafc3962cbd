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
	"syscall"
	"time"

	"github.com/gatecert/gatecert/internal/bounded"
)

// Server serves an upstream over TCP. [Server.Close] stops it.
type Server struct {
	http     *http.Server
	listener net.Listener
	// cancelRequests ends every request.
	cancelRequests context.CancelCauseFunc
	// busy counts open connections and running handlers.
	busy sync.WaitGroup
	// served is closed when the accept loop has ended.
	served chan struct{}
	// stopWatching stops waiting for the context of Listen.
	stopWatching func() bool
	close        sync.Once
	err          error
}

const (
	// idleTimeout is longer than gateways keep connections: one that is closed while a gateway reuses it would look like a fault.
	idleTimeout    = 5 * time.Minute
	maxHead        = 256 << 10
	maxConnections = 8192
)

// onThisMachine reports whether only this machine reaches an address.
func onThisMachine(address net.Addr) bool {
	tcp, ok := address.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// Listen serves the upstream on a TCP address such as "127.0.0.1:0" until Close is called or ctx is done. It returns an error if it cannot listen on
// the address.
func Listen(ctx context.Context, addr string, u *Upstream) (*Server, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			err = fmt.Errorf("%w: if a mock upstream is already running there, set upstream.attach to its URL", err)
		}
		return nil, fmt.Errorf("mock upstream: %w", err)
	}
	return Serve(ctx, listener, u), nil
}

// Serve is like [Listen], but uses an existing listener, so that the port is known before the upstream is created.
func Serve(ctx context.Context, listener net.Listener, u *Upstream) *Server {
	base, dismiss := context.WithCancelCause(context.WithoutCancel(ctx))
	s := &Server{listener: listener, cancelRequests: dismiss, served: make(chan struct{})}
	connections := bounded.Connections{Max: maxConnections}
	u.exposed.Store(!onThisMachine(listener.Addr()))
	s.http = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.busy.Add(1)
			defer s.busy.Done()
			u.ServeHTTP(w, r)
		}),
		BaseContext: func(net.Listener) context.Context { return base },
		ConnState: func(conn net.Conn, state http.ConnState) {
			u.ConnState(conn, state)
			connections.ConnState(conn, state)
			switch state {
			case http.StateNew:
				s.busy.Add(1)
			case http.StateClosed, http.StateHijacked:
				s.busy.Done()
			case http.StateActive, http.StateIdle: // still open
			}
		},
		ReadHeaderTimeout: 30 * time.Second, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHead,
		ErrorLog: log.New(io.Discard, "", 0), // a gateway's broken connections are not errors of this server
	}
	go func() {
		defer close(s.served)
		_ = s.http.Serve(listener) // returns ErrServerClosed, and only after shutdown
	}()
	s.stopWatching = context.AfterFunc(ctx, s.shutdown)
	return s
}

// Addr returns the address of the listener, such as "127.0.0.1:9901".
func (s *Server) Addr() string { return s.listener.Addr().String() }

// URL returns the base URL without a path, such as "http://127.0.0.1:9901".
func (s *Server) URL() string { return "http://" + s.Addr() }

// Close stops listening and ends all requests immediately, including hanging ones. It returns when no goroutine is left.
func (s *Server) Close() error {
	s.stopWatching()
	s.shutdown()
	<-s.served
	s.busy.Wait()
	return s.err
}

func (s *Server) shutdown() {
	s.close.Do(func() {
		s.cancelRequests(errClosing)
		if err := s.http.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			s.err = fmt.Errorf("mock upstream: %w", err)
		}
	})
}
