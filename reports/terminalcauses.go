package reports

import (
	"fmt"
	"strings"

	"github.com/clipperhouse/displaywidth"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

const (
	// causeLines is how many causes have a line of their own after those with an example.
	causeLines = 30
	// answerLines is how many lines of an answer's body are shown.
	answerLines = 7
	// causeIndent is the number of columns before the text of a cause's fact.
	causeIndent = 14
	// missingLines is how many cases that never ran are named.
	missingLines = 10
)

// causes writes what to fix first: the gravest causes with an example each, a line for each of the others, and what never ran.
func (t *terminal) causes(run runlog.Run) {
	causes, say := Causes(run), t.opts.Language.text
	if len(causes) > 0 {
		t.line("%s", say(causesHeading(run, causes)))
		t.line("")
	}
	detailed := min(len(causes), t.opts.Failures)
	for i, c := range causes[:detailed] {
		t.cause(i+1, c)
	}
	listed := min(len(causes), detailed+causeLines)
	for i, c := range causes[detailed:listed] {
		t.entry(fmt.Sprintf("%2d. %s ", detailed+i+1, t.sign(c.Verdict)), 6, say(c.Title)+" ("+say(c.Size())+")")
	}
	if rest := causes[listed:]; len(rest) > 0 {
		t.line("%s", say(fmt.Sprintf("… and %s, in report.html", plain.Count(len(rest), "more cause"))))
	}
	if len(causes) > detailed {
		t.line("")
	}
	t.neverRan(run.Missing())
}

// causesHeading is "Fix these first: 8 causes of 255 failures and 12 warnings". What could not be judged counts as a failure.
func causesHeading(run runlog.Run, causes []Cause) string {
	failures, warnings := 0, 0
	for _, c := range run.Cases {
		switch v := c.Verdict.OrError(); {
		case !v.Conformant():
			failures++
		case v == contract.Warn:
			warnings++
		}
	}
	of := plain.Count(failures, "failure") + " and " + plain.Count(warnings, "warning")
	if failures == 0 {
		of = plain.Count(warnings, "warning")
	} else if warnings == 0 {
		of = plain.Count(failures, "failure")
	}
	return "Fix these first: " + plain.Count(len(causes), "cause") + " of " + of
}

func (t *terminal) neverRan(missing []string) {
	if len(missing) == 0 {
		return
	}
	t.line("%s", t.opts.Language.text(plain.Count(len(missing), "expected case")+" never ran:"))
	for _, id := range missing[:min(len(missing), missingLines)] {
		t.line("  %s %s", t.sign(contract.Error), plain.Text(id, nameLimit))
	}
	if rest := len(missing) - missingLines; rest > 0 {
		t.line("  %s", t.opts.Language.text(fmt.Sprintf("… and %d more, see report.html", rest)))
	}
	t.line("")
}

// cause writes a cause with its example.
func (t *terminal) cause(n int, c Cause) {
	t.entry(fmt.Sprintf("%2d. %s ", n, t.sign(c.Verdict)), 6, t.opts.Language.text(c.Title))
	e := c.example()
	t.causeFact("found in", t.opts.Language.text(c.Size()+", such as "+e.Case))
	if e.Curl != "" {
		t.line("%s%s", t.label("request"), e.Curl) // on one line, however long, to be copied
	}
	t.answer(e)
	for _, line := range e.Load {
		t.causeFact("load", line)
	}
	if e.Got != "" && e.Body.Marked == "" && (e.Head.Marked == "" || strings.Contains(e.Got, ";")) { // else the mark shows it
		t.causeFact("got", e.Got)
	}
	for _, f := range withText([]Fact{{"contract", c.Contract}, {"impact", c.Suffers}, {"fix", c.Mend}}) {
		t.causeFact(f.Label, t.opts.Language.text(f.Text))
	}
	t.line("")
}

// causeFact writes a labelled text in as many lines as it needs.
func (t *terminal) causeFact(label, text string) {
	t.entry(t.label(label), causeIndent, text)
}

// label is a translated label, filled up to the text after it.
func (t *terminal) label(label string) string {
	said := "    " + t.opts.Language.text(label)
	return said + strings.Repeat(" ", max(causeIndent-displaywidth.String(said), 1))
}

// entry writes a text after a margin of some columns, and what does not fit under its beginning.
func (t *terminal) entry(margin string, columns int, text string) {
	line, size := margin, columns
	words := broken(text, max(t.opts.Width-columns, 20))
	if t.opts.Language.unspaced() {
		words = strings.Fields(text)
	}
	for i, word := range words {
		parts := []string{word}
		if t.opts.Language.unspaced() {
			parts = unspacedParts(word, max(t.opts.Width-columns, 20))
		}
		for j, part := range parts {
			space := ""
			if i > 0 && j == 0 {
				space = " "
			}
			n := displaywidth.String(part)
			if i+j > 0 && size+len(space)+n > t.opts.Width {
				t.line("%s", line)
				line, size, space = strings.Repeat(" ", columns), columns, ""
			}
			line, size = line+space+part, size+len(space)+n
		}
	}
	t.line("%s", line)
}

// broken returns the words of a text, and those that are wider than a line in pieces.
func broken(text string, width int) []string {
	var words []string
	for word := range strings.FieldsSeq(text) {
		from, size := 0, 0
		for i, r := range word {
			n := displaywidth.Rune(r)
			if size+n > width {
				words = append(words, word[from:i])
				from, size = i, 0
			}
			size += n
		}
		words = append(words, word[from:])
	}
	return words
}

// answer writes the head of the example's answer and the part of its body around what is marked, with carets under it.
func (t *terminal) answer(e causeExample) {
	margin := t.label("response")
	if e.Head.String() != "" {
		margin = t.marked(margin, e.Head, "", 2)
	}
	if e.NoBody != "" {
		t.entry(margin, causeIndent, e.NoBody)
	}
	if e.Body.String() != "" {
		note := ""
		if e.Body.Marked != "" {
			note = e.Got
		}
		t.marked(margin, e.Body, note, answerLines)
	}
}

// screenLine is a line of marked text as it is on the screen. The mark is between two columns.
type screenLine struct {
	text, painted string
	from, to      int
	marked        bool
}

// marked writes a text in at most as many lines as may be, those around its mark, with carets under the mark and a note after them. It
// returns the margin for what follows.
func (t *terminal) marked(margin string, m markedText, note string, most int) string {
	lines := t.screenLines(m)
	first := 0
	for i, l := range lines {
		if l.marked && i >= most-2 {
			first = i - (most - 3)
			break
		}
	}
	first = max(min(first, len(lines)-most), 0)
	blank := strings.Repeat(" ", causeIndent)
	if first > 0 {
		t.line("%s…", margin)
		margin = blank
	}
	shown := lines[first:min(first+most, len(lines))]
	for i, l := range shown {
		t.line("%s%s", margin, l.painted)
		margin = blank
		if !l.marked {
			continue
		}
		carets := strings.Repeat(" ", l.from) + t.paint(contract.Fail, strings.Repeat("^", max(l.to-l.from, 1)))
		last := i+1 == len(shown) || !shown[i+1].marked
		switch {
		case !last || note == "":
			t.line("%s%s", blank, carets)
		case causeIndent+l.to+1+displaywidth.String(note) <= t.opts.Width:
			t.line("%s%s %s", blank, carets, note)
		default:
			t.line("%s%s", blank, carets)
			t.entry(blank, causeIndent, note)
		}
	}
	if first+most < len(lines) {
		t.line("%s…", blank)
	}
	return blank
}

// screenLines breaks a text into lines that fit the terminal.
func (t *terminal) screenLines(m markedText) []screenLine {
	width := max(t.opts.Width-causeIndent, 20)
	lines := []screenLine{{}}
	size := 0
	put := func(text string, marked bool) {
		for _, r := range strings.ReplaceAll(text, "\t", "  ") {
			n := displaywidth.Rune(r)
			if r == '\n' || size+n > width {
				lines, size = append(lines, screenLine{}), 0
				if r == '\n' {
					continue
				}
			}
			l := &lines[len(lines)-1]
			shown := string(r)
			if marked {
				if !l.marked {
					l.marked, l.from = true, size
				}
				l.to = size + n
				shown = t.paint(contract.Fail, shown)
			}
			l.text += string(r)
			l.painted += shown
			size += n
		}
	}
	put(m.Before, false)
	put(m.Marked, true)
	put(m.After, false)
	for len(lines) > 1 && strings.TrimSpace(lines[len(lines)-1].text) == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}
