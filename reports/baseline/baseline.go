// Package baseline holds the failures that are expected of a gateway, so that a release gate turns red for what is new.
//
// A baseline excuses failures and nothing else: a case that could not be brought about, a surface whose control failed
// and a gateway that cannot be reached are no behaviour that somebody could have agreed to. And it has to stay true: an
// entry whose case passes, that names nothing, or that is past its date, is told by [Baseline.Stale].
package baseline

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Baseline is a list of expected failures. The zero value expects none.
type Baseline struct {
	// File names it in messages.
	File    string
	Entries []Entry
	// Recorded says that it is the result of an earlier run, and nothing to be written to.
	Recorded bool
}

// Entry is one expectation.
type Entry struct {
	// Case names the cases that are expected to fail.
	Case contract.Pattern `yaml:"case"`
	// Reason says why that is accepted.
	Reason string `yaml:"reason"`
	// Link leads to where it is followed up, Owner says by whom.
	Link  string `yaml:"link,omitempty"`
	Owner string `yaml:"owner,omitempty"`
	// Expires is the last day on which it is accepted.
	Expires Date `yaml:"expires,omitempty"`
	// Line is where it stands in its file, from 1; 0 where that says nothing.
	Line int `yaml:"-"`
}

// Date is a day as ISO 8601 writes it, "2027-03-31". "" is no day.
type Date string

// over reports whether the day has ended everywhere on Earth: the last place to end it is twelve hours behind UTC.
func (d Date) over(now time.Time) bool {
	day, err := time.Parse(time.DateOnly, string(d))
	return d != "" && (err != nil || now.After(day.Add(36*time.Hour)))
}

// Excused returns the case as the baseline sees it: a failure that is listed becomes an expected one, which says why.
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

// why writes an entry as the reason of a verdict: "expected by known.yaml:3: no such list (https://…; owner ada; until 2027-03-31)".
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

// Stale tells every entry that does not hold any more, each as its place and what is wrong. The cases are those of the
// run; selected says which cases of the contract were asked for, since a run of one row says nothing about the others.
func (b Baseline) Stale(cases []runlog.Case, selected func(contract.Case) bool, now time.Time) []string {
	var stale []string
	for _, e := range b.Entries {
		tell := func(format string, args ...any) {
			stale = append(stale, b.place(e)+": "+string(e.Case)+" "+fmt.Sprintf(format, args...))
		}
		if e.Expires.over(now) {
			tell("expired on %s", e.Expires)
		}
		known := e.Case.Cases()
		if len(known) == 0 {
			tell("names no case of the contract")
			continue
		}
		if !slices.ContainsFunc(known, selected) {
			continue
		}
		passed, executed := e.outcomes(cases)
		switch {
		case len(passed) > 0:
			tell("is expected to fail, and %d of %d pass: %s", len(passed), executed, some(passed))
		case executed == 0:
			tell("names nothing that this target offers")
		}
	}
	return stale
}

// outcomes counts the executed cases that the entry names, and lists those of them that pass.
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

// some lists the first ids.
func some(ids []string) string {
	const most = 3
	if len(ids) <= most {
		return strings.Join(ids, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(ids[:most], ", "), len(ids)-most)
}
