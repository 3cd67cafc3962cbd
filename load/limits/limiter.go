package limits

import (
	"cmp"
	"slices"
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

// newLimiter returns the limiter that a model describes. It takes every refusal as a sign that this limiter was used up. The slack
// is by how much the limiter's clock may be off at any decision; it does not change the order of the calls.
func newLimiter(m LimiterModel, decisions []decision, a admissions, slack time.Duration) limiter {
	var refusals []decision
	if m.judgedByRefusals() {
		refusals = refusedByEnd(decisions)
	}
	return limiterOf(m, decisions, refusals, a, slack, 1)
}

// newPromise is newLimiter for a limiter beside which others may act: a refusal may be theirs, so it says nothing about what this
// one has left. A call that a promise cannot admit is one more than the limit allows, whatever else there is. Of fixed windows, so
// many are looked at together.
func newPromise(m LimiterModel, decisions []decision, a admissions, slack time.Duration, windows int) limiter {
	return limiterOf(m, decisions, nil, a, slack, windows)
}

// limiterOf is the limiter of a model. The refusals, in the order of refusedByEnd, are those that are its own.
// Of fixed windows, so many are looked at together.
func limiterOf(m LimiterModel, decisions, refusals []decision, a admissions, slack time.Duration, windows int) limiter {
	switch m.Kind {
	case contract.FixedWindow:
		if m.StartsOnRequest {
			return newFirstRequestWindow(m, refusals, a, slack, windows)
		}
		return &clockWindow{m, a, slack, 0, windows}
	case contract.SlidingCounter:
		return &clockWindow{m, a, slack, 1, windows}
	case contract.TokenBucket:
		return newTokenBucket(m, refusals, a, slack)
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
	// implied calls were admitted although the limit was used up, if the calls before them were refused by this limiter and by no
	// other.
	implied []int
}

func (c contradictions) count() int { return len(c.excess) + len(c.spurious) + len(c.implied) }

// contradictionsOf lists the calls that contradict a limiter. It stops at the first one beyond the bound.
func contradictionsOf(l limiter, decisions []decision, bound int) contradictions {
	var found contradictions
	for i := range decisions {
		switch d := &decisions[i]; {
		case d.outcome == Admitted && l.cannotAdmit(d):
			found.excess = append(found.excess, i)
		case d.outcome == Refused && l.cannotRefuse(d):
			found.spurious = append(found.spurious, i)
		default:
			continue
		}
		if found.count() > bound {
			break
		}
	}
	return found
}

// countContradictions counts the calls that contradict a limiter. It stops at the first one beyond the bound.
func countContradictions(l limiter, decisions []decision, bound int) (count int) {
	for i := range decisions {
		if decisions[i].contradicts(l) {
			if count++; count > bound {
				break
			}
		}
	}
	return count
}

// contradicts reports whether a limiter cannot have decided so about the call.
func (d *decision) contradicts(l limiter) bool {
	return d.outcome == Admitted && l.cannotAdmit(d) || d.outcome == Refused && l.cannotRefuse(d)
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

// minUsage counts the calls that were in flight when d was decided, or during the whole interval in which it may have been. A call
// was certainly in flight from the latest instant of its decision until it had been held since the earliest: a gateway frees the
// slot when the upstream's call ends, which is before the caller has the response, and may queue a call before it decides.
func (f *inFlight) minUsage(d *decision) float64 {
	atEnd, throughout := -1, 0
	for i := range f.decisions {
		other := &f.decisions[i]
		if other.outcome != Admitted || d.to >= other.from+other.held {
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

// clockWindow stands for the two kinds whose windows are aligned to a clock. A fixed window forgets what came before its
// boundary (memory 0). A sliding counter adds the calls of the window before, weighted with the share of the current window
// that is still to come (memory 1).
//
// Sliding counters are built in two ways: some admit a call while the estimate is below the limit, others while the estimate
// with the call is not above it. Only a call that contradicts both is a contradiction here.
type clockWindow struct {
	LimiterModel
	admissions

	slack  time.Duration
	memory float64
	// spanned is how many windows are looked at together.
	spanned int
}

// rounding is more than the rounding error of the sums, and less than the weight of any call.
const rounding = 1e-6

func (w *clockWindow) minUsage(d *decision) float64 {
	start := w.windowStart(d.to)
	usage := float64(w.atLeastUntil(start+w.slack, d)) - 1
	for n := 2; w.memory == 0 && n <= w.spanned; n++ {
		// A call near a boundary belongs to one of the two windows, and of several windows one has at least its share.
		calls := w.atLeastUntil(start-time.Duration(n-1)*w.Window+w.slack, d)
		usage = max(usage, float64((calls+n-1)/n-1))
	}
	if w.memory > 0 {
		usage += float64(w.atLeast(start-w.Window+w.slack, start-w.slack-1)) * w.memory * w.remaining(d.to+w.slack, start)
	}
	return usage
}

func (w *clockWindow) cannotAdmit(d *decision) bool {
	return w.minUsage(d) >= float64(w.Limit)-rounding
}

func (w *clockWindow) cannotRefuse(d *decision) bool {
	for start := w.windowStart(d.from - w.slack); start <= d.to+w.slack; start += w.Window {
		oldest := start - time.Duration(w.memory*float64(w.Window)) - w.slack
		if oldest < w.begin {
			return false
		}
		last := min(d.to, start+w.Window+w.slack-1)
		current := w.atMostOthers(start-w.slack, last)
		usage := float64(current)
		if w.memory > 0 {
			// A call at the boundary belongs to one of the two windows. It counts more in the later one.
			before := max(w.atMostOthers(oldest, last)-current, 0)
			usage += float64(before) * w.memory * w.remaining(d.from-w.slack, start)
		}
		if usage > float64(w.Limit)-1+rounding {
			return false
		}
	}
	return true
}

// remaining is the share of the window from start that is still to come, from 0 to 1.
func (w *clockWindow) remaining(at, start time.Duration) float64 {
	return min(max(1-float64(at-start)/float64(w.Window), 0), 1)
}

// firstRequestWindow is a fixed window that is not aligned to a clock: it begins with the first call after the last window
// ended (INCR and EXPIRE of a store). When windows begin is not always known, but four statements hold:
//
//   - the length of n windows contains parts of at most n+1 windows, so at most n+1 times the limit;
//   - the first call after a whole window's length without any begins a window, and so does the first call admitted after one
//     was refused; that window holds no more than the limit;
//   - two windows begin at least a window's length apart;
//   - a refused call means that the limit was used up within the last window's length.
type firstRequestWindow struct {
	LimiterModel
	admissions

	slack time.Duration
	// spanned is how many windows are looked at together.
	spanned int
	// starts are the instants before calls that certainly began a window, in order.
	starts []time.Duration
}

func newFirstRequestWindow(m LimiterModel, refused []decision, a admissions, slack time.Duration, windows int) *firstRequestWindow {
	w := &firstRequestWindow{LimiterModel: m, admissions: a, slack: slack, spanned: windows}
	usedUp, next := time.Duration(-1), 0 // the latest instant, before the call in question, at which the limit was certainly used up
	for _, from := range a.certain.from {
		for ; next < len(refused) && refused[next].to < from; next++ {
			usedUp = max(usedUp, refused[next].from)
		}
		oldest := from - m.Window - slack
		idle := oldest >= a.begin && a.atMost(oldest, from-1) == 0
		begins := idle || usedUp >= 0 && a.atMost(usedUp, from-1) == 0
		if begins && (len(w.starts) == 0 || w.starts[len(w.starts)-1] < from) { // calls that are sent together begin one window
			w.starts = append(w.starts, from)
		}
	}
	return w
}

// refusedByEnd returns the refused calls in the order of the latest instants of their decisions.
func refusedByEnd(decisions []decision) []decision {
	refused := slices.DeleteFunc(slices.Clone(decisions), func(d decision) bool { return d.outcome != Refused })
	slices.SortFunc(refused, func(a, b decision) int { return cmp.Compare(a.to, b.to) })
	return refused
}

func (w *firstRequestWindow) minUsage(d *decision) float64 {
	usage := -1.0
	for n := 1; n <= w.spanned; n++ {
		// n windows' length contains parts of at most n+1 windows, and one of these holds at least its share of the calls.
		calls := w.atLeastUntil(d.to-time.Duration(n)*w.Window+w.slack+1, d)
		usage = max(usage, float64((calls+n)/(n+1)-1))
	}
	begun := countUpTo(w.starts, d.to)
	if begun > 0 && d.to < w.starts[begun-1]+w.Window-w.slack {
		usage = max(usage, float64(w.atLeastUntil(w.starts[begun-1], d)-1))
	}
	return usage
}

func (w *firstRequestWindow) cannotAdmit(d *decision) bool {
	return w.minUsage(d) >= float64(w.Limit) || w.beganEarly(d)
}

// beganEarly reports whether the window of this call began before the previous one can have ended.
func (w *firstRequestWindow) beganEarly(d *decision) bool {
	begun := countUpTo(w.starts, d.from)
	return begun > 1 && d.to < w.starts[begun-2]+w.Window-w.slack
}

func (w *firstRequestWindow) cannotRefuse(d *decision) bool {
	oldest := d.from - w.Window - w.slack
	return oldest >= w.begin && w.atMostOthers(oldest, d.to) < w.Limit
}
