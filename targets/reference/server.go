package reference

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/gatecert/gatecert/internal/bounded"
)

// Server serves a gateway over HTTP.
type Server struct {
	Gateway *Gateway
	// Certificate is the server's certificate in PEM format. It is nil without [Options.TLS].
	Certificate []byte
	listener    net.Listener
	http        *http.Server
	served      chan error
}

// The server's own limits, for clients that send a request header byte by byte or keep a connection idle.
const (
	headTimeout = 10 * time.Second
	idleTimeout = 2 * time.Minute
	maxHead     = 64 << 10

	maxConnections = 8192
)

// Serve serves a new gateway at an address; "127.0.0.1:0" selects a free port.
//
// It returns the errors of [New], and the network error if it cannot listen at the address.
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
		http: &http.Server{
			ConnState: (&bounded.Connections{Max: maxConnections}).ConnState, Handler: gateway, ReadHeaderTimeout: headTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHead,
			ErrorLog: log.New(io.Discard, "", 0), // clients break connections on purpose
		},
	}
	serve := s.http.Serve
	if options.TLS {
		if s.http.TLSConfig, s.Certificate, err = selfSigned(); err != nil {
			return nil, errors.Join(err, listener.Close(), gateway.Close())
		}
		serve = func(l net.Listener) error { return s.http.ServeTLS(l, "", "") }
	}
	go func() { s.served <- serve(listener) }()
	return s, nil
}

// URL returns the gateway's base URL.
func (s *Server) URL() string {
	scheme := "http"
	if s.Certificate != nil {
		scheme = "https"
	}
	return scheme + "://" + s.listener.Addr().String()
}

// Close ends the open calls, stops serving and closes the gateway.
func (s *Server) Close() error {
	err := s.http.Close()
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return errors.Join(err, s.Gateway.Close())
}
