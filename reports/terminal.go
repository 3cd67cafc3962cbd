package reports

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/clipperhouse/displaywidth"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// TerminalOptions describe the terminal. The zero value is 80 columns without colour.
type TerminalOptions struct {
	// Color adds colour to the signs. No information depends on the colour alone.
	Color bool
	// Width is the number of columns; 0 means 80. A matrix is laid out to fit this width.
	Width int
	// Failures is the number of causes shown with an example; 0 means 5.
	Failures int
	// Language is the language of the report.
	Language Language
}

// Terminal writes the report for a terminal: the matrix, the causes of what needs attention, the totals and a closing sentence. It returns only
// errors of w.
func Terminal(w io.Writer, run runlog.Run, opts TerminalOptions) error {
	t := terminal{opts: opts.withDefaults()}
	m := NewMatrix(run)
	say := t.opts.Language.text
	t.line("%s  %s  %s  %s", targetName(run), plain.Text(run.Target.BaseURL, nameLimit), say("level "+run.Selection.Scope()), say(run.Target.Claims.String()))
	if len(run.Target.Recipes) > 0 {
		t.line("%s", plain.Text(say("the profile's own recipes define the requests for these circumstances: "+strings.Join(recipeNames(run), ", ")), nameLimit))
	}
	t.line("")
	t.legend(m, t.matrix(m))
	t.causes(run)
	t.callers(run)
	t.loadCases(run)
	notes := runNotes(run)
	for _, n := range notes {
		t.line("%s", say("note: "+n))
	}
	if len(notes) > 0 {
		t.line("")
	}
	if err := t.totals(m); err != nil {
		return err
	}
	t.aspects(aspectTotals(run))
	t.line("%s", t.paint(run.Verdict(), say(Sentence(run)+".")))
	return flush(w, &t.out)
}

// Closing writes only the closing sentence of a run. It returns only errors of w.
func Closing(w io.Writer, run runlog.Run, opts TerminalOptions) error {
	t := terminal{opts: opts.withDefaults()}
	t.line("%s", t.paint(run.Verdict(), t.opts.Language.text(Sentence(run)+".")))
	return flush(w, &t.out)
}

func (o TerminalOptions) withDefaults() TerminalOptions {
	if o.Width <= 0 {
		o.Width = 80
	}
	if o.Failures <= 0 {
		o.Failures = 5
	}
	return o
}

type terminal struct {
	opts TerminalOptions
	out  bytes.Buffer
}

func (t *terminal) line(format string, args ...any) {
	t.out.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " "))
	t.out.WriteByte('\n')
}

// legend explains the signs, the names of the columns, and what else is in the matrix.
func (t *terminal) legend(m Matrix, more []string) {
	t.verdictLegend(legendVerdicts(), verdictWord)
	var names []string
	for i, c := range m.Columns {
		if full := plain.Text(c.Name, rowLimit); c.Short != full && (!c.Streaming || i == 0 || !c.twin(m.Columns[i-1])) {
			names = append(names, c.Short+" "+full)
		}
	}
	for _, text := range more {
		names = append(names, t.opts.Language.text(text))
	}
	t.wrapped(names, names)
	t.line("")
}

// verdictLegend explains signs with a word for each.
func (t *terminal) verdictLegend(verdicts []contract.Verdict, word func(contract.Verdict) string) {
	var parts, painted []string
	for _, v := range verdicts {
		said := t.opts.Language.text(word(v))
		parts = append(parts, sign(v)+" "+said)
		painted = append(painted, t.sign(v)+" "+said)
	}
	t.wrapped(parts, painted)
}

func verdictWord(v contract.Verdict) string { return string(v) }

// loadCases sums up every load case that passed. The others are among those that need attention.
func (t *terminal) loadCases(run runlog.Run) {
	written := false
	for _, c := range run.Cases {
		if c.Load != nil && c.Verdict == contract.Pass {
			t.line("%s %s", t.sign(c.Verdict), plain.Text(c.ID, nameLimit))
			t.line("  %s", loadSentence(*c.Load))
			written = true
		}
	}
	if written {
		t.line("")
	}
}

// wrapped writes parts two spaces apart on as many lines as they need. painted are the parts with their colours, which take
// no columns.
func (t *terminal) wrapped(parts, painted []string) {
	line, size := "", 0 // in columns
	for i, p := range parts {
		n := displaywidth.String(p)
		if size > 0 && size+2+n > t.opts.Width {
			t.line("%s", line)
			line, size = "", 0
		}
		if size > 0 {
			line, size = line+"  ", size+2
		}
		line, size = line+painted[i], size+n
	}
	t.line("%s", line)
}

func (t *terminal) failure(f failureText) {
	t.line("%s %s", t.sign(f.Verdict), f.ID)
	for _, fact := range f.facts() {
		t.fact(fact.Label, fact.Text)
	}
	for _, finding := range f.Findings {
		t.line("  %s %s", finding.Level, finding.Requirement)
		t.line("    want %s", finding.Want)
		t.line("    got  %s", finding.Got)
	}
	for _, line := range f.Load {
		t.fact("load", line)
	}
	if f.Curl != "" {
		t.fact("curl", strings.ReplaceAll(f.Curl, "\n", "\n           "))
	}
	t.line("")
}

func (t *terminal) fact(label, text string) { t.line("  %-8s %s", label, text) }

func (t *terminal) sign(v contract.Verdict) string { return t.paint(v, sign(v)) }

func (t *terminal) paint(v contract.Verdict, text string) string {
	if !t.opts.Color {
		return text
	}
	return "\x1b[" + styleOf(v).color + "m" + text + "\x1b[0m"
}
