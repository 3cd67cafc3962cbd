package convert

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// Limits for an upstream's stream, in bytes. A stream that exceeds them is not accepted.
const (
	// MaxEvent is the maximum size of one event, including the comments and blank lines before it.
	MaxEvent = 1 << 20
	// MaxStream is the maximum size of the whole stream.
	MaxStream = 64 << 20
)

// errLeftover ends a stream that ended cleanly, but within an event.
var errLeftover = errors.New("the stream ended in the middle of an event")

// events reads server-sent events (WHATWG HTML 9.2.6), strictly: a line that is not a field of an event is not skipped,
// because an upstream's stray HTML or JSON would then look like a silent stream.
type events struct {
	lines *bufio.Scanner
	seen  int    // so many bytes of the line that has not ended hold no line end
	total int    // bytes of all lines taken
	since int    // of those, the bytes since the last event
	rest  []byte // what stood after the last line end, once the stream has ended
	// skipLF says the line before ended with CR, so that a LF at its heels is a part of that end.
	skipLF  bool
	begun   bool
	name    []byte
	data    []byte
	hasData bool
}

func newEvents(r io.Reader) *events {
	e := &events{lines: bufio.NewScanner(r)}
	e.lines.Buffer(make([]byte, 4096), 2*MaxEvent) // bound refuses earlier
	e.lines.Split(e.split)
	return e
}

// next returns the next event that has data; both slices are valid until the next call. The error is io.EOF for a
// clean end between events, errLeftover for one within an event, wraps ErrNotAnswer for what is not an event stream,
// and is the reader's own otherwise.
func (e *events) next() (name, data []byte, err error) {
	e.name, e.data, e.hasData, e.since = e.name[:0], e.data[:0], false, 0
	inside := false
	for e.lines.Scan() {
		line := e.first(e.lines.Bytes())
		switch {
		case len(line) > 0:
			inside = inside || line[0] != ':'
			if err := e.field(line); err != nil {
				return nil, nil, err
			}
		case e.hasData:
			return e.name, e.data, nil
		default:
			e.name, inside = e.name[:0], false
		}
	}
	if err := e.lines.Err(); err != nil {
		return nil, nil, err
	}
	return nil, nil, e.ended(e.first(e.rest), inside)
}

// ended says what a clean end of the stream means. A rest that cannot be the beginning of a field is judged as a whole
// line would be; bodies such as null come without a line end.
func (e *events) ended(rest []byte, inside bool) error {
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
		return notAnswer("a line is not part of any event")
	}
	return nil
}

// split is a [bufio.SplitFunc] for lines that end with LF, CR or CRLF. A CR ends its line at once: what follows may be
// late.
func (e *events) split(data []byte, atEOF bool) (advance int, line []byte, err error) {
	start := 0
	if e.skipLF && len(data) > 0 && data[0] == '\n' {
		start = 1
	}
	if i := bytes.IndexAny(data[max(start, e.seen):], "\r\n"); i >= 0 {
		end := max(start, e.seen) + i
		e.seen, e.skipLF = 0, data[end] == '\r'
		e.total, e.since = e.total+end+1-start, e.since+end+1-start
		return end + 1, data[start:end], e.bound(0)
	}
	e.seen = len(data)
	if atEOF {
		e.rest = data[start:]
	}
	return 0, nil, e.bound(len(data) - start)
}

// bound refuses an event and a stream that are too long, given the bytes of a line that has not ended. It counts the
// lines taken, not the bytes read, so that the verdict does not hang on how they arrived.
func (e *events) bound(unended int) error {
	switch {
	case e.since+unended > MaxEvent:
		return notAnswer("an event is too long")
	case e.total+unended > MaxStream:
		return notAnswer("the stream is too long")
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
