package outage

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Evidence is what a verification rests on.
type Evidence struct {
	// Sentence says what was done.
	Sentence string
	// Checks say what came of each obligation.
	Checks []runlog.Check
	// Rate is how many healthy calls a second the gateway was found to bear: what was asked for, or less.
	Rate float64
	// Calls are all that were made, Sick those that went wrong at the provider.
	Calls, Sick int
	// Rounds is 2 where something had to be looked at again.
	Rounds int
	// UpstreamRecovery is how long after the outage the last healthy call failed, 0 when none did. It is the longest of all rounds.
	Recovery time.Duration
	// Took is the time of it all.
	Took time.Duration
	// Breaches are the answers to sick calls that broke something, each obligation's first one with what it looked like.
	Breaches []load.Violation

	began  time.Time
	rounds []*round
}

func newEvidence(e Experiment) Evidence { return Evidence{Sentence: e.sentence(), began: time.Now()} }

// sentence says what is done.
func (e Experiment) sentence() string {
	var ways []string
	for _, w := range e.Sick {
		ways = append(ways, w.Name)
	}
	return fmt.Sprintf("%g healthy calls a second, alone for %s and for %s with a sick one to every %d of them (%s)",
		e.Rate, took(e.Before), took(e.Outage), healthyToSick, strings.Join(ways, ", "))
}

// add takes a round in.
func (v *Evidence) add(r *round) {
	v.rounds = append(v.rounds, r)
	v.Sentence, v.Rate = r.sentence(), r.Rate
	v.Rounds++
	v.Calls += len(r.all())
	v.Sick += len(r.sick())
	v.Recovery = max(v.Recovery, r.recovered)
	v.Breaches = append(v.Breaches, r.breaches...)
	v.Took = time.Since(v.began)
}

// all are the calls of the round, the witness's last.
func (r *round) all() []call {
	var all []call
	for _, calls := range [][]call{r.before, r.during, r.after, r.left} {
		all = append(all, calls...)
	}
	return append(all, slices.Concat(r.watched...)...)
}

// leastSpan is the shortest stretch that an account tells of: at thirty calls a second it has six of them.
const leastSpan = 200 * time.Millisecond

// Account is the evidence as a log and its charts want it.
func (v Evidence) Account() runlog.LoadSummary {
	a := runlog.LoadSummary{Sentence: v.Sentence, Took: v.Took, Calls: v.Calls, Checks: v.Checks}
	var end time.Duration
	for _, r := range v.rounds {
		a.Phases = append(a.Phases, r.phases...)
		for _, c := range r.all() {
			end = max(end, c.ended())
		}
	}
	length := leastSpan
	for end/length >= runlog.MaxSpans {
		length *= 2
	}
	if v.Calls > 0 {
		a.Spans = v.spans(length, end)
	}
	a.Times = v.times()
	return a
}

// spans cuts the time up to the end into stretches of one length.
func (v Evidence) spans(length, end time.Duration) []runlog.Span {
	spans := make([]runlog.Span, end/length+1)
	times := make([]load.Histogram, len(spans))
	for i := range spans {
		spans[i] = runlog.Span{At: time.Duration(i) * length, Lasts: length, Counts: map[string]map[runlog.Outcome]int{}}
	}
	for _, r := range v.rounds {
		for _, c := range r.all() {
			i := c.ended() / length
			outcome := c.Outcome
			if c.kind == leaving && outcome == runlog.Timeout {
				outcome = runlog.Disconnected // its own time limit ended it, on purpose
			}
			spans[i].Add(c.part, outcome)
			if c.kind == healthy && c.Outcome == runlog.Admitted {
				times[i].Add(c.latency())
			}
		}
	}
	for i := range spans {
		spans[i].P50, spans[i].P99 = times[i].Quantile(0.5), times[i].Quantile(0.99)
	}
	return spans
}

// times are those of the healthy calls before, beside and after the sick ones, round by round as they were compared, and those
// of each kind of sick call.
func (v Evidence) times() (all []runlog.Times) {
	var order []string
	sick := map[string]*load.Histogram{}
	for _, r := range v.rounds {
		before, _ := latencies(r.before)
		beside, _ := latencies(r.beside())
		after, _ := latencies(r.after)
		all = append(all, distribution(r.prefix+"healthy before", before, 0),
			distribution(r.prefix+"healthy beside", beside, r.medianMost()), distribution(r.prefix+"healthy after", after, 0))
		for _, c := range r.sick() {
			if sick[c.part] == nil {
				sick[c.part] = new(load.Histogram)
				order = append(order, c.part)
			}
			sick[c.part].Add(c.ServiceTime())
		}
	}
	for _, part := range order {
		all = append(all, distribution(part, *sick[part], 0))
	}
	return all
}

func distribution(name string, l load.Histogram, bound time.Duration) runlog.Times {
	return runlog.Times{
		Name: name, Count: int(l.Count()), //nolint:gosec // a count
		P50: l.Quantile(0.5), P90: l.Quantile(0.9), P99: l.Quantile(0.99), Max: l.Max(), Bound: bound,
	}
}
