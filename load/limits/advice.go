package limits

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// advised is what one answer tells a client about when to come back.
type advised struct {
	Call

	at stage
	// seconds is the Retry-After, -1 without a readable one; dated says that it is an HTTP date.
	seconds int64
	dated   bool
	quotas  []Quota
	unread  []Unread
}

func advice(c Call) advised {
	a := advised{Call: c, seconds: -1}
	if n, err := strconv.ParseUint(first(c.Observation.Header["Retry-After"]), 10, 62); err == nil {
		a.seconds = int64(n)
	} else if _, err := http.ParseTime(first(c.Observation.Header["Retry-After"])); err == nil {
		a.dated = true
	}
	a.quotas, a.unread = Quotas(c.Observation.Header, c.Latest)
	return a
}

// rounded is by how much a Retry-After may exceed the time: it has to be whole seconds.
const rounded = time.Second

// judgeRetryAfter compares what refused callers were told with what happened to those who called later.
func (v *verification) judgeRetryAfter() {
	calls := make([]advised, 0, len(v.calls))
	for i, c := range v.calls {
		a := advice(c)
		a.at = v.stages[i]
		calls = append(calls, a)
	}
	slices.SortStableFunc(calls, func(a, b advised) int { return a.Earliest.Compare(b.Earliest) })
	origin := v.calls[0].Earliest
	book := newLedger(decisions(v.calls, origin), false)
	var early, late lies
	told, tried, dated := 0, 0, 0
	for i, c := range calls {
		if c.dated && c.Outcome() == Refused {
			dated++
		}
		switch {
		case c.Outcome() != Refused || c.seconds < 0:
			continue
		case c.seconds >= int64(epoch):
			v.find(contract.RetryAfterTrue, contract.Should, "Retry-After as a number of seconds to wait",
				fmt.Sprintf("%d, a time since 1970", c.seconds))
			return
		}
		told++
		wait := time.Duration(c.seconds) * time.Second
		if next, ok := v.admittedAfter(calls[i+1:], c); ok && v.declared.Kind != contract.Concurrency {
			tried++
			if waited := next.Latest.Sub(c.Earliest) + v.declared.Slack; waited < wait-rounded {
				late.add(c.seconds, waited)
			}
		}
		if v.refusedCount {
			continue // each refusal puts off what the one before was told
		}
		if next, ok := v.refusedAfter(calls[i+1:], c, wait+v.declared.Slack, book); ok {
			early.add(c.seconds, next.Earliest.Sub(c.Latest))
		}
	}
	if early.times > 0 {
		v.find(contract.RetryAfterTrue, contract.Should, "who waits as long as Retry-After says to be admitted",
			fmt.Sprintf("%s later, still refused (on %d of %d refusals)", early, early.times, told))
	}
	if late.times > 0 {
		v.find(contract.RetryAfterTrue, contract.Should, "a Retry-After that is not a second longer than the wait",
			fmt.Sprintf("%s later, admitted (on %d of %d refusals)", late, late.times, told))
	}
	switch {
	case told == 0 && dated > 0:
		v.untested(contract.RetryAfterTrue, "%d refusals told an HTTP date, which is not compared with anything", dated)
		return
	case told == 0:
		v.untested(contract.RetryAfterTrue, "no refusal told one that can be read")
		return
	}
	v.checked(contract.RetryAfterTrue, "%d refusals told one; %d of them were followed by an admission", told, tried)
}

// lies counts answers that were not true, and keeps the worst.
type lies struct {
	times   int
	seconds int64
	after   time.Duration
}

func (l *lies) add(seconds int64, after time.Duration) {
	if l.times++; l.times == 1 {
		l.seconds, l.after = seconds, after
	}
}

func (l lies) String() string { return fmt.Sprintf("told %d, and %s", l.seconds, round(l.after)) }

// admittedAfter is the first call that was sent after a refusal and admitted. It tells something only among the calls
// that were made to see when one is: an admission in a burst may be one too many.
func (v *verification) admittedAfter(later []advised, refusal advised) (advised, bool) {
	for _, c := range later {
		if c.Outcome() == Admitted && !c.Earliest.Before(refusal.Latest) {
			return c, c.at == recovery
		}
	}
	return advised{}, false
}

// refusedAfter is the first call that was refused although its caller had waited long enough, and nobody else can have
// been admitted meanwhile who took the place.
func (v *verification) refusedAfter(later []advised, refusal advised, wait time.Duration, book ledger) (advised, bool) {
	origin := v.calls[0].Earliest
	for _, c := range later {
		if c.Outcome() == Refused && c.Earliest.Sub(refusal.Latest) > wait {
			return c, c.at == recovery && book.atMost(refusal.Earliest.Sub(origin), c.Latest.Sub(origin)) == 0
		}
	}
	return advised{}, false
}

// judgeQuotas compares the rate limit header fields with what happened.
func (v *verification) judgeQuotas() {
	var told, answers int
	said := map[string]bool{}
	say := func(severity contract.RequirementLevel, want, got string) {
		if !said[want] {
			said[want] = true
			v.find(contract.RateHeaders, severity, want, got)
		}
	}
	falls := map[string]*fall{}
	for i, c := range v.calls {
		if c.Outcome() == Failed || Foreign(c.Observation) {
			continue
		}
		answers++
		a := advice(c)
		for _, u := range a.unread {
			severity, want := contract.Should, "rate limit header fields that can be read"
			if strings.HasPrefix(strings.ToLower(u.Field), "ratelimit") {
				// Earlier drafts had other forms under the same names, and no standard says yet which is right.
				severity, want = contract.Note, "RateLimit fields as in draft-ietf-httpapi-ratelimit-headers-11"
			}
			say(severity, want, u.String())
		}
		for _, q := range a.quotas {
			if !q.Requests() {
				continue
			}
			told++
			v.judgeQuota(say, a, q)
			if q.Remaining == nil || v.stages[i] != sequence || c.Outcome() != Admitted || v.refusedCount {
				continue // where refused calls count too, time gives more back than is known
			}
			key := string(q.Source) + " " + q.Name
			if falls[key] == nil {
				falls[key] = &fall{since: c, from: *q.Remaining}
				continue
			}
			v.judgeFall(say, falls[key], c, *q.Remaining)
		}
	}
	if told == 0 {
		v.untested(contract.RateHeaders, "no answer has rate limit header fields for requests")
		return
	}
	v.checked(contract.RateHeaders, "%d statements about requests in %d answers", told, answers)
}

// fall is what remains, call by call, since the first of a row of admitted calls.
type fall struct {
	since Call
	from  int64
	calls int64
}

// judgeFall wants each admitted call to take one from what remains, but for what time may have given back since.
func (v *verification) judgeFall(say func(contract.RequirementLevel, string, string), f *fall, c Call, left int64) {
	f.calls++
	want := max(f.from-f.calls, 0) + v.givenBack(f.since, c)
	if left > want {
		say(contract.Should, "remaining requests to fall with each admitted call",
			fmt.Sprintf("%d at first, and %d after %d more", f.from, left, f.calls))
	}
}

// judgeQuota looks at what one answer says.
func (v *verification) judgeQuota(say func(contract.RequirementLevel, string, string), a advised, q Quota) {
	name := string(q.Source)
	if q.Name != "" {
		name += " " + strconv.Quote(clip(q.Name))
	}
	refused := a.Outcome() == Refused
	switch {
	case q.Remaining != nil && *q.Remaining < 0:
		say(contract.Should, "remaining requests never negative", fmt.Sprintf("%d in %s", *q.Remaining, name))
	case q.Remaining != nil && *q.Remaining > 0 && refused && q.Source != RateLimit:
		// Of several policies of draft 11 only one needs to be used up.
		say(contract.Should, "no remaining requests on a refusal", fmt.Sprintf("%d in %s", *q.Remaining, name))
	}
	if q.Limit != nil && q.Source != RateLimit && *q.Limit != int64(v.declared.Limit) && *q.Limit != int64(v.declared.most()) {
		say(contract.Should, fmt.Sprintf("the declared limit of %d", v.declared.Limit), fmt.Sprintf("%d in %s", *q.Limit, name))
	}
	if refused && a.seconds >= 0 && q.Reset != nil && v.declared.Kind != contract.Concurrency && q.Source != RateLimit {
		// The whole limit is not free before a part of it. Both may be rounded to a second.
		if wait := time.Duration(min(a.seconds, longestReset)) * time.Second; *q.Reset < wait-2*rounded {
			say(contract.Should, "a reset that is not before Retry-After", fmt.Sprintf("%s and %d in %s", round(*q.Reset), a.seconds, name))
		}
	}
}

// givenBack is how many calls time may have given back between two decisions.
func (v *verification) givenBack(before, now Call) int64 {
	m := v.evidence.Model
	gap := now.Latest.Sub(before.Earliest) + 2*v.declared.Slack
	switch m.Kind {
	case contract.TokenBucket:
		return int64(m.Refill*gap.Seconds()) + 1
	case contract.SlidingCounter:
		return int64(float64(m.Limit)/m.Window.Seconds()*gap.Seconds()) + 1
	case contract.Concurrency:
		return int64(m.Limit)
	default: // a window that began anew, or calls that left it
	}
	origin := v.calls[0].Earliest
	from, to := before.Earliest.Sub(origin)-v.declared.Slack, now.Latest.Sub(origin)+v.declared.Slack
	if m.Kind == contract.FixedWindow {
		if c := (&clocked{Model: m}); m.Anchored || c.start(from) != c.start(to) {
			return int64(m.Limit)
		}
		return 0
	}
	return int64(newLedger(v.all, false).atMost(from-m.Window, to-m.Window))
}
