package reports

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// sign is the mark of a verdict. The marks differ without colour.
func sign(v contract.Verdict) string {
	switch v {
	case contract.Pass:
		return "✓"
	case contract.Warn:
		return "!"
	case contract.NotOffered:
		return "–"
	case contract.ExpectedFail:
		return "x"
	case contract.Fail:
		return "✗"
	case contract.Untestable:
		return "?"
	case NotRun:
		return "·"
	default:
		return "E"
	}
}

// shown are the verdicts of a legend, best first, with the absence of one.
func shown() []contract.Verdict { return append(contract.Verdicts(), NotRun) }

// Sentence closes every report: whether the run is conformant, at what level, and how the rows stand.
//
//	conformant at level edge: 12 of 32 rows pass, 20 not run
//	NOT conformant at level relay: 2 of 32 rows fail, 17 pass, 13 not run
//	INCOMPLETE: the log has no footer; 3 of 24 expected cases never ran. Nothing is certified
func Sentence(run runlog.Run) string {
	if gap := run.Incomplete(); gap != "" {
		return "INCOMPLETE: " + gap + ". Nothing is certified"
	}
	m := NewMatrix(run)
	order := []contract.Verdict{
		contract.Pass, contract.Warn, contract.ExpectedFail, contract.NotOffered, contract.Fail, contract.Untestable,
		contract.Error, NotRun,
	}
	opening := "conformant"
	if !run.Verdict().Conformant() {
		opening = "NOT conformant"
		order = []contract.Verdict{
			contract.Fail, contract.Untestable, contract.Error, contract.Pass, contract.Warn, contract.ExpectedFail,
			contract.NotOffered, NotRun,
		}
	}
	opening += " at level " + run.Selection.Scope() + loadedOn(run)
	if n := len(run.Selection.Rows); n > 0 {
		opening += " on the " + Count(n, "row") + " asked for"
	}
	if n := len(run.Selection.Cases); n > 0 {
		opening += " on the " + Count(n, "case") + " asked for"
	}
	rows := m.RowCounts()
	var parts []string
	for _, v := range order {
		n := rows[v]
		switch {
		case n == 0:
		case len(parts) == 0:
			parts = append(parts, fmt.Sprintf("%d of %d rows %s", n, len(m.Rows), verb(v, n)))
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n, verb(v, n)))
		}
	}
	return opening + ": " + strings.Join(parts, ", ")
}

// loadedOn says which surfaces were put under load, of a run that was not asked for single cases: the rows hold for all that
// are offered, their cases under load only for these.
func loadedOn(run runlog.Run) string {
	surfaces := loadedSurfaces(run)
	if len(surfaces) == 0 || len(run.Selection.Cases) > 0 {
		return ""
	}
	return ", under load on " + plain.Text(joined(surfaces), textLimit)
}

// verb says of n rows what their verdict is.
func verb(v contract.Verdict, n int) string {
	either := func(one, many string) string {
		if n == 1 {
			return one
		}
		return many
	}
	switch v {
	case contract.Pass:
		return either("passes", "pass")
	case contract.Warn:
		return either("warns", "warn")
	case contract.ExpectedFail:
		return either("fails as expected", "fail as expected")
	case contract.NotOffered:
		return "not offered"
	case contract.Fail:
		return either("fails", "fail")
	case contract.Untestable:
		return "untestable"
	case NotRun:
		return "not run"
	default:
		return "in error"
	}
}

// Count writes "1 case", "2 cases".
func Count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}
