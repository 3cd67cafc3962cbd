package baseline

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Expect is the entry that makes a failure an expected one. Its reason, the first MUST that was broken, is there to be
// replaced by a better one.
func Expect(c runlog.Case) Entry {
	e := Entry{Case: contract.Pattern(c.ID), Reason: string(contract.Fail)}
	i := slices.IndexFunc(c.Findings, func(f contract.Finding) bool { return f.Level == contract.Must })
	if i >= 0 {
		const most = 160 // runes, about two lines of a file
		e.Reason = plain.Text(c.Findings[i].String(), most)
	}
	return e
}

// Updated is the baseline that makes the run's failures expected ones: entries that hold stay as they are, those of
// which a part holds keep that part, stale ones go, and every failure that none of them named gets one. Entries about
// cases that were not selected stay: nothing is known about them. A day that is over stays over; to renew it is a
// decision, not an update.
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

// byID sorts cases, which stand in a log as they ended: a file that is kept must not differ from run to run.
func byID(cases []runlog.Case) []runlog.Case {
	return slices.SortedFunc(slices.Values(cases), func(a, b runlog.Case) int { return strings.Compare(a.ID, b.ID) })
}

// head is what a baseline that gatecert wrote begins with.
const head = `# Failures that are expected: gatecert run --baseline FILE reports them as expected-fail.
# case is an id or a pattern (* within one part, ** for any number of parts); reason is required; link, owner and
# expires (a day, 2027-03-31) are not. An entry that does not hold any more makes the run exit 4.
`

// Write writes the baseline as the YAML that [Parse] reads.
func (b Baseline) Write(w io.Writer) error {
	if _, err := io.WriteString(w, head+"expected_failures:"); err != nil {
		return fmt.Errorf("write baseline: %w", err)
	}
	if len(b.Entries) == 0 {
		_, err := io.WriteString(w, " []\n")
		return err
	}
	_, err := io.WriteString(w, "\n"+b.YAML())
	return err
}

// YAML is the entries as they stand in a baseline's list, each beginning with "  - case: ".
func (b Baseline) YAML() string {
	text, err := yaml.MarshalWithOptions(b.Entries, yaml.IndentSequence(true))
	if err != nil {
		return "# " + err.Error() + "\n"
	}
	return string(text)
}
