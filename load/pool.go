package load

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// pool holds the engine's connections. They form a stack for each endpoint: the one used last is used next, so that a
// low rate needs few of them. It dials without binding a local address first - vegeta's own dialer does, and spends
// three times as long in bind(2) as in connect(2) - and never dials ahead unless it is told to.
type pool struct {
	tls *tls.Config

	mu   sync.Mutex
	idle map[endpoint][]*line
	open map[*line]struct{}
	shut bool
}

// line is one connection.
type line struct {
	net.Conn
	receiver
	to endpoint
	// out is the buffer in which a request gets its token.
	out []byte
	// used says that an exchange went well: only then can the connection have gone stale.
	used bool
	// owner is the stage that uses it, nil when none does. The pool's mutex guards it.
	owner *volley
}

func newPool(trust *tls.Config) *pool {
	config := trust.Clone()
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	config.NextProtos = []string{"http/1.1"}
	return &pool{tls: config, idle: map[endpoint][]*line{}, open: map[*line]struct{}{}}
}

// get takes the connection that was used last, nil when there is none.
func (p *pool) get(to endpoint, owner *volley) *line {
	p.mu.Lock()
	defer p.mu.Unlock()
	stack := p.idle[to]
	if len(stack) == 0 {
		return nil
	}
	l := stack[len(stack)-1]
	p.idle[to] = stack[:len(stack)-1]
	l.owner = owner
	return l
}

// dial makes a connection within the deadline.
func (p *pool) dial(ctx context.Context, to endpoint, owner *volley, deadline time.Time) (*line, error) {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", to.address)
	if err != nil {
		return nil, &dialError{err}
	}
	if to.secure {
		config := p.tls.Clone()
		config.ServerName, _, _ = net.SplitHostPort(to.address)
		secured := tls.Client(conn, config)
		if err := secured.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, &dialError{err}
		}
		conn = secured
	}
	l := &line{Conn: conn, to: to, owner: owner}
	l.in = bufio.NewReaderSize(conn, bodyBuffer)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shut {
		_ = conn.Close()
		return nil, fmt.Errorf("%w: the engine is closed", net.ErrClosed)
	}
	p.open[l] = struct{}{}
	return l, nil
}

// keptBuffer bounds what an idle connection keeps of a buffer in bytes: one huge answer must not cost its size on
// every connection for the rest of the run.
const keptBuffer = 64 << 10

// put gives a connection back that can be used again.
func (p *pool) put(l *line) {
	if cap(l.body) > keptBuffer {
		l.body = nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	l.owner = nil
	if p.shut {
		_ = l.Close()
		return
	}
	p.idle[l.to] = append(p.idle[l.to], l)
}

// drop closes a connection that cannot be used again.
func (p *pool) drop(l *line) {
	_ = l.Close() // whatever it says, nobody uses it again
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, l)
}

// interrupt ends at once what a stage has under way.
func (p *pool) interrupt(owner *volley) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.open {
		if l.owner == owner {
			_ = l.SetDeadline(time.Unix(1, 0)) // a connection that is closed already needs no deadline
		}
	}
}

// warm opens connections until n stand idle.
func (p *pool) warm(ctx context.Context, to endpoint, n int, patience time.Duration) error {
	p.mu.Lock()
	missing := n - len(p.idle[to])
	p.mu.Unlock()
	errs := make([]error, max(missing, 0))
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			l, err := p.dial(ctx, to, nil, time.Now().Add(patience))
			if err != nil {
				errs[i] = err
				return
			}
			p.put(l)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// close closes every connection, those in use too.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shut = true
	for l := range p.open {
		_ = l.Close() // whatever it says, nobody uses it again
	}
	clear(p.open)
	clear(p.idle)
}

// dialError is a connection that could not be made.
type dialError struct{ cause error }

func (e *dialError) Error() string { return "no connection: " + e.cause.Error() }

func (e *dialError) Unwrap() error { return e.cause }

// ours reports whether a failure is this machine's own: it ran out of descriptors, ports or memory.
func ours(err error) bool {
	for _, shortage := range []error{
		syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.ENOBUFS, syscall.ENOMEM,
	} {
		if errors.Is(err, shortage) {
			return true
		}
	}
	return false
}

func timedOut(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}
