// Package baseline represents the expected failures of a gateway, so that a release gate fails only on new ones.
//
// A baseline excuses only failures. It does not excuse a case that could not be run, a surface whose control call failed, or an unreachable gateway,
// because these do not describe the gateway's behaviour. A baseline must stay accurate: [Baseline.Stale] reports an entry whose case passes, that
// matches no case, or that has expired.
package baseline

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/version"
	"github.com/gatecert/gatecert/internal/yamltext"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Baseline is a list of expected failures. The zero value contains none.
type Baseline struct {
	// File is the name of the file, for messages.
	File    string
	Entries []Entry
	// Recorded is set if the baseline is the result of an earlier run, which must not be overwritten.
	Recorded bool
}

// Entry is one expected failure or group of failures.
type Entry struct {
	// Case is a pattern that matches the cases that are expected to fail.
	Case contract.Pattern `yaml:"case"`
	// Reason states why the failure is acceptable.
	Reason string `yaml:"reason"`
	// Link states where the failure is tracked, for example a URL. Owner is the person or team that works on it.
	Link  string `yaml:"link,omitempty"`
	Owner string `yaml:"owner,omitempty"`
	// Expires is the last day on which the failure is acceptable.
	Expires Date `yaml:"expires,omitempty"`
	// Line is the entry's line in the file, from 1, or 0 if there is none.
	Line int `yaml:"-"`
}

// Date is an ISO 8601 date such as "2027-03-31". "" means that there is no date.
type Date string

// over reports whether the day has ended everywhere on Earth: the last time zone is twelve hours behind UTC.
func (d Date) over(now time.Time) bool {
	day, err := time.Parse(time.DateOnly, string(d))
	return d != "" && (err != nil || now.After(day.Add(36*time.Hour)))
}

// Excused returns the case, with a listed failure changed to an expected failure whose reason names the entry.
func (b Baseline) Excused(c runlog.Case) runlog.Case {
	if c.Verdict != contract.Fail {
		return c
	}
	i := slices.IndexFunc(b.Entries, func(e Entry) bool { return e.Case.Matches(c.ID) })
	if i < 0 {
		return c
	}
	c.Verdict, c.Reason = contract.ExpectedFail, b.why(b.Entries[i])
	return c
}

// why is the reason of an excused case: "expected by known.yaml:3: no such list (https://…; owner ada; until 2027-03-31)".
func (b Baseline) why(e Entry) string {
	var more []string
	if e.Link != "" {
		more = append(more, e.Link)
	}
	if e.Owner != "" {
		more = append(more, "owner "+e.Owner)
	}
	if e.Expires != "" {
		more = append(more, "until "+string(e.Expires))
	}
	text := "expected by " + b.place(e) + ": " + e.Reason
	if len(more) > 0 {
		text += " (" + strings.Join(more, "; ") + ")"
	}
	return text
}

func (b Baseline) place(e Entry) string {
	if e.Line == 0 {
		return b.File
	}
	return fmt.Sprintf("%s:%d", b.File, e.Line)
}

// Stale describes each entry that is no longer valid: its position, the problem, and what to do. cases are the cases of the run. selected reports
// which cases of the contract were selected, because a run of one row shows nothing about other rows.
func (b Baseline) Stale(cases []runlog.Case, selected func(contract.Case) bool, now time.Time) []string {
	var stale []string
	for _, e := range b.Entries {
		add := func(format string, args ...any) {
			stale = append(stale, b.place(e)+": "+string(e.Case)+": "+fmt.Sprintf(format, args...))
		}
		if e.Expires.over(now) {
			add("the entry expired on %s; renew or remove it", e.Expires)
		}
		known := e.Case.Cases()
		if len(known) == 0 {
			add("the entry matches no case of the contract; correct or remove it")
			continue
		}
		if !slices.ContainsFunc(known, selected) {
			continue
		}
		passed, executed := e.outcomes(cases)
		switch {
		case len(passed) > 0:
			add("the entry expects failures, but %d of %s passed: %s; remove the entry or narrow it", len(passed), plain.Count(executed, "case"), firstOf(passed))
		case executed == 0:
			add("the entry matches no case that this target offers; remove it")
		}
	}
	return stale
}

// outcomes counts the executed cases that the entry matches, and lists those that pass.
func (e Entry) outcomes(cases []runlog.Case) (passed []string, executed int) {
	for _, c := range cases {
		if c.Verdict == contract.NotOffered || !e.Case.Matches(c.ID) {
			continue
		}
		executed++
		if c.Verdict == contract.Pass || c.Verdict == contract.Warn {
			passed = append(passed, c.ID)
		}
	}
	return passed, executed
}

func firstOf(ids []string) string {
	const most = 3
	if len(ids) <= most {
		return strings.Join(ids, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(ids[:most], ", "), len(ids)-most)
}

// Expect returns the entry that turns a failure into an expected one. Its reason is the first violated MUST, as a placeholder for a better reason.
func Expect(c runlog.Case) Entry {
	e := Entry{Case: contract.Pattern(c.ID), Reason: string(contract.Fail)}
	i := slices.IndexFunc(c.Findings, func(f contract.Finding) bool { return f.Level == contract.Must })
	if i >= 0 {
		const most = 160 // runes, about two lines of a file
		e.Reason = plain.Text(c.Findings[i].String(), most)
	}
	return e
}

// Updated returns the baseline updated for a run, so that the run's failures are expected:
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
# case is an id or a pattern. Slashes separate the parts of an id: * matches any text within one part, and ** matches any number of parts.
# reason is required; link, owner and expires (the last valid day, such as 2027-03-31) are optional. If an entry is out of date, the run exits with code 4.
`

// Write writes the baseline as YAML that [Parse] can read.
func (b Baseline) Write(w io.Writer) error {
	text := version.SchemaComment("baseline") + head + "expected_failures:"
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

// YAML returns the entries as they appear in a baseline's list. Each entry begins with "  - case: ".
func (b Baseline) YAML() string {
	var out strings.Builder
	for line := range strings.Lines(yamltext.Marshal(b.Entries)) {
		out.WriteString("  " + line)
	}
	return out.String()
}
