package runner

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/gatecert/gatecert/reports/runlog"
)

// journal writes the log of a run and collects its notes.
type journal struct {
	log *runlog.Writer
	// copy holds the log a second time, so that the run is returned as a reader of the log would see it.
	copy bytes.Buffer

	mu    sync.Mutex
	notes []string
	err   error
}

// newJournal writes to out, which may be nil.
func newJournal(out io.Writer) *journal {
	j := &journal{}
	var w io.Writer = &j.copy
	if out != nil {
		w = io.MultiWriter(out, &j.copy)
	}
	j.log = runlog.NewWriter(w)
	return j
}

// wrote keeps the first error of the log's writer: without its log a run shows nothing.
func (j *journal) wrote(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err == nil {
		j.err = err
	}
}

// note adds a sentence about the gateway's state to the footer.
func (j *journal) note(format string, values ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.notes = append(j.notes, fmt.Sprintf(format, values...))
}

// close writes the footer that conclude makes of the run, and returns the run as it is in the log. What is not in the log
// did not happen. It returns [ErrHarness] when the log could not be written.
func (j *journal) close(conclude func(runlog.Run) runlog.Footer) (runlog.Run, error) {
	run, err := runlog.Read(bytes.NewReader(j.copy.Bytes()))
	if err != nil {
		return run, fmt.Errorf("%w: read the log back: %w", ErrHarness, errors.Join(err, j.err))
	}
	footer := conclude(run)
	footer.Notes = j.notes
	j.wrote(j.log.Footer(footer))
	if j.err != nil {
		return run, fmt.Errorf("%w: write the log: %w", ErrHarness, j.err)
	}
	run.Footer = &footer
	return run, nil
}
