package limits

import (
	"fmt"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// checkQuotas compares the rate-limit header fields with what happened.
func (a *assessment) checkQuotas() {
	c := quotaCheck{assessment: a, found: map[string]bool{}, sequences: map[string]*quotaSequence{}}
	responses, withQuota := 0, 0
	for _, call := range a.calls {
		if call.Outcome() == Failed || isUpstream429(call.Observation) {
			continue
		}
		responses++
		quotas, invalid := parseQuotas(call.Observation.Header, call.Latest)
		for _, f := range invalid {
			c.findInvalid(f)
		}
		found := false
		for _, q := range quotas {
			if q.countsRequests() {
				found = true
				c.checkResponse(call, q)
				c.checkDecrease(call, q)
			}
		}
		if found {
			withQuota++
		}
	}
	if withQuota == 0 {
		a.untested(contract.RateHeaders, "no response has rate-limit header fields for requests")
		return
	}
	a.held(contract.RateHeaders, "%d of %d responses carried consistent rate-limit header fields for requests", withQuota, responses)
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

func (c *quotaCheck) checkResponse(call Call, q quota) {
	refused := call.Outcome() == Refused
	switch {
	case q.remaining != nil && *q.remaining < 0:
		c.findOnce(contract.Should, "remaining requests not below 0", fmt.Sprintf("%d in %s", *q.remaining, q.label()))
	case q.remaining != nil && *q.remaining > 0 && refused && q.source != rateLimit:
		// Of several policies of draft 11 only one has to be used up.
		c.findOnce(contract.Should, "no remaining requests on a refusal", fmt.Sprintf("%d in %s", *q.remaining, q.label()))
	}
	if q.limit != nil && q.source != rateLimit && *q.limit != int64(c.declared.Limit) && *q.limit != int64(c.declared.capacity()) {
		c.findOnce(contract.Should, fmt.Sprintf("the declared limit of %d", c.declared.Limit), fmt.Sprintf("%d in %s", *q.limit, q.label()))
	}
	if after := contract.RetryWaitOf(call.Observation).Seconds; refused && after >= 0 && q.reset != nil && c.declared.Kind != contract.Concurrency && q.source != rateLimit {
		// The whole limit is not free before a part of it. Both may be rounded to a second.
		if wait := time.Duration(min(after, maxSeconds)) * time.Second; *q.reset < wait-2*maxRounding {
			c.findOnce(contract.Should, "a reset not before Retry-After", fmt.Sprintf("a reset after %s in %s, Retry-After: %d", round(*q.reset), q.label(), after))
		}
	}
}

// quotaSequence is what remains of a limit since the first of several admitted calls.
type quotaSequence struct {
	first     Call
	remaining int64
	calls     int64
}

// checkDecrease checks that each sequential call takes one from what remains, except for what time may have freed since. Where
// refused calls count too, time frees more than is known.
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
	s.calls++
	if *q.remaining > max(s.remaining-s.calls, 0)+c.maxFreed(s.first, call) {
		c.findOnce(contract.Should, "remaining requests to decrease with each admitted call",
			fmt.Sprintf("%d remaining at first, %d after %d more calls", s.remaining, *q.remaining, s.calls))
	}
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
	return int64(countAdmissions(a.decisions).atMost(from-m.Window, to-m.Window))
}
