package reports

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// annotationLimit is how many annotations of one kind GitHub shows for a step. It drops the others.
const annotationLimit = 10

// Annotations writes what needs attention as workflow commands of GitHub Actions: an error per failure, a warning per
// warning, as many as GitHub shows, and an error when the run is incomplete or the baseline out of date. Text from a gateway
// can neither end its command nor begin another. It fails only when w does.
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
	a := attentionOf(run)
	rest := 0
	for _, list := range []struct {
		kind  string
		texts []failureText
	}{{"error", a.failures}, {"warning", a.warnings}} {
		shown := list.texts[:min(len(list.texts), annotationLimit)]
		for _, f := range shown {
			add(list.kind, f.ID+" "+string(f.Verdict), f.headline())
		}
		rest += len(list.texts) - len(shown)
	}
	if rest > 0 {
		add("notice", "gatecert", fmt.Sprintf("%d more are in the report", rest))
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
