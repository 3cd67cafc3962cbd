package outage

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/runlog"
)

// judgeHealthy looks whether healthy calls failed beside sick ones, more often than twice as often as before.
func (r *round) judgeHealthy(all *report) {
	calls := r.beside()
	failed := failures(calls)
	usual := float64(len(failures(r.before))) / float64(max(len(r.before), 1))
	if float64(len(failed)) <= math.Floor(2*usual*float64(len(calls))) {
		all.held(contract.HealthyServed, "%d of %d healthy calls failed beside sick ones", len(failed), len(calls))
		return
	}
	all.broken(!r.lasting(failed, len(calls)), contract.Finding{
		Requirement: contract.HealthyServed, Level: contract.Must, Want: "healthy calls answered while others go wrong",
		Got: fmt.Sprintf("%d of %d failed: %s", len(failed), len(calls), outcomes(failed)),
	})
}

// beside are the healthy calls of the outage.
func (r *round) beside() []call {
	return slices.DeleteFunc(slices.Clone(r.during), func(c call) bool { return c.kind != healthy })
}

// judgeTimes compares how long healthy calls took beside sick ones with how long they took alone.
func (r *round) judgeTimes(all *report) {
	beside := r.beside()
	during, admitted := latencies(beside)
	most := r.medianMost()
	if most == 0 {
		all.untested(contract.HealthySpared, "%d of %d healthy calls were answered beside sick ones", admitted, len(beside))
		return
	}
	half := [2]time.Duration{r.quiet(0.5), during.Quantile(0.5)}
	tail := [2]time.Duration{r.quiet(0.99), during.Quantile(0.99)}
	got := fmt.Sprintf("a median of %s and a 99th percentile of %s beside sick calls", took(half[1]), took(tail[1]))
	usual := fmt.Sprintf("%s and %s", took(half[0]), took(tail[0]))
	lag := beside[0].lag
	if half[1] <= most && tail[1] <= max(tailRatio*tail[0], tail[0]+tailGrace)+lag {
		all.held(contract.HealthySpared, "%s, %s alone", got, usual)
		return
	}
	slow := slices.DeleteFunc(slices.Clone(beside), func(c call) bool { return c.latency() <= most })
	all.broken(!r.lasting(slow, len(beside)), contract.Finding{
		Requirement: contract.HealthySpared, Level: contract.Should, Got: got,
		Want: fmt.Sprintf("about as alone: %s, and no more than %d and %d times that", usual, medianRatio, tailRatio),
	})
}

// quiet is a quantile of the healthy calls before or after, whichever was slower: what is still there when the outage is over
// was not its doing.
func (r *round) quiet(quantile float64) time.Duration {
	before, _ := latencies(r.before)
	after, _ := latencies(r.after)
	return max(before.Quantile(quantile), after.Quantile(quantile))
}

// medianMost is the longest that half of the healthy calls may take beside sick ones; 0 when too few of them were answered to
// tell.
func (r *round) medianMost() time.Duration {
	beside := r.beside()
	if _, admitted := latencies(beside); admitted == 0 || 2*admitted < len(beside) {
		return 0
	}
	usual := r.quiet(0.5)
	return max(medianRatio*usual, usual+medianGrace) + beside[0].lag
}

// latencies are those of the calls that were admitted.
func latencies(calls []call) (l load.Histogram, admitted int) {
	for _, c := range calls {
		if c.Outcome == runlog.Admitted {
			l.Add(c.latency())
			admitted++
		}
	}
	return l, admitted
}

// usual is what a healthy call takes beside the sick ones: every sick call may take as much longer. A gateway that is slow
// with everything has another obligation to answer for.
func (r *round) usual() time.Duration {
	beside, _ := latencies(r.beside())
	return beside.Quantile(0.5)
}

// judgeRecovery looks how long healthy calls failed after the outage.
func (r *round) judgeRecovery(all *report) {
	var first []string
	for _, part := range r.Healthy {
		i := slices.IndexFunc(r.after, func(c call) bool { return c.part == part.Name && c.Outcome == runlog.Admitted })
		if i >= 0 {
			first = append(first, fmt.Sprintf("the first %s call succeeded after %s", part.Name, took(r.after[i].ended()-r.outageEnd)))
		}
	}
	failed := failures(r.after)
	switch {
	case !r.well:
		all.broken(len(r.unfit) > 0, contract.Finding{
			Requirement: contract.Recovery, Level: contract.Should, Want: fmt.Sprintf("no failure later than %s after the outage", took(r.Settle)),
			Got: fmt.Sprintf("a healthy call that failed %s after it; of %d %d failed: %s", took(r.recovered), len(r.after), len(failed), outcomes(failed)),
		})
	case r.recovered > 0:
		all.held(contract.Recovery, "%s, the last failed after %s, and then none for %s", strings.Join(first, ", "), took(r.recovered), took(r.After))
	default:
		all.held(contract.Recovery, "%s, and none failed in %s", strings.Join(first, ", "), took(r.After))
	}
}
