package load

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// pool holds the engine's connections: a stack for each endpoint, so that a low rate needs few of them. It opens
// connections without binding a local address first (vegeta's own dialer binds one, and spends three times as long in
// bind(2) as in connect(2)), and none ahead of need.
type pool struct {
	tls     *tls.Config
	connect func(ctx context.Context, address string) (net.Conn, error)

	mu     sync.Mutex
	idle   map[endpoint][]*conn
	all    map[*conn]struct{}
	closed bool
}

type conn struct {
	net.Conn
	responseReader
	to endpoint
	// requestBuffer is where a request gets its token.
	requestBuffer []byte
	// reused says that an exchange went well on it. Only then can it have gone stale.
	reused bool
	// attack uses the connection; nil while it is idle. The pool's mutex guards it.
	attack *attack
}

// newPool returns a pool whose connections are made from an address of this machine; the zero address leaves that to the system.
func newPool(trust *tls.Config, source netip.Addr) *pool {
	config := trust.Clone()
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	config.NextProtos = []string{"http/1.1"}
	return &pool{tls: config, connect: connectFrom(source), idle: map[endpoint][]*conn{}, all: map[*conn]struct{}{}}
}

func connectFrom(source netip.Addr) func(ctx context.Context, address string) (net.Conn, error) {
	dialer := new(net.Dialer)
	if source.IsValid() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(source, 0))
	}
	return func(ctx context.Context, address string) (net.Conn, error) {
		return dialer.DialContext(ctx, "tcp", address)
	}
}

// get returns the idle connection that was used last, nil when there is none.
func (p *pool) get(to endpoint, a *attack) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	stack := p.idle[to]
	if len(stack) == 0 {
		return nil
	}
	c := stack[len(stack)-1]
	p.idle[to] = stack[:len(stack)-1]
	c.attack = a
	return c
}

// dial opens a connection before the deadline. It returns a [dialError] when that fails.
func (p *pool) dial(ctx context.Context, to endpoint, a *attack, deadline time.Time) (*conn, error) {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	raw, err := p.connect(ctx, to.address)
	if err != nil {
		return nil, &dialError{err}
	}
	if to.secure {
		config := p.tls.Clone()
		config.ServerName, _, _ = net.SplitHostPort(to.address)
		secured := tls.Client(raw, config)
		if err := secured.HandshakeContext(ctx); err != nil {
			_ = raw.Close()
			return nil, &dialError{err}
		}
		raw = secured
	}
	c := &conn{Conn: raw, to: to, attack: a}
	c.in = bufio.NewReaderSize(raw, bodyBuffer)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = raw.Close()
		return nil, fmt.Errorf("%w: the engine is closed", net.ErrClosed)
	}
	p.all[c] = struct{}{}
	return c, nil
}

// warm opens a connection where none is idle, and closes it again: kept, it might be closed by the gateway before its first request, whose
// failure would then not be one of the gateway. It returns a [dialError].
func (p *pool) warm(ctx context.Context, to endpoint, timeout time.Duration) error {
	if c := p.get(to, nil); c != nil {
		p.put(c)
		return nil
	}
	c, err := p.dial(ctx, to, nil, time.Now().Add(timeout))
	if err != nil {
		return err
	}
	p.drop(c)
	return nil
}

// keptBuffer bounds in bytes the body buffer that an idle connection keeps: one huge response must not cost its size on
// every connection for the rest of the run.
const keptBuffer = 64 << 10

func (p *pool) put(c *conn) {
	if cap(c.body) > keptBuffer {
		c.body = nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c.attack = nil
	if p.closed {
		_ = c.Close()
		return
	}
	p.idle[c.to] = append(p.idle[c.to], c)
}

// drop closes a connection that cannot be used again.
func (p *pool) drop(c *conn) {
	_ = c.Close() // nobody uses it again, whatever the error
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.all, c)
}

// interrupt ends all exchanges of an attack at once.
func (p *pool) interrupt(a *attack) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.all {
		if c.attack == a {
			_ = c.SetDeadline(time.Unix(1, 0)) // fails only on a connection that is closed already
		}
	}
}

// close closes every connection, those in use too.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for c := range p.all {
		_ = c.Close() // nobody uses it again, whatever the error
	}
	clear(p.all)
	clear(p.idle)
}

// dialError says that a connection could not be opened.
type dialError struct{ cause error }

func (e *dialError) Error() string { return "no connection: " + e.cause.Error() }

func (e *dialError) Unwrap() error { return e.cause }

// isLocalError reports whether a failure is this machine's: it ran out of descriptors, ports or memory.
func isLocalError(err error) bool {
	for _, shortage := range []error{
		syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.ENOBUFS, syscall.ENOMEM,
	} {
		if errors.Is(err, shortage) {
			return true
		}
	}
	return false
}

func isTimeout(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}
