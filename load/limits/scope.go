package limits

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
)

// Sharing states whether two callers share a limit.
type Sharing string

// The values of [Sharing].
const (
	// Shared means that a limit used up by one caller is used up for the other caller too.
	Shared Sharing = "shared"
	// Apart means that one caller is admitted while the limit of the other caller is used up.
	Apart Sharing = "apart"
	// Unclear means that the responses do not decide the question, or that no calls were made to find out.
	Unclear Sharing = "unclear"
)

// Scope states whether a limit counts the calls from two addresses together, and whether it counts the calls with two keys together. A scope applies
// only to these addresses and keys: for example, the two keys may belong to one organisation, or the two addresses to one network.
type Scope struct {
	// Sources applies to calls with one key from two addresses. Keys applies to calls with two keys from one address.
	Sources, Keys Sharing
}

// String describes the results for the two addresses and the two keys.
func (s Scope) String() string {
	var found []string
	for _, x := range []struct {
		who     string
		sharing Sharing
	}{{"these two addresses", s.Sources}, {"these two keys", s.Keys}} {
		switch x.sharing {
		case Shared:
			found = append(found, x.who+" share the limit")
		case Apart:
			found = append(found, x.who+" do not share the limit")
		case Unclear:
		}
	}
	if len(found) == 0 {
		return string(Unclear)
	}
	return strings.Join(found, ", ") + s.like()
}

// like names the kind of limit that shares in this way.
func (s Scope) like() string {
	switch s {
	case Scope{Shared, Apart}:
		return ", as with a limit per key"
	case Scope{Apart, Shared}:
		return ", as with a limit per address"
	case Scope{Apart, Apart}:
		return ", as with a limit per key and address"
	default:
		return ""
	}
}

// ScopeProbers are the callers used to infer a scope.
type ScopeProbers struct {
	// Limited makes calls with the key and from the address whose limit was inferred.
	Limited Prober
	// OtherSource makes calls with the same key from another address, and OtherKey makes calls with another key from the same address. If one of them
	// is nil, the corresponding question remains unclear.
	OtherSource, OtherKey Prober
}

// Left returns what is left of the budget after the experiments, the first of which began at began. The result is never zero,
// because zero stands for the defaults.
func (b Budget) Left(made []Experiment, began time.Time) Budget {
	b = b.withDefaults()
	for _, e := range made {
		b.Calls -= e.Calls
	}
	b.Calls, b.Time = max(b.Calls, 1), max(b.Time-time.Since(began), 1)
	return b
}

// InferScope infers whether others share an inferred limit. It uses up the limit, calls as the other caller, and checks that the limit is still used
// up. Answering each of the two questions takes three to five times as long as the limit needs to recover, and longer if a window boundary falls into
// a round.
//
// If the budget is too small to answer a question, or if too many calls failed, the answer is [Unclear], and the question's experiment states the
// reason. InferScope returns [ErrGone] and the errors of the probers, with the results so far.
func InferScope(ctx context.Context, m LimiterModel, p ScopeProbers, b Budget) (Scope, []Experiment, error) {
	scope := Scope{Unclear, Unclear}
	if m.Kind == None || m.Kind == "" || m.Limit < 1 {
		return scope, nil, nil
	}
	s := scopeInference{recorder: newRecorder(nil, b), model: m, limited: refusingWith(p.Limited, b.RefusedWith)}
	ctx, cancel := s.withDeadline(ctx)
	defer cancel()
	var all []Experiment
	for _, x := range []struct {
		name, who string
		other     Prober
		found     *Sharing
	}{{"source", "another address", p.OtherSource, &scope.Sources}, {"key", "another key", p.OtherKey, &scope.Keys}} {
		if x.other == nil {
			continue
		}
		began, before, recorded := time.Now(), s.reserved, len(s.calls)
		s.other, s.failures = byOther(refusingWith(x.other, b.RefusedWith)), failures{}
		sharing, sentence, err := s.ask(ctx)
		if err != nil {
			sharing, sentence = Unclear, "not finished: "+err.Error()
		}
		*x.found = sharing
		all = append(all, b.finished(Experiment{x.name, x.who + ": " + sentence, s.reserved - before, began, time.Since(began), answersOf(s.calls[recorded:])}))
		if err != nil && !errors.Is(err, ErrBudget) && !errors.Is(err, ErrInconclusive) {
			return scope, all, err
		}
	}
	return scope, all, nil
}

// byOther marks calls as those of the other caller.
func byOther(p Prober) Prober {
	return func(ctx context.Context, hold time.Duration) (Call, error) {
		c, err := p(ctx, hold)
		c.byOther = true
		return c, err
	}
}

// scopeInference asks whether two callers share a limit.
type scopeInference struct {
	*recorder

	model          LimiterModel
	limited, other Prober
}

// scopeAttempts is how often two rounds are tried: the boundary of a window may fall into one.
const scopeAttempts = 3

// ask makes two rounds, and decides when they agree.
func (s *scopeInference) ask(ctx context.Context) (found Sharing, sentence string, err error) {
	if reason := s.tooLittle(); reason != "" {
		return Unclear, reason, nil
	}
	for attempt := range scopeAttempts {
		// The next attempt is at another point of the windows.
		if err = s.waitUntil(ctx, time.Now().Add(time.Duration(attempt)*s.model.Window/4)); err != nil {
			return Unclear, "", err
		}
		var over bool
		if found, sentence, over, err = s.twice(ctx); err != nil || over {
			return found, sentence, err
		}
	}
	return Unclear, "no two consecutive rounds gave the same clear result; in the last round, " + sentence, nil
}

// twice makes two rounds. Before the first, and after each in which the other was refused, the other has to be admitted while the limit is
// free: somebody who is always refused shares nothing.
//
// The other may have a limit of its own that is not free yet, since its window is longer. So these calls are all that the limit admits at
// first, a quarter of them between the rounds, and one less than all in the end. A limit that admits the first ones has some left in the
// second round if its windows begin anew, and one that gains calls steadily and admits the last ones has gained as many before.
//
// over says that more rounds would not help.
func (s *scopeInference) twice(ctx context.Context) (found Sharing, sentence string, over bool, err error) {
	if refused, err := s.admitsOther(ctx, s.controls()); err != nil || refused != "" {
		return Unclear, refused, true, err
	}
	agreed := Unclear
	for _, control := range []int{s.controlsBetween(), max(s.controls()-1, 1)} {
		if err = s.rest(ctx); err != nil {
			return Unclear, "", true, err
		}
		if s.model.Kind == contract.Concurrency {
			found, sentence, err = s.whileHeld(ctx)
		} else {
			found, sentence, err = s.afterUse(ctx)
		}
		switch {
		case err != nil || found == Unclear:
			return Unclear, sentence, false, err
		case agreed != Unclear && found != agreed:
			return Unclear, "the two rounds gave different results; in the second round, " + sentence, true, nil
		}
		agreed = found
		if found == Shared {
			if refused, err := s.admitsOther(ctx, control); err != nil || refused != "" {
				return Unclear, refused, true, err
			}
		}
	}
	return found, "both rounds gave the same result; in the second round, " + sentence, true, nil
}

// controls is how many calls the other makes at first, controlsBetween how many between two rounds.
func (s *scopeInference) controls() int {
	if s.model.Kind == contract.Concurrency {
		return mostAsked // some after the others
	}
	return s.others()
}

func (s *scopeInference) controlsBetween() int { return (s.controls() + 3) / 4 }

// mostAsked bounds how many calls somebody else makes at once.
const mostAsked = 16

// others is how many calls the other makes at once. While the limit is free it admits them all.
func (s *scopeInference) others() int { return min(s.least(), mostAsked, s.budget.Concurrency) }

// least is the least limit that the answers do not exclude.
func (s *scopeInference) least() int { return cmp.Or(s.model.Intervals.Limit.From, s.model.Limit) }

// tooLittle says why nothing can be asked, "" where it can.
func (s *scopeInference) tooLittle() string {
	perRound, calls := s.timeToRest(), 3*s.controls()
	if s.model.Kind == contract.Concurrency {
		perRound += 4 * s.budget.Hold
		calls += 2 * (s.model.Limit + 3*mostAsked)
	} else {
		if s.least() < 2 {
			return "not tested: with a limit of one call, gatecert cannot tell whether a call by the other caller is admitted because the callers do not share the limit or because capacity became available again"
		}
		if s.model.Window <= 0 {
			return "not tested: gatecert does not know how quickly used capacity becomes available again"
		}
		calls += 2 * (s.model.Limit + 4*mostAsked)
	}
	needed, left := 5*perRound, s.budget.Time-time.Since(s.began)
	if needed <= left && calls <= s.budget.Calls-s.reserved {
		return ""
	}
	return fmt.Sprintf("not tested: this test takes up to %s and about %d calls, but only %s and %s of the budget are left",
		round(needed), calls, round(max(left, 0)), plain.Count(max(s.budget.Calls-s.reserved, 0), "call"))
}

// timeToRest is how long the limit needs to be free again, and a tenth more.
func (s *scopeInference) timeToRest() time.Duration {
	const margin = 100 * time.Millisecond
	return s.model.timeToReset()*11/10 + margin
}

// rest waits until nothing counts any more that was called before.
func (s *scopeInference) rest(ctx context.Context) error {
	return s.waitUntil(ctx, time.Now().Add(s.timeToRest()))
}

// admitsOther waits until the limit is free, and lets the other make some calls. It returns "" when all were admitted.
func (s *scopeInference) admitsOther(ctx context.Context, n int) (sentence string, err error) {
	if err := s.rest(ctx); err != nil {
		return "", err
	}
	for made := 0; made < n; {
		size := min(n-made, s.others())
		calls, err := s.callAs(ctx, s.other, size)
		if err != nil {
			return "", err
		}
		if admitted := count(calls, Admitted); admitted < size {
			return fmt.Sprintf("only %d of %d calls by the other caller were admitted although the limit had capacity for all of them: the remaining calls failed or were refused for a reason other than this limit", made+admitted, made+size), nil
		}
		made += size
	}
	return "", nil
}

// callAs makes just n calls at once. It returns [ErrBudget] when fewer are left.
func (s *scopeInference) callAs(ctx context.Context, p Prober, n int) ([]Call, error) {
	if left := s.budget.Calls - s.reserved; n > left {
		return nil, fmt.Errorf("%w: the next step needs %s, but only %d of %d are left", ErrBudget, plain.Count(n, "call"), max(left, 0), s.budget.Calls)
	}
	s.prober = p
	return s.burst(ctx, n, 0)
}
