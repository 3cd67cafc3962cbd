package limits

import (
	"cmp"
	"slices"
	"time"
)

// firstRequestWindow is a fixed window that is not aligned to a clock: it begins with the first call after the last window
// ended (INCR and EXPIRE of a store). When windows begin is not always known, but four statements hold:
//
//   - one window's length contains parts of at most two windows, so at most twice the limit;
//   - the first call after a whole window's length without any begins a window, and so does the first call admitted after one
//     was refused; that window holds no more than the limit;
//   - two windows begin at least a window's length apart;
//   - a refused call means that the limit was used up within the last window's length.
type firstRequestWindow struct {
	LimiterModel
	admissions

	slack time.Duration
	// starts are the instants before calls that certainly began a window, in order.
	starts []time.Duration
}

func newFirstRequestWindow(m LimiterModel, decisions []decision, a admissions, slack time.Duration) *firstRequestWindow {
	w := &firstRequestWindow{LimiterModel: m, admissions: a, slack: slack}
	refused := refusedByEnd(decisions)
	usedUp, next := time.Duration(-1), 0 // the latest instant, before the call in question, at which the limit was certainly used up
	for _, from := range a.certain.from {
		for ; next < len(refused) && refused[next].to < from; next++ {
			usedUp = max(usedUp, refused[next].from)
		}
		oldest := from - m.Window - slack
		idle := oldest >= a.begin && a.atMost(oldest, from-1) == 0
		if idle || usedUp >= 0 && a.atMost(usedUp, from-1) == 0 {
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
	// Of two windows, one holds at least half of the calls.
	usage := float64((w.atLeastUntil(d.to-w.Window+w.slack+1, d)+1)/2 - 1)
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
