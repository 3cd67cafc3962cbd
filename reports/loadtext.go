package reports

import (
	"fmt"
	"strings"

	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

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
