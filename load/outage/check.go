package outage

import "time"

// The allowances. Each is what a busy machine was seen to add without anything being wrong, and more. What faulty gateways
// do is far beyond: they wait for a limit of seconds, or for ever.
const (
	// A response to a hanging request is early when it misses the time limit by more than a tenth and earlyGrace. It is late
	// when half of all miss it by more than a quarter and lateGrace, or one by as much again as the limit and latestGrace.
	earlyShare, earlyGrace = 0.1, 100 * time.Millisecond
	lateShare, lateGrace   = 0.25, 250 * time.Millisecond
	latestShare            = 1
	latestGrace            = time.Second
	// Healthy requests are slow when their median is three times that of the baseline and a quarter of a second more, or
	// their 99th percentile five times that of the baseline and a second more.
	medianRatio = 3
	medianGrace = 250 * time.Millisecond
	tailRatio   = 5
	tailGrace   = time.Second
	// disconnectGrace is how long an upstream call may go on after its client has disconnected, or half of what is left of
	// the declared time limit where that is less: a call that ends at the limit was not ended by the disconnect.
	disconnectGrace = 3 * time.Second
	// maxGoingOn is the share of the disconnects after which upstream calls may go on: less than one of the four kinds.
	maxGoingOn = 0.25
)

const (
	// maxStall is the longest stall that is expected of a busy machine. A violation by at least minAffected requests and a
	// tenth of all, over a longer time than that, cannot be a stall, provided that the generator itself did not lag by stallLag.
	maxStall           = time.Second
	stallLag           = 250 * time.Millisecond
	minAffected        = 5
	minAffectedPercent = 10
)

// certainty says whether a stall of this machine could have affected these of so many requests.
func (r *round) certainty(affected results, of int) certainty {
	if len(affected) < minAffected || 100*len(affected) < minAffectedPercent*of || len(r.generator) > 0 {
		return uncertain
	}
	first, last := affected[0].ended(), affected[0].ended()
	for _, a := range affected {
		if a.maxLag > stallLag {
			return uncertain
		}
		first, last = min(first, a.ended()), max(last, a.ended())
	}
	if last-first > maxStall {
		return certain
	}
	return uncertain
}

// check says what the round shows about each requirement.
func (r *round) check() conclusions {
	var all conclusions
	r.checkResponses(&all)
	r.checkTimeLimit(&all)
	r.checkHealthyServed(&all)
	r.checkHealthyLatency(&all)
	r.checkAttempts(&all)
	r.checkCancelled(&all)
	r.checkDisconnects(&all)
	r.checkOpenCalls(&all)
	r.checkRecovery(&all)
	return all
}
