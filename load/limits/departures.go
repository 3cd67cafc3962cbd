package limits

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/wait"
	"github.com/gatecert/gatecert/reports/plain"
)

// departures are calls whose callers left before the answer, and what became of their places among the calls under way.
type departures struct {
	// calls are those that were under way when their callers left. What the gateway decided of them is not known.
	calls []Call
	// after are the calls at once, as many as the limit admits, of the attempt after which places were free again or time was up;
	// tried are those of the attempts before.
	after, tried []Call
	// freed is how long after the upstream's calls had ended all places were free again, 0 where they were not.
	freed time.Duration
}

// A gateway may free a slot when it notices that the caller has disconnected, when the upstream call ends, or somewhat later. The slots are therefore
// checked for maxFreeing after the upstream calls have ended, with a pause of freeingPause between attempts.
const (
	maxFreeing   = 5 * time.Second
	freeingPause = 200 * time.Millisecond
)

// leave makes as many calls as were admitted at once, leaves before they are answered, and makes as many again when the upstream's
// calls have ended, until all of these are admitted.
func (v *verifier) leave(ctx context.Context, admitted int) error {
	limit := min(v.declared.Limit, admitted)
	if limit == 0 || v.declared.Limit > v.budget.Concurrency {
		return nil // the limit cannot be reached at once
	}
	if err := wait.For(ctx, 2*releaseLag); err != nil {
		return err
	}
	hold := 4 * v.budget.Hold
	began := time.Now()
	left, err := v.abandon(ctx, limit, hold)
	if err != nil || len(left) == 0 {
		return err
	}
	v.transcript.departures = &departures{calls: left}
	ended := began.Add(hold)
	if err := v.waitUntil(ctx, ended.Add(2*releaseLag)); err != nil {
		return err
	}
	pause := freeingPause
	v.otherCounts(func(d DeclaredLimit, _ int) {
		pause = max(pause, maxFreeing, d.timeToReset()+d.margin()) // each attempt takes some of that limit too
	})
	for d := v.transcript.departures; ; {
		calls, err := v.atOnce(ctx, limit, v.budget.Hold)
		if err != nil {
			return err
		}
		d.tried, d.after = append(d.tried, d.after...), calls
		if count(calls, Admitted) == len(calls) {
			d.freed = max(time.Since(ended)-v.budget.Hold, 1)
			return nil
		}
		if time.Since(ended) > maxFreeing {
			return nil
		}
		if err := wait.For(ctx, pause); err != nil {
			return err
		}
	}
}

// abandon makes calls at once that the upstream holds, and ends them from this side in the middle of that. It returns those that had
// no answer by then.
func (v *verifier) abandon(ctx context.Context, n int, hold time.Duration) ([]Call, error) {
	if err := v.reserve(n); err != nil {
		return nil, err
	}
	until, cancel := context.WithTimeout(ctx, hold/2)
	defer cancel()
	left := make(chan Call, n)
	for range n {
		go func() {
			c := Call{Earliest: time.Now()}
			_, err := v.prober(until, hold)
			c.Ended = time.Now()
			c.Latest = c.Ended
			if err == nil {
				c.Earliest = time.Time{} // it was answered
			}
			left <- c
		}()
	}
	var calls []Call
	for range n {
		if c := <-left; !c.Earliest.IsZero() {
			calls = append(calls, c)
		}
	}
	return calls, withCause(ctx, ctx.Err())
}

// checkDepartures finds places among the calls under way that callers who left still hold.
func (a *assessment) checkDepartures() {
	d := a.departures
	switch {
	case a.declared.Kind != contract.Concurrency:
		a.untested(contract.DepartedFree, "the limit does not count calls in flight")
		return
	case d == nil || len(d.after) == 0:
		a.untested(contract.DepartedFree, "no client disconnected during its call")
		return
	case d.freed > 0:
		a.held(contract.DepartedFree, "%s disconnected during a call; %s after the upstream had finished the abandoned calls, the gateway admitted %s",
			plain.Count(len(d.calls), "client"), round(d.freed), a.allConcurrent(len(d.after)))
		return
	case a.refusedByOthers(d.after):
		a.untested(contract.DepartedFree, "another limit may have refused the calls made after the clients disconnected")
		return
	}
	a.find(contract.DepartedFree, contract.Should,
		fmt.Sprintf("%s admitted within %s after the upstream finishes the disconnected clients' calls", a.allConcurrent(len(d.after)), round(maxFreeing)),
		fmt.Sprintf("%d of %s admitted after %s disconnected", count(d.after, Admitted), plain.Count(len(d.after), "concurrent call"), plain.Count(len(d.calls), "client")))
}

// allConcurrent names the calls at once that followed the departures: as many as were admitted before, and no more than the limit.
func (a *assessment) allConcurrent(n int) string {
	switch {
	case a.declared.Limit == 1:
		return "the one call that the limit allows"
	case n == 1:
		return "the one call"
	default:
		return fmt.Sprintf("all %d concurrent calls", n)
	}
}

// refusedByOthers reports whether another limit than the one under test may have refused one of the calls.
func (a *assessment) refusedByOthers(calls []Call) bool {
	if a.others == nil {
		return false
	}
	with := *a
	with.calls = slices.Concat(a.calls, a.departures.calls, a.departures.tried)
	first := len(with.calls)
	with.calls = append(with.calls, calls...)
	for i, c := range calls {
		if c.Outcome() == Refused && with.byOthers(first+i) {
			return true
		}
	}
	return false
}
