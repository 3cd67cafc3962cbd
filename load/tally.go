package load

import (
	"cmp"
	"slices"
	"time"

	"github.com/gatecert/gatecert/reports/runlog"
)

// tally turns shots into a measurement as they come. One goroutine uses it.
type tally struct {
	m        *Measurement
	stage    Phase
	client   uint64
	breaches map[breachKey]*Violation

	window     Window
	windowSpan time.Duration
	windowTime Histogram
	last       time.Duration
}

type breachKey struct {
	part       int
	obligation string
}

// maxWindows bounds the windows of a stage; beyond, they are made longer.
const maxWindows = 600

func newTally(m *Measurement, stage Phase, lasts time.Duration) *tally {
	span := max(stage.Window, lasts/maxWindows)
	return &tally{
		m: m, stage: stage, breaches: map[breachKey]*Violation{}, windowSpan: span,
		window: Window{Counts: map[runlog.Outcome]uint64{}},
	}
}

// progressEvery is how often a stage says how far it has come.
const progressEvery = 250 * time.Millisecond

// follow takes shots in until there are no more.
func (t *tally) follow(shots <-chan result) {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case r, ok := <-shots:
			if !ok {
				return
			}
			t.add(r)
		case <-tick.C:
			if t.stage.Progress != nil {
				t.stage.Progress(t.progress(time.Since(t.m.Started)))
			}
		}
	}
}

func (t *tally) add(r result) {
	m := t.m
	m.Sent++
	m.BytesIn += uint64(r.Bytes) //nolint:gosec // a length
	t.last = max(t.last, r.End)
	m.Sending = max(m.Sending, r.Sent)
	count(&m.Waited, r.Waited)
	count(&m.NewConns, r.NewConn)
	count(&m.Resent, r.Resent)
	count(&t.client, r.Outcome == runlog.LocalError)
	if !r.Waited {
		lag := r.entered - r.Due
		m.Lag.Add(lag)
		count(&m.Late, lag > t.stage.Generator.Lag)
	}
	t.measure(r.Result)
	t.roll(r)
	for _, f := range r.Findings {
		key := breachKey{r.Request, string(f.Level) + string(f.Requirement)}
		b := t.breaches[key]
		if b == nil {
			b = &Violation{Request: m.Requests[r.Request], Finding: f, Evidence: r.evidence}
			t.breaches[key] = b
		}
		b.Count++
	}
	if len(m.Results) < t.stage.Keep {
		m.Results = append(m.Results, r.Result)
	} else {
		m.NotKept++
	}
	if t.stage.Observe != nil {
		t.stage.Observe(r.Result)
	}
}

func count(n *uint64, yes bool) {
	if yes {
		*n++
	}
}

func (t *tally) measure(s Result) {
	key := tallyKey{s.Request, s.Outcome}
	sum := t.m.tallies[key]
	if sum == nil {
		sum = &Metrics{}
		t.m.tallies[key] = sum
	}
	sum.Count++
	sum.ServiceTime.Add(s.ServiceTime())
	sum.Latency.Add(s.Latency())
	if s.FirstByte > 0 {
		sum.TTFB.Add(s.FirstByte - s.Sent)
	}
	if s.FirstEvent > 0 {
		sum.TTFT.Add(s.FirstEvent - s.Sent)
	}
}

// roll counts a shot in its window. A shot that ended just before another one's window was opened counts there.
func (t *tally) roll(r result) {
	if r.End >= t.window.Start+t.windowSpan {
		t.closeWindow(r.End.Truncate(t.windowSpan))
	}
	t.window.Counts[r.Outcome]++
	if r.Outcome == runlog.Admitted {
		t.windowTime.Add(r.ServiceTime())
	}
	if !r.Waited {
		t.window.MaxLag = max(t.window.MaxLag, r.entered-r.Due)
	}
}

// closeWindow ends the window under way and begins the one at next. Windows in which nothing ended are left out.
func (t *tally) closeWindow(next time.Duration) {
	if len(t.window.Counts) > 0 {
		w := t.window
		w.Length = t.windowSpan
		w.P50, w.P99 = t.windowTime.Quantile(0.5), t.windowTime.Quantile(0.99)
		t.m.Windows = append(t.m.Windows, w)
	}
	t.windowTime.reset()
	t.window = Window{Start: next, Counts: map[runlog.Outcome]uint64{}}
}

// close completes the measurement.
func (t *tally) close() {
	t.closeWindow(0)
	t.m.Elapsed = t.last
	for _, b := range t.breaches {
		t.m.Violations = append(t.m.Violations, *b)
	}
	slices.SortFunc(t.m.Violations, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Request, b.Request),
			cmp.Compare(a.Finding.String(), b.Finding.String()))
	})
}

// progress is how far the stage has come.
func (t *tally) progress(elapsed time.Duration) Progress {
	m := t.m
	return Progress{
		Phase: m.Phase, Elapsed: elapsed, Sent: m.Sent,
		Admitted: m.Count(runlog.Admitted), Refused: m.Count(runlog.Refused),
		Failed: m.Count(runlog.Error4xx, runlog.Error5xx, runlog.Timeout, runlog.TransportError, runlog.Wrong),
		Lag:    m.Lag.Quantile(0.99), Waited: m.Waited,
	}
}
