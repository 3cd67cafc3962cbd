package limits

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// Sharing says whether two kinds of callers share a limit.
type Sharing string

// The ways of sharing.
const (
	// Shared means that what one has used up is used up for the other.
	Shared Sharing = "shared"
	// Apart means that each has a limit of its own.
	Apart Sharing = "apart"
	// Unclear means that the answers do not decide, or that nothing was asked.
	Unclear Sharing = "unclear"
)

// Scope says whose calls a limit counts together.
type Scope struct {
	// Sources is about calls with one key from two addresses, Keys about calls with two keys from one address.
	Sources, Keys Sharing
}

// String says in words what the limit counts.
func (s Scope) String() string {
	switch {
	case s.Sources == Shared && s.Keys == Apart:
		return "per key: calls with one key share it from whatever address, another key has its own"
	case s.Sources == Apart && s.Keys == Shared:
		return "per address: calls from one address share it with whatever key, another address has its own"
	case s.Sources == Apart && s.Keys == Apart:
		return "per key and address: another key and another address each have their own"
	case s.Sources == Shared && s.Keys == Shared:
		return "of all calls: another key and another address share it"
	case s.Sources == Shared:
		return "not per address: calls from another address share it"
	case s.Sources == Apart:
		return "per address: calls from another address have their own"
	case s.Keys == Shared:
		return "not per key: calls with another key share it"
	case s.Keys == Apart:
		return "per key: calls with another key have their own"
	default:
		return "unclear"
	}
}

// ScopeProbers are the callers that a scope is inferred with.
type ScopeProbers struct {
	// Limited calls with the key and from the address whose limit was inferred.
	Limited Prober
	// OtherSource calls with the same key from another address, OtherKey with another key from the same address. nil leaves that
	// unclear.
	OtherSource, OtherKey Prober
}

// scopeRounds is how often an experiment is repeated that does not decide: the boundary of a window may fall into it.
const scopeRounds = 3

// InferScope infers whose calls an inferred limit counts together. It uses the limit up, calls as somebody else, and looks whether the limit
// is still used up. It takes a few windows of time.
//
// It returns [ErrBudget], [ErrGone], [ErrInconclusive] and the errors of the probers, with what was found so far.
func InferScope(ctx context.Context, m LimiterModel, p ScopeProbers, b Budget) (Scope, []Experiment, error) {
	scope := Scope{Unclear, Unclear}
	if m.Kind == None || m.Limit < 1 {
		return scope, nil, nil
	}
	s := scopeInference{model: m, limited: newRecorder(p.Limited, b)}
	ctx, cancel := s.limited.withDeadline(ctx)
	defer cancel()
	var all []Experiment
	for _, x := range []struct {
		name  string
		other Prober
		found *Sharing
	}{{"source", p.OtherSource, &scope.Sources}, {"key", p.OtherKey, &scope.Keys}} {
		if x.other == nil {
			continue
		}
		began, before := time.Now(), len(s.limited.calls)
		s.other = newRecorder(x.other, b)
		sharing, sentence, err := s.ask(ctx)
		*x.found = sharing
		if err != nil {
			sentence = "not finished: " + err.Error()
		}
		all = append(all, Experiment{x.name, "another " + x.name + ": " + sentence, len(s.limited.calls) - before + len(s.other.calls), time.Since(began)})
		if err != nil {
			return scope, all, err
		}
	}
	return scope, all, nil
}

type scopeInference struct {
	model          LimiterModel
	limited, other *recorder
}

func (s *scopeInference) ask(ctx context.Context) (found Sharing, sentence string, err error) {
	apart := 0
	for range scopeRounds {
		if err := s.rest(ctx); err != nil {
			return Unclear, "", err
		}
		if s.model.Kind == contract.Concurrency {
			found, sentence, err = s.whileHeld(ctx)
		} else {
			found, sentence, err = s.afterDrain(ctx)
		}
		// Of a limit of one call nothing is left to tell whether a new window has begun. That this happens twice is unlikely.
		if found == Apart {
			apart++
		}
		if err != nil || found != Unclear && (s.model.Limit > 1 || found == Shared || apart > 1) {
			return found, sentence, err
		}
	}
	return Unclear, sentence, nil
}

// rest waits until nothing counts any more that was called before.
func (s *scopeInference) rest(ctx context.Context) error {
	const margin = 100 * time.Millisecond
	return s.limited.waitUntil(ctx, time.Now().Add(s.model.timeToReset()*11/10+margin))
}

// mostAsked bounds how many calls somebody else makes.
const mostAsked = 16

// afterDrain uses the limit up, and lets somebody else make one call less than that. Whether the limit was still used up then, a last call
// tells: had a new window begun for both, it would have one call left.
func (s *scopeInference) afterDrain(ctx context.Context) (Sharing, string, error) {
	used, err := s.limited.drain(ctx, 0, 2*s.model.Limit+8)
	if err != nil || !used.refused {
		return Unclear, "the limit could not be used up again", err
	}
	drained := s.limited.calls[len(s.limited.calls)-1].Earliest
	calls, err := s.other.burst(ctx, min(max(s.model.Limit-1, 1), mostAsked), 0)
	if err != nil {
		return Unclear, "", err
	}
	last, err := s.limited.probe(ctx)
	if err != nil {
		return Unclear, "", err
	}
	admitted, refused := count(calls, Admitted), count(calls, Refused)
	sentence := fmt.Sprintf("after the limit was used up, %d of %d calls were admitted", admitted, len(calls))
	switch {
	case last.Outcome() != Refused:
		return Unclear, sentence + ", and by then the limit was free again", nil
	case admitted == 0 && refused == len(calls):
		return Shared, sentence, nil
	case admitted > s.freed(last.Latest.Sub(drained)):
		return Apart, sentence + ", and the limit was still used up", nil
	default:
		return Unclear, sentence, nil
	}
}

// freed is how many calls the limit may have admitted in so much time while it was used up all along.
func (s *scopeInference) freed(d time.Duration) int {
	m := s.model
	if m.Window <= 0 || m.Kind == contract.FixedWindow || m.Kind == contract.SlidingLog && d < m.Window/2 {
		return 0
	}
	return int(math.Ceil(float64(m.Limit)*d.Seconds()/m.Window.Seconds())) + max(m.Step, 1)
}

// whileHeld holds as many calls in flight as the limit admits, and lets somebody else call meanwhile.
func (s *scopeInference) whileHeld(ctx context.Context) (Sharing, string, error) {
	var theirs, own Call
	held, err := s.limited.burstWhile(ctx, s.model.Limit, 4*s.limited.budget.Hold, func(ctx context.Context) (err error) {
		if err = s.limited.waitUntil(ctx, time.Now().Add(s.limited.budget.Hold)); err != nil {
			return err
		}
		if theirs, err = s.other.probe(ctx); err != nil {
			return err
		}
		own, err = s.limited.prober(ctx, 0)
		return err
	})
	if err != nil {
		return Unclear, "", err
	}
	sentence := fmt.Sprintf("while %d calls were held, a call was %s", count(held, Admitted), theirs.Outcome())
	switch {
	case own.Outcome() != Refused:
		return Unclear, sentence + ", and the limit was not used up", nil
	case theirs.Outcome() == Refused:
		return Shared, sentence, nil
	case theirs.Outcome() == Admitted:
		return Apart, sentence, nil
	default:
		return Unclear, sentence, nil
	}
}
