package outage

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// checkHealthyServed checks that healthy requests failed at most twice as often during the outage as before.
func (r *round) checkHealthyServed(all *conclusions) {
	sent := r.healthyDuring()
	failed := sent.failures()
	usual := float64(len(r.before.failures())) / float64(max(len(r.before), 1))
	if float64(len(failed)) <= math.Floor(2*usual*float64(len(sent))) {
		all.held(contract.HealthyServed, "%d of %d healthy requests failed during the outage", len(failed), len(sent))
		return
	}
	all.violated(contract.Finding{
		Requirement: contract.HealthyServed, Level: contract.Must,
		Want: fmt.Sprintf("a failure rate at most twice as high as before the outage (%d of %d healthy requests failed then)", len(r.before.failures()), len(r.before)),
		Got:  fmt.Sprintf("%d of %d healthy requests failed: %s", len(failed), len(sent), failed.outcomes()),
	}, r.certainty(failed, len(sent)))
}

// checkHealthyLatency compares the latency of healthy requests during the outage with the baseline.
func (r *round) checkHealthyLatency(all *conclusions) {
	sent := r.healthyDuring()
	during := sent.latencies()
	most := r.maxMedian()
	if most == 0 {
		all.untested(contract.HealthySpared, "only %d of %d healthy requests succeeded during the outage: latencies are compared only if at least half succeed", during.Count(), len(sent))
		return
	}
	median, tail := during.Quantile(0.5), during.Quantile(0.99)
	usualMedian, usualTail := r.baseline(0.5), r.baseline(0.99)
	got := fmt.Sprintf("a median latency of %s and a 99th percentile of %s during the outage", rounded(median), rounded(tail))
	usual := fmt.Sprintf("%s and %s", rounded(usualMedian), rounded(usualTail))
	if median <= most && tail <= runlog.MaxTail(usualTail)+sent[0].maxLag {
		all.held(contract.HealthySpared, "%s, compared with %s without the outage", got, usual)
		return
	}
	slow := sent.where(func(q result) bool { return q.latency() > most })
	all.violated(contract.Finding{
		Requirement: contract.HealthySpared, Level: contract.Should, Got: got,
		Want: fmt.Sprintf("about the same latency as without the outage (%s): a median at most %d times as high and a 99th percentile at most %d times as high", usual, runlog.MedianRatio, runlog.TailRatio),
	}, r.certainty(slow, len(sent)))
}

// baseline is a quantile of the healthy requests before or after the outage, whichever is higher: what is still slow after
// the outage was not slowed down by it.
func (r *round) baseline(quantile float64) time.Duration {
	before, after := r.before.latencies(), r.after.latencies()
	return max(before.Quantile(quantile), after.Quantile(quantile))
}

// maxMedian is the highest median latency that healthy requests may have during the outage; 0 when too few of them
// succeeded.
func (r *round) maxMedian() time.Duration {
	sent := r.healthyDuring()
	latencies := sent.latencies()
	if n := int(latencies.Count()); n == 0 || 2*n < len(sent) { //nolint:gosec // a count
		return 0
	}
	usual := r.baseline(0.5)
	return runlog.MaxMedian(usual) + sent[0].maxLag
}

// healthyMedian is the median latency of healthy requests during the outage. A faulty request may take as much longer: a
// gateway that is slow with everything is reported by checkHealthyLatency.
func (r *round) healthyMedian() time.Duration {
	during := r.healthyDuring().latencies()
	return during.Quantile(0.5)
}

// checkRecovery checks how long healthy requests failed after the outage.
func (r *round) checkRecovery(all *conclusions) {
	var first []string
	for _, h := range r.Healthy {
		i := slices.IndexFunc(r.after, func(q result) bool { return q.name == h.Name && q.Outcome == runlog.Admitted })
		if i >= 0 {
			first = append(first, fmt.Sprintf("the first %s request succeeded after %s", h.Name, rounded(r.after[i].ended()-r.outageEnd)))
		}
	}
	failed := r.after.failures()
	switch {
	case !r.recovered:
		c := certain
		if len(r.generator) > 0 {
			c = uncertain
		}
		all.violated(contract.Finding{
			Requirement: contract.Recovery, Level: contract.Should, Want: fmt.Sprintf("no failure later than %s after the outage", rounded(r.RecoveryLimit)),
			Got: fmt.Sprintf("a healthy request failed %s after the outage; %d of %d healthy requests failed: %s", rounded(r.lastFailure), len(failed), len(r.after), failed.outcomes()),
		}, c)
	case r.lastFailure > 0:
		all.held(contract.Recovery, "%s; the last request that failed did so %s after the outage, and none failed in the next %s", strings.Join(first, ", "), rounded(r.lastFailure), rounded(r.After))
	default:
		all.held(contract.Recovery, "%s; no request failed in the %s after the outage", strings.Join(first, ", "), rounded(r.After))
	}
}
