package reports

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// annotationLimit is how many annotations of one kind GitHub shows for a step. It drops the others.
const annotationLimit = 10

// Annotations writes what needs attention as workflow commands of GitHub Actions: an error for each cause of failures and a warning for each cause of
// warnings, most severe first and as many as GitHub shows, and an error if the run is incomplete or the baseline is out of date. Text from a gateway
// can neither end its command nor begin another. Annotations returns only errors of w.
func Annotations(w io.Writer, run runlog.Run) error {
	var out bytes.Buffer
	add := func(kind, title, message string) {
		fmt.Fprintf(&out, "::%s title=%s::%s\n", kind, property(title), command(message))
	}
	if gap := run.Incomplete(); gap != "" {
		add("error", "gatecert: the run is incomplete", gap)
	}
	if run.Footer != nil {
		for _, s := range run.Footer.Stale[:min(len(run.Footer.Stale), annotationLimit)] {
			add("error", "gatecert: baseline out of date", plain.Text(s, textLimit))
		}
	}
	shown := make(map[string]int)
	rest := 0
	for _, c := range Causes(run) {
		kind := "error"
		if c.Verdict == contract.Warn {
			kind = "warning"
		}
		if shown[kind]++; shown[kind] > annotationLimit {
			rest++
			continue
		}
		e := c.example()
		message := c.Size() + ", such as " + e.Case
		if e.Got != "" {
			message += ": got " + e.Got + ", want " + e.Want
		}
		if c.Mend != "" {
			message += "\n" + c.Mend
		}
		add(kind, c.Title, message)
	}
	missing := run.Missing()
	for _, id := range missing[:min(len(missing), max(annotationLimit-shown["error"], 0))] {
		add("error", plain.Text(id, nameLimit), "never ran")
	}
	if rest > 0 {
		add("notice", "gatecert", plain.Count(rest, "more cause")+" in the report")
	}
	return flush(w, &out)
}

func command(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// property escapes a property, which is before the "::".
func property(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(command(s))
}
