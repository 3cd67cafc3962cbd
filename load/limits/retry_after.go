package limits

import (
	"fmt"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
)

// maxRounding is by how much a Retry-After may exceed the wait: it has to be whole seconds.
const maxRounding = time.Second

// announcement is a time that a refusal asks its client to wait.
type announcement struct {
	// text is the field as it stands.
	text string
	wait time.Duration
	// rounding is by how much the wait may be too short for its resolution.
	rounding time.Duration
}

// announcements are what a refusal says of the wait, in seconds or as a date, and in milliseconds. A date counts from the gateway's own;
// without that it says nothing that could be compared.
func announcements(c Call) []announcement {
	var all []announcement
	w := contract.RetryWaitOf(c.Observation)
	field := announcement{text: "Retry-After: " + clip(w.Value)}
	switch {
	case w.Seconds >= 0:
		field.wait = time.Duration(min(w.Seconds, maxSeconds)) * time.Second
		all = append(all, field)
	case !w.Date.IsZero() && len(c.Observation.Header["Date"]) > 0:
		date := w
		date.Milliseconds = -1 // they come before the date
		field.wait, field.rounding = date.From(c.Latest), time.Second
		all = append(all, field)
	}
	if ms := w.Milliseconds; ms >= 0 {
		wait := time.Duration(min(ms, maxSeconds)) * time.Millisecond
		all = append(all, announcement{text: fmt.Sprintf("retry-after-ms: %d", ms), wait: wait})
	}
	return all
}

// checkRetryAfter compares the Retry-After of refused calls with what happened to later calls.
func (a *assessment) checkRetryAfter() {
	calls := slices.SortedStableFunc(slices.Values(a.calls), func(a, b Call) int { return a.Earliest.Compare(b.Earliest) })
	c := retryAfterCheck{assessment: a, usage: countAdmissions(a.decisions)}
	var refused, dates, announced, followed int
	for i, call := range calls {
		if call.Outcome() != Refused {
			continue
		}
		refused++
		wait := contract.RetryWaitOf(call.Observation)
		if wait.Seconds >= 0 && wait.IsTimestamp() {
			a.find(contract.RetryAfterTrue, contract.Should, "Retry-After as a number of seconds to wait", wait.Value+", a Unix timestamp")
			return
		}
		of := announcements(call)
		if len(of) == 0 {
			if !wait.Date.IsZero() {
				dates++
			}
			continue
		}
		announced++
		checked := false
		for _, one := range of {
			checked = c.compare(call, one, calls[i+1:]) || checked
		}
		if checked {
			followed++
		}
	}
	c.report(announced)
	switch {
	case announced == 0 && dates > 0:
		a.untested(contract.RetryAfterTrue, "%d of %s carried an HTTP date as Retry-After but no Date header, so the wait is unknown", dates, plain.Count(refused, "refusal"))
	case announced == 0 && refused == 1:
		a.untested(contract.RetryAfterTrue, "the only refusal carried no valid Retry-After")
	case announced == 0:
		a.untested(contract.RetryAfterTrue, "none of the %d refusals carried a valid Retry-After", refused)
	case announced < refused:
		a.held(contract.RetryAfterTrue, "%d of %d refusals carried Retry-After; for %d of them, gatecert compared the value with a later admitted call", announced, refused, followed)
	case refused == 1 && followed == 1:
		a.held(contract.RetryAfterTrue, "the only refusal carried Retry-After; gatecert compared the value with a later admitted call")
	case refused == 1:
		a.held(contract.RetryAfterTrue, "the only refusal carried Retry-After, but no later call was admitted that gatecert could compare the value with")
	default:
		a.held(contract.RetryAfterTrue, "all %d refusals carried Retry-After; for %d of them, gatecert compared the value with a later admitted call", refused, followed)
	}
}

// retryAfterCheck compares refusals with later calls.
type retryAfterCheck struct {
	*assessment

	usage admissions
	// tooShort are the waits after which a call was still refused, tooLong those before the end of which one was admitted.
	tooShort, tooLong wrongWaits
}

// compare compares one announcement of a refusal with the calls after it. It reports whether one of these was admitted.
func (c *retryAfterCheck) compare(refusal Call, announced announcement, later []Call) bool {
	next, followed := c.nextAdmitted(later, refusal)
	followed = followed && c.declared.Kind != contract.Concurrency
	if followed {
		// A smaller call may be admitted before a larger one.
		waited := next.Latest.Sub(refusal.Earliest) + c.declared.Slack
		if waited < announced.wait-maxRounding-announced.rounding && next.Asked.Of(c.declared.Part) >= refusal.Asked.Of(c.declared.Part) {
			c.tooLong.add(announced, waited)
		}
	}
	if c.refusedCount {
		return followed // each refusal postpones what the one before it announced
	}
	if next, ok := c.nextRefused(later, refusal, announced.wait+announced.rounding+c.declared.Slack); ok && next.Asked.Of(c.declared.Part) <= refusal.Asked.Of(c.declared.Part) {
		c.tooShort.add(announced, next.Earliest.Sub(refusal.Latest))
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

// report adds the findings. Refusals is how many announced a wait.
func (c *retryAfterCheck) report(refusals int) {
	if w := c.tooShort; w.times > 0 {
		c.find(contract.RetryAfterTrue, contract.Should, "a call to be admitted after the Retry-After time has passed",
			fmt.Sprintf("%s, but a call sent %s later was still refused (this happened after %d of %s)", w.text, round(w.waited), w.times, plain.Count(refusals, "refusal")))
	}
	if w := c.tooLong; w.times > 0 {
		c.find(contract.RetryAfterTrue, contract.Should, "a Retry-After at most 1s longer than the wait that was needed",
			fmt.Sprintf("%s, but a call was admitted after only %s (this happened after %d of %s)", w.text, round(w.waited), w.times, plain.Count(refusals, "refusal")))
	}
}

// wrongWaits counts refusals whose Retry-After was wrong, and keeps the first of them.
type wrongWaits struct {
	times  int
	text   string
	waited time.Duration
}

func (w *wrongWaits) add(announced announcement, waited time.Duration) {
	if w.times++; w.times == 1 {
		w.text, w.waited = announced.text, waited
	}
}
