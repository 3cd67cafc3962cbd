package limits

import (
	"slices"
	"sort"
	"time"
)

// ledger counts the calls that use up a limit between two instants. Since decisions are intervals, a count is one too:
// what certainly counts, and what possibly does.
type ledger struct {
	// certain holds the bounds of admitted calls, possible those of failed calls besides. Where refused calls count as
	// well they are in possible too, and in refused. Each slice is sorted by itself.
	certain, possible, refused bounds
	// self is 1 when refused calls count: the one in question is among them, and has to be left out.
	self int
	// begin is when watching began: what passed before is not known.
	begin time.Duration
}

type bounds struct{ from, to []time.Duration }

// newLedger enters the decisions. refusedCount says that refused calls use up the limit as well.
func newLedger(all []decision, refusedCount bool) ledger {
	var l ledger
	for i, d := range all {
		if i == 0 || d.from < l.begin {
			l.begin = d.from
		}
		switch {
		case d.outcome == Admitted:
			l.certain.add(d)
			l.possible.add(d)
		case d.outcome == Failed:
			l.possible.add(d)
		case d.outcome == Refused && refusedCount:
			l.possible.add(d)
			l.refused.add(d)
			l.self = 1
		}
	}
	l.certain.sort()
	l.possible.sort()
	l.refused.sort()
	return l
}

func (b *bounds) add(d decision) {
	b.from, b.to = append(b.from, d.from), append(b.to, d.to)
}

func (b *bounds) sort() {
	slices.Sort(b.from)
	slices.Sort(b.to)
}

// atLeast is how many calls were admitted in [from, to], wherever in their intervals they were decided.
func (l ledger) atLeast(from, to time.Duration) int { return l.certain.atLeast(from, to) }

// by is what certainly counts from an instant on when the last of the calls was admitted that were by the end of d: the
// admitted ones, and the refused ones that were decided before d was sent.
func (l ledger) by(from time.Duration, d decision) int {
	n := l.certain.atLeast(from, d.to)
	if l.self > 0 {
		n += l.refused.atLeast(from, d.from)
	}
	return n
}

func (b *bounds) atLeast(from, to time.Duration) int {
	// Whoever ended by then, less whoever may have begun before: a call that did both is subtracted though it was not
	// counted, so the true number is this or more.
	return max(upTo(b.to, to)-below(b.from, from), 0)
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
