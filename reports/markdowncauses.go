package reports

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

const (
	// markdownCauseLimit is how many causes have an example in summary.md.
	markdownCauseLimit = 20
	// markdownWidth is the number of columns of an answer in summary.md.
	markdownWidth = 100
)

// markdownCauses writes what to fix first: each cause folded, with its example.
func markdownCauses(out *bytes.Buffer, run runlog.Run, l Language) {
	causes := Causes(run)
	if len(causes) == 0 {
		return
	}
	fmt.Fprintf(out, "### %s\n\n", l.text(causesHeading(run, causes)))
	shown := causes[:min(len(causes), markdownCauseLimit)]
	for _, c := range shown {
		markdownCause(out, c, l)
	}
	if rest := len(causes) - len(shown); rest > 0 {
		fmt.Fprintf(out, "%s\n\n", l.text(fmt.Sprintf("… and %s, in report.html", plain.Count(rest, "more cause"))))
	}
}

func markdownCause(out *bytes.Buffer, c Cause, l Language) {
	e := c.example()
	// Up to the blank line this is HTML, which Markdown does not interpret.
	fmt.Fprintf(out, "<details><summary>%s <code>%s</code> %s</summary>\n\n", sign(c.Verdict), html.EscapeString(l.text(c.Title)), l.text(c.Size()))
	fmt.Fprintf(out, "- %s %s\n", l.text("such as"), code(e.Case, nameLimit))
	if e.Got != "" {
		fmt.Fprintf(out, "- %s %s, %s %s\n", l.text("got"), code(e.Got, textLimit), l.text("want"), code(e.Want, textLimit))
	}
	for _, line := range e.Load {
		fmt.Fprintf(out, "- %s: %s\n", l.text("load"), code(line, textLimit))
	}
	t := terminal{opts: TerminalOptions{Width: markdownWidth, Language: l}}
	t.answer(e)
	markdownFence(out, "text", strings.TrimRight(t.out.String(), "\n"))
	markdownFence(out, "sh", e.Curl)
	for _, f := range withText([]Fact{{"contract", c.Contract}, {"impact", c.Suffers}, {"fix", c.Mend}}) {
		fmt.Fprintf(out, "\n**%s**: %s\n", l.text(f.Label), markdownText(l.text(f.Text)))
	}
	out.WriteString("\n</details>\n\n")
}

// markdownFence writes a block of code, unless it is empty.
func markdownFence(out *bytes.Buffer, language, text string) {
	if text == "" {
		return
	}
	fence := strings.Repeat("`", max(3, longestRun(text, '`')+1))
	fmt.Fprintf(out, "\n%s%s\n%s\n%s\n", fence, language, text, fence)
}

// markdownText is text in which nothing has a meaning to Markdown.
func markdownText(s string) string {
	return strings.TrimSuffix(strings.TrimPrefix(htmlCode(s), "<code>"), "</code>")
}
