package runlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// ErrSequence is returned when an event is out of place: anything before the header or after the footer, a second header,
// a case that is already in the log, or the revision of one that is not.
var ErrSequence = errors.New("event out of sequence")

// Writer appends the events of one run to a log: NDJSON, one event per line. It is safe for concurrent use. Each event is one
// Write of one complete line, so that a crash truncates at most the last line.
//
// After a failed Write the Writer returns the same error for every further event: the line may be half written, and
// anything after it would make the log unreadable instead of truncated.
type Writer struct {
	mu     sync.Mutex
	w      io.Writer
	opened bool
	closed bool
	cases  map[string]bool
	failed error
}

// NewWriter returns a writer of a new log to w. It does not close w.
func NewWriter(w io.Writer) *Writer {
	return &Writer{w: w, cases: make(map[string]bool)}
}

// Header writes the first event. It sets the type and the schema.
func (w *Writer) Header(h Header) error {
	h.Type, h.Schema = "header", Schema
	if h.Expected == nil {
		h.Expected = []string{} // a list in JSON, never null
	}
	return w.append(h)
}

// Control writes the result of a control.
func (w *Writer) Control(c Control) error {
	c.Type = "control"
	return w.append(c)
}

// Case writes the outcome of a case.
func (w *Writer) Case(c Case) error {
	c.Type = "case"
	return w.append(c)
}

// Footer writes the last event.
func (w *Writer) Footer(f Footer) error {
	f.Type = "footer"
	if f.Counts == nil {
		f.Counts = Counts{}
	}
	return w.append(f)
}

// append writes one event as one line.
func (w *Writer) append(event any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, header := event.(Header)
	_, footer := event.(Footer)
	c, isCase := event.(Case)
	switch {
	case header && w.opened:
		return fmt.Errorf("%w: a second header", ErrSequence)
	case isCase && c.Revised == "" && w.cases[c.ID]:
		return fmt.Errorf("%w: case %s is already in the log", ErrSequence, c.ID)
	case isCase && c.Revised != "" && !w.cases[c.ID]:
		return fmt.Errorf("%w: case %s is revised before it is in the log", ErrSequence, c.ID)
	case w.failed != nil:
		return w.failed
	case !header && !w.opened:
		return fmt.Errorf("%w: the header must come first", ErrSequence)
	case w.closed:
		return fmt.Errorf("%w: the footer was the last event", ErrSequence)
	}
	w.opened = true
	var line bytes.Buffer
	enc := json.NewEncoder(&line) // ends the line with the newline that a whole event has
	enc.SetEscapeHTML(false)
	if err := enc.Encode(event); err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	if _, err := w.w.Write(line.Bytes()); err != nil {
		w.failed = fmt.Errorf("write event: %w", err)
		return w.failed
	}
	w.closed = footer
	if isCase {
		w.cases[c.ID] = true
	}
	return nil
}
