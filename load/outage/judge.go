package outage

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load"
)

// The allowances. Each is what a loaded machine was seen to add without anything being wrong, and more; what gateways do
// that get it wrong is far beyond: they wait for a limit of seconds, or for ever.
const (
	// A hung call is early when it misses the limit by more than a tenth and earlyGrace. It is late when half of all miss it
	// by more than a quarter and lateGrace, or a single one by as much again as the limit and latestGrace.
	earlyShare, earlyGrace = 0.1, 100 * time.Millisecond
	lateShare, lateGrace   = 0.25, 250 * time.Millisecond
	latestRatio            = 2
	latestGrace            = time.Second
	// Healthy calls are slow when half of them take three times as long as half of them did, and a quarter of a second
	// more, or one in a hundred takes five times as long and a second more.
	medianRatio = 3
	medianGrace = 250 * time.Millisecond
	tailRatio   = 5
	tailGrace   = time.Second
	// departedWithin is how long after a caller has left the provider's call may go on, or half of what is left of the
	// declared limit where that is less: what ends at the limit was not ended by the departure.
	departedWithin = 3 * time.Second

	// hiccup is the longest that a busy machine is thought to stand still. What a tenth of all calls meet, a few at least,
	// and over a longer stretch than that while we ourselves were not late, is no hiccup and needs no second round.
	hiccup     = time.Second
	hiccupLag  = 250 * time.Millisecond
	few        = 5
	notOneInTo = 10
)

// lasting reports whether what some of so many calls met cannot be a hiccup.
func (r *round) lasting(met []call, of int) bool {
	if len(met) < few || notOneInTo*len(met) < of || r.lag > hiccupLag || len(r.unfit) > 0 {
		return false
	}
	first, last := met[0].ended(), met[0].ended()
	for _, c := range met {
		first, last = min(first, c.ended()), max(last, c.ended())
	}
	return last-first > hiccup
}

// judge says what the round shows about each obligation.
func (r *round) judge() report {
	var all report
	r.judgeAnswers(&all)
	r.judgeTime(&all)
	r.judgeHealthy(&all)
	r.judgeTimes(&all)
	r.judgeAttempts(&all)
	r.judgeFreed(&all)
	r.judgeDepartures(&all)
	r.judgeRest(&all)
	r.judgeRecovery(&all)
	return all
}

// sick are the calls that went wrong at the provider.
func (r *round) sick() []call {
	return slices.DeleteFunc(slices.Clone(r.during), func(c call) bool { return c.kind != sick || !c.reached() })
}

// judgeAnswers gathers what every single answer was judged for while it came. Each obligation is one finding: what the first
// such answer broke, and how many there are of each kind of call.
func (r *round) judgeAnswers(all *report) {
	type breach struct {
		obligation contract.Obligation
		severity   contract.Severity
	}
	calls := r.sick()
	var order []breach
	found, counts := map[breach]contract.Finding{}, map[breach]map[string]int{}
	totals := map[string]int{}
	for _, c := range calls {
		totals[c.part]++
		once := map[breach]bool{}
		for _, f := range c.Findings {
			b := breach{f.Obligation, f.Severity}
			if counts[b] == nil {
				found[b], counts[b] = f, map[string]int{}
				order = append(order, b)
			}
			if !once[b] {
				counts[b][c.part]++
			}
			once[b] = true
		}
	}
	for _, b := range order {
		var parts []string
		for _, part := range slices.Sorted(maps.Keys(counts[b])) {
			parts = append(parts, fmt.Sprintf("%d of %d %s", counts[b][part], totals[part], part))
		}
		f := found[b]
		f.Got = fmt.Sprintf("%s, in answer to %s calls", f.Got, strings.Join(parts, ", "))
		all.broken(false, f)
	}
	if len(order) == 0 {
		all.held(contract.Answered, "all %d sick calls answered as their row wants it: %s", len(calls), outcomes(calls))
	}
}

// slack is what is added to the times of sick calls: our own longest lag, and what a healthy call takes beside them. A
// gateway that is slow with everything has obligations of its own to answer for.
func (r *round) slack() time.Duration {
	beside, _ := latencies(r.beside())
	return r.lag + beside.Quantile(0.5)
}

// judgeTime looks when hung calls were answered. A call that was tried several times may take the limit each time.
func (r *round) judgeTime(all *report) {
	var times load.Latencies
	var first, last time.Duration
	var late []call
	var latest, early int
	allowed := func(limit time.Duration, share float64, grace time.Duration) time.Duration {
		return limit + time.Duration(share*float64(limit)) + grace + r.slack()
	}
	for _, c := range r.sick() {
		if !c.hangs || c.Outcome == load.Timeout || !c.Outcome.OfGateway() {
			continue
		}
		limit := r.Limit
		if c.seen != nil {
			limit *= time.Duration(len(c.seen.Attempts))
		}
		d := c.Service()
		times.Add(d)
		last = max(last, d)
		if first == 0 || d < first {
			first = d
		}
		if d > allowed(limit, lateShare, lateGrace) {
			late = append(late, c)
		}
		count(&latest, d > allowed(limit, latestRatio-1, latestGrace))
		count(&early, d < r.Limit-time.Duration(earlyShare*float64(r.Limit))-earlyGrace)
	}
	n := int(times.Count()) //nolint:gosec // a count
	if n == 0 {
		if r.hangs() {
			all.untested(InTime, "no hung call was answered")
		}
		return
	}
	got := fmt.Sprintf("%d hung calls answered after %s to %s, half of them within %s", n, took(first), took(last), took(times.Quantile(0.5)))
	switch {
	case r.Limit == 0:
		all.untested(InTime, "the profile declares no limits.timeout: %s", got)
	case early > 0:
		all.broken(false, contract.Finding{
			Obligation: InTime, Severity: contract.Must, Got: fmt.Sprintf("%s, %d of them too early", got, early),
			Want: "an answer at the declared limit of " + took(r.Limit),
		})
	case 2*len(late) > n, latest > 0:
		all.broken(!r.lasting(late, n), contract.Finding{
			Obligation: InTime, Severity: contract.Must, Got: fmt.Sprintf("%s, %d of them too late", got, len(late)),
			Want: "an answer at the declared limit of " + took(r.Limit),
		})
	default:
		all.held(InTime, "%s: the limit is %s", got, took(r.Limit))
	}
}

func count(n *int, yes bool) {
	if yes {
		*n++
	}
}

// judgeHealthy looks whether healthy calls failed beside sick ones, more often than twice as often as before.
func (r *round) judgeHealthy(all *report) {
	calls := r.beside()
	failed := failures(calls)
	usual := float64(len(failures(r.before))) / float64(len(r.before))
	if float64(len(failed)) <= math.Floor(2*usual*float64(len(calls))) {
		all.held(HealthyServed, "%d of %d healthy calls failed beside sick ones", len(failed), len(calls))
		return
	}
	all.broken(!r.lasting(failed, len(calls)), contract.Finding{
		Obligation: HealthyServed, Severity: contract.Must, Want: "healthy calls answered while others go wrong",
		Got: fmt.Sprintf("%d of %d failed: %s", len(failed), len(calls), outcomes(failed)),
	})
}

// beside are the healthy calls of the outage.
func (r *round) beside() []call {
	return slices.DeleteFunc(slices.Clone(r.during), func(c call) bool { return c.kind != healthy })
}

// judgeTimes compares how long healthy calls took beside sick ones with how long they took alone: before or after,
// whichever was slower. What is still there when the outage is over was not its doing.
func (r *round) judgeTimes(all *report) {
	before, _ := latencies(r.before)
	after, _ := latencies(r.after)
	during, admitted := latencies(r.beside())
	if 2*admitted < len(r.beside()) {
		all.untested(HealthySpared, "%d of %d healthy calls were answered beside sick ones", admitted, len(r.beside()))
		return
	}
	half := [2]time.Duration{max(before.Quantile(0.5), after.Quantile(0.5)), during.Quantile(0.5)}
	tail := [2]time.Duration{max(before.Quantile(0.99), after.Quantile(0.99)), during.Quantile(0.99)}
	got := fmt.Sprintf("a median of %s and a 99th percentile of %s beside sick calls", took(half[1]), took(tail[1]))
	usual := fmt.Sprintf("%s and %s", took(half[0]), took(tail[0]))
	most := medianBound(half[0]) + r.lag
	if half[1] <= most && tail[1] <= max(tailRatio*tail[0], tail[0]+tailGrace)+r.lag {
		all.held(HealthySpared, "%s, %s alone", got, usual)
		return
	}
	slow := slices.DeleteFunc(r.beside(), func(c call) bool { return c.latency() <= most })
	all.broken(!r.lasting(slow, len(r.beside())), contract.Finding{
		Obligation: HealthySpared, Severity: contract.Should, Got: got,
		Want: fmt.Sprintf("about as alone: %s, and no more than %d and %d times that", usual, medianRatio, tailRatio),
	})
}

// medianBound is the longest that half of the healthy calls may take when they used to take so long.
func medianBound(usual time.Duration) time.Duration { return max(medianRatio*usual, usual+medianGrace) }

// latencies are those of the calls that were admitted.
func latencies(calls []call) (l load.Latencies, admitted int) {
	for _, c := range calls {
		if c.Outcome == load.Admitted {
			l.Add(c.latency())
			admitted++
		}
	}
	return l, admitted
}

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
		Obligation: o, Severity: contract.Should, Want: fmt.Sprintf("at most %d attempts at the provider", r.Attempts),
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
	calls := r.sick()
	open := 0
	var late []call
	for _, c := range calls {
		if slices.ContainsFunc(c.seen.Attempts, func(a contract.Attempt) bool {
			return a.Open || a.Duration > c.Service()+freedWithin+r.slack()
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
		Obligation: o, Severity: contract.Should, Want: fmt.Sprintf("the provider's call cancelled within %s of the answer", took(freedWithin)),
		Got: fmt.Sprintf("of %d slow calls %d not cancelled by then, %d of them never", len(calls), len(late), open),
	})
}

// judgeDepartures looks whether the provider's calls ended when their callers left.
func (r *round) judgeDepartures(all *report) {
	switch {
	case len(r.Leaving) == 0:
		return // nobody waits long enough to leave
	case r.Provider == nil:
		all.untested(Departure, untold)
		return
	}
	left, on := r.departed()
	switch {
	case left == 0:
		all.untested(Departure, "no caller could leave while the provider worked")
	case tooMany(len(on), left):
		longest := time.Duration(0)
		for _, c := range on {
			longest = max(longest, c.longest())
		}
		all.broken(!r.lasting(on, left), contract.Finding{
			Obligation: Departure, Severity: contract.Should, Want: "the provider's call cancelled when its caller leaves",
			Got: fmt.Sprintf("%d of %d went on, up to %s after they began", len(on), left, took(longest)),
		})
	default:
		all.held(Departure, "%d callers left, and %d of their calls went on at the provider", left, len(on))
	}
}

// departed counts the callers that left while the provider worked for them, and returns those for which it went on.
func (r *round) departed() (left int, on []call) {
	for _, c := range r.left {
		if c.Outcome != load.Timeout || !c.reached() {
			continue // answered before the caller could leave, or never passed on
		}
		left++
		grace := departedWithin
		if r.Limit > 0 {
			grace = min(grace, max(r.Limit-c.Service(), 0)/2)
		}
		if c.longest() > c.Service()+grace+r.lag {
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
		all.untested(NothingLeft, untold)
	case r.goingAfter < 0:
		all.untested(NothingLeft, "the provider does not tell how many calls are under way")
	case r.goingAfter > r.goingBefore:
		all.broken(r.goingAfter-r.goingBefore < few, contract.Finding{
			Obligation: NothingLeft, Severity: contract.Should, Want: fmt.Sprintf("at most %d calls under way at the provider, as before", r.goingBefore),
			Got: fmt.Sprintf("%d, %s after the end", r.goingAfter, took(freedWithin)),
		})
	default:
		all.held(NothingLeft, "%d calls under way at the provider, %d before", r.goingAfter, r.goingBefore)
	}
}

// judgeRecovery looks how long healthy calls failed after the outage.
func (r *round) judgeRecovery(all *report) {
	var first []string
	for _, part := range r.Healthy {
		i := slices.IndexFunc(r.after, func(c call) bool { return c.part == part.Name && c.Outcome == load.Admitted })
		if i >= 0 {
			first = append(first, fmt.Sprintf("the first %s call succeeded after %s", part.Name, took(r.after[i].ended()-r.outageEnd)))
		}
	}
	failed := failures(r.after)
	switch {
	case !r.well:
		all.broken(len(r.unfit) > 0, contract.Finding{
			Obligation: Recovery, Severity: contract.Should, Want: fmt.Sprintf("no failure later than %s after the outage", took(r.Settle)),
			Got: fmt.Sprintf("a healthy call that failed %s after it; of %d %d failed: %s", took(r.recovered), len(r.after), len(failed), outcomes(failed)),
		})
	case r.recovered > 0:
		all.held(Recovery, "%s, the last failed after %s, and then none for %s", strings.Join(first, ", "), took(r.recovered), took(r.After))
	default:
		all.held(Recovery, "%s, and none failed in %s", strings.Join(first, ", "), took(r.After))
	}
}
