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
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// TerminalOptions describe the terminal. The zero value is 80 columns without colour.
type TerminalOptions struct {
	// Color adds colour to the signs. No information is in the colour alone.
	Color bool
	// Width is the number of columns, 80 when 0. The matrix is split into bands of columns that fit.
	Width int
	// Failures is the number of cases shown in full, 10 when 0.
	Failures int
}

// Terminal writes the report for a terminal: the matrix, the cases that need attention, the totals and a closing sentence.
// It fails only when w does.
func Terminal(w io.Writer, run runlog.Run, opts TerminalOptions) error {
	t := terminal{opts: opts.withDefaults()}
	m := NewMatrix(run)
	t.line("%s  %s  level %s  %s", targetName(run), plain.Text(run.Target.BaseURL, nameLimit), run.Selection.Scope(), run.Target.Claims)
	if len(run.Target.Recipes) > 0 {
		t.line("%s", plain.Text("the profile's own recipes decide about requests: "+strings.Join(recipeNames(run), ", "), nameLimit))
	}
	t.line("")
	if err := t.matrix(m); err != nil {
		return err
	}
	t.legend(m)
	t.attention(attentionOf(run))
	t.loadCases(run)
	notes := runNotes(run)
	for _, n := range notes {
		t.line("note: %s", n)
	}
	if len(notes) > 0 {
		t.line("")
	}
	if err := t.totals(m); err != nil {
		return err
	}
	t.aspects(aspectTotals(run))
	t.line("%s.", t.paint(run.Verdict(), Sentence(run)))
	return flush(w, &t.out)
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

type terminal struct {
	opts TerminalOptions
	out  bytes.Buffer
}

func (t *terminal) line(format string, args ...any) {
	t.out.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " "))
	t.out.WriteByte('\n')
}

// matrix writes the matrix in bands of as many columns as fit the width.
func (t *terminal) matrix(m Matrix) error {
	const gap = 1 // the space before a column
	keys, column := 0, 1
	for _, r := range m.Rows {
		keys = max(keys, len([]rune(plain.Text(r.Key, 40))))
		for _, c := range r.Cells {
			column = max(column, 1+len(c.Partly()))
		}
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
			line := []string{t.sign(r.Verdict), plain.Text(r.Key, 40)}
			for _, c := range r.Cells[from:to] {
				line = append(line, t.sign(c.Verdict)+c.Partly())
			}
			rows = append(rows, line)
		}
		if err := t.table(header, rows, tw.AlignLeft); err != nil {
			return err
		}
	}
	return nil
}

func (t *terminal) legend(m Matrix) {
	t.verdictLegend(legendVerdicts(), verdictWord)
	var names []string
	for _, c := range m.Columns {
		full := plain.Text(c.Name, 40)
		if c.Short != full && !streams(c) {
			names = append(names, c.Short+" "+full)
		}
	}
	if slices.ContainsFunc(m.Columns, streams) {
		names = append(names, streamSign+" streaming")
	}
	if part := partLegend(m); part != "" {
		names = append(names, part)
	}
	t.wrapped(names, names)
	t.line("")
}

// partLegend explains the cells that were tested in part, "" where there is none.
func partLegend(m Matrix) string {
	for _, r := range m.Rows {
		if slices.ContainsFunc(r.Cells, func(c Cell) bool { return c.Partly() != "" }) {
			return "k/n k of n cases tested"
		}
	}
	return ""
}

// verdictLegend explains signs with a word for each.
func (t *terminal) verdictLegend(verdicts []contract.Verdict, word func(contract.Verdict) string) {
	var parts, painted []string
	for _, v := range verdicts {
		parts = append(parts, sign(v)+" "+word(v))
		painted = append(painted, t.sign(v)+" "+word(v))
	}
	t.wrapped(parts, painted)
}

func verdictWord(v contract.Verdict) string { return string(v) }

func streams(c Column) bool { return strings.HasSuffix(c.Short, "\n"+streamSign) }

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

// attention writes the failures and then the warnings, up to the bound.
func (t *terminal) attention(a attention) {
	texts := slices.Concat(a.failures, a.warnings)
	shown := texts[:min(len(texts), t.opts.Failures)]
	for _, f := range shown {
		t.failure(f)
	}
	if rest := len(texts) - len(shown); rest > 0 {
		t.line("… and %d more, see report.html", rest)
		t.line("")
	}
	if len(a.neverRan) > 0 {
		t.line("%s never ran:", Count(len(a.neverRan), "expected case"))
		for _, id := range a.neverRan[:min(len(a.neverRan), t.opts.Failures)] {
			t.line("  %s %s", t.sign(contract.Error), id)
		}
		if rest := len(a.neverRan) - t.opts.Failures; rest > 0 {
			t.line("  … and %d more, see report.html", rest)
		}
		t.line("")
	}
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

// aspects writes in how many of the cases each aspect held.
func (t *terminal) aspects(totals []aspectTotal) {
	if len(totals) == 0 {
		return
	}
	parts := []string{"held:"}
	for _, a := range totals {
		parts = append(parts, a.String())
	}
	t.wrapped(parts, parts)
	t.line("")
}

// table writes a table without a frame. align is that of the columns after the first two.
func (t *terminal) table(header []string, rows [][]string, align tw.Align) error {
	aligns := []tw.Align{tw.AlignLeft, tw.AlignLeft}
	if align == tw.AlignRight {
		aligns[1] = tw.AlignRight
	}
	for range len(header) - len(aligns) {
		aligns = append(aligns, align)
	}
	var out bytes.Buffer
	err := Table(&out, header, rows, tw.CellConfig{
		Padding:   tw.CellPadding{Global: tw.Padding{Right: " ", Overwrite: true}},
		Alignment: tw.CellAlignment{PerColumn: aligns},
	})
	if err != nil {
		return fmt.Errorf("table: %w", err)
	}
	for l := range strings.Lines(out.String()) {
		t.line("%s", strings.TrimSuffix(l, "\n"))
	}
	t.line("")
	return nil
}

// Table writes a table without a frame. cell pads and aligns the cells. It fails when w does.
func Table(w io.Writer, header []string, rows [][]string, cell tw.CellConfig) error {
	cell.Formatting = tw.CellFormatting{AutoFormat: tw.Off, AutoWrap: tw.WrapNone}
	table := tablewriter.NewTable(w,
		// The library asks the environment whether the signs are two columns wide. A report must not depend on that.
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
		return err
	}
	return table.Render()
}

func (t *terminal) sign(v contract.Verdict) string { return t.paint(v, sign(v)) }

func (t *terminal) paint(v contract.Verdict, text string) string {
	if !t.opts.Color {
		return text
	}
	return "\x1b[" + styleOf(v).color + "m" + text + "\x1b[0m"
}
