package reports

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Bounds, in runes, of what a gateway sent, where a report shows it as text.
const (
	textLimit = 400  // a message, a URL, a want or a got
	curlLimit = 4096 // a command line, which is useless when it is cut
	nameLimit = 200  // an id or a name from the profile or the features
)

// Fact is a labelled line of text.
type Fact struct{ Label, Text string }

// failureText is a case that needs attention in plain text: request, response, and what was expected. All of it is safe
// to show.
type failureText struct {
	ID      string
	Verdict contract.Verdict
	// Scenario is the name of the scenario, "" when none began or its name is the id.
	Scenario string
	// Step is the first step that failed, else the first that warned, else "".
	Step string
	// Request is the request line, Response a one-line summary of what came back.
	Request, Response string
	// Reason explains a verdict without findings.
	Reason   string
	Findings []findingText
	// Load describes the load, line by line; none for a case of one request.
	Load []string
	Curl string
}

// findingText is a finding in plain text.
type findingText struct {
	Level       string `json:"level"`
	Requirement string `json:"requirement"`
	Want        string `json:"want"`
	Got         string `json:"got"`
}

func failureTextOf(c runlog.Case) failureText {
	f := failureText{ID: plain.Text(c.ID, nameLimit), Verdict: c.Verdict, Reason: plain.Text(c.Reason, textLimit)}
	if c.Load != nil {
		f.Load = LoadText(*c.Load)
	}
	if c.Scenario != nil {
		if c.Scenario.Name != c.ID {
			f.Scenario = plain.Text(c.Scenario.Name, nameLimit)
		}
		for _, status := range []runlog.StepStatus{runlog.StepFailed, runlog.StepWarned} {
			i := slices.IndexFunc(c.Scenario.Steps, func(s runlog.Step) bool { return s.Status == status })
			if i >= 0 {
				f.Step = plain.Text(c.Scenario.Steps[i].Text, nameLimit)
				break
			}
		}
	}
	for _, finding := range c.Findings {
		f.Findings = append(f.Findings, findingText{
			Level:       plain.Text(string(finding.Level), nameLimit),
			Requirement: plain.Text(string(finding.Requirement), nameLimit),
			Want:        plain.Text(finding.Want, textLimit),
			Got:         plain.Text(finding.Got, textLimit),
		})
	}
	if o := c.Observation; o != nil {
		f.Request = plain.Text(strings.TrimSpace(o.Sent.Method+" "+o.Sent.URL), textLimit)
		f.Response = responseText(*o)
		f.Curl = plain.Lines(o.Sent.Curl, curlLimit)
	}
	return f
}

// facts are the lines before the findings.
func (f failureText) facts() []Fact {
	return withText([]Fact{
		{"scenario", f.Scenario}, {"step", f.Step}, {"request", f.Request}, {"response", f.Response}, {"reason", f.Reason},
	})
}

func withText(facts []Fact) []Fact {
	return slices.DeleteFunc(facts, func(f Fact) bool { return f.Text == "" })
}

// headline is the shortest description of the problem.
func (f failureText) headline() string {
	switch {
	case f.Reason != "":
		return f.Reason
	case len(f.Findings) > 0:
		first := f.Findings[0]
		return fmt.Sprintf("%s %s: got %s, want %s", first.Level, first.Requirement, first.Got, first.Want)
	case f.Step != "":
		return f.Step
	default:
		return string(f.Verdict)
	}
}

// text is the whole failure in lines, for formats with a body of plain text.
func (f failureText) text() string {
	var b strings.Builder
	line := func(label, text string) { fmt.Fprintf(&b, "\n%s: %s", label, text) }
	for _, fact := range f.facts() {
		line(fact.Label, fact.Text)
	}
	for _, finding := range f.Findings {
		line(finding.Level+" "+finding.Requirement, "got "+finding.Got+", want "+finding.Want)
	}
	for _, text := range f.Load {
		line("load", text)
	}
	if f.Curl != "" {
		line("curl", f.Curl)
	}
	return b.String() + "\n"
}

// Headline is the shortest description of a case: its reason or its first finding. It is safe to show.
func Headline(c runlog.Case) string { return failureTextOf(c).headline() }

// responseText sums up a response: "500 in 12ms, 311 bytes", "none: timed-out: no response header within 2s".
func responseText(o contract.Observation) string {
	if o.Failure != nil {
		return plain.Text(fmt.Sprintf("none: %s: %s", o.Failure.Kind, o.Failure.Detail), textLimit)
	}
	parts := []string{fmt.Sprintf("%d in %s", o.Status, o.Timing.End.Round(time.Millisecond)), Count(int(o.BodySize), "byte")}
	if o.Stream != nil {
		parts = append(parts, Count(len(o.Stream.Events), "event"))
	}
	if o.Cut != "" {
		parts = append(parts, "gatecert stopped reading: "+o.Cut)
	}
	if o.TransferError != "" {
		parts = append(parts, "transfer interrupted: "+o.TransferError)
	}
	return plain.Text(strings.Join(parts, ", "), textLimit)
}

// loadSentence sums up a load case in one line: "497 calls in 33.8s: 9 requirements held; sliding-log of 20 in 10s".
func loadSentence(s runlog.LoadSummary) string {
	counts := make(map[runlog.Result]int)
	for _, c := range s.Checks {
		counts[c.Result]++
	}
	parts := []string{Count(counts[runlog.Held], "requirement") + " held"}
	for _, r := range []runlog.Result{runlog.Violated, runlog.Untested} {
		if n := counts[r]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, r))
		}
	}
	line := fmt.Sprintf("%s in %s: %s", Count(s.Calls, "call"), duration(s.Took), strings.Join(parts, ", "))
	if s.Limiter != "" {
		line += "; " + plain.Text(s.Limiter, nameLimit)
	}
	return line
}

// LoadText describes a load case line by line: what was sent, and the result of each requirement. It is safe to show.
func LoadText(s runlog.LoadSummary) []string {
	lines := []string{loadSentence(s)}
	if s.Sentence != "" {
		lines = append(lines, plain.Text(s.Sentence, textLimit))
	}
	for _, c := range s.Checks {
		lines = append(lines, fmt.Sprintf("%-8s %-16s %s", plain.Text(string(c.Result), 20), plain.Text(string(c.Requirement), 40), plain.Text(c.Sentence, textLimit)))
	}
	return lines
}
