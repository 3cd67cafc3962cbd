package limits

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// contradictions are the calls that a model cannot explain, by their place among the calls.
type contradictions struct {
	// over were admitted although the limit was certainly used up, under were refused although it certainly was not.
	over, under []int
}

func (c contradictions) count() int { return len(c.over) + len(c.under) }

// limiter judges single decisions in the light of everything that passed.
type limiter interface {
	// used is how much of the limit was certainly used up when the last of the calls was admitted that were by the end of
	// d, or -1 without any. The least limit that can have admitted them is the next whole number above.
	used(d decision) float64
	// over says that the limiter cannot have admitted this call and those that passed before it.
	over(d decision) bool
	// under says that the limiter cannot have refused this call.
	under(d decision) bool
}

// contradicting lists the calls that a limiter cannot explain. The search ends once there are more than the bound.
func contradicting(rule limiter, all []decision, bound int) contradictions {
	var found contradictions
	for i, d := range all {
		switch {
		case d.outcome == Admitted && rule.over(d):
			found.over = append(found.over, i)
		case d.outcome == Refused && rule.under(d):
			found.under = append(found.under, i)
		}
		if found.count() > bound {
			break
		}
	}
	return found
}

// newLimiter makes the rule of a model. The slack is by how much the limiter's own clock may be wrong whenever it
// decides; it does not change which call came before which.
func newLimiter(m Model, all []decision, l ledger, slack time.Duration) limiter {
	switch m.Kind {
	case contract.FixedWindow:
		if m.Anchored {
			return newAnchored(m, all, l, slack)
		}
		return &clocked{m, l, slack, 0}
	case contract.SlidingCounter:
		return &clocked{m, l, slack, 1}
	case contract.TokenBucket:
		return newTokens(m, all, l, slack)
	case contract.Concurrency:
		return &underWay{m.Limit, all}
	case None:
		return unlimited{}
	default:
		return &sliding{m, l, slack}
	}
}

// unlimited never refuses.
type unlimited struct{}

func (unlimited) used(decision) float64 { return -1 }
func (unlimited) over(decision) bool    { return false }
func (unlimited) under(decision) bool   { return true }

// sliding is the log: no window, wherever it begins, holds more than the limit.
type sliding struct {
	Model
	ledger

	slack time.Duration
}

func (s *sliding) used(d decision) float64 { return float64(s.by(d.to-s.Window+s.slack+1, d) - 1) }

func (s *sliding) over(d decision) bool { return s.used(d) >= float64(s.Limit) }

func (s *sliding) under(d decision) bool {
	oldest := d.from - s.Window - s.slack
	return oldest >= s.begin && s.others(oldest, d.to) < s.Limit
}

// clocked are the two kinds that go by windows of the clock. The fixed window forgets what came before its boundary
// (memory 0); the sliding counter remembers a share of it that fades through the window (memory 1).
//
// Counters are built in two ways: some admit while the estimate is below the limit, others while the call still fits
// under it. Here a call is a contradiction only if it is one to both.
type clocked struct {
	Model
	ledger

	slack  time.Duration
	memory float64
}

// rounding is more than sums of fractions can be wrong by, and less than any call weighs.
const rounding = 1e-6

func (c *clocked) used(d decision) float64 {
	start := c.start(d.to)
	used := float64(c.by(start+c.slack, d)) - 1
	if c.memory > 0 {
		used += float64(c.atLeast(start-c.Window+c.slack, start-c.slack-1)) * c.memory * c.ahead(d.to+c.slack, start)
	}
	return used
}

func (c *clocked) over(d decision) bool { return c.used(d) >= float64(c.Limit)-rounding }

func (c *clocked) under(d decision) bool {
	for start := c.start(d.from - c.slack); start <= d.to+c.slack; start += c.Window {
		oldest := start - time.Duration(c.memory*float64(c.Window)) - c.slack
		if oldest < c.begin {
			return false
		}
		used := float64(c.others(start-c.slack, min(d.to, start+c.Window+c.slack-1)))
		if c.memory > 0 {
			used += float64(c.atMost(oldest, start+c.slack-1)) * c.memory * c.ahead(d.from-c.slack, start)
		}
		if used > float64(c.Limit)-1+rounding {
			return false
		}
	}
	return true
}

// start is the last boundary at or before an instant.
func (c *clocked) start(at time.Duration) time.Duration {
	into := (at - c.Phase) % c.Window
	if into < 0 {
		into += c.Window
	}
	return at - into
}

// ahead is the share of a window that is still to come.
func (c *clocked) ahead(at, start time.Duration) float64 {
	return min(max(1-float64(at-start)/float64(c.Window), 0), 1)
}

// tokens is the bucket. At any instant t it holds the least of Burst + Refill·(t-s) - (passed in [s, t)) over all s
// before t: since the last s at which it was full it has lost and gained just that. So for a bound of what it holds it
// is enough to look at those s at which a decision begins or ends.
type tokens struct {
	ledger

	burst, refill float64
	// slack is what comes while the limiter's clock is wrong.
	slack float64
	// initial is what the bucket held at least when watching began, or it could not have admitted what it did.
	initial float64
	// gained[i] is the greatest of Refill·from - i over the first i+1 starts, lost[j] the least of j - Refill·to over the
	// first j+1 ends.
	gained, lost []float64
	// Whenever a call was refused the bucket held less than one token. empty are the ends of refused calls, in order;
	// since[k] is the greatest of Refill·from - (those that may have passed before) over the first k+1 of them.
	empty []time.Duration
	since []float64
}

func newTokens(m Model, all []decision, l ledger, slack time.Duration) *tokens {
	t := &tokens{ledger: l, burst: float64(m.Burst), refill: m.Refill, slack: m.Refill * slack.Seconds()}
	for i, to := range l.certain.to {
		t.initial = max(t.initial, float64(i+1)-t.refill*(to-l.begin).Seconds())
	}
	best := math.Inf(-1)
	for i, from := range l.certain.from {
		best = max(best, t.refill*from.Seconds()-float64(i))
		t.gained = append(t.gained, best)
	}
	best = math.Inf(1)
	for j, to := range l.possible.to {
		best = min(best, float64(j)-t.refill*to.Seconds())
		t.lost = append(t.lost, best)
	}
	refused := make([]decision, 0, len(all))
	for _, d := range all {
		if d.outcome == Refused {
			refused = append(refused, d)
		}
	}
	slices.SortFunc(refused, func(a, b decision) int { return cmp.Compare(a.to, b.to) })
	best = math.Inf(-1)
	for _, d := range refused {
		best = max(best, t.refill*d.from.Seconds()-float64(below(l.certain.from, d.to)))
		t.empty, t.since = append(t.empty, d.to), append(t.since, best)
	}
	return t
}

// used is the greatest number, over all s, that has certainly passed in [s, d.to] and that the bucket cannot have gained
// meanwhile, but for the last call.
func (t *tokens) used(d decision) float64 {
	begun := upTo(t.certain.from, d.to)
	if begun == 0 {
		return -1
	}
	needed := float64(upTo(t.certain.to, d.to)) + t.gained[begun-1] - t.refill*d.to.Seconds() - t.slack
	// A bucket that needs to hold 4.2 tokens has room for 5.
	return math.Ceil(needed-rounding) - 1
}

// over: the bucket cannot have held so much, or not have gained it since it was empty.
func (t *tokens) over(d decision) bool {
	if t.used(d) >= t.burst {
		return true
	}
	refusals := upTo(t.empty, d.to)
	passed := float64(upTo(t.certain.to, d.to))
	return refusals > 0 && passed+t.since[refusals-1]-t.refill*d.to.Seconds() > 1+t.slack+rounding
}

// under: for every s, at least one token was left.
func (t *tokens) under(d decision) bool {
	passed := float64(below(t.possible.from, d.to) - t.self)
	from := d.from.Seconds()
	least := min(t.burst, t.initial+t.refill*(d.from-t.begin).Seconds()-passed)
	ended := upTo(t.possible.to, d.from)
	if ended > 0 {
		least = min(least, t.burst+t.refill*from-passed+t.lost[ended-1])
	}
	if ended < len(t.possible.to) {
		least = min(least, t.burst-passed+float64(ended)) // those that may have been decided in the same moment
	}
	return least >= 1+t.slack+rounding
}

// underWay counts the calls that are not over.
type underWay struct {
	limit int
	all   []decision
}

// parting is how long after the caller has seen the end of an answer a gateway may still count the call: it frees the
// place after the last write, and a scheduler may be between the two.
const parting = 50 * time.Millisecond

// used counts those that were under way when d was decided, or all the time that it may have been.
func (u *underWay) used(d decision) float64 {
	then, throughout := -1, 0
	for _, other := range u.all {
		if other.outcome != Admitted || d.to >= other.to+other.held {
			continue
		}
		if other.to <= d.to {
			then++
		}
		if other.to <= d.from {
			throughout++
		}
	}
	return float64(max(then, throughout))
}

func (u *underWay) over(d decision) bool { return u.used(d) >= float64(u.limit) }

func (u *underWay) under(d decision) bool {
	n := 0
	for _, other := range u.all {
		if other.outcome != Refused && other.from <= d.to && other.ended+parting >= d.from {
			n++
		}
	}
	return n < u.limit
}
