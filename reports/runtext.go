package reports

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// runFacts are the facts that every report states about the run as a whole, safe to show.
func runFacts(run runlog.Run) []Fact {
	duration := ""
	if run.Footer != nil {
		duration = run.Footer.Ended.Sub(run.Started).Round(time.Millisecond).String()
	}
	return withText([]Fact{
		{"target", plain.Text(run.Target.Name, nameLimit)},
		{"url", plain.Text(run.Target.BaseURL, nameLimit)},
		{"driver", plain.Text(run.Target.Driver, nameLimit)},
		{"version", plain.Text(run.Target.Version, nameLimit)},
		{"level", run.Selection.Scope()},
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

// runNotes are facts about the run that its verdicts do not show, each a sentence, safe to show.
func runNotes(run runlog.Run) []string {
	var list []string
	add := func(format string, args ...any) {
		list = append(list, plain.Text(fmt.Sprintf(format, args...), textLimit))
	}
	for _, c := range run.Controls {
		if !c.OK {
			add("The %s control on %s failed %s the cases: %s", c.Kind, c.Surface, c.Phase, c.Detail)
		}
	}
	if surplus := run.Surplus(); len(surplus) > 0 {
		add("%s ran without being expected: %s", Count(len(surplus), "case"), strings.Join(surplus, ", "))
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
	// neverRan are ids of expected cases.
	neverRan []string
}

func attentionOf(run runlog.Run) attention {
	var a attention
	for _, c := range run.Cases {
		c.Verdict = c.Verdict.OrError()
		switch {
		case failed(c.Verdict):
			a.failures = append(a.failures, failureTextOf(c))
		case c.Verdict == contract.Warn:
			a.warnings = append(a.warnings, failureTextOf(c))
		}
	}
	for _, id := range run.Missing() {
		a.neverRan = append(a.neverRan, plain.Text(id, nameLimit))
	}
	return a
}

// texts are the failures, followed by the warnings.
func (a attention) texts() []failureText { return slices.Concat(a.failures, a.warnings) }
