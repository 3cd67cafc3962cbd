package outage

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// round is one pass through the phases of an experiment: what was sent, with the results. Instants count from began, when the
// verification began.
type round struct {
	Experiment

	engine Engine
	began  time.Time
	// prefix stands before the names of its phases and distributions: "again: " in a second round.
	prefix string

	// The requests of each phase. direct are those that bypassed the gateway, by phase.
	before, during, after, disconnected results
	// heldCalls are the held ones, sent all at once. fitBefore is how many fitted before the outage, fitAfter how many in each attempt
	// after it; countLimited says that a limit on their number refused them.
	heldCalls    results
	fitBefore    atOnce
	fitAfter     []atOnce
	countLimited bool
	direct       []results
	phases       []runlog.Phase
	// violations are the requirements that responses to faulty requests violated.
	violations []load.Violation
	// outageEnd is when the last faulty request was answered, and lastFailure how long after that the last healthy request
	// failed, 0 when none did. recovered says that no healthy request fails any more.
	outageEnd, lastFailure time.Duration
	recovered              bool
	// openBefore and openAfter are the calls that were open at the upstream, before the outage and after it; unknown where
	// nobody counts.
	openBefore, openAfter int
	// generator are the reasons why the load generator could not keep up, none when it could.
	generator []string
}

// unknown stands for a number that cannot be known.
const unknown = -1

// all returns the requests of all phases, the direct ones last.
func (r *round) all() results {
	return slices.Concat(r.before, r.during, r.after, r.disconnected, r.heldCalls, slices.Concat(r.direct...))
}

// healthyDuring are the healthy requests of the outage.
func (r *round) healthyDuring() results {
	return r.during.where(func(q result) bool { return q.kind == healthy })
}

// faultySent are the requests that were meant to fail at the upstream.
func (r *round) faultySent() results {
	return r.during.where(func(q result) bool { return q.kind == faulty && q.Outcome.OfGateway() })
}

// faultyReached are those of them that did reach the upstream.
func (r *round) faultyReached() results { return r.faultySent().where(result.reachedUpstream) }

const (
	// maxBaselineFailures is the share of healthy requests that may fail before the outage.
	maxBaselineFailures = 0.05
	// maxBaselineMedian is the longest median latency before the outage, and a quarter of the declared time limit where that is
	// less. Beyond it requests pile up already, and what an outage adds cannot be told apart.
	maxBaselineMedian = time.Second
	// maxDirectSlowdown is how much slower the median of the direct requests may be than the fastest of them. They take one
	// or two milliseconds on an idle machine.
	maxDirectSlowdown = 50 * time.Millisecond
)

// checkBaseline returns [ErrNoBaseline] when the gateway fails or is slow before the outage.
func (r *round) checkBaseline() error {
	failed := r.before.failures()
	if float64(len(failed)) > maxBaselineFailures*float64(len(r.before)) {
		return fmt.Errorf("%w: %d of %d healthy requests failed: %s", ErrNoBaseline, len(failed), len(r.before), failed.outcomes())
	}
	most := maxBaselineMedian
	if r.TimeLimit > 0 {
		most = min(most, r.TimeLimit/4)
	}
	usual := r.before.latencies()
	if median := usual.Quantile(0.5); median > most {
		return fmt.Errorf("%w: at %g healthy requests per second, the median latency is %s, but must be at most %s: try a lower rate (load.rate)", ErrNoBaseline, r.Rate, rounded(median), rounded(most))
	}
	return nil
}

// slowDirect returns a sentence for each phase in which the direct requests were slow, so that this machine was busy.
func (r *round) slowDirect() (reasons []string) {
	fastest := time.Hour
	for _, q := range slices.Concat(r.direct...) {
		if q.Outcome == runlog.Admitted {
			fastest = min(fastest, q.latency())
		}
	}
	for _, phase := range r.direct {
		times := phase.latencies()
		if median := times.Quantile(0.5); median > fastest+maxDirectSlowdown {
			reasons = append(reasons, fmt.Sprintf("requests sent directly to the upstream had a median latency of %s, although the fastest took only %s, so this machine was busy", rounded(median), rounded(fastest)))
		}
	}
	return reasons
}

// rounded is a duration with as many digits as matter.
func rounded(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		d = d.Round(100 * time.Millisecond)
	case d >= time.Second:
		d = d.Round(10 * time.Millisecond)
	case d >= 10*time.Millisecond:
		d = d.Round(time.Millisecond)
	default:
		d = d.Round(10 * time.Microsecond)
	}
	return plain.Duration(d)
}

// kind is what a request is sent for.
type kind int

const (
	healthy kind = iota
	faulty
	disconnecting
	held
	direct
)

// result is one request of a round and what came of it.
type result struct {
	load.Result

	// name is that of its kind of request.
	name string
	kind kind
	// hangs says that only the gateway's time limit could end it.
	hangs bool
	// phaseStart is when its phase began, since the verification began. The result's own instants count from there.
	phaseStart time.Duration
	// maxLag is the generator's longest lag in its phase: anything else may be late by as much.
	maxLag time.Duration
	// seen is what the upstream saw of a faulty or disconnecting request; nil when the upstream cannot be asked.
	seen *contract.Seen
}

// latency is how long the client waited. The wait for a connection counts only where all were in use, which is the gateway's
// doing.
func (r result) latency() time.Duration {
	if r.Waited {
		return r.Latency()
	}
	return r.ServiceTime()
}

// ended is when the request was over, since the verification began.
func (r result) ended() time.Duration { return r.phaseStart + r.End }

// reachedUpstream reports whether the request got to the upstream; true where the upstream cannot be asked.
func (r result) reachedUpstream() bool { return r.seen == nil || len(r.seen.Attempts) > 0 }

// longestCall is the duration of the longest upstream call of the request.
func (r result) longestCall() (longest time.Duration) {
	for _, a := range r.seen.Attempts {
		longest = max(longest, a.Duration)
	}
	return longest
}

// results are requests of one round in the order in which they ended.
type results []result

// where returns the requests for which keep is true.
func (all results) where(keep func(result) bool) results {
	return slices.DeleteFunc(slices.Clone(all), func(r result) bool { return !keep(r) })
}

// failures are the requests that the gateway did not serve.
func (all results) failures() results {
	return all.where(func(r result) bool { return r.Outcome.Failed() })
}

// latencies are those of the requests that succeeded.
func (all results) latencies() (l load.Histogram) {
	for _, r := range all {
		if r.Outcome == runlog.Admitted {
			l.Add(r.latency())
		}
	}
	return l
}

// outcomes counts the requests by outcome, the most frequent first: "7 with 503 (error-5xx), 1 without a response (timeout)".
func (all results) outcomes() string {
	counts := map[string]int{}
	for _, r := range all {
		switch {
		case r.Status == 0:
			counts[fmt.Sprintf("without a response (%s)", r.Outcome)]++
		case r.Status/100 == 2 && r.Outcome == runlog.Error5xx:
			counts[fmt.Sprintf("with an error in a stream that had already started (%d)", r.Status)]++
		default:
			counts[fmt.Sprintf("with %d (%s)", r.Status, r.Outcome)]++
		}
	}
	texts := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for i, text := range texts {
		texts[i] = fmt.Sprintf("%d %s", counts[text], text)
	}
	return strings.Join(texts, ", ")
}
