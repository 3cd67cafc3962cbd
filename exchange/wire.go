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

// wire sends requests without net/http, each on an HTTP/1.1 connection of its own. It can write what net/http refuses to
// write. It reads while it writes, so that an answer is not lost when the gateway stops reading.
type wire struct {
	dialer *net.Dialer
	tls    *tls.Config
}

// closeWriter is a connection whose write side can be closed alone, as those of TCP and TLS.
type closeWriter interface {
	net.Conn
	CloseWrite() error
}

// roundTrip sends the request and returns the answer when its head was received. out is the request in net/http's form.
// The answer's body must be closed.
func (w wire) roundTrip(out *http.Request, req *request, watch *stopwatch) (*http.Response, error) {
	conn, err := w.dial(out)
	if err != nil {
		return nil, err
	}
	watch.connect()
	body := &wireBody{conn: conn, written: make(chan struct{})}
	// Closing the connection ends reads and writes when the context is done.
	body.release = context.AfterFunc(out.Context(), func() { _ = conn.Close() })
	go func() {
		defer close(body.written)
		// The error is not needed: reading shows how the gateway reacted.
		_ = send(conn, out, req, watch)
	}()
	resp, err := receive(conn, out, watch)
	if err != nil {
		_ = body.Close() // there is no answer
		return nil, err
	}
	body.Reader = resp.Body
	resp.Body = body
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
		return nil, fmt.Errorf("%T cannot close its write side", conn)
	}
	return half, nil
}

// send writes the request, and closes the write side if its body is short.
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
	fmt.Fprint(buffered, "\r\n") // the next write returns its error again
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

// receive reads the head of the final answer. It and the interim answers before it may have maxHead bytes.
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
			head.N = math.MaxInt64 // the body has its own bound
			return resp, nil
		}
	}
}

// wireBody is the body of an answer on a connection of its own. Close closes the connection and waits for the writer.
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
