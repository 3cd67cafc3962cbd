package outage

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Evidence is the data behind the findings of a verification.
type Evidence struct {
	rounds []*round
	checks []runlog.Check
	took   time.Duration
}

// play plays a round and adds it, however far it came.
func (v *Evidence) play(ctx context.Context, r *round) error {
	err := r.play(ctx)
	v.rounds, v.took = append(v.rounds, r), time.Since(r.began)
	return err
}

// Response returns the first response to a faulty request that violated a requirement, or nil if none did.
func (v Evidence) Response() *contract.Observation {
	for _, r := range v.rounds {
		for _, violation := range r.violations {
			if violation.Evidence != nil {
				return violation.Evidence
			}
		}
	}
	return nil
}

// sentence says what is done: "30 healthy requests per second, for 1.5s without faulty requests and then for 3s with
// one faulty request per 4 healthy requests (failing, reset)".
func (e Experiment) sentence() string {
	var faults []string
	for _, f := range e.Faulty {
		faults = append(faults, f.Name)
	}
	if e.SlowCalls > 0 && e.hangs() {
		return fmt.Sprintf("%g healthy requests per second, for %s without faulty requests and then for %s with faulty requests (%s); the upstream holds up to %s open",
			e.Rate, rounded(e.Before), rounded(e.Outage), strings.Join(faults, ", "), plain.Count(e.SlowCalls, "faulty request"))
	}
	return fmt.Sprintf("%g healthy requests per second, for %s without faulty requests and then for %s with one faulty request per %d healthy requests (%s)",
		e.Rate, rounded(e.Before), rounded(e.Outage), healthyPerFaulty, strings.Join(faults, ", "))
}

// minSpan is the shortest span of a summary: at thirty requests a second it has six of them.
const minSpan = 200 * time.Millisecond

// Summary returns the evidence in the form in which the log and its charts use it.
func (v Evidence) Summary() runlog.LoadSummary {
	s := runlog.LoadSummary{Took: v.took, Checks: v.checks, Times: v.distributions()}
	var end time.Duration
	for _, r := range v.rounds {
		s.Sentence = r.sentence()
		s.Phases = append(s.Phases, r.phases...)
		for _, q := range r.all() {
			end = max(end, q.ended())
			s.Calls++
		}
	}
	length := minSpan
	for end/length >= runlog.MaxSpans {
		length *= 2
	}
	if s.Calls > 0 {
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
