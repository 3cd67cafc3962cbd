package runlog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// ErrSequence is returned if an event is out of place: an event before the header or after the footer, a second header, a case that is already in the
// log, or the revision of a case that is not in the log.
var ErrSequence = errors.New("event out of sequence")

// Writer appends the events of one run to a log: NDJSON, one event per line. It is safe for concurrent use. Each event is written as one complete
// line in one Write call, so that a crash truncates at most the last line.
//
// After a failed Write, the Writer returns the same error for every further event, because the line may be half written, and further lines would make
// the log unreadable instead of truncated.
type Writer struct {
	mu sync.Mutex
	lines
	cases map[string]bool
}

// lines writes the events of a log, each tied to the one before it.
type lines struct {
	w      io.Writer
	opened bool
	closed bool
	link   Link // of the next event
	failed error
}

// NewWriter returns a writer that writes a new log to w. It does not close w.
func NewWriter(w io.Writer) *Writer {
	return &Writer{lines: lines{w: w}, cases: make(map[string]bool)}
}

// Header writes the first event. It sets the type and the schema.
func (w *Writer) Header(h Header) error {
	h.Type, h.Schema = "header", Schema
	if h.Expected == nil {
		h.Expected = []string{} // a list in JSON, never null
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.header(h, h.RunID)
}

// Control writes the result of a control call.
func (w *Writer) Control(c Control) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.Type, c.Link = "control", w.link
	return w.append(c)
}

// Case writes the outcome of a case.
func (w *Writer) Case(c Case) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case c.Revised == "" && w.cases[c.ID]:
		return fmt.Errorf("%w: case %s is already in the log", ErrSequence, c.ID)
	case c.Revised != "" && !w.cases[c.ID]:
		return fmt.Errorf("%w: case %s is marked as revised, but the log has no earlier result for it", ErrSequence, c.ID)
	}
	c.Type, c.Link = "case", w.link
	err := w.append(c)
	if err == nil {
		w.cases[c.ID] = true
	}
	return err
}

// Footer writes the last event.
func (w *Writer) Footer(f Footer) error {
	if f.Counts == nil {
		f.Counts = Counts{}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	f.Type, f.Link = "footer", w.link
	return w.footer(f)
}

// header writes the first event.
func (w *lines) header(event any, runID string) error {
	if w.opened {
		return fmt.Errorf("%w: the log already has a header", ErrSequence)
	}
	w.link.RunID, w.opened = runID, true
	return w.append(event)
}

// footer writes the last event.
func (w *lines) footer(event any) error {
	err := w.append(event)
	w.closed = w.closed || err == nil
	return err
}

// append writes one event as one line.
func (w *lines) append(event any) error {
	switch {
	case w.failed != nil:
		return w.failed
	case !w.opened:
		return fmt.Errorf("%w: the header must come first", ErrSequence)
	case w.closed:
		return fmt.Errorf("%w: no event can follow the footer", ErrSequence)
	}
	line, err := Line(event)
	if err != nil {
		return err
	}
	if _, err := w.w.Write(append(line, '\n')); err != nil {
		w.failed = fmt.Errorf("write event: %w", err)
		return w.failed
	}
	sum := sha256.Sum256(line)
	w.link.Prev = hex.EncodeToString(sum[:])
	return nil
}

// Line returns an event in the form in which a log contains it, without the newline.
func Line(event any) ([]byte, error) {
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(event); err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	return bytes.TrimSuffix(line.Bytes(), []byte("\n")), nil
}
