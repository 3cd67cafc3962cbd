package limits

import (
	"fmt"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// The series of calls in a load summary.
const (
	limitedSeries  = runlog.LimitedGroup
	streamSeries   = runlog.StreamingGroup
	controlSeries  = runlog.ControlGroup
	upstreamSeries = runlog.ThrottledGroup
)

// summary returns what a run's log and its charts show of the verification.
func (a *assessment) summary() runlog.LoadSummary {
	s := runlog.LoadSummary{
		Sentence: fmt.Sprintf("the limited key made %d calls, in bursts and one at a time: %d admitted, %d refused",
			len(a.calls), count(a.calls, Admitted), count(a.calls, Refused)),
		Took: a.took, Checks: a.checks, Phases: a.phases, Spans: emptySpans(a.took), Times: a.times,
	}
	if failed := count(a.calls, Failed); failed > 0 {
		s.Sentence += fmt.Sprintf(", %d failed", failed)
	}
	switch {
	case a.limiters != "":
		s.Limiter = a.limiters
	case len(a.calls) > 0:
		s.Limiter = a.modelName()
	}
	add := func(series string, calls ...Call) {
		for _, c := range calls {
			i := min(max(int(c.Ended.Sub(a.began)/s.Spans[0].Lasts), 0), len(s.Spans)-1)
			s.Spans[i].Add(series, logOutcome(c))
			s.Calls++
		}
	}
	for _, c := range a.calls {
		if c.phase == phaseStreaming {
			add(streamSeries, c)
		} else {
			add(limitedSeries, c)
		}
	}
	if !a.declared.sharesStreams() {
		add(streamSeries, a.streams...)
	}
	add(controlSeries, a.baseline...)
	add(controlSeries, a.during...)
	add(upstreamSeries, a.upstream429s...)
	return s
}

// minSpan is the shortest stretch of time that a chart shows.
const minSpan = 50 * time.Millisecond

// emptySpans returns stretches of equal length that cover a duration.
func emptySpans(d time.Duration) []runlog.Span {
	width := max(minSpan, d/(runlog.MaxSpans-1))
	spans := make([]runlog.Span, d/width+1)
	for i := range spans {
		spans[i] = runlog.Span{At: time.Duration(i) * width, Lasts: width, Counts: map[string]map[runlog.Outcome]int{}}
	}
	return spans
}

// logOutcome is the outcome of a call in the words of the log.
func logOutcome(c Call) runlog.Outcome {
	switch o := c.Observation; {
	case o.Failure != nil && o.Failure.Kind == contract.TimedOut:
		return runlog.Timeout
	case o.Failure != nil:
		return runlog.TransportError
	case isUpstream429(o), c.Outcome() == Refused:
		return runlog.Refused
	case c.Outcome() == Admitted:
		return runlog.Admitted
	case o.Status/100 == 4:
		return runlog.Error4xx
	case o.Status/100 == 5:
		return runlog.Error5xx
	default:
		return runlog.Wrong
	}
}

// latencies is the distribution of the times to first byte of the admitted calls.
func latencies(name string, calls []Call) runlog.Times {
	var times []time.Duration
	for _, c := range calls {
		if c.Outcome() == Admitted {
			times = append(times, c.timeToFirstByte())
		}
	}
	slices.Sort(times)
	t := runlog.Times{Name: name, Count: len(times)}
	if len(times) == 0 {
		return t
	}
	at := func(percent int) time.Duration { return times[len(times)*percent/100] }
	t.P50, t.P90, t.P99, t.Max = at(50), at(90), at(99), times[len(times)-1]
	return t
}
