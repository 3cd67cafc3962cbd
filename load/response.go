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

// response is a response as it was read off the wire. Its slices belong to the connection and are valid until its next
// exchange.
type response struct {
	status int
	// header are the field lines, unparsed.
	header []byte
	// body is the body. Of a stream that is longer than [wholeStream] it lacks the events that are certainly nothing but a piece of the
	// answer; folded has their text. size is its length with them.
	body []byte
	size int64
	// firstByte and end are instants, zero when there was no such one.
	firstByte, end time.Time
	// streamTimes are those of an event stream, folded what its body lacks.
	streamTimes
	folded folded
	// transferErr is why the transfer ended early after the head had come, nil when it was complete.
	transferErr error
	// reusable says that the connection can carry another exchange.
	reusable bool
}

// errTooLong is returned when the head or the body of a response exceeds its bound.
var errTooLong = errors.New("the response is too long")

// errNotHTTP is returned when what came is not an HTTP/1 response.
var errNotHTTP = errors.New("the response is not valid HTTP")

// maxHead bounds the head of a response in bytes. Common servers and proxies stop at 8 to 64 KiB.
const maxHead = 64 << 10

// responseReader reads the responses of one connection into buffers that it reuses.
type responseReader struct {
	in *bufio.Reader
	// head and body are the buffers of the last response, chunkLine that of the current chunk's size line.
	head, body, chunkLine []byte
	// limit bounds a body in bytes, size is how many have come of it.
	limit, size int64
	// stream follows the events of the last response, where that is a stream.
	stream streamReader
}

// read reads one response. It fails when no complete head came. What goes wrong later is in the response.
func (r *responseReader) read(method string) (response, error) {
	if _, err := r.in.Peek(1); err != nil {
		return response{}, err
	}
	out := response{firstByte: time.Now()}
	for range maxInterimResponses + 1 {
		framing, err := r.readHead(&out)
		if err != nil {
			return out, err
		}
		if out.status >= 200 {
			out.reusable = !framing.closes
			out.transferErr = r.readBody(&out, framing, method)
			out.reusable = out.reusable && out.transferErr == nil && framing.body != untilClose
			out.body, out.size, out.end = r.body, r.size, time.Now()
			out.streamTimes, out.folded = r.stream.streamTimes, r.stream.folded
			r.stream.gaps = nil // they are the response's now
			return out, nil
		}
		if out.status == http.StatusSwitchingProtocols {
			return out, fmt.Errorf("%w: it has status 101, but the request did not ask for an upgrade", errNotHTTP)
		}
	}
	return out, fmt.Errorf("%w: more than %d interim responses came before it", errTooLong, maxInterimResponses)
}

// maxInterimResponses bounds the 1xx responses before the final one.
const maxInterimResponses = 10

// bodyBuffer is the initial size in bytes of a connection's body buffer. Most responses in a load test fit into it.
const bodyBuffer = 4 << 10

// framing is how the body of a response is delimited (RFC 9112 section 6.3).
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

func (r *responseReader) readHead(out *response) (framing, error) {
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
		if err := f.parseField(line); err != nil {
			return f, err
		}
	}
}

// readLine appends one line, with its end, to head.
func (r *responseReader) readLine(head []byte) ([]byte, error) {
	for {
		piece, err := r.in.ReadSlice('\n')
		if len(head)+len(piece) > maxHead {
			return head, fmt.Errorf("%w: its headers are larger than %d bytes", errTooLong, maxHead)
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

// parseField takes from a field line what it says about the body and the connection.
func (f *framing) parseField(line []byte) error {
	name, value, found := bytes.Cut(line, []byte(":"))
	if !found {
		return fmt.Errorf("%w: a header line has no colon", errNotHTTP)
	}
	value = bytes.TrimSpace(value)
	// The switch over the length avoids a comparison for most fields.
	switch len(name) {
	case len("Content-Length"):
		if strings.EqualFold(string(name), "Content-Length") && f.body != chunked {
			length, err := strconv.ParseUint(string(value), 10, 63)
			if err != nil || f.body == counted && f.length != int64(length) {
				return fmt.Errorf("%w: its Content-Length %.20q is invalid or contradicts an earlier Content-Length", errNotHTTP, value)
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

func (r *responseReader) readBody(out *response, f framing, method string) error {
	r.body, r.size = r.body[:0], 0
	r.stream.reset()
	if method == http.MethodHead || out.status == http.StatusNoContent || out.status == http.StatusNotModified {
		out.reusable = out.reusable && f.body == counted
		return nil
	}
	switch f.body {
	case chunked:
		return r.readChunks(f)
	case counted:
		return r.readBytes(f, f.length)
	default:
		err := r.readBytes(f, r.limit+2)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil // the end of the connection is the end of the body
		}
		return err
	}
}

// readChunks reads a chunked body (RFC 9112 section 7.1). It ignores extensions and trailers.
func (r *responseReader) readChunks(f framing) error {
	for {
		line, err := r.readChunkLine()
		if err != nil {
			return err
		}
		line, _, _ = bytes.Cut(line, []byte(";"))
		size, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 16, 62)
		if err != nil {
			return fmt.Errorf("%w: a chunk has the invalid size %.20q", errNotHTTP, line)
		}
		if size == 0 {
			return r.readTrailer()
		}
		if err := r.readBytes(f, int64(size)); err != nil {
			return err
		}
		if line, err = r.readChunkLine(); err != nil {
			return err
		}
		if len(line) > 0 {
			return fmt.Errorf("%w: a chunk is longer than its declared size", errNotHTTP)
		}
	}
}

// readChunkLine reads one line of the framing, without its end.
func (r *responseReader) readChunkLine() (line []byte, err error) {
	r.chunkLine, err = r.readLine(r.chunkLine[:0])
	return bytes.TrimRight(r.chunkLine, "\r\n"), err
}

// maxTrailers bounds the trailer fields of a chunked body.
const maxTrailers = 100

func (r *responseReader) readTrailer() error {
	for range maxTrailers {
		if line, err := r.readChunkLine(); err != nil || len(line) == 0 {
			return err
		}
	}
	return fmt.Errorf("%w: its trailer has more than %d fields", errTooLong, maxTrailers)
}

// readBytes appends n bytes to the body as they come, and notes when the events of a stream are complete.
func (r *responseReader) readBytes(f framing, n int64) error {
	for n > 0 {
		if r.size > r.limit {
			return fmt.Errorf("%w: its body is larger than %d bytes", errTooLong, r.limit)
		}
		if len(r.body) == cap(r.body) {
			r.body = slices.Grow(r.body, bodyBuffer)
		}
		// One byte over the limit is read, so that a body of exactly the limit is not too long.
		room := min(int64(cap(r.body)-len(r.body)), n, r.limit+1-r.size)
		got, err := r.in.Read(r.body[len(r.body) : len(r.body)+int(room)])
		r.body = r.body[:len(r.body)+got]
		n, r.size = n-int64(got), r.size+int64(got)
		if f.stream && got > 0 {
			r.body = r.stream.read(r.body, time.Now())
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
