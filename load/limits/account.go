package limits

import (
	"fmt"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// The parts of a verification's calls, as its account names them.
const (
	limitedPart  = "limited key"
	streamPart   = "streams"
	otherPart    = "other key"
	upstreamPart = "refusing upstream"
)

// Account is the verification in a form that a run's log and its charts can hold.
func (e Evidence) Account() runlog.LoadSummary {
	a := runlog.LoadSummary{
		Sentence: fmt.Sprintf("all at once, one by one and after a rest, the limited key made %d calls: %d admitted, %d refused",
			e.Calls, e.Admitted, e.Refused),
		Took: e.Took, Checks: e.Checks, Phases: e.Phases, Spans: e.Spans, Times: e.Times,
	}
	if e.Failed > 0 {
		a.Sentence += fmt.Sprintf(", %d failed", e.Failed)
	}
	if e.Calls > 0 {
		a.Limiter = e.Model.String()
	}
	for _, span := range e.Spans {
		for _, outcomes := range span.Counts {
			for _, n := range outcomes {
				a.Calls += n
			}
		}
	}
	return a
}

// tell sums the verification up: what was done when, and what came of it.
func (v *verification) tell() {
	v.evidence.Took = time.Since(v.began)
	v.evidence.Spans = spans(v.evidence.Took)
	for i, c := range v.calls {
		part := limitedPart
		if v.stages[i] == streamed {
			part = streamPart
		}
		v.enter(part, c)
	}
	for _, o := range v.others {
		v.enter(o.part, o.Call)
	}
}

// shortestSpan is as much of a verification as a chart can show.
const shortestSpan = 50 * time.Millisecond

// spans are stretches of equal length that cover a time.
func spans(over time.Duration) []runlog.Span {
	width := max(shortestSpan, over/(runlog.MaxSpans-1))
	all := make([]runlog.Span, over/width+1)
	for i := range all {
		all[i] = runlog.Span{At: time.Duration(i) * width, Lasts: width, Counts: map[string]map[runlog.Outcome]int{}}
	}
	return all
}

// enter counts a call in the span in which it ended.
func (v *verification) enter(part string, c Call) {
	all := v.evidence.Spans
	at := min(max(int(c.Ended.Sub(v.began)/all[0].Lasts), 0), len(all)-1)
	all[at].Add(part, classOf(c))
}

// classOf is a call's class in the words of package load.
func classOf(c Call) runlog.Outcome {
	switch o := c.Observation; {
	case o.Failure != nil && o.Failure.Kind == contract.TimedOut:
		return runlog.Timeout
	case o.Failure != nil:
		return runlog.TransportError
	case Foreign(o), c.Outcome() == Refused:
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

// timesOf is the distribution of the times to the first byte of the admitted calls.
func timesOf(name string, calls []Call) runlog.Times {
	times := services(calls)
	t := runlog.Times{Name: name, Count: len(times)}
	if len(times) == 0 {
		return t
	}
	at := func(share int) time.Duration { return times[len(times)*share/100] }
	t.P50, t.P90, t.P99, t.Max = at(50), at(90), at(99), times[len(times)-1]
	return t
}

// services are the times to the first byte of the admitted calls, the shortest first.
func services(calls []Call) []time.Duration {
	var times []time.Duration
	for _, c := range calls {
		if c.Outcome() == Admitted {
			times = append(times, c.Latest.Sub(c.Earliest))
		}
	}
	slices.Sort(times)
	return times
}
