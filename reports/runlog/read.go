package runlog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// ErrNoHeader is returned if a log does not begin with a complete header because the file is empty or its first line is truncated.
var ErrNoHeader = errors.New("the log has no header")

// ErrSchema is returned if the schema of a log is not [Schema]. Its text names the gatecert version that wrote the log.
var ErrSchema = errors.New("the format of the log is not supported")

// ErrMalformed is returned, with the line number, if a line is not an event or is out of place: broken JSON before the last line, an unknown type or
// verdict, a duplicate case, anything after the footer, or a line over 64 MiB.
var ErrMalformed = errors.New("the log is malformed")

// The limits for a log. Observations are limited to far smaller sizes when they are captured, but a log may come from a stranger, and a few bytes of
// JSON can take a hundred times their size in memory.
const (
	maxLine   = 64 << 20 // bytes of one event
	maxHeader = 4 << 20  // bytes of the first
	maxLog    = 1 << 30  // bytes
	maxEvents = 20_000
	maxValues = 400_000 // of one event
	maxDepth  = 100
)

// errShape is returned for an event that is nested too deep or has too many values.
var errShape = fmt.Errorf("the JSON is nested more than %d levels deep or has more than %d values", maxDepth, maxValues)

// shape is what is known of an event before it is decoded, while it is read piece by piece.
type shape struct {
	depth, values     int
	inString, escaped bool
}

func (s *shape) add(part []byte) error {
	for _, c := range part {
		switch {
		case s.escaped:
			s.escaped = false
		case s.inString && c == '\\':
			s.escaped = true
		case c == '"':
			s.inString = !s.inString
		case s.inString:
		case c == '[' || c == '{':
			s.depth++
			s.values++
		case c == ']' || c == '}':
			s.depth--
		case c == ',':
			s.values++
		}
		if s.depth > maxDepth || s.values > maxValues {
			return errShape
		}
	}
	return nil
}

// bounds are what a log may have, in bytes. Those of the first event and of the number of events are the same for all.
type bounds struct{ line, log int }

// eventReader keeps the events of one kind of log.
type eventReader interface {
	// event reads an event. It returns [ErrNoHeader] or [ErrSchema] for a first one that is not a header of this kind.
	event(line []byte) error
	// begun and ended report whether the header and the footer were read.
	begun() bool
	ended() bool
}

// readEvents reads a log line by line. torn is set for a last line that a crash cut off, which is left out: everything before it is
// still evidence. It returns [ErrNoHeader], [ErrSchema] or [ErrMalformed].
func readEvents(r io.Reader, to eventReader, b bounds) (torn bool, err error) {
	br := bufio.NewReaderSize(r, 64<<10)
	size := 0
	for number := 1; ; number++ {
		most := b.line
		if !to.begun() {
			most = maxHeader
		}
		line, whole, err := readLine(br, most)
		if size += len(line); err == nil && (size > b.log || number > maxEvents) {
			return false, fmt.Errorf("%w: line %d: the log has more than %d bytes or more than %d events", ErrMalformed, number, b.log, maxEvents)
		}
		if errors.Is(err, errTooLong) || errors.Is(err, errShape) {
			if !to.begun() {
				return false, fmt.Errorf("%w: %w", ErrNoHeader, err)
			}
			return false, fmt.Errorf("%w: line %d: %w", ErrMalformed, number, err)
		}
		if err != nil {
			return false, fmt.Errorf("read log: %w", err)
		}
		if !whole && len(line) == 0 {
			break
		}
		// A truncated object is never valid JSON. A last line that only lost its newline is.
		if torn = !whole && !json.Valid(line) && !to.ended(); torn {
			break
		}
		if err := to.event(line); err != nil {
			if errors.Is(err, ErrNoHeader) || errors.Is(err, ErrSchema) {
				return false, err
			}
			return false, fmt.Errorf("%w: line %d: %w", ErrMalformed, number, err)
		}
	}
	if !to.begun() {
		return false, ErrNoHeader
	}
	return torn, nil
}

// typeOf returns the type of an event that stands in its place: the header of a schema first, and nothing after the footer. again is what
// to do instead of reading a log of another schema.
func typeOf(line []byte, of eventReader, schema, again string) (string, error) {
	var head struct {
		Type   string `json:"type"`
		Schema string `json:"schema"`
		Tool   string `json:"tool"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		if !of.begun() {
			return "", fmt.Errorf("%w: %w", ErrNoHeader, err)
		}
		return "", err
	}
	switch {
	case of.ended():
		return "", fmt.Errorf("a %.20q event follows the footer", head.Type)
	case !of.begun() && head.Type != "header":
		return "", fmt.Errorf("%w: the log begins with a %.20q event", ErrNoHeader, head.Type)
	case !of.begun() && head.Schema != schema:
		return "", fmt.Errorf("%w: the log has the format %.40q and was written by %.60q, but this version of gatecert reads only %q. Render the log with the gatecert version that wrote it, or %s",
			ErrSchema, head.Schema, head.Tool, schema, again)
	case of.begun() && head.Type == "header":
		return "", errors.New("the log has a second header")
	}
	return head.Type, nil
}

// Read reads a whole log. If a crash truncated the last line, it ignores that line and sets Run.Torn, because everything before it is still evidence.
// It returns [ErrNoHeader], [ErrSchema], or, for a log that was altered, [ErrMalformed].
func Read(r io.Reader) (Run, error) {
	reader := runReader{run: new(Run), cases: make(map[string]int)}
	torn, err := readEvents(r, &reader, bounds{maxLine, maxLog})
	if err != nil {
		return Run{}, err
	}
	reader.run.Torn = torn
	return *reader.run, nil
}

// CheckHeader reads only the first event of a log, so that a file that is not a log need not be read. It returns [ErrNoHeader] or [ErrSchema].
func CheckHeader(r io.Reader) error {
	line, _, err := readLine(bufio.NewReaderSize(r, 64<<10), maxHeader)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoHeader, err)
	}
	return (&runReader{run: new(Run)}).event(line)
}

type runReader struct {
	run    *Run
	opened bool
	cases  map[string]int // places in run.Cases, by id
}

func (r *runReader) begun() bool { return r.opened }

func (r *runReader) ended() bool { return r.run.Footer != nil }

func (r *runReader) event(line []byte) error {
	kind, err := typeOf(line, r, Schema, "run again")
	if err != nil {
		return err
	}
	switch kind {
	case "header":
		r.opened = true
		return json.Unmarshal(line, &r.run.Header)
	case "control":
		var c Control
		if err := json.Unmarshal(line, &c); err != nil {
			return err
		}
		c.Link = Link{} // what it says of the other lines is for those who audit the log
		r.run.Controls = append(r.run.Controls, c)
	case "case":
		var c Case
		if err := json.Unmarshal(line, &c); err != nil {
			return err
		}
		c.Link = Link{}
		i, occurred := r.cases[c.ID]
		switch {
		case c.ID == "":
			return errors.New("a case has no ID")
		case c.Verdict == "":
			return fmt.Errorf("case %.100q has no verdict", c.ID)
		case c.Revised != "":
			if !occurred {
				return fmt.Errorf("case %.100q is marked as revised, but the log has no earlier result for it", c.ID)
			}
			r.run.Cases[i] = c
			return nil
		case occurred:
			return fmt.Errorf("case %.100q is logged twice", c.ID)
		}
		r.cases[c.ID] = len(r.run.Cases)
		r.run.Cases = append(r.run.Cases, c)
	case "footer":
		r.run.Footer = new(Footer)
		err := json.Unmarshal(line, r.run.Footer)
		r.run.Footer.Link = Link{}
		return err
	default:
		return fmt.Errorf("unknown event type %.20q", kind)
	}
	return nil
}

// errTooLong is returned for an event with too many bytes.
var errTooLong = errors.New("the line is too long")

// readLine returns the next line without its newline, and whether it had one. At the end of the log it returns an empty
// line that is not whole. [bufio.Scanner] does not report whether the last line ended in a newline. It reads no further than
// to where a line goes beyond the bounds.
func readLine(br *bufio.Reader, most int) (line []byte, whole bool, err error) {
	var s shape
	for {
		part, err := br.ReadSlice('\n')
		if len(line)+len(part) > most {
			return nil, false, fmt.Errorf("%w: more than %d bytes", errTooLong, most)
		}
		if err := s.add(part); err != nil {
			return nil, false, err
		}
		line = append(line, part...)
		switch {
		case err == nil:
			return bytes.TrimSuffix(line, []byte("\n")), true, nil
		case errors.Is(err, io.EOF):
			return line, false, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, false, err
		}
	}
}
