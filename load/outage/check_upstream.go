package outage

import (
	"fmt"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// notVisible is why some requirements cannot be tested.
const notVisible = "gatecert cannot observe the calls to this upstream, because it is not gatecert's mock upstream"

// checkAttempts checks how often faulty requests were tried at the upstream.
func (r *round) checkAttempts(all *conclusions) {
	if r.Upstream == nil {
		all.untested(contract.RetriesBounded, notVisible)
		return
	}
	sent := r.faultyReached()
	most := 0
	for _, q := range sent {
		most = max(most, len(q.seen.Attempts))
	}
	over := sent.where(func(q result) bool { return len(q.seen.Attempts) > r.Attempts })
	if len(over) == 0 && len(sent) == 1 {
		all.held(contract.RetriesBounded, "the only faulty request caused %s; the profile allows %d", plain.Count(most, "upstream call"), r.Attempts)
		return
	}
	if len(over) == 0 {
		all.held(contract.RetriesBounded, "each of the %d faulty requests caused at most %s; the profile allows %d", len(sent), plain.Count(most, "upstream call"), r.Attempts)
		return
	}
	all.violated(contract.Finding{
		Requirement: contract.RetriesBounded, Level: contract.Should, Want: fmt.Sprintf("at most %s per request", plain.Count(r.Attempts, "upstream call")),
		Got: fmt.Sprintf("up to %d upstream calls per request; %d of %s exceeded the limit", most, len(over), plain.Count(len(sent), "faulty request")),
	}, certain)
}

// checkCancelled checks that upstream calls ended with the responses to their clients. The upstream's clock is not ours, so
// durations are compared, not instants: a request is sent before it arrives at the upstream, which favours the gateway.
func (r *round) checkCancelled(all *conclusions) {
	if !r.hangs() {
		return // a call that fails at once needs no cancelling
	}
	if r.Upstream == nil {
		all.untested(contract.UpstreamFreed, notVisible)
		return
	}
	sent, usual := r.faultyReached(), r.healthyMedian()
	late := sent.where(func(q result) bool {
		return slices.ContainsFunc(q.seen.Attempts, func(a contract.Attempt) bool {
			return a.Open || a.Duration > q.ServiceTime()+cancelWithin+usual+q.maxLag
		})
	})
	if len(late) == 0 && len(sent) == 1 {
		all.held(contract.UpstreamFreed, "the upstream calls of the only faulty request were cancelled in time")
		return
	}
	if len(late) == 0 {
		all.held(contract.UpstreamFreed, "the upstream calls of all %d faulty requests were cancelled in time", len(sent))
		return
	}
	never := late.where(func(q result) bool {
		return slices.ContainsFunc(q.seen.Attempts, func(a contract.Attempt) bool { return a.Open })
	})
	all.violated(contract.Finding{
		Requirement: contract.UpstreamFreed, Level: contract.Should, Want: fmt.Sprintf("the upstream call to be cancelled within %s of the response", rounded(cancelWithin)),
		Got: fmt.Sprintf("%d of %s had an upstream call that was cancelled too late or not at all (%d not at all)", len(late), plain.Count(len(sent), "faulty request"), len(never)),
	}, r.certainty(late, len(sent)))
}

// checkDisconnects checks that upstream calls ended when their clients disconnected.
func (r *round) checkDisconnects(all *conclusions) {
	switch {
	case len(r.Disconnecting) == 0:
		return
	case r.Upstream == nil:
		all.untested(contract.Departure, notVisible)
		return
	}
	n, goingOn := r.disconnects()
	switch {
	case n == 0:
		all.untested(contract.Departure, "no client disconnected while the upstream was working")
	case tooManyGoOn(len(goingOn), n):
		longest := time.Duration(0)
		for _, q := range goingOn {
			longest = max(longest, q.longestCall())
		}
		all.violated(contract.Finding{
			Requirement: contract.Departure, Level: contract.Should, Want: "the upstream call to be cancelled when the client disconnects",
			Got: fmt.Sprintf("%d of %s continued after the client disconnected; the longest lasted %s", len(goingOn), plain.Count(n, "upstream call"), rounded(longest)),
		}, r.certainty(goingOn, n))
	default:
		all.held(contract.Departure, "%s disconnected; %d of their upstream calls continued (fewer than a quarter may continue)", plain.Count(n, "client"), len(goingOn))
	}
}

// disconnects counts the clients that disconnected while the upstream was working for them, and returns those whose
// upstream calls went on.
func (r *round) disconnects() (n int, goingOn results) {
	for _, q := range r.disconnected {
		if q.Outcome != runlog.Timeout || !q.reachedUpstream() {
			continue // answered before the client disconnected, or never sent to the upstream
		}
		n++
		grace := disconnectGrace
		if r.TimeLimit > 0 {
			grace = min(grace, max(r.TimeLimit-q.ServiceTime(), 0)/2)
		}
		if q.longestCall() > q.ServiceTime()+grace+q.maxLag {
			goingOn = append(goingOn, q)
		}
	}
	return n, goingOn
}

// tooManyGoOn reports whether upstream calls go on after so many disconnects that at least one kind of them is not passed on.
func tooManyGoOn(goingOn, disconnects int) bool {
	return goingOn > 0 && float64(goingOn) >= maxGoingOn*float64(disconnects)
}

// checkOpenCalls checks that no more calls are open at the upstream than before the outage.
func (r *round) checkOpenCalls(all *conclusions) {
	switch {
	case r.Upstream == nil:
		all.untested(contract.NothingLeft, notVisible)
	case r.openAfter == unknown:
		all.untested(contract.NothingLeft, "this upstream does not report how many calls are open")
	case r.openAfter > r.openBefore:
		c := certain
		if r.openAfter-r.openBefore < minAffected {
			c = uncertain
		}
		all.violated(contract.Finding{
			Requirement: contract.NothingLeft, Level: contract.Should, Want: fmt.Sprintf("at most %s open at the upstream, as many as before the outage", plain.Count(r.openBefore, "call")),
			Got: fmt.Sprintf("%s still open at the upstream %s after the last request", plain.Count(r.openAfter, "call"), rounded(cancelWithin)),
		}, c)
	default:
		all.held(contract.NothingLeft, "%s open at the upstream after the outage, compared with %d before the outage", plain.Count(r.openAfter, "call"), r.openBefore)
	}
}
