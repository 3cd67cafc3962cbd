package limits

import (
	"math"
	"time"
)

// tokenBucket holds, at any instant t, the least of Limit + Refill·(t-s) - (calls admitted in [s, t)) over all s before t:
// since the last s at which it was full it has lost and gained just that. For a bound of its content it is enough to look at
// those s at which a decision begins or ends.
type tokenBucket struct {
	admissions

	// capacity is in tokens, refill in tokens per second.
	capacity, refill float64
	// step is the number of tokens that may come early, where several come at a time.
	step float64
	// slack is the number of tokens that are refilled while the limiter's clock is off.
	slack float64
	// initial is the least content at the first call; with less it could not have admitted what it did.
	initial float64
	// gained[i] is the greatest of refill·from - i over the first i+1 starts of admitted calls, lost[j] the least of
	// j - refill·to over the first j+1 ends of calls that may have been admitted.
	gained, lost []float64
	// A bucket that refuses a call holds less than one token. empty are the ends of the refused calls, in order; sinceEmpty[k]
	// is the greatest of refill·from - (calls that may have been admitted before) over the first k+1 of them.
	empty      []time.Duration
	sinceEmpty []float64
}

func newTokenBucket(m LimiterModel, refusals []decision, a admissions, slack time.Duration) *tokenBucket {
	b := &tokenBucket{admissions: a, capacity: float64(m.Limit), refill: m.Refill, step: float64(m.Step), slack: m.Refill * slack.Seconds()}
	for i, to := range a.certain.to {
		b.initial = max(b.initial, float64(i+1)-b.refill*(to-a.begin).Seconds())
	}
	best := math.Inf(-1)
	for i, from := range a.certain.from {
		best = max(best, b.refill*from.Seconds()-float64(i))
		b.gained = append(b.gained, best)
	}
	best = math.Inf(1)
	for j, to := range a.possible.to {
		best = min(best, float64(j)-b.refill*to.Seconds())
		b.lost = append(b.lost, best)
	}
	best = math.Inf(-1)
	for _, d := range refusals {
		best = max(best, b.refill*d.from.Seconds()-float64(countUpTo(a.certain.from, d.to)))
		b.empty, b.sinceEmpty = append(b.empty, d.to), append(b.sinceEmpty, best)
	}
	return b
}

// minUsage is the greatest number, over all s, of calls that were certainly admitted in [s, d.to] beyond what was refilled
// meanwhile, without the last call.
func (b *tokenBucket) minUsage(d *decision) float64 {
	begun := countUpTo(b.certain.from, d.to)
	if begun == 0 {
		return -1
	}
	needed := float64(countUpTo(b.certain.to, d.to)) + b.gained[begun-1] - b.refill*d.to.Seconds() - b.slack
	// A bucket that must hold 4.2 tokens has a capacity of 5.
	return math.Ceil(needed-rounding) - 1
}

// cannotAdmit reports that the bucket cannot have held enough tokens, or not have gained them since it was last empty.
func (b *tokenBucket) cannotAdmit(d *decision) bool {
	if b.minUsage(d) >= b.capacity+b.step {
		return true
	}
	refusals := countUpTo(b.empty, d.to)
	admitted := float64(countUpTo(b.certain.to, d.to))
	return refusals > 0 && admitted+b.sinceEmpty[refusals-1]-b.refill*d.to.Seconds() > 1+b.step+b.slack+rounding
}

// cannotRefuse reports that, for every s, at least one token was left. The clock may be off, and a step be still to come, wherever
// tokens were refilled; a full bucket is full.
func (b *tokenBucket) cannotRefuse(d *decision) bool {
	admitted := float64(countUpTo(b.possible.from, d.to) - b.own)
	from, late := d.from.Seconds(), b.step+b.slack+rounding
	least := min(b.capacity, b.initial+b.refill*(d.from-b.begin).Seconds()-admitted-late)
	ended := countUpTo(b.possible.to, d.from)
	if ended > 0 {
		least = min(least, b.capacity+b.refill*from-admitted+b.lost[ended-1]-late)
	}
	if ended < len(b.possible.to) {
		least = min(least, b.capacity-admitted+float64(ended)) // calls that may have been decided in the same moment
	}
	return least >= 1
}
