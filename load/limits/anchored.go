package limits

import (
	"cmp"
	"slices"
	"time"
)

// anchored are fixed windows that go by no clock: one begins with the first call after the last one ended (INCR and
// EXPIRE of a store). When they begin is not always known; what is known suffices for four statements:
//
//   - within one window's length there are parts of two windows at most, so no more than twice the limit;
//   - the first call after a whole window's length without any begins a window, and so does the first one that is
//     admitted after one was refused; it holds no more than the limit;
//   - two windows begin a whole window's length apart, or more;
//   - whoever is refused finds the limit used up within the last window's length.
type anchored struct {
	Model
	ledger

	slack time.Duration
	// fresh are the instants at which a window certainly began with the next call, in order.
	fresh []time.Duration
}

func newAnchored(m Model, all []decision, l ledger, slack time.Duration) *anchored {
	a := &anchored{Model: m, ledger: l, slack: slack}
	refused := slices.DeleteFunc(slices.Clone(all), func(d decision) bool { return d.outcome != Refused })
	slices.SortFunc(refused, func(a, b decision) int { return cmp.Compare(a.to, b.to) })
	used, next := time.Duration(-1), 0 // when the limit was certainly used up, at the latest before the call in question
	for _, from := range l.certain.from {
		for ; next < len(refused) && refused[next].to < from; next++ {
			used = max(used, refused[next].from)
		}
		oldest := from - m.Window - slack
		idle := oldest >= l.begin && l.atMost(oldest, from-1) == 0
		if idle || used >= 0 && l.atMost(used, from-1) == 0 {
			a.fresh = append(a.fresh, from)
		}
	}
	return a
}

func (a *anchored) used(d decision) float64 {
	// Of two windows, one holds at least half.
	used := float64((a.by(d.to-a.Window+a.slack+1, d)+1)/2 - 1)
	began := upTo(a.fresh, d.to)
	if began > 0 && d.to < a.fresh[began-1]+a.Window-a.slack {
		used = max(used, float64(a.by(a.fresh[began-1], d)-1))
	}
	return used
}

func (a *anchored) over(d decision) bool { return a.used(d) >= float64(a.Limit) || a.early(d) }

// early reports whether the window that this call is in began before the one before it can have ended.
func (a *anchored) early(d decision) bool {
	began := upTo(a.fresh, d.from)
	return began > 1 && d.to < a.fresh[began-2]+a.Window-a.slack
}

func (a *anchored) under(d decision) bool {
	oldest := d.from - a.Window - a.slack
	return oldest >= a.begin && a.others(oldest, d.to) < a.Limit
}
