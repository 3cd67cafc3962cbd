package limits

import (
	"math"
	"slices"
	"time"
)

// minQueue is the shortest time over which a gateway that queues calls spreads its responses to concurrent calls. uneven is the largest share of
// these responses that may arrive earlier or later than at a constant rate. If calls are slow for other reasons, most responses do not arrive at a
// constant rate.
const (
	minQueue = 250 * time.Millisecond
	uneven   = 0.2
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
	spread := answered[len(answered)-1].Sub(answered[0])
	apart = spread / time.Duration(len(answered)-1)
	for i, at := range answered {
		if d := float64(at.Sub(answered[0]))/float64(spread) - float64(i)/float64(len(answered)-1); math.Abs(d) > uneven {
			return 0, false
		}
	}
	return apart, spread >= minQueue
}
