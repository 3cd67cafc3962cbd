package limits

import (
	"slices"
	"sort"
	"time"
)

// admissions counts the calls that use up a limit between two instants. A decision is an interval, so the count has a lower
// and an upper bound: the calls that certainly count, and those that possibly do.
type admissions struct {
	// certain are the admitted calls, possible these and the failed ones. Where refused calls count too, they are in possible
	// and in refused.
	certain, possible, refused intervals
	// own is 1 where refused calls count: the refused call in question is then among them and has to be subtracted.
	own int
	// begin is when the first call was sent. What the limiter admitted earlier is not known.
	begin time.Duration
}

// countAdmissions counts the calls that passed the limiter.
func countAdmissions(decisions []decision) admissions {
	var a admissions
	for i := range decisions {
		d := &decisions[i]
		if i == 0 || d.from < a.begin {
			a.begin = d.from
		}
		switch d.outcome {
		case Admitted:
			a.certain.add(d)
			a.possible.add(d)
		case Failed:
			a.possible.add(d)
		case Refused, ignored:
		}
	}
	a.certain.sort()
	a.possible.sort()
	return a
}

// countAttempts counts refused calls too.
func countAttempts(decisions []decision) admissions {
	a := countAdmissions(decisions)
	for i := range decisions {
		if d := &decisions[i]; d.outcome == Refused {
			a.possible.add(d)
			a.refused.add(d)
			a.own = 1
		}
	}
	a.possible.sort()
	a.refused.sort()
	return a
}

// atLeast is the least number of calls that were admitted in [from, to].
func (a admissions) atLeast(from, to time.Duration) int { return a.certain.atLeast(from, to) }

// atLeastUntil is the least number of calls that count from an instant up to the latest call admitted no later than d.to: the
// admitted ones, and the refused ones that were decided before d was sent.
func (a admissions) atLeastUntil(from time.Duration, d *decision) int {
	n := a.certain.atLeast(from, d.to)
	if a.own > 0 {
		n += a.refused.atLeast(from, d.from)
	}
	return n
}

// atMost is the largest number of calls that may have counted in [from, to].
func (a admissions) atMost(from, to time.Duration) int { return a.possible.atMost(from, to) }

// atMostOthers is the largest number of calls that may have counted in [from, to], without the refused call whose response
// arrived at to. A call that was sent at the same instant may have come before: clocks of some machines tick every 15 ms.
func (a admissions) atMostOthers(from, to time.Duration) int {
	return max(a.atMost(from, to)-a.own, 0)
}

// intervals holds the bounds of decisions. Each slice is sorted by itself.
type intervals struct{ from, to []time.Duration }

func (s *intervals) add(d *decision) { s.from, s.to = append(s.from, d.from), append(s.to, d.to) }

func (s *intervals) sort() {
	slices.Sort(s.from)
	slices.Sort(s.to)
}

// atLeast is the least number of instants in [from, to], wherever each is in its interval. An interval that covers [from, to] is
// subtracted although it was not counted, so the true number may be higher.
func (s *intervals) atLeast(from, to time.Duration) int {
	return max(countUpTo(s.to, to)-countBelow(s.from, from), 0)
}

// atMost is the largest number of instants in [from, to].
func (s *intervals) atMost(from, to time.Duration) int {
	return max(countUpTo(s.from, to)-countBelow(s.to, from), 0)
}

// countBelow counts the elements of a sorted slice that are before an instant.
func countBelow(sorted []time.Duration, instant time.Duration) int {
	return sort.Search(len(sorted), func(i int) bool { return sorted[i] >= instant })
}

// countUpTo counts the elements of a sorted slice that are not after an instant.
func countUpTo(sorted []time.Duration, instant time.Duration) int {
	return sort.Search(len(sorted), func(i int) bool { return sorted[i] > instant })
}
