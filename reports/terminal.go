package reports

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// TerminalOptions say for whom the terminal report is. The zero value is 80 columns without colour.
type TerminalOptions struct {
	// Color adds colour to the signs. Nothing is told by colour alone.
	Color bool
	// Width is the number of columns, 80 when 0. The matrix is split into bands of columns that fit.
	Width int
	// Failures is how many cases are told in full, 10 when 0.
	Failures int
}

// Terminal writes the report for people at a terminal: the matrix, the cases that need attention, the totals and one
// closing sentence. It fails only when w does.
func Terminal(w io.Writer, run runlog.Run, opts TerminalOptions) error {
	t := terminal{opts: opts.withDefaults()}
	m := NewMatrix(run)
	t.line("%s  %s  level %s", plain.Text(run.Target.Name, nameLimit), plain.Text(run.Target.BaseURL, nameLimit), run.Selection.Scope())
	t.line("")
	if err := t.matrix(m); err != nil {
		return err
	}
	t.legend(m)
	t.troubles(run)
	t.underLoad(run)
	notes := remarks(run)
	for _, n := range notes {
		t.line("note: %s", n)
	}
	if len(notes) > 0 {
		t.line("")
	}
	if err := t.totals(m); err != nil {
		return err
	}
	t.line("%s.", t.paint(run.Verdict(), Sentence(run)))
	return t.flush(w)
}

func (o TerminalOptions) withDefaults() TerminalOptions {
	if o.Width <= 0 {
		o.Width = 80
	}
	if o.Failures <= 0 {
		o.Failures = 10
	}
	return o
}

// terminal is one report in the making.
type terminal struct {
	opts TerminalOptions
	out  bytes.Buffer
}

// flush writes the report out at once.
func (t *terminal) flush(w io.Writer) error {
	if _, err := w.Write(t.out.Bytes()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func (t *terminal) line(format string, args ...any) {
	t.out.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " "))
	t.out.WriteByte('\n')
}

// matrix writes the matrix in bands of as many columns as the width holds.
func (t *terminal) matrix(m Matrix) error {
	const gap = 1 // the space before a column
	keys, column := 0, 1
	for _, r := range m.Rows {
		keys = max(keys, len([]rune(rowLabel(r))))
	}
	for _, c := range m.Columns {
		for line := range strings.Lines(c.Short) {
			column = max(column, len([]rune(strings.TrimSuffix(line, "\n"))))
		}
	}
	fits := max((t.opts.Width-keys-2-gap)/(column+gap), 1)
	for from := 0; from == 0 || from < len(m.Columns); from += fits {
		to := min(from+fits, len(m.Columns))
		header := []string{"", "row"}
		for _, c := range m.Columns[from:to] {
			header = append(header, c.Short)
		}
		var rows [][]string
		for _, r := range m.Rows {
			line := []string{t.sign(r.Verdict), rowLabel(r)}
			for _, c := range r.Cells[from:to] {
				line = append(line, t.sign(c.Verdict))
			}
			rows = append(rows, line)
		}
		if err := t.table(header, rows, tw.AlignLeft); err != nil {
			return err
		}
	}
	return nil
}

// rowLabel is the row's first cell, as the tables print it; the code: and http: of its id go without saying.
func rowLabel(r MatrixRow) string { return plain.Text(r.Key, 40) }

// shortName fits a surface over a column of four; "~" is the stream.
func shortName(s dialect.Surface) string {
	base, stream := strings.CutSuffix(string(s), "-stream")
	short := map[string]string{
		"completions": "cmpl", "responses": "resp", "messages": "msgs", "gemini": "gmni", "embeddings": "embd",
		"images": "imgs", "speech": "spch", "transcriptions": "trns", "moderations": "modr", "rerank": "rrnk", "models": "mdls",
	}[base]
	if short == "" {
		short = plain.Text(base, 4)
	}
	if stream {
		short += "\n~"
	}
	return short
}

func (t *terminal) legend(m Matrix) {
	var verdicts, painted []string
	for _, v := range shown() {
		verdicts = append(verdicts, sign(v)+" "+string(v))
		painted = append(painted, t.sign(v)+" "+string(v))
	}
	t.wrapped(verdicts, painted)
	var names []string
	for _, c := range m.Columns {
		full := plain.Text(c.Name, 40)
		if c.Short != full && !strings.HasSuffix(full, "-stream") {
			names = append(names, c.Short+" "+full)
		}
	}
	if slices.ContainsFunc(m.Columns, func(c Column) bool { return strings.HasSuffix(c.Short, "~") }) {
		names = append(names, "~ streaming")
	}
	t.wrapped(names, names)
	t.line("")
}

// underLoad says of every case under load that passed in a line what was sent. The others are told among the troubles.
func (t *terminal) underLoad(run runlog.Run) {
	told := false
	for _, c := range run.Cases {
		if c.Load != nil && c.Verdict == contract.Pass {
			t.line("%s %s", t.sign(c.Verdict), plain.Text(c.ID, nameLimit))
			t.line("  %s", loadSentence(*c.Load))
			told = true
		}
	}
	if told {
		t.line("")
	}
}

// wrapped writes parts two spaces apart on as many lines as they need, each as it is painted.
func (t *terminal) wrapped(parts, painted []string) {
	line, size := "", 0 // in columns
	for i, p := range parts {
		n := len([]rune(p))
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

// troubles tells the failures, then the warnings, up to the bound.
func (t *terminal) troubles(run runlog.Run) {
	accounts, _, never := troubles(run)
	told := accounts[:min(len(accounts), t.opts.Failures)]
	for _, a := range told {
		t.account(a)
	}
	if rest := len(accounts) - len(told); rest > 0 {
		t.line("… and %d more, see report.html", rest)
		t.line("")
	}
	if len(never) > 0 {
		t.line("%s never ran:", Count(len(never), "expected case"))
		for _, id := range never[:min(len(never), t.opts.Failures)] {
			t.line("  %s %s", t.sign(contract.Error), id)
		}
		if rest := len(never) - t.opts.Failures; rest > 0 {
			t.line("  … and %d more, see report.html", rest)
		}
		t.line("")
	}
}

func (t *terminal) account(a account) {
	t.line("%s %s", t.sign(a.Verdict), a.ID)
	t.fact("did", a.Scenario)
	t.fact("step", a.Step)
	t.fact("sent", a.Call)
	t.fact("came", a.Answer)
	t.fact("why", a.Reason)
	for _, f := range a.Findings {
		t.line("  %s %s", f.Severity, f.Obligation)
		t.line("    want %s", f.Want)
		t.line("    got  %s", f.Got)
	}
	for _, line := range a.Load {
		t.fact("load", line)
	}
	t.fact("curl", strings.ReplaceAll(a.Curl, "\n", "\n       "))
	t.line("")
}

func (t *terminal) fact(label, text string) {
	if text != "" {
		t.line("  %-4s %s", label, text)
	}
}

func (t *terminal) totals(m Matrix) error {
	header := []string{"level", "cases"}
	for _, v := range contract.Verdicts() {
		header = append(header, sign(v))
	}
	line := func(name string, counts runlog.Counts) []string {
		cells := []string{name, fmt.Sprint(counts.Total())}
		for _, v := range contract.Verdicts() {
			cell := fmt.Sprint(counts[v])
			if counts[v] > 0 {
				cell = t.paint(v, cell)
			}
			cells = append(cells, cell)
		}
		return cells
	}
	var rows [][]string
	for _, l := range m.Levels {
		rows = append(rows, line(plain.Text(string(l.Level), 20), l.Counts))
	}
	rows = append(rows, line("all", m.Totals))
	return t.table(header, rows, tw.AlignRight)
}

// table writes a table without frame; cells after the first two columns are aligned as asked.
func (t *terminal) table(header []string, rows [][]string, align tw.Align) error {
	aligns := []tw.Align{tw.AlignLeft, tw.AlignLeft}
	if align == tw.AlignRight {
		aligns[1] = tw.AlignRight
	}
	for range len(header) - len(aligns) {
		aligns = append(aligns, align)
	}
	cell := tw.CellConfig{
		Formatting: tw.CellFormatting{AutoFormat: tw.Off, AutoWrap: tw.WrapNone},
		Padding:    tw.CellPadding{Global: tw.Padding{Right: " ", Overwrite: true}},
		Alignment:  tw.CellAlignment{PerColumn: aligns},
	}
	var out bytes.Buffer
	table := tablewriter.NewTable(&out,
		// The library asks the environment whether the signs are two columns wide; a report must not depend on it.
		tablewriter.WithEastAsian(tw.Off),
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders: tw.BorderNone,
			Symbols: tw.NewSymbols(tw.StyleLight),
			Settings: tw.Settings{
				Separators: tw.Separators{BetweenColumns: tw.Off, BetweenRows: tw.Off},
				Lines:      tw.Lines{ShowHeaderLine: tw.Off, ShowTop: tw.Off, ShowBottom: tw.Off},
			},
		})),
		tablewriter.WithConfig(tablewriter.Config{Header: cell, Row: cell}),
	)
	table.Header(header)
	if err := table.Bulk(rows); err != nil {
		return fmt.Errorf("table: %w", err)
	}
	if err := table.Render(); err != nil {
		return fmt.Errorf("table: %w", err)
	}
	for l := range strings.Lines(out.String()) {
		t.line("%s", strings.TrimSuffix(l, "\n"))
	}
	t.line("")
	return nil
}

func (t *terminal) sign(v contract.Verdict) string { return t.paint(v, sign(v)) }

// paint colours text as its verdict, with the 16 colours that every terminal theme keeps readable.
func (t *terminal) paint(v contract.Verdict, text string) string {
	if !t.opts.Color {
		return text
	}
	var code string
	switch v {
	case contract.Pass:
		code = "32"
	case contract.Warn:
		code = "33"
	case contract.ExpectedFail:
		code = "36"
	case contract.Fail:
		code = "1;31"
	case contract.Untestable:
		code = "35"
	case contract.NotOffered, NotRun:
		code = "2"
	default:
		code = "1;7;31"
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
