package outage

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/wait"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

const (
	// usualAtOnce is how many held requests are sent at once: with the calls that fail in an outage, pools of up to 80 places are seen to
	// lose some. Where a profile asks for more slow calls, as many are held.
	usualAtOnce = 64
	// longestHold is how long the upstream holds each of them; half of the declared time limit where that is less.
	longestHold = 750 * time.Millisecond
	// beforeAttempts is how often they are sent before the outage while this machine cannot send them in time.
	beforeAttempts = 3
	// afterAttempts is how often they are sent after the outage while fewer fit than before. The attempts are spread over
	// RecoveryLimit, because a gateway may take its time to free what failed calls held.
	afterAttempts = 8
	// lostShare and lostLeast are how many fewer than before have to fit before that counts.
	lostShare = 0.1
	lostLeast = 2
)

// Hold returns how long the upstream must hold each request of [Experiment.Held]. timeLimit is the declared time limit, or 0 if there is none.
func Hold(timeLimit time.Duration) time.Duration {
	if timeLimit <= 0 {
		return longestHold
	}
	return min(longestHold, timeLimit/2)
}

// atOncePhase sends the held requests so fast that the upstream has all of them before it answers the first. It is the zero phase where
// the engine may not have more than one at a time.
func (e Experiment) atOncePhase(engine Engine, name string) load.Phase {
	caps := engine.Caps()
	within := Hold(e.TimeLimit) / 2
	n := min(max(usualAtOnce, e.SlowCalls), caps.Connections, int(caps.Rate*within.Seconds()))
	if n < lostLeast {
		return load.Phase{}
	}
	p := e.phase(name, float64(n)/within.Seconds(), within, e.Held)
	p.Connections = n
	return p
}

// atOnce is how many calls of a gateway the upstream had at once.
type atOnce struct {
	sent, held int
	// refused counts those that were refused with 429.
	refused int
	// conclusive says that all of them were sent in time, and did not trickle through.
	conclusive bool
}

// playAtOnce sends the held requests once, and asks the upstream how many of them it had at the same time.
func (r *round) playAtOnce(ctx context.Context, name string) (found atOnce, err error) {
	phase := r.atOncePhase(r.engine, name)
	m, err := r.engine.Run(ctx, phase)
	sent := make(results, 0, len(m.Results))
	for _, measured := range m.Results {
		sent = append(sent, result{
			Result: measured, name: phase.Mix[measured.Request].Name, phaseStart: m.Started.Sub(r.began), maxLag: m.Generator.Lag.Max(), kind: held,
		})
	}
	r.heldCalls = append(r.heldCalls, sent...)
	if err != nil {
		return found, err
	}
	r.addPhases(name, m.Started.Sub(r.began), m, held)
	if err := r.fetchSeen(ctx, sent, time.Now().Add(cancelWithin)); err != nil {
		return found, err
	}
	found = atOnce{sent: len(sent), held: mostAtOnce(sent), refused: len(sent.where(func(q result) bool { return q.Outcome == runlog.Refused }))}
	first, last := time.Duration(0), time.Duration(0)
	for i, q := range sent {
		if i == 0 {
			first = q.Sent
		}
		first, last = min(first, q.Sent), max(last, q.Sent)
	}
	hold := Hold(r.TimeLimit)
	found.conclusive = !m.Generator.Undersent && last-first < hold*3/4 && !trickled(sent, hold)
	return found, nil
}

// trickled reports whether calls still came to the upstream one by one when those that had places had long come, and the first of them was
// not answered yet: a busy machine, or a slow gateway, bounds how many there are at once, and not their places.
func trickled(sent results, hold time.Duration) bool {
	var arrived []time.Time
	for _, q := range sent {
		for _, a := range q.seen.Attempts {
			arrived = append(arrived, a.Arrived)
		}
	}
	if len(arrived) == 0 {
		return false
	}
	first, late := slices.MinFunc(arrived, time.Time.Compare), 0
	for _, at := range arrived {
		if after := at.Sub(first); after > hold*65/100 && after < hold*95/100 {
			late++
		}
	}
	return late > lostLeast
}

// mostAtOnce returns how many calls the upstream had at the same time, by its own clock.
func mostAtOnce(sent results) (most int) {
	type change struct {
		at time.Time
		by int
	}
	var changes []change
	for _, q := range sent {
		for _, a := range q.seen.Attempts {
			changes = append(changes, change{a.Arrived, 1}, change{a.Arrived.Add(a.Duration), -1})
		}
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.by, b.by)) })
	n := 0
	for _, c := range changes {
		n += c.by
		most = max(most, n)
	}
	return most
}

// playAtOnceBefore finds out how many calls fit before the outage, and waits until the gateway serves healthy requests again where
// these calls were too many for it.
func (r *round) playAtOnceBefore(ctx context.Context) (err error) {
	if len(r.Held) == 0 || r.Upstream == nil || r.atOncePhase(r.engine, "").Rate == 0 {
		return nil
	}
	for range beforeAttempts {
		if r.fitBefore, err = r.playAtOnce(ctx, "at once before"); err != nil {
			return err
		}
		if r.fitBefore.conclusive {
			break
		}
	}
	for began := time.Now(); len(r.heldCalls.failures()) > 0 && time.Since(began) < r.RecoveryLimit; {
		sent, err := r.send(ctx, r.recoveryPhase(), healthy)
		if err != nil || len(sent.failures()) == 0 {
			return err
		}
	}
	return nil
}

// playAtOnceAfter finds out how many fit after it. While they are fewer it tries again, until RecoveryLimit is over.
func (r *round) playAtOnceAfter(ctx context.Context) error {
	if !r.fitBefore.conclusive || !r.recovered {
		return nil
	}
	for attempt := range afterAttempts {
		if attempt > 0 {
			if err := wait.For(ctx, r.RecoveryLimit/(afterAttempts-1)); err != nil {
				return err
			}
		}
		found, err := r.playAtOnce(ctx, "at once after")
		if err != nil {
			return err
		}
		r.fitAfter = append(r.fitAfter, found)
		if found.conclusive && !r.lost(found) {
			return nil
		}
	}
	return r.playOneByOne(ctx)
}

// playOneByOne sends as many healthy requests as there were held ones, at the usual rate, where some of those were refused. Where these
// are refused too, it is the number of calls that is limited, and not how many there may be at once.
func (r *round) playOneByOne(ctx context.Context) error {
	last := r.fitAfter[len(r.fitAfter)-1]
	if last.refused == 0 {
		return nil
	}
	phase := r.oneByOnePhase(last.sent)
	sent, err := r.send(ctx, phase, healthy)
	r.countLimited = len(sent.where(func(q result) bool { return q.Outcome == runlog.Refused })) > 0
	return err
}

// oneByOnePhase sends so many healthy requests at the usual rate.
func (e Experiment) oneByOnePhase(n int) load.Phase {
	return e.healthyPhase("one by one", e.Rate, time.Duration(float64(n)/e.Rate*float64(time.Second)))
}

// lost reports whether certainly fewer calls fit than before the outage.
func (r *round) lost(after atOnce) bool {
	missing := r.fitBefore.held - after.held
	return missing >= lostLeast && float64(missing) >= lostShare*float64(r.fitBefore.held)
}

// checkAtOnce checks that as many calls fit after the outage as before it.
func (r *round) checkAtOnce(all *conclusions) {
	switch {
	case r.Upstream == nil:
		all.untested(contract.CapacityKept, notVisible)
		return
	case r.fitBefore.sent == 0:
		all.untested(contract.CapacityKept, "the number of concurrent calls before the outage was not measured")
		return
	case !r.recovered:
		all.untested(contract.CapacityKept, "calls still failed after the outage, even when they were sent one at a time")
		return
	}
	conclusive := slices.DeleteFunc(slices.Clone(r.fitAfter), func(a atOnce) bool { return !a.conclusive })
	if len(conclusive) == 0 {
		all.untested(contract.CapacityKept, "%d concurrent calls did not reach the upstream at the same time: this machine or the gateway is too slow", r.fitBefore.sent)
		return
	}
	best := slices.MaxFunc(conclusive, func(a, b atOnce) int { return cmp.Compare(a.held, b.held) })
	switch {
	case !r.lost(best):
		all.held(contract.CapacityKept, "after the outage, %d of %d concurrent calls reached the upstream at the same time (%d before the outage)", best.held, best.sent, r.fitBefore.held)
	case r.countLimited:
		all.untested(contract.CapacityKept, "after the outage, %d of %d concurrent calls reached the upstream at the same time (%d before the outage), but a rate limit may have refused the others",
			best.held, best.sent, r.fitBefore.held)
	default:
		c := certain
		if len(conclusive) < 3 {
			c = uncertain
		}
		all.violated(contract.Finding{
			Requirement: contract.CapacityKept, Level: contract.Should,
			Want: fmt.Sprintf("about the same number of concurrent calls at the upstream as before the outage (%d of %d)", r.fitBefore.held, r.fitBefore.sent),
			Got:  fmt.Sprintf("at most %s at the upstream in %s; the last attempt ended %s after the outage", plain.Count(best.held, "concurrent call"), plain.Count(len(conclusive), "attempt"), rounded(r.lastAttempt())),
		}, c)
	}
}

// lastAttempt is how long after the outage the last held call was over.
func (r *round) lastAttempt() (last time.Duration) {
	for _, q := range r.heldCalls {
		last = max(last, q.ended()-r.outageEnd)
	}
	return last
}
