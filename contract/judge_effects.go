package contract

import (
	"fmt"
	"slices"
	"strconv"
)

func (j *judge) judgeSecrecy() {
	if j.o.Status != 0 {
		j.check(Secrecy)
	}
	for _, leak := range j.o.Leaks {
		j.add(Secrecy, Must, "no secrets or internals", "the "+leak.What+" in "+leak.Where)
	}
	for _, shown := range internals(j.o) {
		j.add(Secrecy, Must, "no secrets or internals", shown)
	}
}

// judgeEffects judges what the call did besides its answer. The tables do not speak of effects, so they are derived: SHOULDs.
func (j *judge) judgeEffects() {
	if seen := j.o.Upstream; seen != nil {
		j.judgeUpstreamCalls(*seen)
	}
	if a := j.o.Aftermath; a != nil {
		j.judgeAftermath(*a)
	}
	if b := j.o.Balance; b != nil {
		j.check(NotBilled)
		if b.After < b.Before {
			j.add(NotBilled, Should, "a failed request to cost nothing", fmt.Sprintf("a charge of %g", b.Before-b.After))
		}
	}
}

// judgeAftermath judges whether others were served after the call.
func (j *judge) judgeAftermath(a Aftermath) {
	j.check(NoCollateral)
	if !a.Served {
		j.add(NoCollateral, Should, "healthy calls to succeed within "+a.After.String(), "none succeeded: "+a.Detail)
	}
}

// late says that attempts came when the call had long been answered.
func late(seen Seen) string {
	n := 0
	for _, a := range seen.Attempts {
		if a.Late {
			n++
		}
	}
	switch n {
	case 0:
		return ""
	case len(seen.Attempts):
		return ", after the gateway had answered"
	default:
		return fmt.Sprintf(", %s of them after the gateway had answered", strconv.Itoa(n))
	}
}

// judgeUpstreamCalls judges what the upstream saw of the call.
func (j *judge) judgeUpstreamCalls(seen Seen) {
	attempts := len(seen.Attempts)
	if j.c.Reach() == ReachNever {
		j.check(UpstreamUnused)
		if attempts > 0 {
			j.add(UpstreamUnused, Should, "no call to the upstream", "the upstream was called "+times(attempts)+late(seen))
		}
	}
	j.check(RetriesBounded)
	followed := func(a Attempt) bool { return a.Redirected }
	own := len(slices.DeleteFunc(slices.Clone(seen.Attempts), followed)) // a redirect that is followed is not a retry
	if bound := seen.bound(); own > bound {
		noun := "attempts"
		if bound == 1 {
			noun = "attempt"
		}
		j.add(RetriesBounded, Should, fmt.Sprintf("at most %d upstream %s", bound, noun), strconv.Itoa(own)+late(seen))
	}
	if j.variant.Name == redirect {
		j.check(KeyKept)
		if slices.ContainsFunc(seen.Attempts, func(a Attempt) bool { return a.Redirected && a.Credential != "" }) {
			j.add(KeyKept, Should, "no key in the redirected request", "a key in the redirected request")
		}
	}
	if j.c.Circumstance == SlowUpstream {
		j.check(UpstreamFreed)
		if open := slices.IndexFunc(seen.Attempts, func(a Attempt) bool { return a.Open }); open >= 0 {
			j.add(UpstreamFreed, Should, "the upstream call to be cancelled", fmt.Sprintf("upstream call %d still open", open+1))
		}
	}
}
