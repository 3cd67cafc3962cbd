package outage

import (
	"fmt"
	"slices"
	"time"

	"github.com/gatecert/gatecert/load"
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
	direct                              []results
	phases                              []runlog.Phase
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
	return slices.Concat(r.before, r.during, r.after, r.disconnected, slices.Concat(r.direct...))
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
		return fmt.Errorf("%w: at %g healthy requests a second the median latency is %s, more than %s", ErrNoBaseline, r.Rate, rounded(median), rounded(most))
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
			reasons = append(reasons, fmt.Sprintf("the median of the requests directly to the upstream was %s, the fastest took %s", rounded(median), rounded(fastest)))
		}
	}
	return reasons
}

// rounded is a duration with as many digits as matter.
func rounded(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= 10*time.Millisecond:
		return d.Round(time.Millisecond).String()
	default:
		return d.Round(10 * time.Microsecond).String()
	}
}
