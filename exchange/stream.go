package exchange

import (
	"bytes"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange/redact"
)

// maxViolations bounds the violations of the format that are listed one by one.
const maxViolations = 20

// maxQuoted bounds the bytes of a line that a violation quotes.
const maxQuoted = 60

// eventDecoder decodes an event stream (WHATWG HTML 9.2.6) in pieces as they arrive. It is strict where clients are lenient:
// what they silently skip is a violation. The result does not depend on how the stream is cut into pieces.
type eventDecoder struct {
	maxEvent  int
	maxEvents int

	events     []contract.Event
	violations []violation
	unlisted   int // violations beyond maxViolations

	lines   int    // complete lines
	line    []byte // the current line
	afterCR bool   // the last line ended in CR; an LF after it belongs to the same line end

	// The current event.
	raw     []byte // its field lines, each ended by LF
	name    []byte
	data    []byte // each data line ended by LF
	hasData bool
}

// violation is a violation of the format. Its line is kept whole until it is redacted.
type violation struct {
	number int // of the line, from 1
	line   []byte
	breach string
}

// feed decodes a piece that arrived at the given time. It returns a [limitError] when the stream exceeds a limit; feed must
// not be called after that.
func (d *eventDecoder) feed(piece []byte, at time.Duration) error {
	for len(piece) > 0 {
		if d.afterCR {
			d.afterCR = false
			if piece[0] == '\n' {
				piece = piece[1:]
				continue
			}
		}
		end := bytes.IndexAny(piece, "\r\n")
		text := piece
		if end >= 0 {
			text = piece[:end]
		}
		if room := max(d.maxEvent-len(d.raw)-len(d.line), 0); len(text) > room {
			d.line = append(d.line, text[:room]...)
			return limitError(fmt.Sprintf("event %d is longer than %d bytes", len(d.events)+1, d.maxEvent))
		}
		d.line = append(d.line, text...)
		if end < 0 {
			return nil
		}
		d.afterCR = piece[end] == '\r'
		piece = piece[end+1:]
		if err := d.endLine(at); err != nil {
			return err
		}
	}
	return nil
}

// endLine processes the line that has just ended.
func (d *eventDecoder) endLine(at time.Duration) error {
	d.lines++
	line := d.line
	d.line = d.line[:0]
	if d.lines == 1 {
		line = bytes.TrimPrefix(line, []byte("\uFEFF"))
	}
	if len(line) == 0 {
		return d.dispatch(at)
	}
	if !utf8.Valid(line) {
		d.violate(line, "is not UTF-8")
	}
	if line[0] == ':' {
		return nil
	}
	d.raw = append(append(d.raw, line...), '\n')
	d.field(line)
	return nil
}

// field processes a field line of the current event.
func (d *eventDecoder) field(line []byte) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "data":
		d.hasData = true
		d.data = append(append(d.data, value...), '\n')
	case "event":
		d.name = append(d.name[:0], value...)
	case "id":
		if bytes.IndexByte(value, 0) >= 0 {
			d.violate(line, "contains a NUL in its id")
		}
	case "retry":
		if len(value) == 0 || len(bytes.Trim(value, "0123456789")) > 0 {
			d.violate(line, "has a retry value that is not a number")
		}
	default:
		d.violate(line, "is not a field of an event stream")
	}
}

// dispatch ends the current event. Clients drop an event without a data line, so it does not count.
func (d *eventDecoder) dispatch(at time.Duration) error {
	switch {
	case d.hasData && len(d.events) == d.maxEvents:
		return limitError(fmt.Sprintf("more than %d events", d.maxEvents))
	case d.hasData:
		d.events = append(d.events, contract.Event{
			At: at, Name: string(d.name), Data: bytes.Clone(d.data[:len(d.data)-1]),
		})
	case len(d.name) > 0:
		d.violate(d.name, "is the name of an event without data, which clients ignore")
	}
	d.raw, d.name, d.data, d.hasData = d.raw[:0], d.name[:0], d.data[:0], false
	return nil
}

// partial returns what follows the last complete event, with LF as line ends and without comments.
func (d *eventDecoder) partial() []byte {
	if len(d.line) > 0 && d.line[0] == ':' {
		return bytes.Clone(d.raw)
	}
	return append(bytes.Clone(d.raw), d.line...)
}

// end ends the stream. In a stream that was received whole, an event without its blank line is a violation: clients drop it.
// A comment without its line end is not an event.
func (d *eventDecoder) end(whole bool) {
	if whole && (len(d.raw) > 0 || len(d.line) > 0 && d.line[0] != ':') {
		d.violate(d.partial(), "is an incomplete event: the stream ends before the blank line that completes it")
	}
}

func (d *eventDecoder) violate(line []byte, what string) {
	if len(d.violations) == maxViolations {
		d.unlisted++
		return
	}
	d.violations = append(d.violations, violation{number: max(d.lines, 1), line: bytes.Clone(line), breach: what})
}

// describe returns the violations as texts. Their lines are redacted before they are cut.
func (d *eventDecoder) describe(redactor *redact.Redactor) []string {
	var out []string
	for _, v := range d.violations {
		line, _ := redactor.OpenBytes(v.line)
		mark := ""
		if len(line) > maxQuoted {
			line, mark = line[:maxQuoted], "…"
		}
		out = append(out, fmt.Sprintf("line %d: %q%s %s", v.number, line, mark, v.breach))
	}
	if d.unlisted > 0 {
		out = append(out, fmt.Sprintf("and %d more", d.unlisted))
	}
	return out
}
