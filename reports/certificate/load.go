package certificate

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// loadCase checks that the verdict of a load case follows from its checks, and these from what its log counts. The responses
// themselves are not kept: what only they or their times show cannot be computed again.
func (a *audit) loadCase(c runlog.Case, known contract.Case) {
	for _, f := range c.Findings {
		if details, ok := f.Requirement.Details(); !ok || !slices.Contains(details.Levels, f.Level) {
			a.problemf("%s has a finding with an unknown requirement or the wrong level: %.20s %.40s", c.ID, f.Level, f.Requirement)
		}
	}
	if c.Load != nil {
		s := summary{LoadSummary: *c.Load, findings: c.Findings}
		s.check(known)
		for _, problem := range s.problems {
			a.problemf("%s: %s", c.ID, problem)
		}
	}
	if c.Verdict == contract.Untestable {
		return // nothing is claimed
	}
	tested := func(check runlog.Check) bool { return check.Result != contract.Untested }
	if c.Load == nil || c.Load.Calls < 1 || !slices.ContainsFunc(c.Load.Checks, tested) {
		a.problemf("%s has the verdict %s, but its load summary is missing or contains no results", c.ID, c.Verdict)
		return
	}
	if want := contract.VerdictOf(c.Findings); c.Verdict != want && (c.Verdict != contract.ExpectedFail || want != contract.Fail) {
		a.problemf("%s has the verdict %s, but the verdict computed from its findings is %s", c.ID, c.Verdict, want)
	}
	if c.Verdict == contract.Fail {
		return // a case that ended early has the findings that are certain, and no others
	}
	for _, check := range c.Load.Checks {
		if check.Result == contract.Violated && !slices.ContainsFunc(c.Findings, func(f contract.Finding) bool { return f.Requirement == check.Requirement }) {
			a.problemf("%s omits a finding: %s", c.ID, check.Requirement)
		}
	}
}

// summary is a load summary that is computed again, as far as its counts go.
type summary struct {
	runlog.LoadSummary

	findings []contract.Finding
	problems []string
}

func (s *summary) problemf(format string, args ...any) {
	s.problems = append(s.problems, fmt.Sprintf(format, args...))
}

func (s *summary) check(known contract.Case) {
	s.checkSpans()
	for _, t := range s.Times {
		if t.Count < 0 || t.P50 < 0 || t.P50 > t.P90 || t.P90 > t.P99 {
			s.problemf("the latencies of %.60q contradict each other: a value is negative, or a lower percentile is greater than a higher one", t.Name)
		}
	}
	if len(s.Checks) == 0 {
		return // it ended before anything could be checked
	}
	if known.Row == contract.RowRateLimited {
		s.checkLimit()
	} else {
		s.checkOutage(known.Circumstance == contract.SlowUpstream)
	}
}

// checkSpans checks that the spans follow each other, and count as many requests as were sent.
func (s *summary) checkSpans() {
	calls := 0
	for i, span := range s.Spans {
		if span.Lasts <= 0 || span.Lasts != s.Spans[0].Lasts || span.At != time.Duration(i)*span.Lasts || span.At > s.Took {
			s.problemf("the time spans in the load summary have gaps, overlap, differ in length or continue after the end of the load")
			return
		}
		for _, outcomes := range span.Counts {
			for outcome, n := range outcomes {
				if n < 0 || outcome != runlog.Disconnected && !slices.Contains(runlog.Outcomes(), outcome) {
					s.problemf("a time span in the load summary has an impossible count or an unknown outcome: %d %.20s", n, outcome)
				}
				calls += n
			}
		}
	}
	if calls != s.Calls {
		s.problemf("the load summary counts %s, but its time spans contain %d", plain.Count(s.Calls, "call"), calls)
	}
}

// count adds up the requests of the groups and outcomes that are wanted.
func (s *summary) count(group func(string) bool, outcome func(runlog.Outcome) bool) (n int) {
	for _, span := range s.Spans {
		for name, outcomes := range span.Counts {
			for o, m := range outcomes {
				if group(name) && outcome(o) {
					n += m
				}
			}
		}
	}
	return n
}

func anyOutcome(runlog.Outcome) bool { return true }

func isOne[T comparable](wanted ...T) func(T) bool {
	return func(x T) bool { return slices.Contains(wanted, x) }
}

// result is the check of a requirement; ok is false where there is none.
func (s *summary) result(r contract.Requirement) (check runlog.Check, ok bool) {
	i := slices.IndexFunc(s.Checks, func(c runlog.Check) bool { return c.Requirement == r })
	if i < 0 {
		return check, false
	}
	return s.Checks[i], true
}

// require reports the requirements that have no check.
func (s *summary) require(requirements ...contract.Requirement) {
	for _, r := range requirements {
		if _, ok := s.result(r); !ok {
			s.problemf("the load summary has no check for the requirement %s", r)
		}
	}
}

// numbers reads the numbers that the sentence of a requirement that held has to give. ok is false where it did not hold.
func (s *summary) numbers(r contract.Requirement, form *regexp.Regexp) (n []int, ok bool) {
	check, ok := s.result(r)
	if !ok || check.Result != contract.Held || s.unconfirmed(check) {
		return nil, false
	}
	found := form.FindStringSubmatch(check.Sentence)
	if found == nil {
		s.problemf("the load summary reports that the requirement %s was met, but the text of this check does not have the form that gatecert writes", r)
		return nil, false
	}
	for _, digits := range found[1:] {
		number, _ := strconv.Atoi(digits) // it has at most nine digits
		n = append(n, number)
	}
	return n, true
}

// again is how the names of a second round begin.
const again = "again: "

func (s *summary) secondRound() bool {
	return slices.ContainsFunc(s.Phases, func(p runlog.Phase) bool { return strings.HasPrefix(p.Name, again) })
}

// unconfirmed reports whether a check held because a second round did not confirm what the first had found.
func (s *summary) unconfirmed(check runlog.Check) bool {
	return s.secondRound() && strings.HasSuffix(check.Sentence, "; not confirmed by a second round")
}

var (
	allRefusals = regexp.MustCompile(`^all (\d{1,9}) refusals are complete 429 responses$`)
	ofLimit     = regexp.MustCompile(`^(\d{1,9}) calls admitted and (\d{1,9}) refused`)
	// ofBothBursts is the text about bursts if the later one showed too little.
	ofBothBursts = regexp.MustCompile(`^(\d{1,9}) calls admitted and (\d{1,9}) refused in the initial burst; the later burst admitted (\d{1,9}) and refused (\d{1,9})`)
)

// checkLimit checks the counts of a rate limit's verification.
func (s *summary) checkLimit() {
	s.require(contract.LoadRequirements(contract.LimitLoad)...)
	limited, streaming := isOne(runlog.LimitedGroup), isOne(runlog.LimitedGroup, runlog.StreamingGroup)
	admitted, refused := isOne(runlog.Admitted), isOne(runlog.Refused)
	other := func(o runlog.Outcome) bool { return o != runlog.Admitted && o != runlog.Refused }
	sentence := func(group func(string) bool) string {
		text := fmt.Sprintf("the limited key made %d calls, in bursts and one at a time: %d admitted, %d refused",
			s.count(group, anyOutcome), s.count(group, admitted), s.count(group, refused))
		if failed := s.count(group, other); failed > 0 {
			text += fmt.Sprintf(", %d failed", failed)
		}
		return text
	}
	if s.Sentence != sentence(limited) && s.Sentence != sentence(streaming) {
		s.problemf("the load summary contradicts itself: its text is %.120q, but the counts of its time spans add up to %q", s.Sentence, sentence(limited))
	}
	if s.count(limited, other) > 0 && len(s.findings) == 0 {
		s.problemf("the case has no findings, but in the time spans of its load summary, %s neither admitted nor refused", plain.Were(s.count(limited, other), "call"))
	}
	if n, ok := s.numbers(contract.Answered, allRefusals); ok && n[0] != s.count(limited, refused) && n[0] != s.count(streaming, refused) {
		s.problemf("the load summary says that all %d refusals are complete, but its time spans contain %s", n[0], plain.Count(s.count(limited, refused), "refusal"))
	}
	let, turned := s.countedByChecks()
	if let > s.count(limited, admitted) || turned > s.count(limited, func(o runlog.Outcome) bool { return o != runlog.Admitted }) {
		s.problemf("the load summary says that %d calls were admitted and %d refused, but its time spans contain %d admitted and %d other calls",
			let, turned, s.count(limited, admitted), s.count(limited, func(o runlog.Outcome) bool { return o != runlog.Admitted }))
	}
}

// countedByChecks returns how many calls the checks on the limit say were admitted and refused. No call is counted twice.
func (s *summary) countedByChecks() (admitted, refused int) {
	if n, ok := s.numbers(contract.LimitExact, ofLimit); ok {
		admitted, refused = n[0], n[1]
	}
	form := ofLimit
	if check, _ := s.result(contract.LimitBurst); ofBothBursts.MatchString(check.Sentence) {
		form = ofBothBursts
	}
	n, ok := s.numbers(contract.LimitBurst, form)
	switch {
	case !ok:
		return admitted, refused
	case len(n) == 4: // the first check may have counted the initial burst too
		return max(admitted, n[0]) + n[2], max(refused, n[1]) + n[3]
	default:
		return admitted + n[0], refused + n[1]
	}
}

// lateFailure is how the sentence about a recovery ends if requests failed for a while after the outage.
const lateFailure = `; the last request that failed did so [0-9.hmµs]+ after the outage, and none failed in the next [0-9.hmµs]+$` + `|` +
	`, the last failed after [0-9.hmµs]+, then none for [0-9.hmµs]+$` // earlier versions

var (
	duringOutage = regexp.MustCompile(`^(\d{1,9}) of (\d{1,9}) healthy requests failed during the outage$`)
	// Logs of earlier versions have the second wording.
	allFaulty = regexp.MustCompile(`^all (\d{1,9}) faulty requests (?:received the expected error|got the error of their row): `)
	recovered = regexp.MustCompile(`; no request failed in the [0-9.hmµs]+ after the outage$|` + lateFailure + `|` +
		`(?:^|, )none failed for [0-9.hmµs]+$`) // earlier versions
	failedLate = regexp.MustCompile(lateFailure)
)

// hanging is how the names of the groups begin that only the gateway's time limit ends.
const hanging = "hanging"

// checkOutage checks the counts of an outage.
func (s *summary) checkOutage(slow bool) {
	s.require(contract.HealthyServed, contract.HealthySpared, contract.RetriesBounded, contract.NothingLeft, contract.CapacityKept, contract.Recovery)
	if slow {
		s.require(contract.Departure)
	}
	if s.count(func(group string) bool { return strings.HasPrefix(group, hanging) }, anyOutcome) > 0 {
		s.require(contract.InTime, contract.UpstreamFreed)
	}
	if _, ok := s.result(contract.Answered); !ok && !slices.ContainsFunc(s.Checks, func(c runlog.Check) bool { return c.Result == contract.Violated }) {
		s.problemf("the load summary has no check for the requirement %s", contract.Answered)
	}
	s.checkFaulty()
	s.checkServed()
	s.checkSpared()
}

func isHealthy(group string) bool { return strings.HasPrefix(group, runlog.HealthyGroup) }

func isFaulty(group string) bool {
	return !isHealthy(group) && !strings.HasPrefix(group, runlog.DisconnectingGroup) && !strings.HasPrefix(group, runlog.HeldGroup) && group != runlog.DirectGroup
}

func (s *summary) checkFaulty() {
	for _, t := range s.Times {
		if sent := s.count(isOne(t.Name), runlog.Outcome.OfGateway); isFaulty(t.Name) && !isTimeOfHealthy(t.Name) && t.Count > sent {
			s.problemf("the load summary has latencies for %s, but its time spans contain only %d", plain.Count(t.Count, fmt.Sprintf("%.40s request", t.Name)), sent)
		}
	}
	n, ok := s.numbers(contract.Answered, allFaulty)
	if !ok {
		return
	}
	if sent := s.count(isFaulty, runlog.Outcome.OfGateway); n[0] > sent || n[0] < sent && !s.secondRound() {
		s.problemf("the load summary counts %s, all of them answered, but its time spans contain %d", plain.Count(n[0], "faulty request"), sent)
	}
	// Those were not answered with an error.
	if wrong := s.count(isFaulty, isOne(runlog.Admitted, runlog.Timeout, runlog.Wrong, runlog.TransportError)); wrong > 0 {
		s.problemf("the load summary says that every faulty request received the expected error, but its time spans contain %d that did not", wrong)
	}
}

// times are the latencies of healthy requests in a round, by its prefix.
func (s *summary) times(prefix, phase string) (t runlog.Times, ok bool) {
	i := slices.IndexFunc(s.Times, func(t runlog.Times) bool { return t.Name == prefix+runlog.HealthyGroup+" "+phase })
	if i < 0 {
		return t, false
	}
	return s.Times[i], true
}

func isTimeOfHealthy(name string) bool {
	name, ok := strings.CutPrefix(strings.TrimPrefix(name, again), runlog.HealthyGroup+" ")
	return ok && slices.Contains([]string{"before", "during", "after"}, name)
}

// baselineFailures is how many requests that succeeded come to one that failed, at least, before an outage.
const baselineFailures = 19

// checkServed checks how many healthy requests failed.
func (s *summary) checkServed() {
	admitted := 0
	for _, t := range s.Times {
		if isTimeOfHealthy(t.Name) {
			admitted += t.Count
		}
	}
	if counted := s.count(isHealthy, isOne(runlog.Admitted)); counted != admitted {
		s.problemf("the load summary has latencies for %s that succeeded, but its time spans contain %d", plain.Count(admitted, "healthy request"), counted)
	}
	_, healthyAfter := s.numbers(contract.Recovery, recovered)
	recovery, _ := s.result(contract.Recovery)
	n, ok := s.numbers(contract.HealthyServed, duringOutage)
	if !ok {
		return
	}
	failed, sent := n[0], n[1]
	all := s.count(isHealthy, runlog.Outcome.Failed)
	before, _ := s.times("", "before")
	switch most := before.Count / baselineFailures; {
	case failed > all || sent > s.count(isHealthy, anyOutcome):
		s.problemf("the load summary says that %d of %d healthy requests failed during the outage, but its time spans contain %s", failed, sent, plain.Count(all, "failure"))
	case !s.secondRound() && healthyAfter && !failedLate.MatchString(recovery.Sentence) && all-failed > most:
		s.problemf("the time spans in the load summary count %s that failed, but its checks report only %d", plain.Count(all, "healthy request"), failed)
	case failed > 0 && !s.secondRound():
		usual := float64(min(all-failed, most)) / float64(max(before.Count+min(all-failed, most), 1))
		if float64(failed) > 2*usual*float64(sent) {
			s.problemf("the load summary says that healthy requests were served, but %d of %d failed during the outage, more than twice the failure rate before the outage", failed, sent)
		}
	}
}

// checkSpared compares the latencies of healthy requests during the outage with those before and after it.
func (s *summary) checkSpared() {
	check, ok := s.result(contract.HealthySpared)
	if !ok || check.Result != contract.Held {
		return
	}
	if !s.spared("") && !s.spared(again) {
		s.problemf("the load summary says that healthy requests were not slowed down, but during the outage they took longer than the limit allows, or the summary lacks latencies or contains a limit that is too low")
	}
}

// spared reports whether the requirement held in a round. How far the generator lagged behind shows in the bound.
func (s *summary) spared(prefix string) bool {
	before, ok1 := s.times(prefix, "before")
	during, ok2 := s.times(prefix, "during")
	after, ok3 := s.times(prefix, "after")
	if !ok1 || !ok2 || !ok3 {
		return false
	}
	usual, usualTail := max(before.P50, after.P50), max(before.P99, after.P99)
	lag := during.Bound - runlog.MaxMedian(usual)
	return lag >= 0 && during.P50 <= during.Bound && during.P99 <= runlog.MaxTail(usualTail)+lag
}
