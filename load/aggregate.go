package load

import (
	"cmp"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// sample is a result with what only the aggregator needs.
type sample struct {
	Result
	// started is when a worker took the request. The time from Due to started is lag of this machine.
	started time.Duration
	// bunching is how long the arrivals alone would have let the request wait.
	bunching time.Duration
	evidence *contract.Observation
	// gaps are those between the pieces of a stream; nil where there are none.
	gaps *gaps
}

// aggregator turns samples into a measurement as they come. One goroutine uses it.
type aggregator struct {
	m           *Measurement
	phase       Phase
	localErrors uint64
	violations  map[violationKey]*Violation
	last        time.Duration // when the last response ended
	window      openWindow
	// closing is what the responses of the window came to; nil where nobody asks for it.
	closing *Measurement
	// bounds are those that a good request keeps.
	bounds []Bound
	course *course
	stalls stallFinder
	// recorder writes the results; nil where nobody asks for them.
	recorder *recorder
	// snapshot is when the last snapshot was taken.
	snapshot time.Time
	// parts are the windows of a share.
	parts []windowPart
}

// gapList are the gaps of a stream in microseconds.
func (s sample) gapList() []uint32 {
	if s.gaps == nil {
		return nil
	}
	return s.gaps.micros
}

type violationKey struct {
	request     int
	requirement string
}

// openWindow is the window in which responses end now.
type openWindow struct {
	Window
	serviceTime, latency, ttft, itl Histogram
}

// maxWindows bounds the windows of a phase. A phase that would have more has longer ones.
const maxWindows = 600

func newAggregator(m *Measurement, phase Phase) *aggregator {
	a := &aggregator{
		m: m, phase: phase, violations: map[violationKey]*Violation{}, bounds: phase.SLO.Terms(), course: newCourse(phase),
	}
	m.judged, m.WarmUp = true, phase.WarmUp
	if phase.Closing != nil {
		a.closing = newClosing(m.Requests)
	}
	a.window.Length = phase.window()
	if !phase.Share.whole() {
		a.stalls.share = &shareStalls{}
	}
	a.window.Counts = map[runlog.Outcome]uint64{}
	return a
}

// progressEvery is how often a phase reports its progress.
const progressEvery = 250 * time.Millisecond

// follow adds samples until there are no more.
func (a *aggregator) follow(samples <-chan sample) {
	a.snapshot = time.Now()
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case s, ok := <-samples:
			if !ok {
				return
			}
			a.add(s)
		case <-tick.C:
			if a.phase.Progress != nil {
				a.phase.Progress(a.progress(time.Since(a.m.Started)))
			}
			a.takeSnapshot()
		}
	}
}

// takeSnapshot calls Snapshot with a copy of what was measured so far, when it is time.
func (a *aggregator) takeSnapshot() {
	if a.phase.Snapshot == nil && a.phase.SoFar == nil || time.Since(a.snapshot) < a.phase.SnapshotEvery {
		return
	}
	a.snapshot = time.Now()
	a.recorder.flush()
	if a.phase.SoFar != nil {
		a.phase.SoFar(a.soFar())
	}
	if a.phase.Snapshot == nil {
		return
	}
	m := a.measuredSoFar()
	m.Windows, m.Stalls = slices.Clone(m.Windows), a.stalls.stalls()
	m.Generator.Lag = Histogram{}
	m.metrics = map[metricsKey]*Metrics{}
	for key, metrics := range a.m.metrics {
		sum := &Metrics{}
		sum.merge(*metrics)
		m.metrics[key] = sum
	}
	a.phase.Snapshot(m)
}

// measuredSoFar is what was measured so far, without results. Its windows and metrics are the aggregator's own.
func (a *aggregator) measuredSoFar() Measurement {
	m := *a.m
	m.Results, m.NotKept, m.Offered, m.Elapsed = nil, m.Sent, m.Sent, a.last
	m.Violations = a.sortedViolations()
	return m
}

// soFar is what a share came to so far. It shares its memory with the aggregator.
func (a *aggregator) soFar() Portion {
	so := Portion{m: a.measuredSoFar(), course: a.course, windows: a.parts}
	if a.stalls.share != nil {
		so.stalls = *a.stalls.share
	}
	return so
}

func (a *aggregator) add(s sample) {
	m := a.m
	m.Sent++
	a.last = max(a.last, s.End)
	countIf(s.Waited, &m.Waited)
	countIf(s.Outcome == runlog.LocalError, &a.localErrors)
	if !s.Waited {
		lag := s.started - s.Due
		m.Generator.Lag.Add(lag)
		countIf(lag > a.phase.Generator.Lag, &m.Generator.Late)
	}
	a.course.add(s.Due, s.End, s.bunching)
	if s.Due < a.phase.WarmUp {
		m.Warming++
	} else {
		m.count(s, a.bounds)
	}
	a.addToWindow(s)
	a.addFindings(s)
	s.gaps.release()
	a.recorder.add(s.Result)
	if len(m.Results) < a.phase.Keep {
		m.Results = append(m.Results, s.Result)
	} else {
		m.NotKept++
	}
}

func countIf(yes bool, n *uint64) {
	if yes {
		*n++
	}
}

func (a *aggregator) addFindings(s sample) {
	for _, f := range s.Findings {
		key := violationKey{s.Request, string(f.Level) + string(f.Requirement)}
		v := a.violations[key]
		if v == nil {
			v = &Violation{Request: a.m.Requests[s.Request], Finding: f, Evidence: s.evidence, first: s.End}
			a.violations[key] = v
		}
		v.Count++
	}
}

// newClosing is the measurement of a window.
func newClosing(requests []string) *Measurement {
	return &Measurement{Requests: requests, metrics: map[metricsKey]*Metrics{}, judged: true}
}

// count adds a sample to the metrics of its kind and outcome, and to the good ones if it keeps the bounds.
func (m *Measurement) count(s sample, bounds []Bound) {
	m.metricsOf(metricsKey{s.Request, s.Outcome}).add(s.Result, s.gapList())
	countIf(good(bounds, s.Result, s.gapList()), &m.Good)
}

// metricsOf returns the metrics of a kind and an outcome, which are made when they are first asked for.
func (m *Measurement) metricsOf(key metricsKey) *Metrics {
	sum := m.metrics[key]
	if sum == nil {
		sum = &Metrics{}
		m.metrics[key] = sum
	}
	return sum
}

// addToWindow counts s in the window that contains s.End. Samples come slightly out of order: one that ended before the
// current window began is counted in the current window.
func (a *aggregator) addToWindow(s sample) {
	if s.End >= a.window.Start+a.window.Length {
		a.closeWindow(s.End.Truncate(a.window.Length))
	}
	a.window.Counts[s.Outcome]++
	if a.closing != nil {
		a.closing.Offered++
		a.closing.Sent++
		a.closing.count(s, a.bounds)
	}
	if s.Outcome.OfGateway() {
		a.stalls.add(s.Sent, s.End, !s.Waited && s.started-s.Due > a.phase.Generator.Lag)
	}
	if s.Outcome == runlog.Admitted {
		a.window.add(s)
	}
}

// add counts an admitted request.
func (w *openWindow) add(s sample) {
	w.serviceTime.Add(s.ServiceTime())
	w.latency.Add(s.Latency())
	if s.FirstToken > 0 {
		w.ttft.Add(s.FirstToken - s.Sent)
	}
	for _, gap := range s.gapList() {
		w.itl.Add(time.Duration(gap) * time.Microsecond)
	}
	w.Tokens += uint64(s.Tokens) //nolint:gosec // a count
}

// quantiles fills in the quantiles.
func (w *openWindow) quantiles() {
	w.P50, w.P99 = w.serviceTime.Quantile(0.5), w.serviceTime.Quantile(0.99)
	w.TTFT50, w.TTFT99 = w.ttft.Quantile(0.5), w.ttft.Quantile(0.99)
	w.ITL50, w.ITL99 = w.itl.Quantile(0.5), w.itl.Quantile(0.99)
	w.Latency.P50, w.Latency.P99 = w.latency.Quantile(0.5), w.latency.Quantile(0.99)
}

// closeWindow ends the current window and opens the one that begins at next. Windows without a response are left out.
func (a *aggregator) closeWindow(next time.Duration) {
	w := &a.window
	if len(w.Counts) > 0 {
		w.quantiles()
		w.Ended = a.last
		if !a.phase.Share.whole() {
			a.parts = append(a.parts, w.part())
		}
		if w.serviceTime.Count() > 0 {
			a.stalls.window(w.P50)
		}
		a.m.Windows = append(a.m.Windows, w.Window)
		if a.closing != nil {
			a.closing.Elapsed = w.Length
			a.phase.Closing(w.Window, *a.closing)
			a.closing = newClosing(a.m.Requests)
		}
	}
	w.serviceTime.Reset()
	w.latency.Reset()
	w.ttft.Reset()
	w.itl.Reset()
	w.Window = Window{Start: next, Length: w.Length, Counts: map[runlog.Outcome]uint64{}}
}

// close completes the measurement.
func (a *aggregator) close() {
	a.closeWindow(0)
	a.recorder.flush()
	a.m.Elapsed = a.last
	a.m.Violations, a.m.Stalls = a.sortedViolations(), a.stalls.stalls()
}

// sortedViolations returns the violations so far, the most frequent first.
func (a *aggregator) sortedViolations() (all []Violation) {
	for _, v := range a.violations {
		all = append(all, *v)
	}
	sortViolations(all)
	return all
}

func sortViolations(all []Violation) {
	slices.SortFunc(all, func(v, w Violation) int {
		return cmp.Or(cmp.Compare(w.Count, v.Count), cmp.Compare(v.Request, w.Request),
			cmp.Compare(v.Finding.String(), w.Finding.String()))
	})
}

func (a *aggregator) progress(elapsed time.Duration) Progress {
	m := a.m
	return Progress{
		Phase: m.Phase, Elapsed: elapsed, Sent: m.Sent, Admitted: m.Count(runlog.Admitted), Refused: m.Count(runlog.Refused),
		Failed: m.failures(), Waited: m.Waited, Lag: m.Generator.Lag.Quantile(0.99),
	}
}
