package reports

import (
	"fmt"
	"strings"

	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// loadSentence sums a load up in a line: "497 calls in 33.8s: 9 obligations held; sliding-log of 20 in 10s".
func loadSentence(a runlog.LoadSummary) string {
	counts := make(map[runlog.Result]int)
	for _, c := range a.Checks {
		counts[c.Result]++
	}
	parts := []string{Count(counts[runlog.Held], "requirement") + " held"}
	for _, r := range []runlog.Result{runlog.Violated, runlog.Untested} {
		if n := counts[r]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, r))
		}
	}
	line := fmt.Sprintf("%s in %s: %s", Count(a.Calls, "call"), took(a.Took), strings.Join(parts, ", "))
	if a.Limiter != "" {
		line += "; " + plain.Text(a.Limiter, nameLimit)
	}
	return line
}

// LoadText tells a load in lines: what was sent, and what was found of each obligation.
func LoadText(a runlog.LoadSummary) []string {
	lines := []string{loadSentence(a)}
	if a.Sentence != "" {
		lines = append(lines, plain.Text(a.Sentence, textLimit))
	}
	for _, c := range a.Checks {
		lines = append(lines, fmt.Sprintf("%-8s %-16s %s", plain.Text(string(c.Result), 20), plain.Text(string(c.Requirement), 40), plain.Text(c.Sentence, textLimit)))
	}
	return lines
}
