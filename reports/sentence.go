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

// Sentence returns the closing sentence of every report: the overall result, the level, and the number of rows by verdict. For a run of selected rows
// or cases, it counts only these and does not call the gateway conformant, because the run covers only a part of the contract. Only a gateway that
// claims the published codes is called conformant without a restriction.
//
//	conformant at level edge: 12 of 32 rows pass, 20 not run
//	NOT conformant at level relay: 2 of 32 rows fail, 17 pass, 13 not run
//	conformant at level edge to table 1; the gateway claims no codes: 12 of 32 rows pass, 20 not run
//	PASS: 1 of 1 selected case passes (http:429, level full)
//	INCONCLUSIVE: the healthy control call failed on every endpoint. Nothing is certified
//	INCOMPLETE: the log has no footer; 3 of 24 expected cases never ran. Nothing is certified
func Sentence(run runlog.Run) string {
	if gap := run.Incomplete(); gap != "" {
		return "INCOMPLETE: " + gap + ". Nothing is certified"
	}
	if problem := nothingJudged(run); problem != "" {
		return "INCONCLUSIVE: " + problem + ". Nothing is certified"
	}
	passed, limits := run.Verdict().Conformant(), run.Target.Claims.Limits()
	m := NewMatrix(run)
	selection := run.Selection
	level := "level " + selection.Scope()
	if surfaces := loadSurfaces(run); len(surfaces) > 0 && len(selection.Cases) == 0 {
		level += ", load cases on " + plain.Text(plain.Joined(surfaces), textLimit)
	}
	switch {
	case limits == "":
	case strings.HasPrefix(limits, "to "):
		level += " " + limits
	default:
		level += "; " + limits
	}
	result := "FAIL: "
	if passed {
		result = "PASS: "
	}
	switch {
	case len(selection.Cases) > 0:
		return result + counted(m.Totals, 0, "selected case", passed) + " (" + rowNames(m) + level + ")"
	case len(selection.Rows) > 0:
		counts := m.RowCounts()
		delete(counts, NotRun)
		return result + counted(counts, m.inPart(), "selected row", passed) + " (" + rowNames(m) + level + ")"
	case passed:
		return "conformant at " + level + ": " + counted(m.RowCounts(), m.inPart(), "row", passed)
	default:
		return "NOT conformant at " + level + ": " + counted(m.RowCounts(), m.inPart(), "row", passed)
	}
}

// nothingJudged is why a complete run has no verdict about the gateway, "" when it has one.
func nothingJudged(run runlog.Run) string {
	if run.Verdict() != contract.Error {
		return ""
	}
	for _, c := range run.AllCases() {
		if c.Verdict != contract.Error && c.Verdict != contract.NotOffered {
			return ""
		}
	}
	controls := slices.DeleteFunc(slices.Clone(run.Controls), func(c runlog.Control) bool {
		return c.Kind != runlog.ControlHealthy || c.Phase != runlog.BeforeCases
	})
	if len(controls) > 0 && !slices.ContainsFunc(controls, func(c runlog.Control) bool { return c.OK }) {
		return "the healthy control call failed on every endpoint"
	}
	return "no case could be judged"
}

// counted writes "2 of 32 rows fail, 17 pass, 13 not run": what decides the result comes first. inPart are those of the
// rows not offered that were tested but for some of their cases.
func counted(counts runlog.Counts, inPart int, noun string, passed bool) string {
	order := []contract.Verdict{
		contract.Pass, contract.Warn, contract.ExpectedFail, contract.NotOffered, contract.Fail, contract.Untestable, contract.Error, NotRun,
	}
	if !passed {
		order = []contract.Verdict{
			contract.Fail, contract.Untestable, contract.Error, contract.Pass, contract.Warn, contract.ExpectedFail, contract.NotOffered, NotRun,
		}
	}
	var parts []string
	for _, v := range order {
		n := counts[v]
		if n == 0 {
			continue
		}
		verb := styleOf(v).many
		if n == 1 {
			verb = styleOf(v).one
		}
		part := fmt.Sprintf("%d %s", n, verb)
		if len(parts) == 0 {
			part = fmt.Sprintf("%d of %s %s", n, plain.Count(counts.Total(), noun), verb)
		}
		if v == contract.NotOffered && inPart > 0 {
			part += fmt.Sprintf(" (%d in part)", inPart)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// rowNames names the rows that ran, when they are few: "http:404, http:429, ".
func rowNames(m Matrix) string {
	const most = 3
	var names []string
	for _, r := range m.Rows {
		if r.Verdict != NotRun {
			names = append(names, plain.Text(string(r.ID), nameLimit))
		}
	}
	if len(names) > most {
		return ""
	}
	return strings.Join(names, ", ") + ", "
}

// verdictStyle is how reports show a verdict.
type verdictStyle struct {
	// sign is its mark. The marks differ without colour.
	sign string
	// one and many complete "1 row …" and "2 rows …".
	one, many string
	// color is its ANSI SGR parameter, of the 16 colours that every terminal theme keeps readable.
	color string
}

func styleOf(v contract.Verdict) verdictStyle {
	switch v {
	case contract.Pass:
		return verdictStyle{"✓", "passes", "pass", "32"}
	case contract.Warn:
		return verdictStyle{"!", "warns", "warn", "33"}
	case contract.NotOffered:
		return verdictStyle{"–", "not offered", "not offered", "2"}
	case contract.ExpectedFail:
		return verdictStyle{"x", "fails as expected", "fail as expected", "36"}
	case contract.Fail:
		return verdictStyle{"✗", "fails", "fail", "1;31"}
	case contract.Untestable:
		return verdictStyle{"?", "untestable", "untestable", "35"}
	case NotRun:
		return verdictStyle{"·", "not run", "not run", "2"}
	default:
		return verdictStyle{"E", "in error", "in error", "1;7;31"}
	}
}

// CaseLine describes a case in one line: its sign, its id, its duration, and its problem if it has one. The line is safe to show.
func CaseLine(c runlog.Case) string {
	line := fmt.Sprintf("%s %s %s", sign(c.Verdict.OrError()), plain.Text(c.ID, nameLimit), c.Duration.Round(time.Millisecond))
	if headline := Headline(c); headline != "" && c.Verdict != contract.Pass {
		line += ": " + headline
	}
	return line
}

func sign(v contract.Verdict) string { return styleOf(v).sign }

// legendVerdicts are the verdicts of a legend, best first, and [NotRun].
func legendVerdicts() []contract.Verdict { return append(contract.Verdicts(), NotRun) }
