package reports

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// annotationLimit is how many annotations of a kind a step may have on GitHub; what is beyond it is dropped there.
const annotationLimit = 10

// Annotations writes what needs attention as workflow commands of GitHub Actions, which show it beside the run: an
// error for each failure, a warning for each warning, as many as are shown, and one more for what is not complete or
// stale. What a gateway wrote can neither end its command nor begin another. It fails only when w does.
func Annotations(w io.Writer, run runlog.Run) error {
	var out bytes.Buffer
	tell := func(kind, title, message string) {
		fmt.Fprintf(&out, "::%s title=%s::%s\n", kind, property(title), command(message))
	}
	if gap := run.Incomplete(); gap != "" {
		tell("error", "gatecert: the run is incomplete", gap)
	}
	if run.Footer != nil {
		for _, s := range run.Footer.Stale[:min(len(run.Footer.Stale), annotationLimit)] {
			tell("error", "gatecert: baseline out of date", plain.Text(s, textLimit))
		}
	}
	accounts, failures, _ := troubles(run)
	warned := accounts[failures:]
	for _, a := range accounts[:min(failures, annotationLimit)] {
		tell("error", a.ID+" "+string(a.Verdict), a.headline())
	}
	for _, a := range warned[:min(len(warned), annotationLimit)] {
		tell("warning", a.ID+" "+string(a.Verdict), a.headline())
	}
	if rest := max(failures-annotationLimit, 0) + max(len(warned)-annotationLimit, 0); rest > 0 {
		tell("notice", "gatecert", fmt.Sprintf("%d more are in the report", rest))
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write annotations: %w", err)
	}
	return nil
}

// command escapes the message of a workflow command, property what stands before its "::".
func command(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func property(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(command(s))
}
