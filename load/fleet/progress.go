package fleet

import (
	"fmt"
	"time"

	"github.com/gatecert/gatecert/load"
)

// tellEvery is how often the progress of a phase is shown.
const tellEvery = 250 * time.Millisecond

// tell shows the progress of the phase, and passes on what was measured so far when all workers have said it anew.
func (a *attempt) tell() {
	if a.began.IsZero() || time.Since(a.shown) < tellEvery {
		return
	}
	a.shown = time.Now()
	if a.workersShown.IsZero() {
		a.workersShown = a.began
	}
	if time.Since(a.workersShown) >= showWorkersEvery {
		a.showWorkers()
	}
	if a.phase.Progress != nil {
		a.phase.Progress(a.progress())
	}
	if a.phase.Snapshot == nil {
		return
	}
	var parts []load.Named
	for _, s := range a.shards {
		if s.soFar == nil {
			return
		}
		parts = append(parts, load.Named{Worker: s.worker, Portion: *s.soFar})
	}
	for _, s := range a.shards {
		s.soFar = nil
	}
	if m, err := a.phase.Join(a.began, parts); err == nil {
		a.phase.Snapshot(m)
	}
}

// progress is that of all workers.
func (a *attempt) progress() load.Progress {
	sum := load.Progress{Phase: a.phase.Name, Elapsed: max(time.Since(a.began), 0)}
	for _, s := range a.shards {
		sum.Sent += s.news.Sent
		sum.Admitted += s.news.Admitted
		sum.Refused += s.news.Refused
		sum.Failed += s.news.Failed
		sum.Waited += s.news.Waited
		sum.Lag = max(sum.Lag, s.news.Lag)
	}
	return sum
}

// showWorkersEvery is how often the progress of each worker is shown.
const showWorkersEvery = 2 * time.Second

// showWorkers shows a line for each worker, where that was asked for.
func (a *attempt) showWorkers() {
	if !a.fleet.config.ShowWorkers {
		return
	}
	a.workersShown = time.Now()
	for _, s := range a.shards {
		a.fleet.show(fmt.Sprintf("%s: %s: %d sent, %d admitted, %d failed, lag %s", a.phase.Name, s.worker, s.news.Sent, s.news.Admitted,
			s.news.Failed, s.news.Lag.Round(10*time.Microsecond)))
	}
}
