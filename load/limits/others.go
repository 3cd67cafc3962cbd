package limits

import (
	"context"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// others are the limits that are declared beside the one under test. A refusal may be theirs. Before the first call, they were left
// alone until they had forgotten all calls, where their windows are not longer than a verification waits.
type others struct {
	limits []DeclaredLimit
	// before and after are the calls of the same key before those of the transcript, and after them.
	before, after []Call
}

// byOthers reports whether one of the other limits may have refused a call: that it had room is not certain.
func (a *assessment) byOthers(call int) bool {
	if a.others == nil {
		return false
	}
	calls := slices.Concat(a.others.before, a.calls, a.others.after)
	origin := slices.MinFunc(calls, func(x, y Call) int { return x.Earliest.Compare(y.Earliest) }).Earliest
	decisions := decisionsOf(calls, origin)
	refusal := &decisions[len(a.others.before)+call]
	return slices.ContainsFunc(a.others.limits, func(d DeclaredLimit) bool {
		switch {
		case d.Kind == contract.Concurrency:
			return !(&inFlight{d.Limit, decisions}).cannotRefuse(refusal)
		case d.Tokens:
			return mayLackTokens(d, calls, decisions, refusal)
		default:
			return mayBeUsedUp(d, decisions, refusal)
		}
	})
}

// mayBeUsedUp reports whether a limit on calls may have had no room for one, whatever its kind.
func mayBeUsedUp(d DeclaredLimit, decisions []decision, refusal *decision) bool {
	usage := d.usage(decisions)
	oldest := refusal.from - max(d.timeToReset(), d.Window) - d.Slack
	least := min(d.Limit, d.capacity())
	if oldest >= usage.begin || d.Window <= LongestVerified {
		return usage.atMostOthers(oldest, refusal.to) >= least
	}
	// What was used of a long window before the first call is not known.
	shortly := d.shortlyAfter(refusal, decisions)
	return float64(usage.atLeast(refusal.to+1, refusal.to+shortly)) <= d.freedIn(shortly)
}

// shortlyAfter is a time after a refusal in which little of a limit is freed, as far as calls were made in it. A limit that was used up
// admits few calls in it.
func (d DeclaredLimit) shortlyAfter(refusal *decision, decisions []decision) time.Duration {
	return min(d.Window/20, max(decisions[len(decisions)-1].to-refusal.to, 0))
}

// freedIn is how much of a limit that is used up is freed in a time, and one call more.
func (d DeclaredLimit) freedIn(t time.Duration) float64 {
	return float64(d.Limit)*t.Seconds()/d.Window.Seconds() + 1
}

// mayLackTokens reports whether a limit on tokens may have had too few for a call. Gateways count them in different ways, so that
// half of the limit has to be free.
func mayLackTokens(d DeclaredLimit, calls []Call, decisions []decision, refusal *decision) bool {
	oldest, shortly := refusal.from-2*d.Window-d.Slack, d.shortlyAfter(refusal, decisions)
	least := min(d.Limit, d.capacity())
	used, after := 0, 0
	for i := range decisions {
		c, tokens := &decisions[i], max(calls[i].Tokens.Of(d.Part), calls[i].Asked.Of(d.Part), smallCall)
		switch {
		case c == refusal:
			used += tokens
		case c.outcome != Refused && c.to >= oldest && c.from <= refusal.to:
			used += tokens
		case c.outcome == Admitted && c.from > refusal.to && c.to <= refusal.to+shortly:
			after += tokens
		}
	}
	if oldest >= 0 || d.Window <= LongestVerified {
		return 2*used > least
	}
	return float64(after) <= d.freedIn(shortly)+smallCall
}

// otherCounts calls yield with the limits beside the one under test that count calls over time, as far as a verification waits for their
// windows, and how many calls each admits after a rest.
func (v *verifier) otherCounts(yield func(d DeclaredLimit, admits int)) {
	for _, d := range v.alongside {
		if d.Kind != contract.Concurrency && !d.Tokens && d.Window <= LongestVerified {
			yield(d, min(d.Limit, d.capacity()))
		}
	}
}

// sparing is a number of calls that leaves half of each other limit.
func (v *verifier) sparing(calls int) int {
	v.otherCounts(func(_ DeclaredLimit, admits int) { calls = min(calls, max(admits/2, 1)) })
	return calls
}

// makeRoom waits until the other limits have room for some calls, where they had remembered too many.
func (v *verifier) makeRoom(ctx context.Context, calls int) error {
	var until time.Time
	v.otherCounts(func(d DeclaredLimit, admits int) {
		forgets, used := d.timeToReset()+d.margin(), 0
		for _, c := range v.calls {
			if (d.RefusedCount || c.Outcome() != Refused) && time.Since(c.Latest) < forgets {
				used++
			}
		}
		if at := v.lastUsed().Add(forgets); used+calls > admits && used > 0 && at.After(until) {
			until = at
		}
	})
	return v.waitUntil(ctx, until)
}
