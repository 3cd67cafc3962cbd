package outage

import (
	"fmt"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// judgeAttempts looks how often sick calls were tried at the provider.
func (r *round) judgeAttempts(all *report) {
	const o = contract.RetriesBounded
	if r.Provider == nil {
		all.untested(o, untold)
		return
	}
	most, over, calls := 0, 0, r.sick()
	for _, c := range calls {
		n := len(c.seen.Attempts)
		most = max(most, n)
		count(&over, n > r.Attempts)
	}
	if over == 0 {
		all.held(o, "%d sick calls were tried at most %s at the provider", len(calls), times(most))
		return
	}
	all.broken(false, contract.Finding{
		Requirement: o, Level: contract.Should, Want: fmt.Sprintf("at most %d attempts at the provider", r.Attempts),
		Got: fmt.Sprintf("up to %d, in %d of %d sick calls", most, over, len(calls)),
	})
}

// untold is why some obligations cannot be looked at.
const untold = "the provider is not ours to look into"

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// judgeFreed looks whether the provider's calls ended with the answers to the callers. The provider's clock is not ours, so
// the times that both took are compared: a call is sent before it arrives there, which can only make a gateway look better.
func (r *round) judgeFreed(all *report) {
	const o = contract.UpstreamFreed
	if !r.hangs() {
		return // whose provider fails at once has nothing to cancel
	}
	if r.Provider == nil {
		all.untested(o, untold)
		return
	}
	calls, usual := r.sick(), r.usual()
	open := 0
	var late []call
	for _, c := range calls {
		if slices.ContainsFunc(c.seen.Attempts, func(a contract.Attempt) bool {
			return a.Open || a.Duration > c.ServiceTime()+freedWithin+usual+c.lag
		}) {
			late = append(late, c)
		}
		count(&open, slices.ContainsFunc(c.seen.Attempts, func(a contract.Attempt) bool { return a.Open }))
	}
	if len(late) == 0 {
		all.held(o, "the provider's calls of %d slow calls were all cancelled", len(calls))
		return
	}
	all.broken(!r.lasting(late, len(calls)), contract.Finding{
		Requirement: o, Level: contract.Should, Want: fmt.Sprintf("the provider's call cancelled within %s of the answer", took(freedWithin)),
		Got: fmt.Sprintf("of %d slow calls %d not cancelled by then, %d of them never", len(calls), len(late), open),
	})
}

// judgeDepartures looks whether the provider's calls ended when their callers left.
func (r *round) judgeDepartures(all *report) {
	switch {
	case len(r.Leaving) == 0:
		return // nobody waits long enough to leave
	case r.Provider == nil:
		all.untested(contract.Departure, untold)
		return
	}
	left, on := r.departed()
	switch {
	case left == 0:
		all.untested(contract.Departure, "no caller could leave while the provider worked")
	case tooMany(len(on), left):
		longest := time.Duration(0)
		for _, c := range on {
			longest = max(longest, c.longest())
		}
		all.broken(!r.lasting(on, left), contract.Finding{
			Requirement: contract.Departure, Level: contract.Should, Want: "the provider's call cancelled when its caller leaves",
			Got: fmt.Sprintf("%d of %d went on, up to %s after they began", len(on), left, took(longest)),
		})
	default:
		all.held(contract.Departure, "%d callers left, and %d of their calls went on at the provider", left, len(on))
	}
}

// departed counts the callers that left while the provider worked for them, and returns those for which it went on.
func (r *round) departed() (left int, on []call) {
	for _, c := range r.left {
		if c.Outcome != runlog.Timeout || !c.reached() {
			continue // answered before the caller could leave, or never passed on
		}
		left++
		grace := departedWithin
		if r.Limit > 0 {
			grace = min(grace, max(r.Limit-c.ServiceTime(), 0)/2)
		}
		if c.longest() > c.ServiceTime()+grace+c.lag {
			on = append(on, c)
		}
	}
	return left, on
}

// tooMany reports whether a quarter of those who left were not passed on, which is one of the four ways to wait.
func tooMany(on, left int) bool { return on > 0 && 4*on >= left }

// longest is how long the provider worked for the call at one go.
func (c call) longest() (longest time.Duration) {
	for _, a := range c.seen.Attempts {
		longest = max(longest, a.Duration)
	}
	return longest
}

// judgeRest looks whether as few calls are under way at the provider as before.
func (r *round) judgeRest(all *report) {
	switch {
	case r.Provider == nil:
		all.untested(contract.NothingLeft, untold)
	case r.goingAfter < 0:
		all.untested(contract.NothingLeft, "the provider does not tell how many calls are under way")
	case r.goingAfter > r.goingBefore:
		all.broken(r.goingAfter-r.goingBefore < few, contract.Finding{
			Requirement: contract.NothingLeft, Level: contract.Should, Want: fmt.Sprintf("at most %d calls under way at the provider, as before", r.goingBefore),
			Got: fmt.Sprintf("%d, %s after the end", r.goingAfter, took(freedWithin)),
		})
	default:
		all.held(contract.NothingLeft, "%d calls under way at the provider, %d before", r.goingAfter, r.goingBefore)
	}
}
