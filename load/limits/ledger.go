package limits

import (
	"slices"
	"sort"
	"time"
)

// ledger counts the calls that passed a limiter between two instants. Since decisions are intervals, a count is one too:
// what passed certainly, and what passed possibly.
type ledger struct {
	// certain holds the bounds of admitted calls, possible those of failed calls besides. Each slice is sorted by itself.
	certain, possible bounds
	// self is 1 when refused calls count as possible too: the one in question is among them, and has to be left out.
	self int
	// begin is when watching began: what passed before is not known.
	begin time.Duration
}

type bounds struct{ from, to []time.Duration }

// newLedger enters the decisions. refusedCount says that refused calls may use up the limit as well.
func newLedger(all []decision, refusedCount bool) ledger {
	var l ledger
	for i, d := range all {
		if i == 0 || d.from < l.begin {
			l.begin = d.from
		}
		if d.outcome == Admitted {
			l.certain.add(d)
		}
		if d.outcome != Refused || refusedCount {
			l.possible.add(d)
		}
	}
	if refusedCount {
		l.self = 1
	}
	l.certain.sort()
	l.possible.sort()
	return l
}

func (b *bounds) add(d decision) {
	b.from, b.to = append(b.from, d.from), append(b.to, d.to)
}

func (b *bounds) sort() {
	slices.Sort(b.from)
	slices.Sort(b.to)
}

// atLeast is how many calls passed in [from, to], wherever in their intervals they were decided.
func (l ledger) atLeast(from, to time.Duration) int {
	// Whoever ended by then, less whoever may have begun before: a call that did both is subtracted though it was not
	// counted, so the true number is this or more.
	return max(upTo(l.certain.to, to)-below(l.certain.from, from), 0)
}

// atMost is how many calls may have passed in [from, to].
func (l ledger) atMost(from, to time.Duration) int {
	return max(upTo(l.possible.from, to)-below(l.possible.to, from), 0)
}

// others is how many calls may have passed in [from, to], besides a refused one whose answer came at the end of it. Who
// sent a call when that answer had come was later.
func (l ledger) others(from, to time.Duration) int { return max(l.atMost(from, to-1)-l.self, 0) }

// below counts the elements of a sorted slice before an instant.
func below(sorted []time.Duration, instant time.Duration) int {
	return sort.Search(len(sorted), func(i int) bool { return sorted[i] >= instant })
}

// upTo counts the elements of a sorted slice up to an instant.
func upTo(sorted []time.Duration, instant time.Duration) int {
	return sort.Search(len(sorted), func(i int) bool { return sorted[i] > instant })
}
