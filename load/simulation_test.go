package load

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatecert/gatecert/internal/wait"
)

// simulate runs a test in virtual time: an engine, and a gateway behind connections in memory. A second of load takes a few
// milliseconds, and a test that measures time does not depend on how busy the machine is.
func simulate(t *testing.T, gateway http.HandlerFunc, test func(t *testing.T, e *Engine, url string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := &memoryNetwork{conns: make(chan net.Conn), closed: make(chan struct{})}
		server := &http.Server{Handler: gateway, ErrorLog: log.New(io.Discard, "", 0)}
		served := make(chan struct{})
		go func() {
			defer close(served)
			_ = server.Serve(network)
		}()
		e := NewEngine(Options{Caps: HardCaps()})
		e.conns.connect = network.connect
		e.sleepUntil = func(ctx context.Context, instant time.Time) error { return wait.For(ctx, time.Until(instant)) }
		test(t, e, "http://gateway.example")
		e.Close()
		_ = server.Close()
		<-served
		time.Sleep(time.Minute) // handlers whose clients were interrupted still sleep
	})
}

// memoryNetwork is a listener whose connections are pipes.
type memoryNetwork struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (n *memoryNetwork) connect(ctx context.Context, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case n.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (n *memoryNetwork) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *memoryNetwork) Close() error {
	close(n.closed)
	return nil
}

func (n *memoryNetwork) Addr() net.Addr { return &net.TCPAddr{} }
