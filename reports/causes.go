package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Cause groups the failures or warnings of several cases that violate the same requirement in the same way. Fixing the problem in one of them usually
// fixes all of them.
//
// All texts of a Cause are safe to show. The example is as recorded in the log.
type Cause struct {
	// Title names the problem, for example "401 responses have no param".
	Title string
	// Requirement is "" for cases that could not be judged.
	Requirement contract.Requirement
	// Level is the strongest level among the findings, or "" if there are none.
	Level contract.RequirementLevel
	// Verdict is [contract.Fail] for a violated MUST and [contract.Warn] for a SHOULD. If there are no findings, it is the verdict of the cases.
	Verdict contract.Verdict
	// Cases are ids in log order, without duplicates. Surfaces are in the order of the contract.
	Cases    []string
	Surfaces []dialect.Surface
	// Example is the case that is easiest to read, and Finding is its finding.
	Example runlog.Case
	Finding contract.Finding
	// Contract is what the contract states, Suffers is who is affected and how, and Mend is what usually fixes the problem. Each is "" if it is
	// unknown.
	Contract, Suffers, Mend string

	kind     string
	statuses []int // of the answers, each once
}

// Size returns the number of cases and endpoints, for example "43 cases, 9 endpoints".
func (c Cause) Size() string {
	return plain.Count(len(c.Cases), "case") + ", " + plain.Count(len(c.Surfaces), "endpoint")
}

// Causes groups what needs attention in a run by cause. Failures come first, then cases that could not be judged, then warnings. Within each group,
// causes are ordered by severity, then by number of cases. Failures that the baseline expects are omitted, and so are findings that only follow from
// another finding of the same case. Every case that fails, warns or could not be judged belongs to at least one cause.
func Causes(run runlog.Run) []Cause {
	var list []*Cause
	known := make(map[string]*Cause)
	add := func(key string, c runlog.Case, f contract.Finding, create func() *Cause) {
		cause := known[key]
		if cause == nil {
			cause = create()
			known[key] = cause
			list = append(list, cause)
		}
		cause.add(c, f)
	}
	for _, c := range run.Cases {
		c.Verdict = c.Verdict.OrError()
		switch c.Verdict {
		case contract.Pass, contract.NotOffered, contract.ExpectedFail:
			continue
		default:
		}
		judged := false
		if c.Verdict == contract.Fail || c.Verdict == contract.Warn {
			for _, f := range withoutConsequences(c.Findings) {
				judged = true
				k := kindOf(c, f)
				add(string(k.requirement)+"\x00"+k.kind, c, f, func() *Cause {
					return &Cause{Title: k.title, Requirement: k.requirement, kind: k.kind}
				})
			}
		}
		if !judged {
			title := cmp.Or(c.Reason, "no reason is given")
			add(string(c.Verdict)+"\x00"+folded(title), c, contract.Finding{}, func() *Cause {
				return &Cause{Title: "Could not be judged: " + title, Verdict: c.Verdict}
			})
		}
	}
	causes := make([]Cause, len(list))
	for i, c := range list {
		causes[i] = c.finished()
	}
	slices.SortStableFunc(causes, func(a, b Cause) int {
		return cmp.Or(
			cmp.Compare(a.part(), b.part()),
			cmp.Compare(gravityOf(a.Requirement), gravityOf(b.Requirement)),
			-cmp.Compare(len(a.Cases), len(b.Cases)),
			cmp.Compare(a.Title, b.Title),
		)
	})
	return causes
}

// part is 0 for failures, 1 for what could not be judged, 2 for warnings.
func (c Cause) part() int {
	switch {
	case c.Verdict == contract.Warn:
		return 2
	case c.Requirement == "":
		return 1
	default:
		return 0
	}
}

// add adds a case with its finding, an empty one for a case that could not be judged.
func (c *Cause) add(added runlog.Case, f contract.Finding) {
	if len(c.Cases) == 0 || c.Cases[len(c.Cases)-1] != added.ID { // the findings of a case come together
		c.Cases = append(c.Cases, added.ID)
	}
	if !slices.Contains(c.Surfaces, added.Surface) {
		c.Surfaces = append(c.Surfaces, added.Surface)
	}
	status := 0
	if added.Observation != nil {
		status = added.Observation.Status
	}
	if !slices.Contains(c.statuses, status) {
		c.statuses = append(c.statuses, status)
	}
	if c.Example.ID == "" || easier(added, f, c.Example, c.Finding) {
		c.Example, c.Finding = added, f
	}
	if f.Level == contract.Must || c.Level == "" {
		c.Level = f.Level
	}
}

// easier reports whether a case is easier to read than another: it has an observation, violates a MUST, has an answer whose
// offending part can be marked, does not stream, was not the second request on its connection, and comes first among the endpoints. The ids decide the rest, so that the order of
// the log does not.
func easier(a runlog.Case, f contract.Finding, b runlog.Case, g contract.Finding) bool {
	rank := func(c runlog.Case, f contract.Finding) []int {
		place := slices.Index(dialect.Surfaces(), c.Surface)
		if place < 0 {
			place = len(dialect.Surfaces())
		}
		return []int{
			truth(c.Observation == nil), truth(f.Level != contract.Must), truth(c.Observation != nil && c.Observation.Stream != nil),
			truth(c.Observation != nil && c.Observation.Sent.Kept), place,
		}
	}
	return cmp.Or(slices.Compare(rank(a, f), rank(b, g)), cmp.Compare(a.ID, b.ID)) < 0
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// finished returns the cause with its texts, when it has all of its cases.
func (c Cause) finished() Cause {
	slices.SortStableFunc(c.Surfaces, func(a, b dialect.Surface) int {
		return cmp.Compare(slices.Index(dialect.Surfaces(), a), slices.Index(dialect.Surfaces(), b))
	})
	if rest, ok := strings.CutPrefix(c.Title, "Responses "); ok && len(c.statuses) == 1 && c.statuses[0] >= 400 {
		c.Title = strconv.Itoa(c.statuses[0]) + " responses " + rest
	}
	c.Title = plain.Text(c.Title, nameLimit)
	if c.Requirement == "" {
		return c
	}
	c.Verdict = contract.Warn
	if c.Level == contract.Must {
		c.Verdict = contract.Fail
	}
	c.Contract = contractSays(c.Example, c.Finding)
	remedy := remedyOf(c.Requirement, c.kind)
	c.Suffers, c.Mend = remedy.suffers, remedy.mend
	if text := RowText(c.Example.Row); text != "" && slices.Contains(statusRequirements, c.Requirement) {
		c.Suffers += " " + text // it says what this very row is for
	}
	return c
}

// contractSays is the sentence of the requirement, and what it means in the example.
func contractSays(example runlog.Case, f contract.Finding) string {
	d, known := f.Requirement.Details()
	if !known {
		return ""
	}
	want := plain.Text(f.Want, textLimit)
	row, known := contract.RowByID(example.Row)
	if !known || want == "" {
		return d.Sentence
	}
	return fmt.Sprintf("%s In this case: %s (%s, %s).", d.Sentence, want, row.ID, strings.ToLower(row.Meaning))
}

// statusRequirements are those for which the row itself explains who is affected.
var statusRequirements = []contract.Requirement{contract.NotSuccess, contract.StatusClass, contract.StatusExact, contract.StatusBlame}

// withoutConsequences returns the findings that can change a verdict, but for those that another finding of the case explains. A
// body without an error object has no code either, for example.
func withoutConsequences(findings []contract.Finding) []contract.Finding {
	has := func(keep func(contract.Finding) bool, requirements ...contract.Requirement) bool {
		return slices.ContainsFunc(findings, func(f contract.Finding) bool {
			return f.Level != contract.Note && slices.Contains(requirements, f.Requirement) && (keep == nil || keep(f))
		})
	}
	unreadable := func(f contract.Finding) bool { return bodyKind(f.Got) != "" }
	wrongStatus := has(nil, contract.NotSuccess, contract.StatusClass, contract.StatusExact)
	follows := func(f contract.Finding) bool {
		switch f.Requirement {
		case contract.Code:
			return f.Got == "no error object" && has(nil, contract.Envelope, contract.Whole)
		case contract.StatusBlame:
			return isStatus(f.Got) && wrongStatus
		case contract.Consistent:
			return wrongStatus || has(nil, contract.Code, contract.CodeKnown) && !strings.HasPrefix(f.Want, "an error.type")
		case contract.ContentType:
			return has(unreadable, contract.Envelope)
		case contract.Envelope:
			return has(nil, contract.Whole) && unreadable(f)
		case contract.Fields:
			return f.Got == "no code" && has(func(g contract.Finding) bool { return g.Got == "nothing" }, contract.Code, contract.CodeKnown)
		default:
			return false
		}
	}
	return slices.DeleteFunc(slices.Clone(findings), func(f contract.Finding) bool { return f.Level == contract.Note || follows(f) })
}
