package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// reply is one answer as the wire brought it. Its slices belong to the connection and hold until its next exchange.
type reply struct {
	status int
	// header are the field lines as they came.
	header []byte
	body   []byte
	// firstByte, firstEvent and end are instants, zero for never.
	firstByte, firstEvent, end time.Time
	// broken is why the transfer did not end whole after the head had come, nil when it did.
	broken error
	// keep says that the connection can carry another exchange.
	keep bool
}

// errTooLong is returned when an answer's head or body is longer than it may be.
var errTooLong = errors.New("the answer is too long")

// errNotHTTP is returned when what came is no HTTP/1 answer.
var errNotHTTP = errors.New("not HTTP")

// maxHead bounds an answer's head in bytes. Common servers and proxies stop at 8 to 64 KiB.
const maxHead = 64 << 10

// receiver reads answers off one connection into buffers that it uses again and again.
type receiver struct {
	in *bufio.Reader
	// head and body are the buffers of the last answer, line that of the chunk under way.
	head, body, line []byte
	// limit bounds a body in bytes.
	limit int64
}

// receive reads one answer. It fails when no whole head came; what goes wrong later is in the reply.
func (r *receiver) receive(method string) (reply, error) {
	if _, err := r.in.Peek(1); err != nil {
		return reply{}, err
	}
	out := reply{firstByte: time.Now()}
	for range maxInterim + 1 {
		framing, err := r.readHead(&out)
		if err != nil {
			return out, err
		}
		if out.status >= 200 {
			out.keep = !framing.closes
			out.broken = r.readBody(&out, framing, method)
			out.keep = out.keep && out.broken == nil && framing.body != untilClose
			out.body, out.end = r.body, time.Now()
			return out, nil
		}
		if out.status == http.StatusSwitchingProtocols {
			return out, fmt.Errorf("%w: 101 without an upgrade", errNotHTTP)
		}
	}
	return out, fmt.Errorf("%w: more than %d interim answers before it", errTooLong, maxInterim)
}

// maxInterim bounds the 1xx answers before the final one.
const maxInterim = 10

// bodyBuffer is what a connection's body buffer starts with: most answers of a model under load fit.
const bodyBuffer = 4 << 10

// framing is how an answer's body is delimited (RFC 9112 6.3).
type framing struct {
	body   bodyKind
	length int64
	closes bool
	stream bool // text/event-stream
}

type bodyKind int

const (
	untilClose bodyKind = iota
	counted
	chunked
)

// readHead reads a status line and the fields after it.
func (r *receiver) readHead(out *reply) (framing, error) {
	var err error
	if r.head, err = r.readLine(r.head[:0]); err != nil {
		return framing{}, err
	}
	status, err := statusOf(r.head)
	if err != nil {
		return framing{}, err
	}
	out.status = status
	f := framing{closes: bytes.HasPrefix(r.head, []byte("HTTP/1.0"))}
	begin := len(r.head)
	for {
		start := len(r.head)
		if r.head, err = r.readLine(r.head); err != nil {
			return f, err
		}
		line := bytes.TrimRight(r.head[start:], "\r\n")
		if len(line) == 0 {
			out.header = r.head[begin:start]
			return f, nil
		}
		if err := f.take(line); err != nil {
			return f, err
		}
	}
}

// readLine appends one line, its end included, to what was read of the head before.
func (r *receiver) readLine(head []byte) ([]byte, error) {
	for {
		piece, err := r.in.ReadSlice('\n')
		if len(head)+len(piece) > maxHead {
			return head, fmt.Errorf("%w: its head has more than %d bytes", errTooLong, maxHead)
		}
		head = append(head, piece...)
		switch {
		case err == nil:
			return head, nil
		case errors.Is(err, io.EOF):
			return head, io.ErrUnexpectedEOF
		case !errors.Is(err, bufio.ErrBufferFull):
			return head, err
		}
	}
}

// statusOf reads "HTTP/1.1 429 Too Many Requests".
func statusOf(line []byte) (int, error) {
	const version = len("HTTP/1.1 ")
	if len(line) < version+3 || !bytes.HasPrefix(line, []byte("HTTP/1.")) || line[version-1] != ' ' {
		return 0, fmt.Errorf("%w: it begins with %.20q", errNotHTTP, line)
	}
	status, err := strconv.Atoi(string(line[version : version+3]))
	if err != nil || status < 100 {
		return 0, fmt.Errorf("%w: its status is %.3q", errNotHTTP, line[version:])
	}
	return status, nil
}

// take looks at one field line for what it says about the body.
func (f *framing) take(line []byte) error {
	name, value, found := bytes.Cut(line, []byte(":"))
	if !found {
		return fmt.Errorf("%w: a field line without a colon", errNotHTTP)
	}
	value = bytes.TrimSpace(value)
	// A switch over the length keeps the comparison off the fields that nobody looks at.
	switch len(name) {
	case len("Content-Length"):
		if strings.EqualFold(string(name), "Content-Length") && f.body != chunked {
			length, err := strconv.ParseUint(string(value), 10, 63)
			if err != nil || f.body == counted && f.length != int64(length) {
				return fmt.Errorf("%w: Content-Length %.20q", errNotHTTP, value)
			}
			f.body, f.length = counted, int64(length)
		}
	case len("Transfer-Encoding"):
		if strings.EqualFold(string(name), "Transfer-Encoding") && strings.EqualFold(string(value), "chunked") {
			f.body = chunked
		}
	case len("Connection"):
		if strings.EqualFold(string(name), "Connection") {
			f.closes = f.closes && !strings.EqualFold(string(value), "keep-alive") || strings.EqualFold(string(value), "close")
		}
	case len("Content-Type"):
		const stream = "text/event-stream"
		if strings.EqualFold(string(name), "Content-Type") {
			f.stream = len(value) >= len(stream) && strings.EqualFold(string(value[:len(stream)]), stream)
		}
	}
	return nil
}

// readBody reads the body that the framing announces.
func (r *receiver) readBody(out *reply, f framing, method string) error {
	r.body = r.body[:0]
	if method == http.MethodHead || out.status == http.StatusNoContent || out.status == http.StatusNotModified {
		out.keep = out.keep && f.body == counted
		return nil
	}
	switch f.body {
	case chunked:
		return r.readChunks(out, f)
	case counted:
		return r.readPart(out, f, f.length)
	default:
		err := r.readPart(out, f, r.limit+2)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil // the end of the connection is the end of the body
		}
		return err
	}
}

// readChunks reads a chunked body (RFC 9112 7.1); what stands in extensions and trailers is passed over.
func (r *receiver) readChunks(out *reply, f framing) error {
	for {
		line, err := r.chunkLine()
		if err != nil {
			return err
		}
		line, _, _ = bytes.Cut(line, []byte(";"))
		size, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 16, 62)
		if err != nil {
			return fmt.Errorf("%w: a chunk of size %.20q", errNotHTTP, line)
		}
		if size == 0 {
			return r.readTrailer()
		}
		if err := r.readPart(out, f, int64(size)); err != nil {
			return err
		}
		if line, err = r.chunkLine(); err != nil {
			return err
		}
		if len(line) > 0 {
			return fmt.Errorf("%w: a chunk longer than its size", errNotHTTP)
		}
	}
}

// chunkLine reads one line of the framing, without its end.
func (r *receiver) chunkLine() (line []byte, err error) {
	r.line, err = r.readLine(r.line[:0])
	return bytes.TrimRight(r.line, "\r\n"), err
}

// maxTrailers bounds the fields after a chunked body.
const maxTrailers = 100

func (r *receiver) readTrailer() error {
	for range maxTrailers {
		if line, err := r.chunkLine(); err != nil || len(line) == 0 {
			return err
		}
	}
	return fmt.Errorf("%w: its trailer has more than %d fields", errTooLong, maxTrailers)
}

// readPart appends n bytes to the body, as they come: of a stream, the first whole event's instant is of interest.
func (r *receiver) readPart(out *reply, f framing, n int64) error {
	for n > 0 {
		if int64(len(r.body)) > r.limit {
			return fmt.Errorf("%w: its body has more than %d bytes", errTooLong, r.limit)
		}
		if len(r.body) == cap(r.body) {
			r.body = slices.Grow(r.body, bodyBuffer)
		}
		// One byte over the limit is read, so that a body of just that size is not too long.
		room := min(int64(cap(r.body)-len(r.body)), n, r.limit+1-int64(len(r.body)))
		got, err := r.in.Read(r.body[len(r.body) : len(r.body)+int(room)])
		r.body = r.body[:len(r.body)+got]
		n -= int64(got)
		if f.stream && out.firstEvent.IsZero() && hasEvent(r.body) {
			out.firstEvent = time.Now()
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF) && n > 0:
			return io.ErrUnexpectedEOF
		case !errors.Is(err, io.EOF):
			return err
		}
	}
	return nil
}

// hasEvent reports whether a piece of an event stream holds a whole event: a data line and the blank line after it.
func hasEvent(stream []byte) bool {
	at := bytes.Index(stream, []byte("data:"))
	if at < 0 {
		return false
	}
	rest := stream[at:]
	return bytes.Contains(rest, []byte("\n\n")) || bytes.Contains(rest, []byte("\r\n\r\n")) || bytes.Contains(rest, []byte("\r\r"))
}
