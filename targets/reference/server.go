package reference

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Server serves a gateway over HTTP.
type Server struct {
	Gateway  *Gateway
	listener net.Listener
	http     *http.Server
	served   chan error
}

// The server's own limits: a caller that drips its head or sits on an idle connection is let go.
const (
	headTimeout = 10 * time.Second
	idleTimeout = 2 * time.Minute
	maxHead     = 64 << 10
)

// Serve starts to serve a new gateway at an address ("127.0.0.1:0" picks a free port).
//
// It returns [ErrOptions] and the other errors of [New], and the network's when the address cannot be had.
func Serve(ctx context.Context, address string, options Options) (*Server, error) {
	gateway, err := New(ctx, options)
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("serve the gateway at %s: %w", address, err), gateway.Close())
	}
	s := &Server{
		Gateway: gateway, listener: listener, served: make(chan error, 1),
		http: &http.Server{Handler: gateway, ReadHeaderTimeout: headTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHead},
	}
	go func() { s.served <- s.http.Serve(listener) }()
	return s, nil
}

// URL is where the gateway answers.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Close ends the calls under way, stops serving and closes the gateway.
func (s *Server) Close() error {
	err := s.http.Close()
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return errors.Join(err, s.Gateway.Close())
}
