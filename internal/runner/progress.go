package runner

import (
	"sync"

	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Progress is how far a run has come. Package gatecert documents it: the fields are the same.
type Progress struct {
	Phase       string
	Target      string
	Done, Total int
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
	}
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
