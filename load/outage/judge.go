package outage

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/runlog"
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
	hiccup       = time.Second
	hiccupLag    = 250 * time.Millisecond
	few          = 5
	atLeastOneIn = 10
)

// lasting reports whether what some of so many calls met cannot be a hiccup.
func (r *round) lasting(met []call, of int) bool {
	if len(met) < few || atLeastOneIn*len(met) < of || len(r.unfit) > 0 {
		return false
	}
	first, last := met[0].ended(), met[0].ended()
	for _, c := range met {
		if c.lag > hiccupLag {
			return false
		}
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

// asked are the calls that were meant to go wrong.
func (r *round) asked() []call {
	return slices.DeleteFunc(slices.Clone(r.during), func(c call) bool { return c.kind != sick || !c.Outcome.OfGateway() })
}

// sick are the calls that went wrong at the provider.
func (r *round) sick() []call {
	return slices.DeleteFunc(r.asked(), func(c call) bool { return !c.reached() })
}

// judgeAnswers gathers what every single answer was judged for while it came. Each obligation is one finding: what the first
// such answer broke, and how many there are of each kind of call.
func (r *round) judgeAnswers(all *report) {
	type breach struct {
		obligation contract.Requirement
		severity   contract.RequirementLevel
	}
	calls := r.asked()
	var order []breach
	found, counts := map[breach]contract.Finding{}, map[breach]map[string]int{}
	totals := map[string]int{}
	for _, c := range calls {
		totals[c.part]++
		once := map[breach]bool{}
		for _, f := range c.Findings {
			if !c.reached() && !owedAnyway(f.Requirement) {
				continue
			}
			b := breach{f.Requirement, f.Level}
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

// owedAnyway are the obligations of an answer to a call that never reached the provider. An open breaker may refuse it with an
// error of its own; a gateway that keeps it back for ever would else be judged by the few calls that it let through.
func owedAnyway(o contract.Requirement) bool {
	return o == contract.Answered || o == contract.NotSuccess || o == contract.Whole
}

// judgeTime looks when hung calls were answered. A call that was tried several times may take the limit each time.
func (r *round) judgeTime(all *report) {
	var times load.Histogram
	var first, last time.Duration
	var late []call
	var latest, early int
	usual := r.usual()
	allowed := func(limit time.Duration, share float64, grace time.Duration) time.Duration {
		return limit + time.Duration(share*float64(limit)) + grace + usual
	}
	for _, c := range r.sick() {
		if !c.hangs || c.Outcome == runlog.Timeout || !c.Outcome.OfGateway() {
			continue
		}
		limit := r.Limit
		if c.seen != nil {
			limit *= time.Duration(len(c.seen.Attempts))
		}
		d := c.ServiceTime()
		times.Add(d)
		last = max(last, d)
		if first == 0 || d < first {
			first = d
		}
		if d > allowed(limit, lateShare, lateGrace)+c.lag {
			late = append(late, c)
		}
		count(&latest, d > allowed(limit, latestRatio-1, latestGrace)+c.lag)
		count(&early, d < r.Limit-time.Duration(earlyShare*float64(r.Limit))-earlyGrace)
	}
	n := int(times.Count()) //nolint:gosec // a count
	if n == 0 {
		if r.hangs() {
			all.untested(contract.InTime, "no hung call was answered")
		}
		return
	}
	got := fmt.Sprintf("%d hung calls answered after %s to %s, half of them within %s", n, took(first), took(last), took(times.Quantile(0.5)))
	switch {
	case r.Limit == 0:
		all.untested(contract.InTime, "the profile declares no limits.timeout: %s", got)
	case early > 0:
		all.broken(false, contract.Finding{
			Requirement: contract.InTime, Level: contract.Must, Got: fmt.Sprintf("%s, %d of them too early", got, early),
			Want: "an answer at the declared limit of " + took(r.Limit),
		})
	case 2*len(late) > n, latest > 0:
		all.broken(!r.lasting(late, n), contract.Finding{
			Requirement: contract.InTime, Level: contract.Must, Got: fmt.Sprintf("%s, %d of them too late", got, len(late)),
			Want: "an answer at the declared limit of " + took(r.Limit),
		})
	default:
		all.held(contract.InTime, "%s: the limit is %s", got, took(r.Limit))
	}
}

func count(n *int, yes bool) {
	if yes {
		*n++
	}
}
