package limits

import (
	"fmt"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Evidence is what a verification rests on.
type Evidence struct {
	// Model is the limiter that the calls were judged by.
	Model  LimiterModel   `json:"model"`
	Checks []runlog.Check `json:"checks"`
	// The calls of the limited key, by outcome. Upstream429s are those of the admitted ones that the upstream refused.
	Calls        int `json:"calls"`
	Admitted     int `json:"admitted"`
	Refused      int `json:"refused"`
	Failed       int `json:"failed"`
	Upstream429s int `json:"upstream_429s"`
	// Recovery is an upper bound of the time from the end of the initial burst to the first admitted call, 0 when none was.
	Recovery time.Duration `json:"recovery_ns"`
	Took     time.Duration `json:"took_ns"`
	// Phases are in the order in which they were played. Spans count all calls, by the key they were made with. Times are the
	// latencies of the control key.
	Phases []runlog.Phase `json:"phases"`
	Spans  []runlog.Span  `json:"spans"`
	Times  []runlog.Times `json:"times"`
}

// The series of calls in a load summary.
const (
	limitedSeries  = "limited key"
	streamSeries   = "streaming calls"
	controlSeries  = "control key"
	upstreamSeries = "upstream 429s"
)

// Summary returns what a run's log and its charts show of the verification.
func (e Evidence) Summary() runlog.LoadSummary {
	s := runlog.LoadSummary{
		Sentence: fmt.Sprintf("the limited key made %d calls, in bursts and one at a time: %d admitted, %d refused",
			e.Calls, e.Admitted, e.Refused),
		Took: e.Took, Checks: e.Checks, Phases: e.Phases, Spans: e.Spans, Times: e.Times,
	}
	if e.Failed > 0 {
		s.Sentence += fmt.Sprintf(", %d failed", e.Failed)
	}
	if e.Calls > 0 {
		s.Limiter = e.Model.String()
	}
	for _, span := range e.Spans {
		for _, outcomes := range span.Counts {
			for _, n := range outcomes {
				s.Calls += n
			}
		}
	}
	return s
}

// evidence returns what the assessment rests on.
func (a *assessment) evidence() Evidence {
	e := Evidence{
		Model: a.model, Checks: a.checks,
		Calls: len(a.calls), Admitted: count(a.calls, Admitted), Refused: count(a.calls, Refused), Failed: count(a.calls, Failed),
		Recovery: a.recovery(), Took: a.took, Phases: a.phases, Spans: emptySpans(a.took), Times: a.times,
	}
	add := func(series string, calls ...Call) {
		for _, c := range calls {
			i := min(max(int(c.Ended.Sub(a.began)/e.Spans[0].Lasts), 0), len(e.Spans)-1)
			e.Spans[i].Add(series, logOutcome(c))
		}
	}
	for _, c := range a.calls {
		if isUpstream429(c.Observation) {
			e.Upstream429s++
		}
		if c.phase == phaseStreaming {
			add(streamSeries, c)
		} else {
			add(limitedSeries, c)
		}
	}
	if !a.declared.sharesStreams() {
		add(streamSeries, a.streams...)
	}
	add(controlSeries, a.control.baseline...)
	add(controlSeries, a.control.during...)
	add(upstreamSeries, a.upstream429s.calls...)
	return e
}

// recovery is how long the limit took to admit a call after the initial burst, 0 when it did not.
func (t *transcript) recovery() time.Duration {
	if len(t.recoveries) == 0 {
		return 0
	}
	return t.recoveries[0]
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
