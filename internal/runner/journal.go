package runner

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/runlog"
)

// journal writes the log of a run and collects its notes.
type journal struct {
	log *runlog.Writer
	// copy holds the log a second time, so that the run is returned as a reader of the log would see it.
	copy bytes.Buffer
	// hide replaces the secrets of the target in a text; nil replaces none. What quotes an answer is redacted where it is captured.
	hide func(string) string

	mu    sync.Mutex
	notes []string
	err   error
	// failed, when not nil, is called with the first error.
	failed func(error)
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
	if j.err != nil || err == nil {
		return
	}
	j.err = err
	if j.failed != nil {
		j.failed(err)
	}
}

// fault is [ErrHarness] where the log could not be written.
func (j *journal) fault() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return fmt.Errorf("%w: cannot write the log (is the disk full?): %w", ErrHarness, j.err)
	}
	return nil
}

// note adds a sentence about the gateway's state to the footer.
func (j *journal) note(format string, values ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.notes = append(j.notes, j.hidden(fmt.Sprintf(format, values...)))
}

func (j *journal) hidden(text string) string {
	if j.hide == nil || text == "" {
		return text
	}
	return j.hide(text)
}

// run is the run as it is in the log so far. It returns [ErrHarness] when the log cannot be read back.
func (j *journal) run() (runlog.Run, error) {
	run, err := runlog.Read(bytes.NewReader(j.copy.Bytes()))
	if err != nil {
		err = fmt.Errorf("%w: cannot read back the log of this run: %w", ErrHarness, errors.Join(err, j.err))
	}
	return run, err
}

// close writes the footer that conclude makes of the run, and returns the run as it is in the log. What is not in the log
// did not happen. It returns [ErrHarness] when the log could not be written.
func (j *journal) close(conclude func(runlog.Run) runlog.Footer) (runlog.Run, error) {
	run, err := j.run()
	if err != nil {
		return run, err
	}
	footer := conclude(run)
	footer.Notes = j.notes
	j.wrote(j.log.Footer(footer))
	if err := j.fault(); err != nil {
		return run, err
	}
	run.Footer = &footer
	return run, nil
}

// Progress states how far a run has come. Package gatecert documents its fields.
type Progress struct {
	Phase       string
	Target      string
	Done, Total int
	Running     int
	Longest     string
	Since       time.Time
	Last        *runlog.Case
	Plan        string
	Load        *load.Progress
}

// The phases of a run, in their order.
const (
	PhasePrepare    = "prepare"
	PhaseControls   = "controls"
	PhaseConcurrent = "concurrent"
	PhaseExclusive  = "exclusive"
	PhaseLoad       = "load"
	PhaseDone       = "done"
)

// reporter calls the progress callback of a job. It has a lock of its own: a slow callback must not hold up the log.
type reporter struct {
	call func(Progress)

	mu     sync.Mutex
	target string
	total  int
	done   int
	// running are the cases that have begun and not ended, by their id, with the time at which they began.
	running map[string]time.Time
}

// begin reports that a case begins. One that begins again goes on.
func (r *reporter) begin(phase, id string) {
	if r.call == nil {
		return
	}
	r.mu.Lock()
	if r.running == nil {
		r.running = make(map[string]time.Time)
	}
	_, again := r.running[id]
	if !again {
		r.running[id] = time.Now()
	}
	r.mu.Unlock()
	if !again {
		r.report(Progress{Phase: phase})
	}
}

// longest is the case that has run for the longest time, "" for none. The lock is held.
func (r *reporter) longest() (id string, since time.Time) {
	for running, began := range r.running {
		if id == "" || began.Before(since) {
			id, since = running, began
		}
	}
	return id, since
}

// report calls the callback with p, completed by what is the same for all: target and counts.
func (r *reporter) report(p Progress) {
	if r.call == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.Last != nil {
		r.done++
		delete(r.running, p.Last.ID)
	}
	p.Longest, p.Since = r.longest()
	p.Running = len(r.running)
	p.Target, p.Done, p.Total = r.target, r.done, r.total
	r.call(p)
}

// start reports the first phase in which the target is known.
func (r *reporter) start(phase, target string) {
	r.mu.Lock()
	r.target = target
	r.mu.Unlock()
	r.report(Progress{Phase: phase})
}

func (r *reporter) expect(total int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total = total
}
