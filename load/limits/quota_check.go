package limits

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
)

// checkQuotas compares the rate-limit header fields with what happened.
func (a *assessment) checkQuotas() {
	c := quotaCheck{assessment: a, found: map[string]bool{}, sequences: map[string]*quotaSequence{}}
	responses, withQuota := 0, 0
	for i, call := range a.calls {
		if call.Outcome() == Failed || isUpstream429(call.Observation) {
			continue
		}
		responses++
		quotas, invalid := parseQuotas(call.Observation.Header, call.Latest)
		for _, f := range invalid {
			c.findInvalid(f)
		}
		quotas = slices.DeleteFunc(quotas, func(q quota) bool { return !q.about(a.declared) })
		for _, q := range quotas {
			c.checkResponse(i, q)
			c.checkDecrease(call, q)
			c.checkReset(i, q)
		}
		c.checkPolicies(quotas)
		if len(quotas) > 0 {
			withQuota++
		}
	}
	if withQuota == 0 {
		a.untested(contract.RateHeaders, "no response has rate-limit header fields for %s", a.unit())
		return
	}
	a.held(contract.RateHeaders, "%d of %s carried consistent rate-limit header fields for %s", withQuota, plain.Count(responses, "response"), a.unit())
}

// unit is what the declared limit counts.
func (a *assessment) unit() string {
	if a.declared.Tokens {
		return a.declared.Part.unit()
	}
	return "requests"
}

// quotaCheck checks the quotas of all responses. Each kind of finding is reported once.
type quotaCheck struct {
	*assessment

	found     map[string]bool
	sequences map[string]*quotaSequence
}

func (c *quotaCheck) findOnce(level contract.RequirementLevel, want, got string) {
	if !c.found[want] {
		c.found[want] = true
		c.find(contract.RateHeaders, level, want, got)
	}
}

func (c *quotaCheck) findInvalid(f invalidField) {
	level, want := contract.Should, "rate-limit header fields that can be parsed"
	if strings.HasPrefix(strings.ToLower(f.field), "ratelimit") {
		// Earlier drafts had other formats under the same names, and no standard says yet which is right.
		level, want = contract.Note, "RateLimit fields in the format of draft-ietf-httpapi-ratelimit-headers-11"
	}
	c.findOnce(level, want, f.String())
}

func (c *quotaCheck) checkResponse(i int, q quota) {
	call, unit := c.calls[i], c.unit()
	refused := call.Outcome() == Refused
	switch {
	case q.remaining != nil && *q.remaining < 0:
		c.findOnce(contract.Should, "remaining "+unit+" not below 0", fmt.Sprintf("%d in %s", *q.remaining, q.label()))
	case q.remaining != nil && *q.remaining > int64(call.Asked.Of(c.declared.Part)) && refused && q.source != rateLimit && !c.byOthers(i):
		// Of several policies of draft 11 only one has to be used up, and a call needs as many tokens as it asks for.
		c.findOnce(contract.Should, "no remaining "+unit+" on a refusal", fmt.Sprintf("%d in %s", *q.remaining, q.label()))
	}
	if q.limit != nil && q.source != rateLimit && !c.declares(*q.limit) {
		c.findOnce(contract.Should, fmt.Sprintf("the declared limit of %d", c.declared.Limit), fmt.Sprintf("%d in %s", *q.limit, q.label()))
	}
	if after := contract.RetryWaitOf(call.Observation).Seconds; refused && after >= 0 && q.reset != nil && c.declared.Kind != contract.Concurrency && q.source != rateLimit && !c.byOthers(i) {
		// The whole limit is not free before a part of it. Both may be rounded to a second.
		if wait := time.Duration(min(after, maxSeconds)) * time.Second; *q.reset < wait-2*maxRounding {
			c.findOnce(contract.Should, "a reset time no earlier than the Retry-After time", fmt.Sprintf("a reset after %s according to %s, but a Retry-After of %d s", round(*q.reset), q.label(), after))
		}
	}
}

// sameUnit are the declared limits of the unit that this one has.
func (a *assessment) sameUnit() []DeclaredLimit {
	all := []DeclaredLimit{a.declared}
	if a.others != nil {
		for _, d := range a.others.limits {
			if d.Tokens == a.declared.Tokens && d.Part == a.declared.Part {
				all = append(all, d)
			}
		}
	}
	return all
}

// declares reports whether a number is that of a declared limit of the same unit: which one a field without a window means is not
// said.
func (a *assessment) declares(limit int64) bool {
	return slices.ContainsFunc(a.sameUnit(), func(d DeclaredLimit) bool { return d.hasNumber(limit) })
}

// hasNumber reports whether a header field may announce the limit by this number: gateways say the limit, or what a bucket holds.
func (d DeclaredLimit) hasNumber(n int64) bool {
	return n == int64(d.Limit) || n == int64(d.capacity())
}

// checkPolicies compares the policies of draft 11 with what is declared. One of them has to be the declared limit; others may be
// limits of something else.
func (c *quotaCheck) checkPolicies(quotas []quota) {
	var policies []string
	for _, q := range quotas {
		if q.source != rateLimit || q.limit == nil {
			continue
		}
		right := c.declares(*q.limit)
		if q.window != nil && c.declared.Kind != contract.Concurrency {
			right = slices.ContainsFunc(c.sameUnit(), func(d DeclaredLimit) bool {
				// A policy's window has whole seconds.
				return d.hasNumber(*q.limit) && (*q.window-d.Window).Abs() < time.Second
			})
		}
		if right {
			return
		}
		policy := fmt.Sprintf("%d", *q.limit)
		if q.window != nil {
			policy += " in " + q.window.String()
		}
		policies = append(policies, fmt.Sprintf("%s according to %s", policy, q.label()))
	}
	if len(policies) > 0 {
		c.findOnce(contract.Should, fmt.Sprintf("a policy in RateLimit-Policy that states %s", c.declared), strings.Join(policies, ", "))
	}
}

// checkReset compares the reset of a refusal with the calls after it: when it has passed, something is free, and no limit takes longer
// than two of its windows to be whole again.
func (c *quotaCheck) checkReset(i int, q quota) {
	refusal := c.calls[i]
	if q.reset == nil || refusal.Outcome() != Refused || c.declared.Kind == contract.Concurrency || c.refusedCount || c.byOthers(i) {
		return
	}
	if most := 2*c.declared.Window + 2*maxRounding; *q.reset > most {
		c.findOnce(contract.Should, fmt.Sprintf("a reset time at most two windows away (%s)", round(2*c.declared.Window)), fmt.Sprintf("a reset after %s according to %s", round(*q.reset), q.label()))
	}
	from, wait := c.decisions[i], *q.reset+maxRounding+c.declared.Slack
	for k := i + 1; k < len(c.calls); k++ {
		d := c.decisions[k]
		if d.outcome != Refused || d.from-from.to <= wait {
			continue
		}
		if c.calls[k].Asked.Of(c.declared.Part) <= refusal.Asked.Of(c.declared.Part) && !c.byOthers(k) && c.declared.usage(c.decisions).atMostOthers(from.from, d.to) == 0 {
			c.findOnce(contract.Should, "a call to be admitted after the announced reset",
				fmt.Sprintf("%s announced a reset %s after a refusal, but a call sent %s after that refusal was still refused", q.label(), round(*q.reset), round(d.from-from.to)))
		}
		return
	}
}

// quotaSequence is what remains of a limit since the first of several admitted calls.
type quotaSequence struct {
	first     Call
	remaining int64
	// used is what the calls after the first took, without the last, which a gateway may count when it has ended.
	used, last int64
}

// checkDecrease checks that each sequential call takes one from what remains, or its tokens, except for what time may have freed
// since. Where refused calls count too, time frees more than is known. Gateways count tokens in different ways: at least half of
// those that the answers say is taken.
func (c *quotaCheck) checkDecrease(call Call, q quota) {
	if q.remaining == nil || call.phase != phaseSequential || call.Outcome() != Admitted || c.refusedCount {
		return
	}
	key := string(q.source) + " " + q.name
	s, known := c.sequences[key]
	if !known {
		c.sequences[key] = &quotaSequence{first: call, remaining: *q.remaining}
		return
	}
	if c.declared.Tokens {
		s.used, s.last = s.used+s.last, int64(call.Tokens.Of(c.declared.Part))/2
	} else {
		s.used++
	}
	if *q.remaining > max(s.remaining-s.used, 0)+c.maxFreed(s.first, call) {
		c.findOnce(contract.Should, "the number of remaining "+c.unit()+" to decrease with each admitted call",
			fmt.Sprintf("%d remaining in the first response, but %d remaining after %s, according to %s", s.remaining, *q.remaining, c.counted(s.used), q.label()))
	}
}

func (c *quotaCheck) counted(used int64) string {
	if c.declared.Tokens {
		return plain.Count(used, "more token") + " (gatecert counts only half of the tokens that the responses report, because gateways count tokens in different ways)"
	}
	return plain.Count(used, "more call")
}

// maxFreed is the largest number of calls that time may have freed between two decisions.
func (a *assessment) maxFreed(before, now Call) int64 {
	m := a.model
	gap := now.Latest.Sub(before.Earliest) + 2*a.declared.Slack
	switch m.Kind {
	case contract.TokenBucket:
		return int64(m.Refill*gap.Seconds()) + 1
	case contract.SlidingCounter:
		return int64(float64(m.Limit)/m.Window.Seconds()*gap.Seconds()) + 1
	case contract.Concurrency:
		return int64(m.Limit)
	default: // a window that began anew, or calls that left it
	}
	origin := a.calls[0].Earliest
	from, to := before.Earliest.Sub(origin)-a.declared.Slack, now.Latest.Sub(origin)+a.declared.Slack
	if m.Kind == contract.FixedWindow {
		if m.StartsOnRequest || m.windowStart(from) != m.windowStart(to) {
			return int64(m.Limit)
		}
		return 0
	}
	if a.declared.Tokens {
		if countAdmissions(a.decisions).atMost(from-m.Window, to-m.Window) > 0 {
			return int64(m.Limit)
		}
		return 0
	}
	return int64(countAdmissions(a.decisions).atMost(from-m.Window, to-m.Window))
}
