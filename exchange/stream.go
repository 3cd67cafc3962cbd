package exchange

import (
	"bytes"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange/redact"
)

// maxViolations is how many breaches of the format are listed one by one.
const maxViolations = 20

// maxQuoted is how many bytes of a line a violation shows.
const maxQuoted = 60

// decoder reads an event stream as WHATWG HTML 9.2.6 has it, in pieces as they come. It is strict where clients are
// lenient: what they skip over in silence is a violation. However a stream is cut into pieces, the outcome is the same.
type decoder struct {
	maxEvent  int
	maxEvents int

	events     []contract.Event
	violations []violation
	unlisted   int // violations beyond maxViolations

	lines   int    // complete lines
	line    []byte // the line under way
	afterCR bool   // the last line ended in CR; an LF that follows belongs to it

	// The event under way.
	raw     []byte // its field lines, each ended by LF
	name    []byte
	data    []byte // each data line ended by LF
	hasData bool
}

// violation is a breach of the format. Its line is kept whole until it was redacted.
type violation struct {
	number int // of the line, from 1
	line   []byte
	what   string
}

// feed decodes a piece that arrived at the time given. It returns a [stop] when the stream passes a limit; then
// nothing more may be fed.
func (d *decoder) feed(piece []byte, at time.Duration) error {
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
			return stop(fmt.Sprintf("event %d is longer than %d bytes", len(d.events)+1, d.maxEvent))
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

// endLine takes in the line that has just ended.
func (d *decoder) endLine(at time.Duration) error {
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

// Field takes in a field line of the event under way.
func (d *decoder) field(line []byte) {
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
			d.violate(line, "has a NUL in its id")
		}
	case "retry":
		if len(value) == 0 || len(bytes.Trim(value, "0123456789")) > 0 {
			d.violate(line, "has a retry that is no number")
		}
	default:
		d.violate(line, "is no field of an event stream")
	}
}

// dispatch ends the event under way. An event without a data line is none: clients drop it.
func (d *decoder) dispatch(at time.Duration) error {
	switch {
	case d.hasData && len(d.events) == d.maxEvents:
		return stop(fmt.Sprintf("more than %d events", d.maxEvents))
	case d.hasData:
		d.events = append(d.events, contract.Event{
			At: at, Name: string(d.name), Data: bytes.Clone(d.data[:len(d.data)-1]),
		})
	case len(d.name) > 0:
		d.violate(d.name, "names an event without data, which clients drop")
	}
	d.raw, d.name, d.data, d.hasData = d.raw[:0], d.name[:0], d.data[:0], false
	return nil
}

// partial is what stands after the last complete event, line ends as LF. Whole comment lines are no part of it.
func (d *decoder) partial() []byte {
	return append(bytes.Clone(d.raw), d.line...)
}

// end closes the stream. Where it ended whole, an event without its blank line is a violation: clients drop it.
func (d *decoder) end(whole bool) {
	if whole && len(d.raw)+len(d.line) > 0 {
		d.violate(d.partial(), "is an event that the stream ends inside of")
	}
}

func (d *decoder) violate(line []byte, what string) {
	if len(d.violations) == maxViolations {
		d.unlisted++
		return
	}
	d.violations = append(d.violations, violation{number: max(d.lines, 1), line: bytes.Clone(line), what: what})
}

// describe writes the violations with their lines redacted before they are cut.
func (d *decoder) describe(redactor *redact.Redactor) []string {
	var out []string
	for _, v := range d.violations {
		line, _ := redactor.OpenBytes(v.line)
		mark := ""
		if len(line) > maxQuoted {
			line, mark = line[:maxQuoted], "…"
		}
		out = append(out, fmt.Sprintf("line %d: %q%s %s", v.number, line, mark, v.what))
	}
	if d.unlisted > 0 {
		out = append(out, fmt.Sprintf("and %d more", d.unlisted))
	}
	return out
}
