//go:build !race

// With the race detector these take five times as long. The tests of the root package run load cases with it.

package certificate_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// recount moves calls of a group in the spans from one outcome to another, "" for none.
func recount(l *runlog.LoadSummary, group string, from, to runlog.Outcome, n int) {
	for _, span := range l.Spans {
		for ; n > 0 && span.Counts[group][from] > 0; n-- {
			if span.Counts[group][from]--; to != "" {
				span.Counts[group][to]++
			}
		}
	}
}

// count is how many calls with the limited key had an outcome.
func count(l *runlog.LoadSummary, o runlog.Outcome) (n int) {
	for _, span := range l.Spans {
		n += span.Counts[runlog.LimitedGroup][o]
	}
	return n
}

func timesOf(l *runlog.LoadSummary, name string) *runlog.Times {
	return &l.Times[slices.IndexFunc(l.Times, func(t runlog.Times) bool { return t.Name == name })]
}

func checkOf(l *runlog.LoadSummary, r contract.Requirement) *runlog.Check {
	return &l.Checks[slices.IndexFunc(l.Checks, func(c runlog.Check) bool { return c.Requirement == r })]
}

func TestARateLimitsVerificationIsAudited(t *testing.T) {
	t.Parallel()
	const id = "http:429/over-rate-limit/chat/under-load"
	log, err := record(t.Context(), gatecert.Config{Cases: []string{id, "code:channel:response_time_exceeded/slow-upstream/chat/under-load"}})
	require.NoError(t, err)
	summary := func(r *runlog.Run) *runlog.LoadSummary { return at(r, id).Load }
	says := func(q contract.Requirement, format string, values ...any) func(*runlog.Run) {
		return func(r *runlog.Run) { checkOf(summary(r), q).Sentence = fmt.Sprintf(format, values...) }
	}
	const bothBursts = "%d calls admitted and 11 refused in the initial burst; the later burst admitted %d and refused 12"
	assertForgeries(t, log, []forgery{
		{"the log as it is", func(*runlog.Run) {}, ""},
		{"a call less", func(r *runlog.Run) { summary(r).Calls-- }, id + ": the load summary counts "},
		{"a call less, in the spans too", func(r *runlog.Run) {
			summary(r).Calls--
			recount(summary(r), runlog.LimitedGroup, runlog.Admitted, "", 1)
		}, id + ": the load summary contradicts itself"},
		{"calls of another key more", func(r *runlog.Run) { summary(r).Spans[0].Add(runlog.ControlGroup, runlog.Admitted) }, id + ": the load summary counts "},
		{"failed calls without a finding", func(r *runlog.Run) {
			recount(summary(r), runlog.LimitedGroup, runlog.Refused, runlog.Error5xx, 1)
		}, id + ": the case has no findings, but in the time spans of its load summary, 1 call was neither admitted nor refused"},
		{"a refused call that was admitted", func(r *runlog.Run) {
			recount(summary(r), runlog.LimitedGroup, runlog.Refused, runlog.Admitted, 1)
		}, id + ": the load summary says that all "},
		{"another number of calls", says(contract.LimitExact, "2000 calls admitted and 100 refused"), id + ": the load summary says that 20"},
		{"the initial burst in place of a later one", says(contract.LimitBurst, bothBursts, 20, 3), ""},
		{"another number of calls in the initial burst", says(contract.LimitBurst, bothBursts, 2000, 3), id + ": the load summary says that 20"},
		{"another number of calls in the later burst", says(contract.LimitBurst, bothBursts, 20, 2000), id + ": the load summary says that 20"},
		{"the initial burst counted by two checks", func(r *runlog.Run) {
			all := count(summary(r), runlog.Admitted)
			checkOf(summary(r), contract.LimitExact).Sentence = fmt.Sprintf("%d calls admitted and 11 refused", all-3)
			checkOf(summary(r), contract.LimitBurst).Sentence = fmt.Sprintf(bothBursts, all-3, 3)
		}, ""},
		{"more calls than there are, counted by two checks", func(r *runlog.Run) {
			all := count(summary(r), runlog.Admitted)
			checkOf(summary(r), contract.LimitExact).Sentence = fmt.Sprintf(bothBursts, all, 3)
			checkOf(summary(r), contract.LimitBurst).Sentence = "20 calls admitted and 11 refused"
		}, id + ": the load summary says that "},
		{"another number of refusals", says(contract.Answered, "all 3 refusals are complete 429 responses"), id + ": the load summary says that all 3 refusals are complete"},
		{"a limit without a check", func(r *runlog.Run) {
			summary(r).Checks = slices.DeleteFunc(summary(r).Checks, func(c runlog.Check) bool { return c.Requirement == contract.LimitBurst })
		}, id + ": the load summary has no check for the requirement limit-burst"},
		{"a check in other words", func(r *runlog.Run) { checkOf(summary(r), contract.LimitBurst).Sentence = "all is well" },
			id + ": the load summary reports that the requirement limit-burst was met, but the text of this check does not have the form that gatecert writes"},
	})
}

func TestALoadCaseIsAudited(t *testing.T) {
	t.Parallel()
	const id = "http:5xx/upstream-error/chat/under-load"
	log, err := record(t.Context(), gatecert.Config{Cases: []string{id}})
	require.NoError(t, err)
	broken := contract.Finding{Requirement: "healthy-served", Level: contract.Must, Want: "healthy calls answered", Got: "9 of 90 failed"}
	breaks := func(r *runlog.Run) {
		for i := range at(r, id).Load.Checks {
			if check := &at(r, id).Load.Checks[i]; check.Requirement == broken.Requirement {
				check.Result = contract.Violated
			}
		}
	}
	assertForgeries(t, log, []forgery{
		{"the log as it is", func(*runlog.Run) {}, ""},
		{"a load case that failed is sound too", func(r *runlog.Run) {
			breaks(r)
			at(r, id).Findings, at(r, id).Verdict = []contract.Finding{broken}, contract.Fail
		}, ""},
		{"and one that is untestable", func(r *runlog.Run) { at(r, id).Verdict, at(r, id).Load = contract.Untestable, nil }, ""},
		{"a load case without its summary", func(r *runlog.Run) { at(r, id).Load = nil }, id + " has the verdict pass, but its load summary is missing or contains no results"},
		{"a summary without checks", func(r *runlog.Run) { at(r, id).Load.Checks = nil }, id + " has the verdict pass, but its load summary is missing or contains no results"},
		{"a summary of nothing", func(r *runlog.Run) { at(r, id).Load.Calls = 0 }, id + " has the verdict pass, but its load summary is missing or contains no results"},
		{"a summary in which nothing was tested", func(r *runlog.Run) {
			for i := range at(r, id).Load.Checks {
				at(r, id).Load.Checks[i].Result = contract.Untested
			}
		}, id + " has the verdict pass, but its load summary is missing or contains no results"},
		{"a failure that is called a pass", func(r *runlog.Run) { at(r, id).Findings = []contract.Finding{broken} }, id + " has the verdict pass, but the verdict computed from its findings is fail"},
		{"a violated check without its finding", breaks, id + " omits a finding: healthy-served"},
		{"a finding at a level that its requirement does not have", func(r *runlog.Run) {
			breaks(r)
			weaker := broken
			weaker.Level = contract.Should
			at(r, id).Findings, at(r, id).Verdict = []contract.Finding{weaker}, contract.Warn
		}, id + " has a finding with an unknown requirement or the wrong level: SHOULD healthy-served"},
		{"a call less", func(r *runlog.Run) { at(r, id).Load.Calls-- }, id + ": the load summary counts "},
		{"a healthy call less, in the spans too", func(r *runlog.Run) {
			at(r, id).Load.Calls--
			recount(at(r, id).Load, "healthy", runlog.Admitted, "", 1)
		}, " healthy requests that succeeded, but its time spans contain "},
		{"failed calls in the spans alone", func(r *runlog.Run) { recount(at(r, id).Load, "healthy", runlog.Admitted, runlog.Error5xx, 5) }, " healthy requests that succeeded, but its time spans contain "},
		{"failed calls that the checks do not know", func(r *runlog.Run) {
			recount(at(r, id).Load, "healthy", runlog.Admitted, runlog.Error5xx, 5)
			timesOf(at(r, id).Load, "healthy during").Count -= 5
		}, id + ": the time spans in the load summary count 5 healthy requests that failed, but its checks report only 0"},
		{"more failed calls than are permitted", func(r *runlog.Run) {
			recount(at(r, id).Load, "healthy", runlog.Admitted, runlog.Error5xx, 5)
			timesOf(at(r, id).Load, "healthy during").Count -= 5
			checkOf(at(r, id).Load, contract.HealthyServed).Sentence = "5 of 80 healthy requests failed during the outage"
		}, id + ": the load summary says that healthy requests were served, but 5 of 80 failed during the outage, more than twice"},
		{"a number that is no longer in the spans", func(r *runlog.Run) {
			checkOf(at(r, id).Load, contract.HealthyServed).Sentence = "0 of 9000 healthy requests failed during the outage"
		}, id + ": the load summary says that 0 of 9000 healthy requests failed during the outage"},
		{"a check in other words", func(r *runlog.Run) { checkOf(at(r, id).Load, contract.HealthyServed).Sentence = "all is well" }, id + ": the load summary reports that the requirement healthy-served was met, but the text of this check does not have the form that gatecert writes"},
		{"faulty calls that succeeded", func(r *runlog.Run) { recount(at(r, id).Load, "failing", runlog.Error5xx, runlog.Admitted, 1) },
			id + ": the load summary says that every faulty request received the expected error, but its time spans contain 1 that did not"},
		{"fewer faulty calls", func(r *runlog.Run) {
			at(r, id).Load.Calls -= 2
			recount(at(r, id).Load, "failing", runlog.Error5xx, "", 2)
		}, " faulty requests, all of them answered, but its time spans contain "},
		{"a check removed", func(r *runlog.Run) {
			l := at(r, id).Load
			l.Checks = slices.DeleteFunc(l.Checks, func(c runlog.Check) bool { return c.Requirement == contract.Recovery })
		}, id + ": the load summary has no check for the requirement recovery"},
		{"healthy calls that were slow", func(r *runlog.Run) {
			slow := timesOf(at(r, id).Load, "healthy during")
			slow.P50, slow.P90, slow.P99 = time.Minute, time.Minute, time.Minute
		}, id + ": the load summary says that healthy requests were not slowed down, but during the outage they took longer"},
		{"a lower bound", func(r *runlog.Run) { timesOf(at(r, id).Load, "healthy during").Bound = time.Nanosecond }, id + ": the load summary says that healthy requests were not slowed down, but during the outage they took longer"},
		{"times in no order", func(r *runlog.Run) { timesOf(at(r, id).Load, "healthy after").P50 = time.Hour }, id + ": the latencies of "},
		{"a span removed", func(r *runlog.Run) { at(r, id).Load.Spans = slices.Delete(at(r, id).Load.Spans, 3, 4) }, id + ": the time spans in the load summary have gaps, overlap, differ in length or continue after the end of the load"},
		{"an outcome that there is not", func(r *runlog.Run) { recount(at(r, id).Load, "healthy", runlog.Admitted, "splendid", 1) }, id + ": a time span in the load summary has an impossible count"},
		{"a load case that was not selected", func(r *runlog.Run) { r.Selection.WithoutLoad = true }, id + " was not selected"},
	})
}
