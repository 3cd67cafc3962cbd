package limits

import (
	"slices"
	"time"

	"github.com/gatecert/gatecert/reports/runlog"
)

// transcript is everything that a verification recorded, whether it was finished or not.
type transcript struct {
	began time.Time
	took  time.Duration
	// calls are those of the limited key, and streaming ones where these share its limit.
	calls  []Call
	phases []runlog.Phase
	// The control key made the calls of baseline while the limited key was idle, and those of during while that was over its limit.
	baseline, during []Call
	// streams are the latest streaming calls that were made while the limit was used up.
	streams []Call
	// upstream429s are the calls that the upstream answered with 429, all of them when calledThrottled.
	upstream429s    []Call
	calledThrottled bool
	// recovery is the time from the end of the initial burst to the first admitted call, 0 when none was. nil: not measured.
	recovery *time.Duration
	// departures are the calls whose callers left, nil where none did.
	departures *departures
	// refusedCost is what refused calls cost, nil where it was not measured.
	refusedCost *float64
}

// dropWindow is how long before its last response a gateway that goes away may have dropped calls.
const dropWindow = time.Second

// discardAfterShutdown removes the calls that ended when the gateway no longer answered, and those that it dropped just before.
func (t *transcript) discardAfterShutdown() {
	last := failuresOf(slices.Concat(t.calls, t.baseline, t.during, t.streams, t.upstream429s)).lastResponse
	dropped := func(c Call) bool {
		return c.Ended.After(last) || c.Observation.Failure != nil && c.Ended.After(last.Add(-dropWindow))
	}
	for _, calls := range []*[]Call{&t.calls, &t.baseline, &t.during, &t.streams, &t.upstream429s} {
		*calls = slices.DeleteFunc(*calls, dropped)
	}
}

// inPhase returns the indices of the calls of a phase.
func (t *transcript) inPhase(p phase) []int {
	var indices []int
	for i, c := range t.calls {
		if c.phase == p {
			indices = append(indices, i)
		}
	}
	return indices
}

// phase is a part of a verification. What is found in it belongs to a requirement of its own.
type phase string

const (
	phaseInitialBurst phase = "initial burst" // bursts until a call is refused, whatever the key was used for before
	phaseRecovery     phase = "recovery"      // single calls until one is admitted again
	phaseSustained    phase = "sustained"     // whatever is freed is used up, until a window after the initial burst
	phaseSequential   phase = "sequential"    // one call at a time, on an idle limiter, until one is refused
	phaseStreaming    phase = "streaming"     // streaming calls, while the limit is used up
	phaseOverLimit    phase = "over limit"    // further calls, while the limit is used up
	phaseBurst        phase = "burst"         // calls at once, on an idle limiter
	phaseDepartures   phase = "departures"    // calls whose callers leave, and calls at once after them
)
