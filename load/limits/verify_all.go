package limits

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/wait"
	"github.com/gatecert/gatecert/reports/runlog"
)

// LongestVerified is the longest window that a verification of several limits waits for. For a longer window, such as a daily quota, the verification
// only checks that the gateway admits no more calls than allowed, and checks the header fields.
const LongestVerified = 15 * time.Minute

// longestAlone is LongestVerified for a limit that is declared alone.
const longestAlone = time.Hour

// Waits reports whether a verification waits for the window of the limit. alone means that the limit is not part of a list.
func (d DeclaredLimit) Waits(alone bool) bool {
	if alone {
		return d.Window <= longestAlone
	}
	return d.Window <= LongestVerified
}

// VerifyAll verifies limits that act at the same time on the same key, one at a time, each as [Verify] does. A refusal that another of these limits
// may have caused does not count against the limit under test. The first limit on calls is verified with all probers, the others only with the
// probers of the limited key.
//
// It returns the errors of [Verify]; it returns [ErrInconclusive] only if no limit could be verified.
func VerifyAll(ctx context.Context, p Probers, all []DeclaredLimit, b Budget) ([]contract.Finding, runlog.LoadSummary, error) {
	if len(all) == 1 && !all[0].Waits(true) {
		return nil, runlog.LoadSummary{}, fmt.Errorf("%w: the window of %s exceeds the longest time that gatecert waits (%s)", ErrInconclusive, round(all[0].Window), round(longestAlone))
	}
	if len(all) == 1 {
		return Verify(ctx, p, all[0], b)
	}
	for _, d := range all {
		if err := d.check(); err != nil {
			return nil, runlog.LoadSummary{}, err
		}
	}
	s := &several{all: all, probers: p, budget: b.withDefaults(), began: time.Now()}
	err := s.verify(ctx)
	a := s.assess()
	if err == nil {
		err = s.inconclusive()
	}
	return a.findings, a.summary(), err
}

// several verifies several limits.
type several struct {
	all     []DeclaredLimit
	probers Probers
	budget  Budget
	began   time.Time

	// parts are the assessments of the limits that were verified, in the order of all; nil for one that was not.
	parts []*assessment
	calls []Call
	// undecided are the reasons why parts are inconclusive, "" for those that are not.
	undecided []string
}

func (s *several) verify(ctx context.Context) error {
	s.parts, s.undecided = make([]*assessment, len(s.all)), make([]string, len(s.all))
	main := max(slices.IndexFunc(s.all, func(d DeclaredLimit) bool { return !d.Tokens && d.Window <= LongestVerified }), 0)
	for _, i := range s.order() {
		d := s.all[i]
		if d.Window > LongestVerified {
			s.undecided[i] = fmt.Sprintf("the window of %s exceeds the longest time that gatecert waits (%s)", round(d.Window), round(LongestVerified))
			continue
		}
		if err := s.settle(ctx); err != nil {
			return err
		}
		probers := Probers{Limited: s.probers.Limited, Sized: s.probers.Sized}
		if i == main {
			probers = s.probers
		}
		a, err := verifyOne(ctx, probers, d, s.othersOf(i), s.left(d))
		s.parts[i] = a
		if a != nil {
			s.calls = append(s.calls, a.calls...)
		}
		switch {
		case errors.Is(err, ErrInconclusive):
			s.undecided[i] = strings.TrimPrefix(err.Error(), ErrInconclusive.Error()+": ")
		case err != nil:
			return err
		}
	}
	return nil
}

// order is the order in which the limits are verified: those on calls under way last, so that no place that a caller who left keeps is
// missing for the others.
func (s *several) order() []int {
	var first, last []int
	for i, d := range s.all {
		if d.Kind == contract.Concurrency {
			last = append(last, i)
		} else {
			first = append(first, i)
		}
	}
	return append(first, last...)
}

// left is what is left of the budget for a limit. Where the calls in flight are limited too, no more are made at once than that
// limit admits.
func (s *several) left(d DeclaredLimit) Budget {
	b := s.budget
	b.Calls, b.Time = max(b.Calls-len(s.calls), 1), max(b.Time-time.Since(s.began), 1)
	for _, other := range s.all {
		if other.Kind == contract.Concurrency && d.Kind != contract.Concurrency {
			b.Concurrency = min(b.Concurrency, other.Limit)
		}
	}
	return b
}

// settle waits until no limit remembers earlier calls, as far as a verification waits for a window. What a limit has left is known
// then.
func (s *several) settle(ctx context.Context) error {
	var rest time.Duration
	for _, d := range s.all {
		if d.Window <= LongestVerified {
			rest = max(rest, d.timeToReset()+d.margin())
		}
	}
	until := s.began
	if len(s.calls) > 0 {
		until = s.calls[len(s.calls)-1].Ended
	}
	until = until.Add(rest)
	if until.Sub(s.began) > s.budget.Time {
		return fmt.Errorf("%w: the next call would be made %s after the start, but the time budget is %s", ErrBudget, round(until.Sub(s.began)), round(s.budget.Time))
	}
	return wait.For(ctx, time.Until(until))
}

func (s *several) othersOf(i int) *others {
	rest := slices.Delete(slices.Clone(s.all), i, i+1)
	for k := range rest {
		rest[k].Slack = max(rest[k].Slack, defaultSlack)
	}
	return &others{limits: rest, before: slices.Clone(s.calls)}
}

// assess puts the parts together: one check for each requirement, one transcript, and the findings of each limit with its name.
func (s *several) assess() *assessment {
	whole := &assessment{declared: s.all[0]}
	whole.began, whole.took = s.began, time.Since(s.began)
	for i, part := range s.parts {
		if part != nil {
			// Whether another limit was used up shows in the calls after a refusal too, also of later parts.
			part.others.after = s.calls[min(len(part.others.before)+len(part.calls), len(s.calls)):]
			s.parts[i] = assess(part.declared, part.transcript, part.others)
			s.add(whole, s.parts[i], s.all[i])
		}
	}
	whole.checkAround()
	if len(whole.calls) > 0 {
		whole.checkRefusals()
	}
	s.checkQuotas(whole)
	s.join(whole)
	whole.orderChecks()
	whole.limiters = s.names()
	return whole
}

func (s *several) add(whole, part *assessment, d DeclaredLimit) {
	offset := part.began.Sub(s.began)
	for _, p := range part.phases {
		whole.phases = append(whole.phases, runlog.Phase{Name: p.Name, From: p.From + offset, To: p.To + offset})
	}
	whole.calls = append(whole.calls, part.calls...)
	whole.rejected = append(whole.rejected, part.rejected...)
	whole.baseline, whole.during = append(whole.baseline, part.baseline...), append(whole.during, part.during...)
	whole.upstream429s = append(whole.upstream429s, part.upstream429s...)
	whole.calledThrottled = whole.calledThrottled || part.calledThrottled
	if part.streams != nil {
		whole.streams, whole.declared.Shared = part.streams, d.Shared
		whole.declared.Attempts, whole.declared.UpstreamRetryAfter = d.Attempts, d.UpstreamRetryAfter
	}
	if part.calledThrottled {
		whole.declared.Attempts, whole.declared.UpstreamRetryAfter = d.Attempts, d.UpstreamRetryAfter
	}
	if part.refusedCost != nil {
		whole.refusedCost = part.refusedCost
	}
	for _, f := range part.findings {
		if aboutOneLimit(f.Requirement) {
			f.Want += fmt.Sprintf(" (%s)", d)
			whole.findings = append(whole.findings, f)
		}
	}
}

// aboutOneLimit reports whether a requirement is about each limit, and not about all calls.
func aboutOneLimit(r contract.Requirement) bool {
	switch r {
	case contract.LimitExact, contract.LimitBurst, contract.RetryAfterTrue, contract.RateHeaders, contract.Recovery, contract.DepartedFree:
		return true
	default:
		return false
	}
}

// checkQuotas counts all calls against the limits whose windows are longer than a verification waits.
func (s *several) checkQuotas(whole *assessment) {
	for i, d := range s.all {
		if d.Window <= LongestVerified {
			continue
		}
		n, unit := count(s.calls, Admitted), "call"
		if d.Tokens {
			n, unit = 0, "token"
			for _, c := range s.calls {
				n += c.Tokens.Of(d.Part)
			}
		}
		// A window may end while calls are made, and a bucket hold its burst.
		if most := 2 * max(d.Limit, d.capacity()); n > most {
			whole.find(contract.LimitExact, contract.Must, fmt.Sprintf("at most %d %ss admitted in %s under %s (twice the declared number, because a window may end during this time)", most, unit, round(whole.took), d), fmt.Sprint(n))
		}
		s.undecided[i] += fmt.Sprintf("; in %[4]s, gatecert used %[1]d of the %[2]d %[3]ss that the limit allows", n, d.Limit, unit, round(whole.took))
	}
}

// join makes one check of each requirement from those of the limits: it held if it held for one of them and was violated for none,
// and its sentence says which were not tested.
func (s *several) join(whole *assessment) {
	for _, r := range contract.LoadRequirements(contract.LimitLoad) {
		if !aboutOneLimit(r) {
			continue
		}
		var held, untested []string
		for i, d := range s.all {
			check := runlog.Check{Result: contract.Untested, Sentence: s.undecided[i]}
			if part := s.parts[i]; part != nil {
				check = part.checks[slices.IndexFunc(part.checks, func(c runlog.Check) bool { return c.Requirement == r })]
			}
			switch check.Result {
			case contract.Held:
				held = append(held, fmt.Sprintf("%s (%s)", check.Sentence, d))
			case contract.Untested:
				untested = append(untested, fmt.Sprintf("%s: %s", d, check.Sentence))
			case contract.Violated:
			}
		}
		result := contract.Held
		if len(held) == 0 {
			result = contract.Untested
		}
		sentence := strings.Join(held, "; ")
		if len(untested) > 0 {
			sentence = strings.TrimPrefix(sentence+"; not tested: "+strings.Join(untested, "; "), "; ")
		}
		whole.checks = append(whole.checks, runlog.Check{Requirement: r, Result: result, Sentence: sentence})
	}
	for _, part := range s.parts {
		if part == nil {
			continue
		}
		for _, c := range part.checks {
			if c.Requirement == contract.RefusedFree && c.Result == contract.Held && !slices.ContainsFunc(whole.checks, func(known runlog.Check) bool { return known.Requirement == c.Requirement }) {
				whole.checks = append(whole.checks, c)
			}
		}
	}
}

func (s *several) names() string {
	var names []string
	for i, part := range s.parts {
		if part != nil && len(part.calls) > 0 {
			names = append(names, part.modelName())
		} else {
			names = append(names, s.all[i].String())
		}
	}
	return strings.Join(names, "; ")
}

// inconclusive returns [ErrInconclusive] when none of the limits could be verified.
func (s *several) inconclusive() error {
	if slices.Contains(s.undecided, "") {
		return nil
	}
	var reasons []string
	for i, d := range s.all {
		reasons = append(reasons, fmt.Sprintf("%s: %s", d, s.undecided[i]))
	}
	return fmt.Errorf("%w: %s", ErrInconclusive, strings.Join(reasons, "; "))
}
