package load

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/gatecert/gatecert/reports/runlog"
)

// Portion is the result of a [Share] of a phase. It can be encoded, sent to another machine, and joined with the other portions of
// the phase by [Phase.Join]. Its size does not grow with the number of requests, except for the results that the phase keeps.
type Portion struct {
	// m has everything but the pace.
	m      Measurement
	course *course
	// windows are those of a share with their histograms, in order; those of a whole phase are in m already.
	windows []windowPart
	// stalls are the slow requests of a share.
	stalls shareStalls
	// unleased counts the requests that were not sent because the lease had ended.
	unleased uint64
	// begun is how much later than [Phase.Start] the share began.
	begun time.Duration
	// lag99 is the 99th percentile of the generator's lag, and encoded the histograms, of a portion that was read.
	lag99   time.Duration
	encoded *encodedMetrics
}

// windowPart is the part of a window that one share saw. Its histograms are encoded.
type windowPart struct {
	Start, Ended                    time.Duration
	Counts                          map[runlog.Outcome]uint64
	Tokens                          uint64
	ServiceTime, Latency, TTFT, ITL []byte
}

// part returns the window with its histograms.
func (w *openWindow) part() windowPart {
	return windowPart{
		Start: w.Start, Ended: w.Ended, Counts: w.Counts, Tokens: w.Tokens,
		ServiceTime: w.serviceTime.AppendBinary(nil), Latency: w.latency.AppendBinary(nil), TTFT: w.ttft.AppendBinary(nil), ITL: w.itl.AppendBinary(nil),
	}
}

// Unleased returns how many requests were not sent because the lease had ended.
func (p Portion) Unleased() uint64 { return p.unleased }

// Empty reports whether the share was never begun.
func (p Portion) Empty() bool { return len(p.m.Requests) == 0 }

// Share returns what the worker did. Its name and its clock offset are missing, because a portion
// does not contain them.
func (p Portion) Share() WorkerShare {
	g := p.m.Generator
	return WorkerShare{Sent: p.m.Sent, Begun: p.begun, Lag: max(p.lag99, g.Lag.Quantile(0.99)), Late: g.Late, CPU: g.CPU, Cores: g.Cores}
}

// measurement returns the measurement of a whole phase.
func (p Portion) measurement(phase Phase) Measurement {
	m := p.m
	if !phase.Closed && p.course != nil {
		m.Pace = p.course.pace(phase.meanRate(), m.Offered-m.Sent)
	}
	return m
}

// Named is a portion with the name of its worker.
type Named struct {
	Worker string
	Portion
}

// Join returns the measurement of a phase, given the portions of all of its shares. Histograms and counts are added up, and quantiles are computed
// from the sums, so no precision is lost. If a requirement was violated several times, the first violation is kept. The problems of a worker are
// problems of the phase. started is when the phase began.
//
// It returns [ErrInvalid] when a portion does not belong to this phase: it has other kinds of requests, or bytes that are not a histogram.
func (p Phase) Join(started time.Time, parts []Named) (Measurement, error) {
	p = p.withDefaults()
	j := joiner{phase: p, course: newCourse(p), m: Measurement{
		Phase: p.Name, Schedule: p.text(), Rate: p.Rate, Started: started, WarmUp: p.WarmUp, metrics: map[metricsKey]*Metrics{}, judged: true,
	}}
	for _, r := range p.Mix {
		j.m.Requests = append(j.m.Requests, r.Name)
	}
	for _, part := range parts {
		if len(part.m.Requests) != len(p.Mix) || part.course == nil {
			return Measurement{}, fmt.Errorf("%w: worker %s returned results that do not match the phase %q", ErrInvalid, part.Worker, p.Name)
		}
		if err := j.add(part); err != nil {
			return Measurement{}, err
		}
	}
	if err := j.windows(parts); err != nil {
		return Measurement{}, err
	}
	j.stalls(parts)
	j.checkLate()
	slices.SortStableFunc(j.m.Results, func(a, b Result) int { return cmp.Compare(a.End, b.End) })
	if kept := len(j.m.Results); kept > p.Keep {
		j.m.Results = j.m.Results[:p.Keep]
		j.m.NotKept += uint64(kept - p.Keep) //nolint:gosec // checked
	}
	slices.SortStableFunc(j.violations, func(a, b Violation) int { return cmp.Compare(a.first, b.first) }) // the evidence is that of the first
	j.m.Violations = mergeViolations(nil, j.violations)
	sortViolations(j.m.Violations)
	j.m.sentTo = firstSentTo(parts)
	return Portion{m: j.m, course: j.course}.measurement(p), nil
}

func firstSentTo(parts []Named) []sentTo {
	if len(parts) == 0 {
		return nil
	}
	return parts[0].m.sentTo
}

// joiner adds up the portions of a phase.
type joiner struct {
	phase  Phase
	m      Measurement
	course *course
	// violations are those of all shares.
	violations []Violation
}

func (j *joiner) add(part Named) error {
	m, of := &j.m, part.m
	m.Elapsed = max(m.Elapsed, of.Elapsed)
	m.Offered += of.Offered
	m.Sent += of.Sent
	m.Warming += of.Warming
	m.Waited += of.Waited
	m.Good += of.Good
	m.NotKept += of.NotKept
	m.Results = append(m.Results, of.Results...)
	for key, metrics := range of.metrics {
		m.metricsOf(key).merge(*metrics)
	}
	m.Generator.Lag.Merge(of.Generator.Lag)
	if part.encoded != nil {
		if err := part.encoded.addTo(m); err != nil {
			return fmt.Errorf("%w: results from worker %s: %w", ErrInvalid, part.Worker, err)
		}
	}
	j.violations = append(j.violations, of.Violations...)
	g := of.Generator
	m.Generator.Late += g.Late
	m.Generator.Undersent = m.Generator.Undersent || g.Undersent
	m.Generator.CPU, m.Generator.Cores = max(m.Generator.CPU, g.CPU), m.Generator.Cores+g.Cores
	for _, problem := range g.Problems {
		m.Generator.Problems = append(m.Generator.Problems, "worker "+part.Worker+": "+problem)
	}
	j.course.merge(part.course)
	return nil
}

// checkLate checks the lag of all workers together: each of them may send two requests late whatever their share.
func (j *joiner) checkLate() {
	g, limits := &j.m.Generator, j.phase.Generator
	if sent := g.Lag.Count(); g.Late > lateAllowance && float64(g.Late)/float64(sent) > limits.LateShare && !j.phase.Embedded && len(g.Problems) == 0 {
		g.Problems = append(g.Problems, fmt.Sprintf("the workers sent %d of %d requests more than %s late (the limit is %.3g %%)", g.Late, sent, limits.Lag, limits.LateShare*100))
	}
}

// windows adds up the windows, one after the other: a histogram has 190 kB when it is not encoded.
func (j *joiner) windows(parts []Named) error {
	length := j.phase.window()
	next := make([]int, len(parts))
	for {
		start, found := time.Duration(0), false
		for i, part := range parts {
			if next[i] < len(part.windows) && (!found || part.windows[next[i]].Start < start) {
				start, found = part.windows[next[i]].Start, true
			}
		}
		if !found {
			return nil
		}
		sum := openWindow{Window: Window{Start: start, Length: length, Counts: map[runlog.Outcome]uint64{}}}
		for i, part := range parts {
			for next[i] < len(part.windows) && part.windows[next[i]].Start == start {
				if err := sum.addPart(part.windows[next[i]]); err != nil {
					return fmt.Errorf("%w: results from worker %s: %w", ErrInvalid, part.Worker, err)
				}
				next[i]++
			}
		}
		sum.quantiles()
		j.m.Windows = append(j.m.Windows, sum.Window)
	}
}

func (w *openWindow) addPart(part windowPart) error {
	w.Ended = max(w.Ended, part.Ended)
	w.Tokens += part.Tokens
	for outcome, n := range part.Counts {
		w.Counts[outcome] += n
	}
	return cmp.Or(w.serviceTime.AddBinary(part.ServiceTime), w.latency.AddBinary(part.Latency), w.ttft.AddBinary(part.TTFT), w.itl.AddBinary(part.ITL))
}

// stalls puts the slow requests of all shares together: those that overlap are one stall.
func (j *joiner) stalls(parts []Named) {
	f := stallFinder{}
	var all, singles []Stall
	known := true
	for _, part := range parts {
		all, singles = append(all, part.stalls.Found...), append(singles, part.stalls.Singles...)
		f.dropped += part.stalls.Dropped
		known = known && !part.stalls.SinglesLost
	}
	if known { // otherwise those that are left would be stalls by chance
		all = append(all, singles...)
	}
	slices.SortFunc(all, func(a, b Stall) int { return cmp.Compare(a.Start, b.Start) })
	for _, s := range all {
		if f.open.Requests == 0 || s.Start > f.open.Start+f.open.Length {
			f.close()
			f.open = s
			continue
		}
		f.open.Length = max(f.open.Length, s.Start+s.Length-f.open.Start)
		f.open.Requests += s.Requests
		f.open.own = f.open.own || s.own
	}
	f.close()
	j.m.Stalls = f.stalls()
}
