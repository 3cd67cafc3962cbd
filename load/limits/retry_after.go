package limits

import (
	"fmt"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// maxRounding is by how much a Retry-After may exceed the wait: it has to be whole seconds.
const maxRounding = time.Second

// checkRetryAfter compares the Retry-After of refused calls with what happened to later calls.
func (a *assessment) checkRetryAfter() {
	calls := slices.SortedStableFunc(slices.Values(a.calls), func(a, b Call) int { return a.Earliest.Compare(b.Earliest) })
	c := retryAfterCheck{assessment: a, usage: countAdmissions(a.decisions)}
	var refused, dates, numbers, followed int
	for i, call := range calls {
		if call.Outcome() != Refused {
			continue
		}
		refused++
		wait := contract.RetryWaitOf(call.Observation)
		switch {
		case !wait.Date.IsZero():
			dates++
			continue
		case wait.Seconds < 0:
			continue
		case wait.IsTimestamp():
			a.find(contract.RetryAfterTrue, contract.Should, "Retry-After as a number of seconds to wait", wait.Value+", a Unix timestamp")
			return
		}
		numbers++
		if c.compare(call, wait.Seconds, calls[i+1:]) {
			followed++
		}
	}
	c.report(numbers)
	switch {
	case numbers == 0 && dates > 0:
		a.untested(contract.RetryAfterTrue, "%d of %d refusals carried an HTTP date as Retry-After, which is not compared", dates, refused)
	case numbers == 0:
		a.untested(contract.RetryAfterTrue, "none of %d refusals carried a readable Retry-After", refused)
	case numbers < refused:
		a.held(contract.RetryAfterTrue, "%d of %d refusals carried Retry-After; %d were checked against a later admitted call", numbers, refused, followed)
	default:
		a.held(contract.RetryAfterTrue, "all %d refusals carried Retry-After; %d were checked against a later admitted call", refused, followed)
	}
}

// retryAfterCheck compares refusals with later calls.
type retryAfterCheck struct {
	*assessment

	usage admissions
	// tooShort are the waits after which a call was still refused, tooLong those before the end of which one was admitted.
	tooShort, tooLong wrongWaits
}

// compare compares one refusal with the calls after it. It reports whether one of these was admitted.
func (c *retryAfterCheck) compare(refusal Call, seconds int64, later []Call) bool {
	wait := time.Duration(seconds) * time.Second
	next, followed := c.nextAdmitted(later, refusal)
	followed = followed && c.declared.Kind != contract.Concurrency
	if followed {
		// A smaller call may be admitted before a larger one.
		if waited := next.Latest.Sub(refusal.Earliest) + c.declared.Slack; waited < wait-maxRounding && next.Asked >= refusal.Asked {
			c.tooLong.add(seconds, waited)
		}
	}
	if c.refusedCount {
		return followed // each refusal postpones what the one before it announced
	}
	if next, ok := c.nextRefused(later, refusal, wait+c.declared.Slack); ok && next.Asked <= refusal.Asked {
		c.tooShort.add(seconds, next.Earliest.Sub(refusal.Latest))
	}
	return followed
}

// nextAdmitted is the first call that was sent after a refusal and admitted. It counts only if it was made to detect the recovery:
// an admission in a burst may be in excess.
func (c *retryAfterCheck) nextAdmitted(later []Call, refusal Call) (Call, bool) {
	for _, call := range later {
		if call.Outcome() == Admitted && !call.Earliest.Before(refusal.Latest) {
			return call, call.phase == phaseRecovery
		}
	}
	return Call{}, false
}

// nextRefused is the first call that was refused although it had waited long enough, and although no call can have been admitted
// meanwhile that took its place.
func (c *retryAfterCheck) nextRefused(later []Call, refusal Call, wait time.Duration) (Call, bool) {
	origin := c.calls[0].Earliest
	for _, call := range later {
		if call.Outcome() == Refused && call.Earliest.Sub(refusal.Latest) > wait {
			return call, call.phase == phaseRecovery && c.usage.atMost(refusal.Earliest.Sub(origin), call.Latest.Sub(origin)) == 0
		}
	}
	return Call{}, false
}

// report adds the findings. Refusals is how many carried a number of seconds.
func (c *retryAfterCheck) report(refusals int) {
	if w := c.tooShort; w.times > 0 {
		c.find(contract.RetryAfterTrue, contract.Should, "a call admitted once Retry-After has passed",
			fmt.Sprintf("Retry-After: %d, still refused after %s (on %d of %d refusals)", w.seconds, round(w.waited), w.times, refusals))
	}
	if w := c.tooLong; w.times > 0 {
		c.find(contract.RetryAfterTrue, contract.Should, "a Retry-After at most 1s longer than the wait",
			fmt.Sprintf("Retry-After: %d, admitted after %s (on %d of %d refusals)", w.seconds, round(w.waited), w.times, refusals))
	}
}

// wrongWaits counts refusals whose Retry-After was wrong, and keeps the first of them.
type wrongWaits struct {
	times   int
	seconds int64
	waited  time.Duration
}

func (w *wrongWaits) add(seconds int64, waited time.Duration) {
	if w.times++; w.times == 1 {
		w.seconds, w.waited = seconds, waited
	}
}
