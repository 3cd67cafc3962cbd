package reports

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Bounds of what a gateway wrote, in runes, where a report shows it as text.
const (
	textLimit = 400  // a message, a URL, a want or a got
	curlLimit = 4096 // a command line, which is worth nothing when it is cut
	nameLimit = 200  // an id or a name that the profile or the features gave
)

// account tells one case in plain lines: what was done, what came, and what should have. All of it is safe to show.
type account struct {
	ID      string
	Verdict contract.Verdict
	// Scenario is the name of the scenario, "" when the case never got to one or its name is the id.
	Scenario string
	// Step is the first step that failed, else the first that warned, else "".
	Step string
	// Call is the request line.
	Call string
	// Answer is what came back, in a line.
	Answer string
	// Reason explains a verdict that has no findings.
	Reason   string
	Findings []findingText
	// Load are the lines about a load, none for a case of one call.
	Load []string
	Curl string
}

// findingText is a finding in plain words.
type findingText struct {
	Severity   string
	Obligation string
	Want, Got  string
}

func accountOf(c runlog.Case) account {
	a := account{ID: plain.Text(c.ID, nameLimit), Verdict: c.Verdict, Reason: plain.Text(c.Reason, textLimit)}
	if c.Load != nil {
		a.Load = LoadText(*c.Load)
	}
	if c.Scenario != nil {
		if c.Scenario.Name != c.ID {
			a.Scenario = plain.Text(c.Scenario.Name, nameLimit)
		}
		for _, status := range []runlog.StepStatus{runlog.StepFailed, runlog.StepWarned} {
			i := slices.IndexFunc(c.Scenario.Steps, func(s runlog.Step) bool { return s.Status == status })
			if i >= 0 {
				a.Step = plain.Text(c.Scenario.Steps[i].Text, nameLimit)
				break
			}
		}
	}
	for _, f := range c.Findings {
		a.Findings = append(a.Findings, findingText{
			Severity:   plain.Text(string(f.Level), nameLimit),
			Obligation: plain.Text(string(f.Requirement), nameLimit),
			Want:       plain.Text(f.Want, textLimit),
			Got:        plain.Text(f.Got, textLimit),
		})
	}
	if o := c.Observation; o != nil {
		a.Call = plain.Text(strings.TrimSpace(o.Sent.Method+" "+o.Sent.URL), textLimit)
		a.Answer = answerText(*o)
		a.Curl = plain.Lines(o.Sent.Curl, curlLimit)
	}
	return a
}

// headline is the shortest account of what went wrong.
func (a account) headline() string {
	switch {
	case a.Reason != "":
		return a.Reason
	case len(a.Findings) > 0:
		f := a.Findings[0]
		return fmt.Sprintf("%s %s: got %s, want %s", f.Severity, f.Obligation, f.Got, f.Want)
	case a.Step != "":
		return a.Step
	default:
		return string(a.Verdict)
	}
}

// answerText says in a line what came back: "500 in 12ms, 311 bytes", "no answer: timed-out: no head within 2s".
func answerText(o contract.Observation) string {
	if o.Failure != nil {
		return plain.Text(fmt.Sprintf("no answer: %s: %s", o.Failure.Kind, o.Failure.Detail), textLimit)
	}
	parts := []string{fmt.Sprintf("%d in %s", o.Status, o.Timing.End.Round(time.Millisecond)), Count(int(o.BodySize), "byte")}
	if o.Stream != nil {
		parts = append(parts, Count(len(o.Stream.Events), "event"))
	}
	if o.Cut != "" {
		parts = append(parts, "cut by the reader: "+o.Cut)
	}
	if o.TransferError != "" {
		parts = append(parts, "broke off: "+o.TransferError)
	}
	return plain.Text(strings.Join(parts, ", "), textLimit)
}

// failed reports whether a verdict is one that leaves a run not conformant.
func failed(v contract.Verdict) bool { return !v.Conformant() }

// troubles returns the accounts of the cases that failed and after them those that warned, each in log order. Cases
// that never ran have no account: they are only named.
func troubles(run runlog.Run) (accounts []account, failures int, neverRan []string) {
	var warnings []account
	for _, c := range run.Cases {
		c.Verdict = c.Verdict.OrError()
		switch {
		case failed(c.Verdict):
			accounts = append(accounts, accountOf(c))
		case c.Verdict == contract.Warn:
			warnings = append(warnings, accountOf(c))
		}
	}
	failures = len(accounts)
	for _, id := range run.Missing() {
		neverRan = append(neverRan, plain.Text(id, nameLimit))
	}
	return append(accounts, warnings...), failures, neverRan
}

// facts are what every report says about the run as a whole, as label and value, safe to show.
func facts(run runlog.Run) [][2]string {
	lasted := ""
	if run.Footer != nil {
		lasted = run.Footer.Ended.Sub(run.Started).Round(time.Millisecond).String()
	}
	list := [][2]string{
		{"target", plain.Text(run.Target.Name, nameLimit)},
		{"url", plain.Text(run.Target.BaseURL, nameLimit)},
		{"driver", plain.Text(run.Target.Driver, nameLimit)},
		{"version", plain.Text(run.Target.Version, nameLimit)},
		{"level", run.Selection.Scope()},
		{"load cases on", plain.Text(joined(loadedSurfaces(run)), textLimit)},
		{"rows", plain.Text(joined(run.Selection.Rows), textLimit)},
		{"cases", fmt.Sprintf("%d expected, %d executed", len(run.Expected), run.Executed())},
		{"started", run.Started.UTC().Format(time.RFC3339)},
		{"took", lasted},
		{"run", plain.Text(run.RunID, nameLimit)},
		{"tool", plain.Text(run.Tool, nameLimit)},
		{"contract", plain.Text(run.ContractDigest, nameLimit)},
	}
	return slices.DeleteFunc(list, func(f [2]string) bool { return f[1] == "" })
}

// loadedSurfaces are those on which cases under load were played, each once.
func loadedSurfaces(run runlog.Run) []dialect.Surface {
	var surfaces []dialect.Surface
	for _, c := range run.Cases {
		if c.Load != nil && !slices.Contains(surfaces, c.Surface) {
			surfaces = append(surfaces, c.Surface)
		}
	}
	return surfaces
}

// remarks are what people should know about the run beyond its verdicts, each a sentence, safe to show.
func remarks(run runlog.Run) []string {
	var list []string
	for _, c := range run.Controls {
		if !c.OK {
			list = append(list, plain.Text(fmt.Sprintf("The %s control on %s failed %s the cases: %s", c.Kind, c.Surface, c.Phase, c.Detail), textLimit))
		}
	}
	if surplus := run.Surplus(); len(surplus) > 0 {
		list = append(list, plain.Text(strconv.Itoa(len(surplus))+" ran without being expected: "+strings.Join(surplus, ", "), textLimit))
	}
	if run.Footer != nil {
		for _, s := range run.Footer.Stale {
			list = append(list, plain.Text("Baseline out of date (exit 4): "+s, textLimit))
		}
		for _, n := range run.Footer.Notes {
			list = append(list, plain.Text(n, textLimit))
		}
	}
	const most = 20
	if len(list) > most {
		list = append(list[:most], fmt.Sprintf("… and %d more in the log", len(list)-most))
	}
	return list
}

func joined[T ~string](list []T) string {
	parts := make([]string, len(list))
	for i, v := range list {
		parts[i] = string(v)
	}
	return strings.Join(parts, ", ")
}
