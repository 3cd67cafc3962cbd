package reports

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// NotRun is the verdict of a row or a cell without cases. It never occurs in a log and is never green.
const NotRun contract.Verdict = "not-run"

// Matrix is a table of verdicts. In the matrix of a run, the rows are those of the contract, the columns are surfaces, and each cell has the worst
// verdict of its cases. Other matrices have other rows or columns, but are rendered in the same way.
type Matrix struct {
	// Columns are, in the matrix of a run, the surfaces that were selected or that have cases, in the contract's order.
	Columns []Column
	// Rows are, in the matrix of a run, the 32 rows of the contract in order, followed by any other rows in the log.
	Rows []MatrixRow
	// Totals counts the cases by verdict.
	Totals runlog.Counts
	// Levels are the levels that have cases, lowest first.
	Levels []LevelTotals
}

// Column is the heading of a column of a matrix.
type Column struct {
	// Name is the full name of the column, such as "chat-stream".
	Name string
	// Short is the name of the column on a terminal, in lines of at most four characters. The legend explains it.
	Short string
	// Group is the heading above this column and its neighbours: in the matrix of a run, the API format, such as "OpenAI". It is "" if there is none.
	Group string
	// Streaming is set if the column is an endpoint with streaming. The endpoint without streaming has the same Short.
	Streaming bool
}

// MatrixRow is one row of a matrix.
type MatrixRow struct {
	// Row describes it. Its Table is 0 when it is not a row of the contract.
	contract.Row
	// Group is the heading above the row.
	Group   string
	Verdict contract.Verdict
	Counts  runlog.Counts
	// Cells are in the order of Matrix.Columns.
	Cells []Cell
}

// Cell is one row in one column.
type Cell struct {
	Column  string
	Verdict contract.Verdict
	Counts  runlog.Counts
	// Cases are the ids of the cell's cases, in the order of [runlog.Run.AllCases].
	Cases []string
}

// Partly returns how many of the cell's cases were tested, for example "3/4". It returns "" if all or none were tested. If the gateway offers only a
// part of a cell, the cell is not-offered, so that it never looks like one that passed; Partly shows what was tested nevertheless.
func (c Cell) Partly() string {
	k, n := tested(c.Counts), len(c.Cases)
	if k == 0 || k == n {
		return ""
	}
	return fmt.Sprintf("%d/%d", k, n)
}

// Passing returns how many of the cell's cases pass, for example "12/17" or "0/17". It returns "" if all pass, and if the cell has fewer than two
// cases.
func (c Cell) Passing() string {
	k, n := c.Counts[contract.Pass], len(c.Cases)
	if k == n || n < 2 {
		return ""
	}
	return fmt.Sprintf("%d/%d", k, n)
}

// Minority reports whether a cell fails although at most half of its cases fail.
func (c Cell) Minority() bool {
	return c.Verdict == contract.Fail && 2*c.Counts[contract.Fail] <= len(c.Cases)
}

// HasMinority reports whether [Cell.Minority] is true for any cell of the matrix.
func (m Matrix) HasMinority() bool {
	return slices.ContainsFunc(m.Rows, func(r MatrixRow) bool { return slices.ContainsFunc(r.Cells, Cell.Minority) })
}

// Differs reports whether the cells of the row have more than one verdict.
func (r MatrixRow) Differs() bool {
	return slices.ContainsFunc(r.Cells, func(c Cell) bool { return c.Verdict != r.Cells[0].Verdict })
}

// testedVerdicts are those of cases that say something about the gateway.
var testedVerdicts = []contract.Verdict{contract.Pass, contract.Warn, contract.ExpectedFail, contract.Fail}

// tested counts the cases that say something about the gateway.
func tested(c runlog.Counts) int {
	n := 0
	for _, v := range testedVerdicts {
		n += c[v]
	}
	return n
}

// LevelTotals counts the cases of one certification level, excluding those of lower levels.
type LevelTotals struct {
	Level  contract.Level
	Counts runlog.Counts
}

// pageEntry is a case with its column in a matrix.
type pageEntry struct {
	runlog.Case
	Column string
	// Target is the column if the columns are targets, and "" if they are surfaces.
	Target string
	// Causes are the indexes of the case's causes in the page's list.
	Causes []int
	// Traces is the page of a trace of its run.
	Traces string
}

// NewMatrix returns the matrix of a run. Expected cases that never ran count as errors.
func NewMatrix(run runlog.Run) Matrix {
	cases := run.AllCases()
	m := newMatrix(columns(run, cases), runEntries(cases, run.TraceURL))
	m.Levels = levels(cases)
	return m
}

func runEntries(cases []runlog.Case, traces string) []pageEntry {
	entries := make([]pageEntry, len(cases))
	for i, c := range cases {
		entries[i] = pageEntry{Case: c, Column: string(c.Surface), Traces: traces}
	}
	return entries
}

// newMatrix lays out cases: rows of the contract by columns.
func newMatrix(columns []Column, entries []pageEntry) Matrix {
	m := Matrix{Columns: columns, Totals: make(runlog.Counts)}
	type place struct {
		row    contract.RowID
		column string
	}
	cells := make(map[place]Cell)
	rows := contract.Rows()
	for _, e := range entries {
		m.Totals[e.Verdict]++
		if !slices.ContainsFunc(rows, func(r contract.Row) bool { return r.ID == e.Row }) {
			rows = append(rows, contract.Row{ID: e.Row, Key: string(e.Row)})
		}
		at := place{e.Row, e.Column}
		cell, found := cells[at]
		if !found {
			cell.Counts = make(runlog.Counts)
		}
		cell.Counts[e.Verdict]++
		cell.Cases = append(cell.Cases, e.ID)
		cells[at] = cell
	}
	for _, r := range rows {
		row := MatrixRow{Row: r, Group: tables[r.Table], Counts: make(runlog.Counts)}
		for _, column := range columns {
			cell := cells[place{r.ID, column.Name}]
			cell.Column, cell.Verdict = column.Name, worst(cell.Counts)
			row.Cells = append(row.Cells, cell)
			row.Counts.Add(cell.Counts)
		}
		row.Verdict = worst(row.Counts)
		m.Rows = append(m.Rows, row)
	}
	return m
}

// RowCounts counts the rows by verdict, including [NotRun].
func (m Matrix) RowCounts() runlog.Counts {
	counts := make(runlog.Counts)
	for _, r := range m.Rows {
		counts[r.Verdict]++
	}
	return counts
}

// inPart counts the rows that are not-offered only because some of their cases are.
func (m Matrix) inPart() int {
	n := 0
	for _, r := range m.Rows {
		if r.Verdict == contract.NotOffered && tested(r.Counts) > 0 {
			n++
		}
	}
	return n
}

// worst is the worst verdict with a count, or [NotRun].
func worst(c runlog.Counts) contract.Verdict {
	var verdicts []contract.Verdict
	for v, n := range c {
		if n > 0 {
			verdicts = append(verdicts, v)
		}
	}
	if worst, ok := contract.Worst(verdicts...); ok {
		return worst
	}
	return NotRun
}

// tables are the names of the contract's tables by number; the first is for rows of neither.
var tables = [3]string{"Other rows", "HTTP status codes", "Business error codes"}

func columns(run runlog.Run, cases []runlog.Case) []Column {
	surfaces := slices.Clone(run.Selection.Surfaces)
	for _, c := range cases {
		surfaces = append(surfaces, c.Surface)
	}
	slices.SortFunc(surfaces, inOrder(dialect.Surfaces()))
	var list []Column
	for _, s := range slices.Compact(surfaces) {
		column := Column{Name: string(s), Short: plain.Text(s.Label(), 4), Streaming: s.Streaming()}
		if s.Valid() {
			column.Group = s.Dialect().Name()
		}
		list = append(list, column)
	}
	return list
}

// streamSign marks a streaming surface on a terminal.
const streamSign = "~"

func levels(cases []runlog.Case) []LevelTotals {
	var totals []LevelTotals
	for _, c := range cases {
		at := slices.IndexFunc(totals, func(l LevelTotals) bool { return l.Level == c.Level })
		if at < 0 {
			at = len(totals)
			totals = append(totals, LevelTotals{c.Level, make(runlog.Counts)})
		}
		totals[at].Counts[c.Verdict]++
	}
	compare := inOrder(contract.Levels())
	slices.SortFunc(totals, func(a, b LevelTotals) int { return compare(a.Level, b.Level) })
	return totals
}

// inOrder compares by the order of a list. What is not in the list comes last, by name.
func inOrder[T ~string](list []T) func(a, b T) int {
	place := func(v T) int {
		if i := slices.Index(list, v); i >= 0 {
			return i
		}
		return len(list)
	}
	return func(a, b T) int {
		if d := place(a) - place(b); d != 0 {
			return d
		}
		return cmp.Compare(a, b)
	}
}
