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

// rawTransport writes requests itself, each on an HTTP/1.1 connection of its own. It writes what net/http refuses to write,
// and reads while it writes, so that it gets the answer of a gateway that stops reading.
type rawTransport struct {
	dialer *net.Dialer
	tls    *tls.Config
}

// closeWriter is a connection whose writing side can be closed separately, as with TCP and TLS.
type closeWriter interface {
	net.Conn
	CloseWrite() error
}

// roundTrip sends the request and returns the answer once its head has arrived. out is the same request for net/http. The
// caller closes the body of the answer.
func (t rawTransport) roundTrip(out *http.Request, req *request, timer *callTimer) (*http.Response, error) {
	conn, err := t.dial(out)
	if err != nil {
		return nil, err
	}
	timer.connect(false)
	body := &rawBody{conn: conn, written: make(chan struct{})}
	// Closing the connection ends reads and writes when the context ends.
	body.release = context.AfterFunc(out.Context(), func() { _ = conn.Close() })
	go func() {
		defer close(body.written)
		// A failed write is not reported: the reader sees what the gateway made of it.
		_ = send(conn, out, req, timer)
	}()
	resp, err := receive(conn, out, timer)
	if err != nil {
		_ = body.Close() // there is no answer to lose
		return nil, err
	}
	body.Reader = resp.Body
	resp.Body = body
	return resp, nil
}

func (t rawTransport) dial(out *http.Request) (closeWriter, error) {
	secure := out.URL.Scheme == "https"
	port := out.URL.Port()
	if port == "" {
		port = map[bool]string{false: "80", true: "443"}[secure]
	}
	address := net.JoinHostPort(out.URL.Hostname(), port)
	var conn net.Conn
	var err error
	if secure {
		config := t.tls.Clone()
		config.NextProtos = []string{"http/1.1"}
		conn, err = (&tls.Dialer{NetDialer: t.dialer, Config: config}).DialContext(out.Context(), "tcp", address)
	} else {
		conn, err = t.dialer.DialContext(out.Context(), "tcp", address)
	}
	if err != nil {
		return nil, err
	}
	half, ok := conn.(closeWriter)
	if !ok {
		_ = conn.Close() // nothing was sent
		return nil, fmt.Errorf("a connection of type %T cannot close only its write side", conn)
	}
	return half, nil
}

// send writes the request, and closes the writing side after a body that is too short.
func send(conn closeWriter, out *http.Request, req *request, timer *callTimer) error {
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
	fmt.Fprint(buffered, "\r\n") // the next write returns the error of a failed one
	timer.mark(&timer.headSent)
	if _, err := io.Copy(buffered, req.body.reader()); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	timer.mark(&timer.sent)
	if req.body.missing > 0 {
		return conn.CloseWrite()
	}
	return nil
}

// receive reads the head of the final answer. The final and the interim heads together have at most maxHead bytes.
func receive(conn net.Conn, out *http.Request, timer *callTimer) (*http.Response, error) {
	head := &io.LimitedReader{R: conn, N: maxHead}
	buffered := bufio.NewReader(head)
	if _, err := buffered.Peek(1); err != nil {
		return nil, err
	}
	timer.mark(&timer.answered)
	for {
		resp, err := http.ReadResponse(buffered, out)
		if err != nil && head.N <= 0 {
			return nil, fmt.Errorf("the response header is longer than %d bytes", maxHead)
		}
		if err != nil {
			return nil, err
		}
		if resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			head.N = math.MaxInt64 // the body has its own bounds
			return resp, nil
		}
	}
}

// rawBody is the body of an answer to a raw request. Close closes the connection without reading the rest, and waits for
// the writer.
type rawBody struct {
	io.Reader
	conn    net.Conn
	release func() bool
	written chan struct{}
}

func (b *rawBody) Close() error {
	b.release()
	err := b.conn.Close()
	<-b.written
	return err
}
