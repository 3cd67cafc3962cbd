package limits

import (
	"time"

	"github.com/gatecert/gatecert/contract"
)

// limiter decides for single calls, knowing all calls, whether a limiter with certain parameters can have answered so.
type limiter interface {
	// minUsage returns a lower bound on how much of the limit was used before the latest call admitted no later than d.to,
	// without that call; -1 if there is none. The smallest limit that can have admitted these calls is the next whole number
	// above.
	minUsage(d *decision) float64
	// cannotAdmit reports that the limiter cannot have admitted this call and those admitted before it.
	cannotAdmit(d *decision) bool
	// cannotRefuse reports that the limiter cannot have refused this call.
	cannotRefuse(d *decision) bool
}

// newLimiter returns the limiter that a model describes. The slack is by how much the limiter's clock may be off at any
// decision; it does not change the order of the calls.
func newLimiter(m LimiterModel, decisions []decision, a admissions, slack time.Duration) limiter {
	switch m.Kind {
	case contract.FixedWindow:
		if m.StartsOnRequest {
			return newFirstRequestWindow(m, decisions, a, slack)
		}
		return &clockWindow{m, a, slack, 0}
	case contract.SlidingCounter:
		return &clockWindow{m, a, slack, 1}
	case contract.TokenBucket:
		return newTokenBucket(m, decisions, a, slack)
	case contract.Concurrency:
		return &inFlight{m.Limit, decisions}
	default:
		return &slidingLog{m, a, slack}
	}
}

// contradictions are the calls that contradict a limiter, by their index.
type contradictions struct {
	// excess calls were admitted although the limit was certainly used up.
	excess []int
	// spurious calls were refused although capacity was certainly left.
	spurious []int
}

func (c contradictions) count() int { return len(c.excess) + len(c.spurious) }

// contradictionsOf lists the calls that contradict a limiter. It stops at the first one beyond the bound.
func contradictionsOf(l limiter, decisions []decision, bound int) contradictions {
	var found contradictions
	for i := range decisions {
		switch d := &decisions[i]; {
		case d.outcome == Admitted && l.cannotAdmit(d):
			found.excess = append(found.excess, i)
		case d.outcome == Refused && l.cannotRefuse(d):
			found.spurious = append(found.spurious, i)
		}
		if found.count() > bound {
			break
		}
	}
	return found
}

// slidingLog admits no more than the limit in any window, wherever it begins.
type slidingLog struct {
	LimiterModel
	admissions

	slack time.Duration
}

func (s *slidingLog) minUsage(d *decision) float64 {
	return float64(s.atLeastUntil(d.to-s.Window+s.slack+1, d) - 1)
}

func (s *slidingLog) cannotAdmit(d *decision) bool { return s.minUsage(d) >= float64(s.Limit) }

func (s *slidingLog) cannotRefuse(d *decision) bool {
	oldest := d.from - s.Window - s.slack
	return oldest >= s.begin && s.atMostOthers(oldest, d.to) < s.Limit
}

// inFlight limits the calls that have not ended.
type inFlight struct {
	limit     int
	decisions []decision
}

// releaseLag is how long after the caller has seen the end of a response a gateway may still count the call: it releases the
// slot after its last write, and the scheduler may run something else in between.
const releaseLag = 50 * time.Millisecond

// minUsage counts the calls that were in flight when d was decided, or during the whole interval in which it may have been.
func (f *inFlight) minUsage(d *decision) float64 {
	atEnd, throughout := -1, 0
	for i := range f.decisions {
		other := &f.decisions[i]
		if other.outcome != Admitted || d.to >= other.to+other.held {
			continue
		}
		if other.to <= d.to {
			atEnd++
		}
		if other.to <= d.from {
			throughout++
		}
	}
	return float64(max(atEnd, throughout))
}

func (f *inFlight) cannotAdmit(d *decision) bool { return f.minUsage(d) >= float64(f.limit) }

func (f *inFlight) cannotRefuse(d *decision) bool {
	n := 0
	for i := range f.decisions {
		other := &f.decisions[i]
		if other.outcome != Refused && other.from <= d.to && other.ended+releaseLag >= d.from {
			n++
		}
	}
	return n < f.limit
}
