package convert

import (
	"bytes"
	"errors"
	"io"
)

// Bounds of an upstream's stream in bytes; one that passes them is not an answer.
const (
	// MaxEvent bounds one event, and with it the comments and blank lines before it.
	MaxEvent = 1 << 20
	// MaxStream bounds the stream as a whole.
	MaxStream = 64 << 20
)

// errLeftover ends a stream that ended cleanly, but within an event.
var errLeftover = errors.New("the stream ended within an event")

// events reads server-sent events (WHATWG HTML 9.2.6), strictly: a line that is not a field of an event is not skipped,
// because an upstream's stray HTML or JSON would then look like a silent stream.
type events struct {
	r     io.Reader
	buf   []byte // what was read; buf[start:end] is unread, buf[start:seen] is known to hold no line end
	start int
	seen  int
	end   int
	total int   // bytes of all lines taken
	since int   // of those, the bytes since the last event
	err   error // what reading ended with, once it has
	// skipLF says the line before ended with CR, so that a LF at its heels is a part of that end.
	skipLF  bool
	begun   bool
	name    []byte
	data    []byte
	hasData bool
}

func newEvents(r io.Reader) *events { return &events{r: r, buf: make([]byte, 4096)} }

// next returns the next event that has data; both slices are valid until the next call. The error is io.EOF for a
// clean end between events, errLeftover for one within an event, wraps ErrNotAnswer for what is not an event stream,
// and is the reader's own otherwise.
func (e *events) next() (name, data []byte, err error) {
	e.name, e.data, e.hasData, e.since = e.name[:0], e.data[:0], false, 0
	inside := false
	for {
		line, err := e.line()
		if err != nil {
			return nil, nil, e.ended(err, line, inside)
		}
		if len(line) > 0 {
			inside = inside || line[0] != ':'
			if err := e.field(line); err != nil {
				return nil, nil, err
			}
			continue
		}
		if e.hasData {
			return e.name, e.data, nil
		}
		e.name, inside = e.name[:0], false
	}
}

// ended says what the end of the stream means. A rest that cannot be the beginning of a field is judged as a whole
// line would be; bodies such as null come without a line end.
func (e *events) ended(err error, rest []byte, inside bool) error {
	if !errors.Is(err, io.EOF) {
		return err
	}
	if len(rest) > 0 && !fieldPrefix(rest) {
		if err := e.field(rest); err != nil {
			return err
		}
	}
	if len(rest) > 0 || inside {
		return errLeftover
	}
	return io.EOF
}

// fieldPrefix reports whether a line that was cut could have become a field.
func fieldPrefix(rest []byte) bool {
	for _, f := range []string{"data", "event", "id", "retry"} {
		if bytes.HasPrefix([]byte(f), rest) {
			return true
		}
	}
	return false
}

// field takes one line of an event.
func (e *events) field(line []byte) error {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "data":
		if e.hasData {
			e.data = append(e.data, '\n')
		}
		e.data, e.hasData = append(e.data, value...), true
	case "event":
		e.name = append(e.name[:0], value...)
	case "", "id", "retry": // a line that begins with a colon is a comment
	default:
		return notAnswer("a line that belongs to no event")
	}
	return nil
}

// line returns the next line without its end, LF, CR or CRLF. With an error it returns what stood after the last.
func (e *events) line() ([]byte, error) {
	for {
		if e.skipLF && e.start < e.end {
			if e.buf[e.start] == '\n' {
				e.start++
			}
			e.skipLF = false
			e.seen = max(e.seen, e.start)
		}
		if i := lineEnd(e.buf[e.seen:e.end]); i >= 0 {
			line := e.buf[e.start : e.seen+i]
			e.skipLF = e.buf[e.seen+i] == '\r'
			e.start = e.seen + i + 1
			e.seen = e.start
			e.total, e.since = e.total+len(line)+1, e.since+len(line)+1
			return e.first(line), e.bound(0)
		}
		e.seen = e.end
		if err := e.bound(e.end - e.start); err != nil {
			return nil, err
		}
		if err := e.fill(); err != nil {
			return e.first(e.buf[e.start:e.end]), err
		}
	}
}

// lineEnd returns the index of the first LF or CR, or -1.
func lineEnd(b []byte) int {
	i := bytes.IndexByte(b, '\n')
	if i >= 0 {
		b = b[:i]
	}
	if j := bytes.IndexByte(b, '\r'); j >= 0 {
		return j
	}
	return i
}

// bound refuses an event and a stream that are too long, given the bytes of a line that has not ended. It counts the
// lines taken, not the bytes read, so that the verdict does not hang on how they arrived.
func (e *events) bound(unended int) error {
	switch {
	case e.since+unended > MaxEvent:
		return notAnswer("an event that is too long")
	case e.total+unended > MaxStream:
		return notAnswer("a stream that is too long")
	default:
		return nil
	}
}

// first takes the byte order mark off the first line.
func (e *events) first(line []byte) []byte {
	if !e.begun {
		e.begun = true
		return bytes.TrimPrefix(line, []byte("\uFEFF"))
	}
	return line
}

// fill reads some more, making room by moving what is unread to the front or, if that fills the buffer, by doubling.
func (e *events) fill() error {
	if e.end == len(e.buf) {
		if e.start > 0 {
			copy(e.buf, e.buf[e.start:e.end])
			e.end, e.seen, e.start = e.end-e.start, e.seen-e.start, 0
		} else {
			e.buf = append(e.buf, make([]byte, len(e.buf))...)
		}
	}
	// A reader may return nothing without an error, but not for ever.
	for range 100 {
		if e.err != nil {
			return e.err
		}
		var n int
		n, e.err = e.r.Read(e.buf[e.end:])
		if e.end += n; n > 0 {
			return nil
		}
	}
	return io.ErrNoProgress
}
