package reports

import (
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/contract"
)

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

func sign(v contract.Verdict) string { return styleOf(v).sign }

// legendVerdicts are the verdicts of a legend, best first, and [NotRun].
func legendVerdicts() []contract.Verdict { return append(contract.Verdicts(), NotRun) }

// failed reports whether a verdict makes a run not conformant.
func failed(v contract.Verdict) bool { return !v.Conformant() }

// Count writes "1 case", "2 cases".
func Count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

func joined[T ~string](list []T) string {
	parts := make([]string, len(list))
	for i, v := range list {
		parts[i] = string(v)
	}
	return strings.Join(parts, ", ")
}
