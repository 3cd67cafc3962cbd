package reports

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// markdownLimit bounds summary.md in bytes. GitHub refuses a step summary over 1 MiB.
const markdownLimit = 960 << 10

// Markdown writes summary.md in GitHub Flavored Markdown: the result, what to fix first, the matrix, and the cases that need attention, each in a
// collapsed section. Cases beyond the size limit are only counted. Markdown returns only errors of w.
func Markdown(w io.Writer, run runlog.Run) error { return MarkdownIn(w, run, Language{}) }

// MarkdownIn is like [Markdown], but in a given language.
func MarkdownIn(w io.Writer, run runlog.Run, l Language) error {
	m, say := NewMatrix(run), l.text
	var out bytes.Buffer
	fmt.Fprintf(&out, "## gatecert: %s, %s\n\n", code(targetName(run), nameLimit), say(run.Target.Claims.String()))
	fmt.Fprintf(&out, "**%s %s**\n\n", sign(run.Verdict()), say(Sentence(run)+"."))
	markdownCauses(&out, run, l)
	markdownMatrix(&out, m, l)
	markdownTotals(&out, m, l)
	markdownAspects(&out, aspectTotals(run), l)
	markdownLoad(&out, run, l)
	markdownCallers(&out, run, l)
	if notes := runNotes(run); len(notes) > 0 {
		fmt.Fprintf(&out, "### %s\n\n", say("Notes"))
		for _, n := range notes {
			fmt.Fprintf(&out, "- %s\n", code(say(n), textLimit))
		}
		out.WriteString("\n")
	}
	tail := markdownFacts(run, l)
	markdownAttention(&out, run, markdownLimit-out.Len()-len(tail), l)
	out.WriteString(tail)
	return flush(w, &out)
}

func markdownTotals(out *bytes.Buffer, m Matrix, l Language) {
	say := l.text
	fmt.Fprintf(out, "| %s | %s |", say("level"), say("cases"))
	for _, v := range contract.Verdicts() {
		fmt.Fprintf(out, " %s |", say(string(v)))
	}
	out.WriteString("\n|:--|--:|" + strings.Repeat("--:|", len(contract.Verdicts())) + "\n")
	line := func(name string, counts runlog.Counts) {
		fmt.Fprintf(out, "| %s | %d |", name, counts.Total())
		for _, v := range contract.Verdicts() {
			fmt.Fprintf(out, " %d |", counts[v])
		}
		out.WriteString("\n")
	}
	for _, l := range m.Levels {
		line(cell(string(l.Level), 20), l.Counts)
	}
	line(say("all"), m.Totals)
	out.WriteString("\n")
}

func markdownAspects(out *bytes.Buffer, totals []aspectTotal, l Language) {
	if len(totals) == 0 {
		return
	}
	fmt.Fprintf(out, "| %s | %s | %s |\n|:--|--:|--:|\n", l.text("aspect"), l.text("held"), l.text("of cases"))
	for _, a := range totals {
		fmt.Fprintf(out, "| %s | %d | %d |\n", l.text(string(a.Aspect)), a.Held, a.Of)
	}
	out.WriteString("\n")
}

// markdownLoad sums up the load cases, whatever their verdict.
func markdownLoad(out *bytes.Buffer, run runlog.Run, l Language) {
	heading := "### " + l.text("Load cases") + "\n\n"
	for _, c := range run.Cases {
		if c.Load != nil {
			fmt.Fprintf(out, "%s- %s %s: %s\n", heading, sign(c.Verdict), code(c.ID, nameLimit), code(loadSentence(*c.Load), textLimit))
			heading = ""
		}
	}
	if heading == "" {
		out.WriteString("\n")
	}
}

// markdownAttention folds each case, as long as there is room in bytes.
func markdownAttention(out *bytes.Buffer, run runlog.Run, room int, l Language) {
	a := attentionOf(run)
	texts := slices.Concat(a.failures, a.warnings)
	if len(texts)+len(a.neverRan) == 0 {
		return
	}
	const reserve = 200 // the heading and the closing counts
	room -= reserve
	fmt.Fprintf(out, "### %s\n\n", l.text(plain.Count(a.failed+len(a.neverRan), "failure")+", "+plain.Count(len(a.warnings), "warning")))
	// fitting writes the blocks that there is room for, and returns how many there is none for.
	fitting := func(n int, block func(int) string) int {
		for i := range n {
			text := block(i)
			if len(text) > room {
				return n - i
			}
			out.WriteString(text)
			room -= len(text)
		}
		return 0
	}
	if rest := fitting(len(texts), func(i int) string { return markdownFailure(texts[i], l) }); rest > 0 {
		fmt.Fprintf(out, "%s\n\n", l.text(fmt.Sprintf("… and %d more in report.html", rest)))
	}
	neverRan := func(i int) string {
		return fmt.Sprintf("- %s %s never ran\n", sign(contract.Error), code(a.neverRan[i], nameLimit))
	}
	if rest := fitting(len(a.neverRan), neverRan); rest > 0 {
		fmt.Fprintf(out, "- … and %d more that never ran\n", rest)
	}
	if len(a.neverRan) > 0 {
		out.WriteString("\n")
	}
}

func markdownFailure(f failureText, l Language) string {
	var b strings.Builder
	// Up to the blank line this is HTML, which Markdown does not interpret.
	fmt.Fprintf(&b, "<details><summary>%s <code>%s</code> <code>%s</code></summary>\n\n", sign(f.Verdict), html.EscapeString(f.ID), html.EscapeString(f.headline()))
	if len(f.Findings) > 0 {
		fmt.Fprintf(&b, "| | %s | %s | %s |\n|:--|:--|:--|:--|\n", l.text("requirement"), l.text("want"), l.text("got"))
		for _, finding := range f.Findings {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", cell(finding.Level, nameLimit), cell(finding.Requirement, nameLimit),
				cell(finding.Want, textLimit), cell(finding.Got, textLimit))
		}
		b.WriteString("\n")
	}
	for _, fact := range f.facts() {
		fmt.Fprintf(&b, "- %s: %s\n", l.text(fact.Label), code(fact.Text, textLimit))
	}
	for _, line := range f.Load {
		fmt.Fprintf(&b, "- %s: %s\n", l.text("load"), code(line, textLimit))
	}
	if f.Curl != "" {
		fence := strings.Repeat("`", max(3, longestRun(f.Curl, '`')+1))
		fmt.Fprintf(&b, "\n%ssh\n%s\n%s\n", fence, f.Curl, fence)
	}
	b.WriteString("\n</details>\n\n")
	return b.String()
}

func markdownFacts(run runlog.Run, l Language) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<details><summary>%s</summary>\n\n| | |\n|:--|:--|\n", l.text("The run"))
	for _, f := range runFacts(run) {
		fmt.Fprintf(&b, "| %s | %s |\n", l.text(f.Label), cell(f.Text, textLimit))
	}
	b.WriteString("\n</details>\n")
	return b.String()
}

// code writes text as a code span, in which nothing but the fence has a meaning: no HTML, no mention, no link.
func code(s string, limit int) string {
	s = strings.TrimSpace(plain.Text(s, limit))
	if s == "" {
		return "–"
	}
	fence := strings.Repeat("`", longestRun(s, '`')+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + s + fence
}

// cell writes text as code in a table, where a pipe ends the cell even in a code span, and a backslash does not always help.
func cell(s string, limit int) string {
	if s = plain.Text(s, limit); strings.Contains(s, "|") {
		return htmlCode(s)
	}
	return code(s, limit)
}

// htmlCode writes text as HTML in which every character with a meaning in Markdown is an entity.
func htmlCode(s string) string {
	var b strings.Builder
	b.WriteString("<code>")
	for _, r := range s {
		if r < 0x80 && strings.ContainsRune("\\`*_{}[]<>()#+!|~@&:\"'", r) {
			fmt.Fprintf(&b, "&#%d;", r)
			continue
		}
		b.WriteRune(r)
	}
	b.WriteString("</code>")
	return b.String()
}

func longestRun(s string, c rune) int {
	longest, run := 0, 0
	for _, r := range s {
		if r != c {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}
