package outage

import (
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

// checkResponses collects what the responses to faulty requests broke. Each requirement makes one finding: that of the first
// such response, with the number of responses by kind of request.
func (r *round) checkResponses(all *conclusions) {
	type violation struct {
		requirement contract.Requirement
		level       contract.RequirementLevel
	}
	sent := r.faultySent()
	var order []violation
	found, counts := map[violation]contract.Finding{}, map[violation]map[string]int{}
	totals := map[string]int{}
	for _, q := range sent {
		totals[q.name]++
		once := map[violation]bool{}
		for _, f := range q.Findings {
			if !q.reachedUpstream() && !holdsUnreached(f.Requirement) {
				continue
			}
			v := violation{f.Requirement, f.Level}
			if counts[v] == nil {
				found[v], counts[v] = f, map[string]int{}
				order = append(order, v)
			}
			if !once[v] {
				counts[v][q.name]++
			}
			once[v] = true
		}
	}
	for _, v := range order {
		var kinds []string
		for _, name := range slices.Sorted(maps.Keys(counts[v])) {
			kinds = append(kinds, fmt.Sprintf("%d of %d %s", counts[v][name], totals[name], name))
		}
		f := found[v]
		f.Got = fmt.Sprintf("%s, in response to %s requests", f.Got, strings.Join(kinds, ", "))
		all.violated(f, certain)
	}
	if len(order) == 0 {
		all.held(contract.Answered, "all %d faulty requests received the expected error: %s", len(sent), sent.outcomes())
	}
}

// holdsUnreached reports whether a requirement holds for a request that never reached the upstream. An open breaker may
// refuse it with an error of its own, but it must answer; otherwise a gateway that holds requests back forever would be
// judged by the few that it lets through.
func holdsUnreached(r contract.Requirement) bool {
	return r == contract.Answered || r == contract.NotSuccess || r == contract.Whole
}

// checkTimeLimit checks when hanging requests were answered. A request that was tried several times may take the time limit
// each time.
func (r *round) checkTimeLimit(all *conclusions) {
	answered := r.faultyReached().where(func(q result) bool { return q.hangs && q.Outcome != runlog.Timeout })
	if len(answered) == 0 {
		if r.hangs() {
			all.untested(contract.InTime, "no hanging request received a response")
		}
		return
	}
	var times load.Histogram
	first, last := answered[0].ServiceTime(), answered[0].ServiceTime()
	for _, q := range answered {
		times.Add(q.ServiceTime())
		first, last = min(first, q.ServiceTime()), max(last, q.ServiceTime())
	}
	got := fmt.Sprintf("%s answered after %s to %s (median %s)",
		plain.Were(len(answered), "hanging request"), rounded(first), rounded(last), rounded(times.Quantile(0.5)))
	if r.TimeLimit == 0 {
		all.untested(contract.InTime, "%s; this timing cannot be judged, because the profile does not declare limits.timeout", got)
		return
	}
	early := answered.where(func(q result) bool {
		return q.ServiceTime() < r.TimeLimit-time.Duration(earlyShare*float64(r.TimeLimit))-earlyGrace
	})
	usual := r.healthyMedian()
	late := answered.where(func(q result) bool { return r.exceedsLimit(q, lateShare, lateGrace+usual) })
	latest := answered.where(func(q result) bool { return r.exceedsLimit(q, latestShare, latestGrace+usual) })
	finding := contract.Finding{Requirement: contract.InTime, Level: contract.Must, Want: "a response at the declared timeout of " + rounded(r.TimeLimit)}
	switch {
	case len(early) > 0:
		finding.Got = fmt.Sprintf("%s, %d of them too early", got, len(early))
		all.violated(finding, certain)
	case 2*len(late) > len(answered), len(latest) > 0:
		finding.Got = fmt.Sprintf("%s, %d of them too late", got, len(late))
		all.violated(finding, r.certainty(late, len(answered)))
	default:
		all.held(contract.InTime, "%s; the declared timeout is %s", got, rounded(r.TimeLimit))
	}
}

// exceedsLimit reports whether a response came later than the time limit of all attempts, plus a share of it, a grace and the
// generator's lag.
func (r *round) exceedsLimit(q result, share float64, grace time.Duration) bool {
	limit := r.TimeLimit
	if q.seen != nil {
		limit *= time.Duration(len(q.seen.Attempts))
	}
	return q.ServiceTime() > limit+time.Duration(share*float64(limit))+grace+q.maxLag
}
