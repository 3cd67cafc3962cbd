package outage

import (
	"fmt"
	"strings"
	"time"

	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Evidence is what the findings of a verification rest on.
type Evidence struct {
	// Sentence says what was done.
	Sentence string
	// Checks are the results, requirement by requirement.
	Checks []runlog.Check
	// Rate is how many healthy requests a second the baseline was measured at: what was asked for, or less.
	Rate float64
	// Requests is how many were sent in all, Faulty how many of them failed at the upstream.
	Requests, Faulty int
	// Rounds is 2 where something had to be confirmed.
	Rounds int
	// Recovery is how long after the outage the last healthy request failed, 0 when none did; the longest of all rounds.
	Recovery time.Duration
	// Took is the time that all rounds took.
	Took time.Duration
	// Violations are the requirements that responses to faulty requests violated, each with the first such response.
	Violations []load.Violation

	began  time.Time
	rounds []*round
}

func newEvidence(e Experiment) Evidence { return Evidence{Sentence: e.sentence(), began: time.Now()} }

// sentence says what is done: "30 healthy requests a second, alone for 1.5s and for 3s with one faulty request to every 4 of
// them (failing, reset)".
func (e Experiment) sentence() string {
	var faults []string
	for _, f := range e.Faulty {
		faults = append(faults, f.Name)
	}
	return fmt.Sprintf("%g healthy requests a second, alone for %s and for %s with one faulty request to every %d of them (%s)",
		e.Rate, rounded(e.Before), rounded(e.Outage), healthyPerFaulty, strings.Join(faults, ", "))
}

// add adds a round, however far it came.
func (v *Evidence) add(r *round) {
	v.rounds = append(v.rounds, r)
	v.Sentence, v.Rate = r.sentence(), r.Rate
	v.Rounds++
	v.Requests += len(r.all())
	v.Faulty += len(r.faultyReached())
	v.Recovery = max(v.Recovery, r.lastFailure)
	v.Violations = append(v.Violations, r.violations...)
	v.Took = time.Since(v.began)
}

// minSpan is the shortest span of a summary: at thirty requests a second it has six of them.
const minSpan = 200 * time.Millisecond

// Summary returns the evidence as the log and its charts need it.
func (v Evidence) Summary() runlog.LoadSummary {
	s := runlog.LoadSummary{Sentence: v.Sentence, Took: v.Took, Calls: v.Requests, Checks: v.Checks, Times: v.distributions()}
	var end time.Duration
	for _, r := range v.rounds {
		s.Phases = append(s.Phases, r.phases...)
		for _, q := range r.all() {
			end = max(end, q.ended())
		}
	}
	length := minSpan
	for end/length >= runlog.MaxSpans {
		length *= 2
	}
	if v.Requests > 0 {
		s.Spans = v.spans(length, end)
	}
	return s
}

// spans divides the time up to end into spans of one length.
func (v Evidence) spans(length, end time.Duration) []runlog.Span {
	spans := make([]runlog.Span, end/length+1)
	latencies := make([]load.Histogram, len(spans))
	for i := range spans {
		spans[i] = runlog.Span{At: time.Duration(i) * length, Lasts: length, Counts: map[string]map[runlog.Outcome]int{}}
	}
	for _, r := range v.rounds {
		for _, q := range r.all() {
			i := q.ended() / length
			outcome := q.Outcome
			if q.kind == disconnecting && outcome == runlog.Timeout {
				outcome = runlog.Disconnected // its own time limit ended it, on purpose
			}
			spans[i].Add(q.name, outcome)
			if q.kind == healthy && q.Outcome == runlog.Admitted {
				latencies[i].Add(q.latency())
			}
		}
	}
	for i := range spans {
		spans[i].P50, spans[i].P99 = latencies[i].Quantile(0.5), latencies[i].Quantile(0.99)
	}
	return spans
}

// distributions are the latencies that were compared: those of healthy requests by phase, round by round, and those of each
// kind of faulty request.
func (v Evidence) distributions() (all []runlog.Times) {
	var order []string
	byFault := map[string]*load.Histogram{}
	for _, r := range v.rounds {
		all = append(all,
			distribution(r.prefix+"healthy before", r.before.latencies(), 0),
			distribution(r.prefix+"healthy during", r.healthyDuring().latencies(), r.maxMedian()),
			distribution(r.prefix+"healthy after", r.after.latencies(), 0))
		for _, q := range r.faultyReached() {
			if byFault[q.name] == nil {
				byFault[q.name] = new(load.Histogram)
				order = append(order, q.name)
			}
			byFault[q.name].Add(q.ServiceTime())
		}
	}
	for _, name := range order {
		all = append(all, distribution(name, *byFault[name], 0))
	}
	return all
}

func distribution(name string, l load.Histogram, bound time.Duration) runlog.Times {
	return runlog.Times{
		Name: name, Count: int(l.Count()), //nolint:gosec // a count
		P50: l.Quantile(0.5), P90: l.Quantile(0.9), P99: l.Quantile(0.99), Max: l.Max(), Bound: bound,
	}
}
