package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// The maximum lengths, in characters, of text from a gateway in a report.
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
	// Step is the first step that failed. If none failed, it is the first step that warned, or "".
	Step string
	// Request is the request line. Response is a one-line summary of the response.
	Request, Response string
	// Reason explains a verdict without findings.
	Reason   string
	Findings []findingText
	// Load describes the load, line by line; none for a case of one request.
	Load []string
	Curl string
	// Trace states where to find the gateway's own trace. It is "" for a request without a trace.
	Trace string
}

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
		f.Trace = TraceOf(c, "").text()
	}
	return f
}

// facts are the lines before the findings.
func (f failureText) facts() []Fact {
	return withText([]Fact{
		{"scenario", f.Scenario}, {"step", f.Step}, {"request", f.Request}, {"response", f.Response}, {"trace", f.Trace}, {"reason", f.Reason},
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

// Headline returns the shortest description of a case: its reason or its first finding. It is safe to show.
func Headline(c runlog.Case) string { return failureTextOf(c).headline() }

// responseText sums up a response: "500 in 12ms, 311 bytes", "200 in 12ms, 312 bytes of audio/mpeg, SHA-256 b911…",
// "none: timed-out: no response header within 2s".
func responseText(o contract.Observation) string {
	if o.Failure != nil {
		return plain.Text(fmt.Sprintf("none: %s: %s", o.Failure.Kind, o.Failure.Detail), textLimit)
	}
	parts := []string{fmt.Sprintf("%d in %s", o.Status, o.Timing.End.Round(time.Millisecond)), cmp.Or(mediaText(o), bytesCount(o.BodySize))}
	if o.Stream != nil {
		parts = append(parts, plain.Count(len(o.Stream.Events), "event"))
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
	counts := make(map[contract.Result]int)
	for _, c := range s.Checks {
		counts[c.Result]++
	}
	parts := []string{plain.Count(counts[contract.Held], "requirement") + " held"}
	for _, r := range []contract.Result{contract.Violated, contract.Untested} {
		if n := counts[r]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, r))
		}
	}
	line := fmt.Sprintf("%s in %s: %s", plain.Count(s.Calls, "call"), duration(s.Took), strings.Join(parts, ", "))
	if s.Limiter != "" {
		line += "; " + plain.Text(s.Limiter, nameLimit)
	}
	return line
}

// LoadText describes a load case line by line: the load that was sent, and the result of each requirement. It is safe to show.
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

// runFacts are the facts that every report states about the run as a whole, safe to show.
func runFacts(run runlog.Run) []Fact {
	duration := ""
	if run.Footer != nil {
		duration = plain.Duration(run.Footer.Ended.Sub(run.Started).Round(time.Millisecond))
	}
	return withText([]Fact{
		{"target", plain.Text(run.Target.Name, nameLimit)},
		{"url", plain.Text(run.Target.BaseURL, nameLimit)},
		{"driver", plain.Text(run.Target.Driver, nameLimit)},
		{"version", plain.Text(run.Target.Version, nameLimit)},
		{"claims", run.Target.Claims.String()},
		{"level", run.Selection.Scope()},
		{"recipes", plain.Text(plain.Joined(run.Target.Recipes), textLimit)},
		{"load cases", plain.Text(plain.Joined(loadSurfaces(run)), textLimit)},
		{"rows", plain.Text(plain.Joined(run.Selection.Rows), textLimit)},
		{"cases", fmt.Sprintf("%d expected, %d executed", len(run.Expected), run.Executed())},
		{"started", run.Started.UTC().Format(time.RFC3339)},
		{"duration", duration},
		{"run", plain.Text(run.RunID, nameLimit)},
		{"tool", plain.Text(run.Tool, nameLimit)},
		{"contract", plain.Text(run.ContractDigest, nameLimit)},
	})
}

// runAbout is what has to be read with a verdict: when it was given, about what, at which level and against which claim.
func runAbout(run runlog.Run) []string {
	about := []string{run.Started.UTC().Format("2006-01-02 15:04") + " UTC"}
	for _, text := range []string{plain.Text(run.Target.BaseURL, nameLimit), "level " + run.Selection.Scope(), run.Target.Claims.String()} {
		if text != "" {
			about = append(about, text)
		}
	}
	return about
}

// loadSurfaces are the surfaces on which load cases ran.
func loadSurfaces(run runlog.Run) []dialect.Surface {
	var surfaces []dialect.Surface
	for _, c := range run.Cases {
		if c.Load != nil && !slices.Contains(surfaces, c.Surface) {
			surfaces = append(surfaces, c.Surface)
		}
	}
	return surfaces
}

// Notes returns the facts about a run as a whole that every report contains, one sentence each: for example, results of the control calls, a breaker
// that opened, or a clean-up that failed. The sentences are safe to print.
func Notes(run runlog.Run) []string { return runNotes(run) }

// runNotes are facts about the run that its verdicts do not show, each a sentence, safe to show.
func runNotes(run runlog.Run) []string {
	var list []string
	add := func(format string, args ...any) {
		list = append(list, plain.Text(fmt.Sprintf(format, args...), textLimit))
	}
	if sentence := protocolSentence(run); sentence != "" {
		add("%s", sentence)
	}
	if sentence := passedOnSentence(run); sentence != "" {
		add("%s", sentence)
	}
	for _, c := range run.Controls {
		if !c.OK {
			add("The %s control call on %s, made %s the cases, failed: %s", runlog.ControlName(c.Kind), c.Surface, c.Phase, c.Detail)
		}
	}
	if surplus := run.Surplus(); len(surplus) > 0 {
		add("%s ran: %s", plain.Count(len(surplus), "unexpected case"), strings.Join(surplus, ", "))
	}
	if run.Footer != nil {
		for _, s := range run.Footer.Stale {
			add("Baseline out of date (exit 4): %s", s)
		}
		for _, n := range run.Footer.Notes {
			add("%s", n)
		}
	}
	const most = 20
	if len(list) > most {
		list = append(list[:most], fmt.Sprintf("… and %d more in the log", len(list)-most))
	}
	return list
}

// attention is what needs attention in a run, each list in log order.
type attention struct {
	failures, warnings []failureText
	// failed counts the cases in failures.
	failed int
	// neverRan are ids of expected cases.
	neverRan []string
}

// attentionOf lists what is proven against the gateway first. Cases that did not run for one and the same reason, such as a
// surface that does not answer, are one entry.
func attentionOf(run runlog.Run) attention {
	var a attention
	var unproven []failureText
	notRun := make(map[string]int) // by surface and reason: the place in unproven
	counts := make(map[int]int)
	for _, c := range run.Cases {
		c.Verdict = c.Verdict.OrError()
		if !c.Verdict.Conformant() {
			a.failed++
		}
		switch {
		case c.Verdict == contract.Fail:
			a.failures = append(a.failures, failureTextOf(c))
		case !c.Verdict.Conformant() && c.Observation == nil && c.Reason != "":
			key := string(c.Surface) + " " + c.Reason
			place, known := notRun[key]
			if !known {
				place = len(unproven)
				notRun[key] = place
				unproven = append(unproven, failureTextOf(c))
			}
			if counts[place]++; counts[place] > 1 {
				unproven[place].ID = fmt.Sprintf("%d cases on %s", counts[place], plain.Text(string(c.Surface), nameLimit))
			}
		case !c.Verdict.Conformant():
			unproven = append(unproven, failureTextOf(c))
		case c.Verdict == contract.Warn:
			a.warnings = append(a.warnings, failureTextOf(c))
		}
	}
	a.failures = append(a.failures, unproven...)
	for _, id := range run.Missing() {
		a.neverRan = append(a.neverRan, plain.Text(id, nameLimit))
	}
	return a
}

// recipeNames are the circumstances whose requests recipes of the profile decide about, each once.
func recipeNames(run runlog.Run) []string {
	var names []string
	for _, line := range run.Target.Recipes {
		name, _, _ := strings.Cut(line, ": ")
		name, _, _ = strings.Cut(name, " on ")
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
