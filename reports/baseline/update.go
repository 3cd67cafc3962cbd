package baseline

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/yamltext"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Expect returns the entry that turns a failure into an expected one. Its reason is the first MUST that was violated; it is
// a placeholder for a better one.
func Expect(c runlog.Case) Entry {
	e := Entry{Case: contract.Pattern(c.ID), Reason: string(contract.Fail)}
	i := slices.IndexFunc(c.Findings, func(f contract.Finding) bool { return f.Level == contract.Must })
	if i >= 0 {
		const most = 160 // runes, about two lines of a file
		e.Reason = plain.Text(c.Findings[i].String(), most)
	}
	return e
}

// Updated returns the baseline under which the run's failures are expected:
//
//   - an entry that holds stays; one that holds in part is replaced by one entry per case that still fails
//   - a stale entry is removed, and every failure that no entry names gets one
//   - an entry whose cases were not selected stays, because this run says nothing about them
//   - an expired entry stays expired: to renew it is a decision, not an update
func (b Baseline) Updated(cases []runlog.Case, selected func(contract.Case) bool) Baseline {
	out := Baseline{File: b.File}
	expected := make(map[string]bool)
	add := func(e Entry) {
		if !slices.ContainsFunc(out.Entries, func(o Entry) bool { return o.Case == e.Case }) {
			out.Entries = append(out.Entries, e)
		}
	}
	for _, e := range b.Entries {
		known := e.Case.Cases()
		passed, executed := e.outcomes(cases)
		if len(passed) == 0 && (executed > 0 || len(known) > 0 && !slices.ContainsFunc(known, selected)) {
			add(e)
		}
		for _, c := range byID(cases) {
			if !e.Case.Matches(c.ID) || c.Verdict != contract.Fail && c.Verdict != contract.ExpectedFail {
				continue
			}
			expected[c.ID] = true
			if len(passed) > 0 {
				part := e
				part.Case = contract.Pattern(c.ID)
				add(part)
			}
		}
	}
	for _, c := range byID(cases) {
		if c.Verdict == contract.Fail && !expected[c.ID] {
			add(Expect(c))
		}
	}
	return out
}

// byID sorts cases by id. A log has them in the order in which they ended, which differs from run to run.
func byID(cases []runlog.Case) []runlog.Case {
	return slices.SortedFunc(slices.Values(cases), func(a, b runlog.Case) int { return strings.Compare(a.ID, b.ID) })
}

// head is the comment at the top of a baseline that gatecert writes.
const head = `# Expected failures. gatecert run --baseline FILE reports them as expected-fail.
# case is an id or a pattern: * matches any text within one part of the id, ** any number of parts. reason is required;
# link, owner and expires (the last valid day, 2027-03-31) are optional. An entry that no longer holds makes the run exit 4.
`

// Write writes the baseline as the YAML that [Parse] reads.
func (b Baseline) Write(w io.Writer) error {
	text := head + "expected_failures:"
	if len(b.Entries) == 0 {
		text += " []\n"
	} else {
		text += "\n" + b.YAML()
	}
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("write baseline: %w", err)
	}
	return nil
}

// YAML returns the entries as they appear in a baseline's list, each beginning with "  - case: ".
func (b Baseline) YAML() string {
	var out strings.Builder
	for line := range strings.Lines(yamltext.Marshal(b.Entries)) {
		out.WriteString("  " + line)
	}
	return out.String()
}
