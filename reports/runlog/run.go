// Package runlog represents the event log of a run as data: a header, the control calls, one event for each case, and a footer. [Writer] appends
// events to an NDJSON file, and [Read] reads them as a [Run].
//
// A log without a footer is incomplete, and never counts as a short success. The package imports only contract, dialect and clientlog, so that
// renderers, baselines and certificates can read logs without linking the code that writes them.
package runlog

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/clientlog"
)

// Run is the content of one event log. Every renderer is a pure function of it.
type Run struct {
	Header
	Controls []Control
	// Cases are in the order in which they ended.
	Cases []Case
	// Footer is nil if the log has none.
	Footer *Footer
	// Torn is set if a crash truncated the last line, which was ignored.
	Torn bool
	// Clients describes how client libraries handled the gateway's responses. It is nil if no client libraries ran. This data is in a separate file
	// next to the log, and no verdict depends on it.
	Clients *clientlog.Log
}

// Counts is the number of cases by verdict.
type Counts map[contract.Verdict]int

// Total returns the number of counted cases.
func (c Counts) Total() int {
	total := 0
	for _, n := range c {
		total += n
	}
	return total
}

// Add adds the counts in other.
func (c Counts) Add(other Counts) {
	for v, n := range other {
		c[v] += n
	}
}

// Conclude computes the footer of a run from its header and cases. The caller adds Interrupted, Stale and Notes.
func Conclude(h Header, cases []Case, ended time.Time) Footer {
	run := Run{Header: h, Cases: cases}
	var verdicts []contract.Verdict
	for _, c := range run.AllCases() {
		verdicts = append(verdicts, c.Verdict)
	}
	verdict, ok := contract.Worst(verdicts...)
	if !ok || run.Executed() == 0 {
		verdict = contract.Error
	}
	return Footer{
		Type: "footer", Ended: ended, Verdict: verdict, Counts: run.counts(),
		Executed: run.Executed(), Missing: run.Missing(), Surplus: run.Surplus(),
	}
}

func (r Run) counts() Counts {
	counts := make(Counts)
	for _, c := range r.Cases {
		counts[c.Verdict.OrError()]++
	}
	return counts
}

// Executed returns the number of cases that ran. A case that is not offered did not run.
func (r Run) Executed() int {
	n := 0
	for _, c := range r.Cases {
		if c.Verdict != contract.NotOffered {
			n++
		}
	}
	return n
}

// Missing returns the ids of the expected cases that are not in the log, in the order of the header. It does not rely on
// the footer.
func (r Run) Missing() []string {
	ran := make(map[string]bool, len(r.Cases))
	for _, c := range r.Cases {
		ran[c.ID] = true
	}
	var missing []string
	for _, id := range r.Expected {
		if !ran[id] {
			missing = append(missing, id)
			ran[id] = true // named twice, missing once
		}
	}
	return missing
}

// Surplus returns the ids of the cases that ran without being expected, in log order.
func (r Run) Surplus() []string {
	expected := make(map[string]bool, len(r.Expected))
	for _, id := range r.Expected {
		expected[id] = true
	}
	var surplus []string
	for _, c := range r.Cases {
		if !expected[c.ID] && c.Verdict != contract.NotOffered {
			surplus = append(surplus, c.ID)
		}
	}
	return surplus
}

// AllCases returns the cases of the log, followed by every missing case with the verdict [contract.Error], so that no renderer can overlook a missing
// case. An unknown verdict becomes an error.
func (r Run) AllCases() []Case {
	cases := make([]Case, 0, max(len(r.Cases), len(r.Expected)))
	for _, c := range r.Cases {
		c.Verdict = c.Verdict.OrError()
		cases = append(cases, c)
	}
	for _, id := range r.Missing() {
		key := KeyOf(contract.SplitID(id))
		key.ID = id
		cases = append(cases, Case{Type: "case", CaseKey: key, Verdict: contract.Error, Reason: "never ran"})
	}
	return cases
}

// Complete reports whether the run can be judged as a whole: it has a footer that agrees with its cases, was not interrupted, executed at least one
// case, and no expected case is missing.
func (r Run) Complete() bool { return len(r.gaps()) == 0 }

// Incomplete returns the reason why the run is not complete, or "" if it is complete.
func (r Run) Incomplete() string { return strings.Join(r.gaps(), "; ") }

func (r Run) gaps() []string {
	var gaps []string
	switch {
	case r.Footer == nil && r.Torn:
		gaps = append(gaps, "the log ends in an incomplete line and has no footer")
	case r.Footer == nil:
		gaps = append(gaps, "the log has no footer")
	case r.Footer.Interrupted:
		gaps = append(gaps, "the run was interrupted")
	}
	if r.Executed() == 0 {
		gaps = append(gaps, "no case was executed")
	}
	if n := len(r.Missing()); n > 0 {
		noun := "case"
		if len(r.Expected) != 1 {
			noun = "cases"
		}
		gaps = append(gaps, fmt.Sprintf("%d of %d expected %s never ran", n, len(r.Expected), noun))
	}
	if r.Footer != nil && !r.counted() {
		gaps = append(gaps, "the footer's counts do not match the cases in the log")
	}
	return gaps
}

// counted reports whether the footer's counts match the cases of the log. They do not when the log was cut or altered.
func (r Run) counted() bool {
	counts := r.counts()
	for _, v := range contract.Verdicts() {
		if counts[v] != r.Footer.Counts[v] {
			return false
		}
	}
	return Counts(r.Footer.Counts).Total() == len(r.Cases)
}

// Verdict returns the worst verdict of all cases and of the footer, or [contract.Error] if the run is not complete.
func (r Run) Verdict() contract.Verdict {
	if !r.Complete() {
		return contract.Error
	}
	verdicts := []contract.Verdict{r.Footer.Verdict.OrError()}
	for _, c := range r.Cases {
		verdicts = append(verdicts, c.Verdict.OrError())
	}
	worst, _ := contract.Worst(verdicts...)
	return worst
}

// Case returns the case with this id. ok is false if the log contains none.
func (r Run) Case(id string) (c Case, ok bool) {
	i := slices.IndexFunc(r.Cases, func(c Case) bool { return c.ID == id })
	if i < 0 {
		return Case{}, false
	}
	return r.Cases[i], true
}
