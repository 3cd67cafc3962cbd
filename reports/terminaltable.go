package reports

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

func (t *terminal) totals(m Matrix) error {
	say := t.opts.Language.text
	header := []string{say("level"), say("cases")}
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
	rows = append(rows, line(say("all"), m.Totals))
	return t.table(header, rows, tw.AlignRight)
}

// aspects writes in how many of the cases each aspect held.
func (t *terminal) aspects(totals []aspectTotal) {
	if len(totals) == 0 {
		return
	}
	parts := []string{t.opts.Language.text("held:")}
	for _, a := range totals {
		parts = append(parts, t.opts.Language.text(a.String()))
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

// Table writes a table without a frame. cell pads and aligns the cells. Table fails if w does.
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
