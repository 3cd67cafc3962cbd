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
// or a case that is already in the log.
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
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.opened {
		return fmt.Errorf("%w: a second header", ErrSequence)
	}
	w.opened = true
	return w.append(h)
}

// Control writes the result of a control.
func (w *Writer) Control(c Control) error {
	c.Type = "control"
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.append(c)
}

// Case writes the outcome of a case.
func (w *Writer) Case(c Case) error {
	c.Type = "case"
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cases[c.ID] {
		return fmt.Errorf("%w: case %s is already in the log", ErrSequence, c.ID)
	}
	if err := w.append(c); err != nil {
		return err
	}
	w.cases[c.ID] = true
	return nil
}

// Footer writes the last event.
func (w *Writer) Footer(f Footer) error {
	f.Type = "footer"
	if f.Counts == nil {
		f.Counts = Counts{}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.append(f); err != nil {
		return err
	}
	w.closed = true
	return nil
}

// append writes one event as one line. The caller holds the lock.
func (w *Writer) append(event any) error {
	switch {
	case w.failed != nil:
		return w.failed
	case !w.opened:
		return fmt.Errorf("%w: the header must come first", ErrSequence)
	case w.closed:
		return fmt.Errorf("%w: the footer was the last event", ErrSequence)
	}
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
	return nil
}
