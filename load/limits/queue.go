package limits

import (
	"slices"
	"time"
)

// minQueue is the shortest time over which the answers to calls made at once are spread, by a gateway that lets them wait for each
// other; evenly is the least share of the mean gap between two answers that the median is then. Calls that are slow for other
// reasons come in clumps.
const (
	minQueue = 250 * time.Millisecond
	evenly   = 0.4
)

// queued reports whether calls that were made at once were answered one after the other, and how long after each other: a limit
// that delays calls in place of refusing them does that, and so does a gateway that is slow.
func queued(calls []Call) (apart time.Duration, ok bool) {
	var answered []time.Time
	for _, c := range calls {
		if c.Outcome() == Admitted {
			answered = append(answered, c.Latest)
		}
	}
	if len(answered) < 2*singles {
		return 0, false
	}
	slices.SortFunc(answered, time.Time.Compare)
	gaps := make([]time.Duration, len(answered)-1)
	for i := range gaps {
		gaps[i] = answered[i+1].Sub(answered[i])
	}
	slices.Sort(gaps)
	spread := answered[len(answered)-1].Sub(answered[0])
	apart = spread / time.Duration(len(gaps))
	return apart, spread >= minQueue && float64(gaps[len(gaps)/2]) >= evenly*float64(apart)
}
