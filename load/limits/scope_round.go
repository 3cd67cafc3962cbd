package limits

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
)

// scopeRound is what came of a round: the calls of the other, and those at once of the limited caller just before and just after.
type scopeRound struct {
	before, theirs, after []Call
	// sparedTheirs and sparedAfter are how many calls the used-up limit may have admitted until the end of theirs and after.
	sparedTheirs, sparedAfter int
	// mostSpared is how many that are at most if the round is to show that the limit is shared.
	mostSpared int
}

// judge decides by a round. The limited caller's own calls are the control: with as good as none of them admitted before and after, the
// limit was used up between them, for whoever shares it.
func (r scopeRound) judge() Sharing {
	admitted, refused := count(r.theirs, Admitted), count(r.theirs, Refused)
	ownAdmitted, ownRefused := count(r.after, Admitted), count(r.after, Refused)
	switch {
	case admitted+refused < len(r.theirs) || len(r.theirs) <= r.sparedTheirs:
		return Unclear
	case admitted <= r.sparedTheirs && r.sparedTheirs <= r.mostSpared:
		return Shared
	case refused == 0 && ownAdmitted <= r.sparedAfter && ownAdmitted+ownRefused == len(r.after) && ownRefused > 0:
		return Apart
	default:
		return Unclear
	}
}

func (r scopeRound) String() string {
	return fmt.Sprintf("after the limit was used up, the gateway admitted %d of %s by the other caller. Of the limited caller's calls, the gateway admitted %d of %d just before the other caller's calls and %d of %d just after them",
		count(r.theirs, Admitted), plain.Count(len(r.theirs), "call"), count(r.before, Admitted), len(r.before), count(r.after, Admitted), len(r.after))
}

// afterUse uses the limit up, lets the other call, and calls again as the limited caller.
//
// A new window may begin between any two calls. If it begins for both callers, it has a call left after theirs, since these are less
// than the limit; that call is then admitted, and the round does not decide.
func (s *scopeInference) afterUse(ctx context.Context) (Sharing, string, error) {
	r, empty, err := s.useUp(ctx)
	if err != nil || r.before == nil {
		return Unclear, "gatecert could not use up the limit again", err
	}
	theirs := s.others()
	if s.model.Kind == contract.FixedWindow || s.model.Kind == contract.SlidingLog {
		theirs = min(s.least()-1, theirs)
	}
	if r.theirs, err = s.callAs(ctx, s.other, theirs); err != nil {
		return Unclear, "", err
	}
	r.sparedTheirs, r.mostSpared = s.spared(empty, r.theirs), s.others()-max(s.controlsBetween(), 2)-1
	if r.after, err = s.callAs(ctx, s.limited, min(mostAsked, s.budget.Concurrency)); err != nil {
		return Unclear, "", err
	}
	r.sparedAfter = s.spared(empty, r.after)
	return r.judge(), r.String(), nil
}

// useUp uses the limit up, and calls until of calls that were all sent afterwards no more were admitted than a used-up limit admits. One
// refused call does not say that: it may have been in the last window, and others of the same burst in the next one; or one of several
// instances with counters of their own may have refused it. empty is an instant after which the limit was used up.
func (s *scopeInference) useUp(ctx context.Context) (r scopeRound, empty time.Time, err error) {
	admitted := 0
	for range 8 + 2*s.model.Limit/s.budget.Concurrency {
		calls, err := s.callAs(ctx, s.limited, min(max(s.model.Limit+1-admitted, mostAsked), s.budget.Concurrency))
		if err != nil {
			return r, empty, err
		}
		n, latest := count(calls, Admitted), latestRefused(calls)
		if !empty.IsZero() && !latest.IsZero() && n <= s.spared(empty, calls) {
			r.before = calls
			return r, latest, nil
		}
		admitted, empty = admitted+n, latest
	}
	return r, empty, nil
}

// latestRefused is when the last of the refused calls was sent, zero where none was refused.
func latestRefused(calls []Call) (sent time.Time) {
	for _, c := range calls {
		if c.Outcome() == Refused && c.Earliest.After(sent) {
			sent = c.Earliest
		}
	}
	return sent
}

// spared is how many calls a limit may have admitted from an instant at which it was used up to the end of some calls, if no new window of
// a clock began. The model's numbers may be off by some tenths.
func (s *scopeInference) spared(empty time.Time, calls []Call) int {
	m, end := s.model, empty
	for _, c := range calls {
		if c.Latest.After(end) {
			end = c.Latest
		}
	}
	switch m.Kind {
	case contract.FixedWindow:
		return 0
	case contract.SlidingLog:
		left := 0
		for _, c := range s.calls {
			if c.Outcome() == Admitted && c.Earliest.Add(m.Window*9/10).Before(end) && c.Latest.Add(m.Window*11/10).After(empty) {
				left++
			}
		}
		return left
	default:
		return int(math.Ceil(1.25*float64(m.Limit)*end.Sub(empty).Seconds()/m.Window.Seconds())) + m.Step
	}
}

// whileHeld holds as many calls in flight as the limit admits. Meanwhile the limited caller, the other, and the limited caller again make
// calls that are not held.
func (s *scopeInference) whileHeld(ctx context.Context) (Sharing, string, error) {
	own := min(mostAsked, s.budget.Concurrency)
	if err := s.reserve(2*own + s.others()); err != nil {
		return Unclear, "", err
	}
	var r scopeRound
	s.prober = s.limited
	_, err := s.burstWhile(ctx, s.model.Limit, 4*s.budget.Hold, func(ctx context.Context) (err error) {
		if err = s.waitUntil(ctx, time.Now().Add(s.budget.Hold)); err != nil {
			return err
		}
		for _, x := range []struct {
			prober Prober
			n      int
			calls  *[]Call
		}{{s.limited, own, &r.before}, {s.other, s.others(), &r.theirs}, {s.limited, own, &r.after}} {
			if *x.calls, err = newRecorder(x.prober, s.budget).atOnce(ctx, x.n, 0); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Unclear, "", err
	}
	s.record(r.before...)
	s.record(r.theirs...)
	s.record(r.after...)
	if count(r.before, Refused) < own {
		return Unclear, "gatecert could not keep the limit exhausted", nil
	}
	return r.judge(), r.String(), s.checkFailures()
}
