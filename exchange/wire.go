package exchange

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
)

// wire sends requests by hand, each on an HTTP/1.1 connection of its own. It writes what net/http refuses to write,
// and it reads while it writes, so that an answer is not lost when the gateway stops listening.
type wire struct {
	dialer *net.Dialer
	tls    *tls.Config
}

// closeWriter is a connection whose writing side can be closed alone: TCP and TLS have it.
type closeWriter interface {
	net.Conn
	CloseWrite() error
}

// roundTrip sends the request, which out is in net/http's form, and returns the answer once its head has come. The
// answer's body must be closed.
func (w wire) roundTrip(out *http.Request, req *request, watch *stopwatch) (*http.Response, error) {
	conn, err := w.dial(out)
	if err != nil {
		return nil, err
	}
	watch.connect()
	line := &wireBody{conn: conn, written: make(chan struct{})}
	// Closing is what ends a read or a write that the context no longer wants.
	line.release = context.AfterFunc(out.Context(), func() { _ = conn.Close() })
	go func() {
		defer close(line.written)
		// A failed write needs no word of its own: the reader sees what the gateway made of it.
		_ = send(conn, out, req, watch)
	}()
	resp, err := receive(conn, out, watch)
	if err != nil {
		_ = line.Close() // there is no answer to lose
		return nil, err
	}
	line.Reader = resp.Body
	resp.Body = line
	return resp, nil
}

func (w wire) dial(out *http.Request) (closeWriter, error) {
	secure := out.URL.Scheme == "https"
	port := out.URL.Port()
	if port == "" {
		port = map[bool]string{false: "80", true: "443"}[secure]
	}
	address := net.JoinHostPort(out.URL.Hostname(), port)
	var conn net.Conn
	var err error
	if secure {
		config := w.tls.Clone()
		config.NextProtos = []string{"http/1.1"}
		conn, err = (&tls.Dialer{NetDialer: w.dialer, Config: config}).DialContext(out.Context(), "tcp", address)
	} else {
		conn, err = w.dialer.DialContext(out.Context(), "tcp", address)
	}
	if err != nil {
		return nil, err
	}
	half, ok := conn.(closeWriter)
	if !ok {
		_ = conn.Close() // nothing was sent on it
		return nil, fmt.Errorf("%T has no writing side to close", conn)
	}
	return half, nil
}

// send writes the request; when its body is short, it closes the writing side after it.
func send(conn closeWriter, out *http.Request, req *request, watch *stopwatch) error {
	host := out.Host
	if host == "" {
		host = out.URL.Host
	}
	header := req.fields(req.key)
	header.Del("Host")
	header.Set("Content-Length", strconv.FormatInt(req.body.size()+req.body.missing, 10))
	buffered := bufio.NewWriter(conn)
	fmt.Fprintf(buffered, "%s %s HTTP/1.1\r\nHost: %s\r\n", out.Method, out.URL.RequestURI(), host)
	if err := header.Write(buffered); err != nil {
		return err
	}
	fmt.Fprint(buffered, "\r\n") // a failed write shows again at the next one
	watch.mark(&watch.headSent)
	if _, err := io.Copy(buffered, req.body.reader()); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	watch.mark(&watch.sent)
	if req.body.missing > 0 {
		return conn.CloseWrite()
	}
	return nil
}

// receive reads the head of the final answer, at most maxHead bytes of it and of the interim ones before it.
func receive(conn net.Conn, out *http.Request, watch *stopwatch) (*http.Response, error) {
	head := &io.LimitedReader{R: conn, N: maxHead}
	buffered := bufio.NewReader(head)
	if _, err := buffered.Peek(1); err != nil {
		return nil, err
	}
	watch.mark(&watch.answered)
	for {
		resp, err := http.ReadResponse(buffered, out)
		if err != nil && head.N <= 0 {
			return nil, fmt.Errorf("the answer's head is longer than %d bytes", maxHead)
		}
		if err != nil {
			return nil, err
		}
		if resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			head.N = math.MaxInt64 // the body has bounds of its own
			return resp, nil
		}
	}
}

// wireBody is the body of an answer that came over a wire. Closing it closes the connection, without reading on, and
// waits for the writer.
type wireBody struct {
	io.Reader
	conn    net.Conn
	release func() bool
	written chan struct{}
}

func (b *wireBody) Close() error {
	b.release()
	err := b.conn.Close()
	<-b.written
	return err
}
