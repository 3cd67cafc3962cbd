package reports

import (
	"cmp"
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/runlog"
)

// NotRun is the verdict of a row or a cell that has no case in a run. No log has it, and it is never green.
const NotRun contract.Verdict = "not-run"

// Matrix is rows x columns of verdicts. That of a run is rows of the contract x surfaces, each part with the worst
// verdict of its cases; other matrices have other rows or columns, and are drawn all the same.
type Matrix struct {
	// Columns are, in a run's matrix, the surfaces selected or seen, in the contract's order.
	Columns []Column
	// Rows are, in a run's matrix, the 32 of the contract in order, and after them any other that the log names:
	// nothing is dropped.
	Rows []MatrixRow
	// Totals counts the cases by verdict.
	Totals runlog.Counts
	// Levels are the levels that have cases, lowest first.
	Levels []LevelTotals
}

// Column heads a column of a matrix.
type Column struct {
	// Name is its whole name: "chat-stream".
	Name string
	// Short is what a terminal shows over the column: lines of at most four signs, such as "chat\n~". A legend explains it.
	Short string
}

// MatrixRow is a row on every column.
type MatrixRow struct {
	// Row says what the row is about; where it is no row of the contract, its Table is 0.
	contract.Row
	// Group is the heading under which the row stands.
	Group   string
	Verdict contract.Verdict
	Counts  runlog.Counts
	// Cells stand in the order of Matrix.Columns.
	Cells []Cell
}

// Cell is a row on one column.
type Cell struct {
	Column  string
	Verdict contract.Verdict
	Counts  runlog.Counts
	// Cases are the ids of its cases, in the order of [Run.AllCases].
	Cases []string
}

// LevelTotals counts the cases that need a certification level, not those that it includes.
type LevelTotals struct {
	Level  contract.Level
	Counts runlog.Counts
}

// NewMatrix lays out a run. Expected cases that never ran are in it as errors.
func NewMatrix(run runlog.Run) Matrix {
	outcomes := run.AllCases()
	m := Matrix{Columns: columns(run, outcomes), Totals: make(runlog.Counts), Levels: levels(outcomes)}
	type place struct {
		row    contract.RowID
		column string
	}
	cells := make(map[place]*Cell)
	rows := contract.Rows()
	for _, c := range outcomes {
		m.Totals[c.Verdict]++
		if !slices.ContainsFunc(rows, func(r contract.Row) bool { return r.ID == c.Row }) {
			rows = append(rows, contract.Row{ID: c.Row, Key: string(c.Row)})
		}
		at := place{c.Row, string(c.Surface)}
		if cells[at] == nil {
			cells[at] = &Cell{Column: at.column, Counts: make(runlog.Counts)}
		}
		cells[at].Counts[c.Verdict]++
		cells[at].Cases = append(cells[at].Cases, c.ID)
	}
	for _, r := range rows {
		row := MatrixRow{Row: r, Group: tables[r.Table], Counts: make(runlog.Counts)}
		for _, column := range m.Columns {
			cell := Cell{Column: column.Name}
			if filled := cells[place{r.ID, column.Name}]; filled != nil {
				cell = *filled
			}
			cell.Verdict = worst(cell.Counts)
			row.Cells = append(row.Cells, cell)
			for v, n := range cell.Counts {
				row.Counts[v] += n
			}
		}
		row.Verdict = worst(row.Counts)
		m.Rows = append(m.Rows, row)
	}
	return m
}

// RowCounts counts the rows by verdict, those not run among them.
func (m Matrix) RowCounts() runlog.Counts {
	counts := make(runlog.Counts)
	for _, r := range m.Rows {
		counts[r.Verdict]++
	}
	return counts
}

// worst is the worst verdict counted, or [NotRun].
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

// tables are the names of the contract's tables by number, and before them that of rows of neither.
var tables = [3]string{"Other rows", "HTTP status codes", "Business error codes"}

func columns(run runlog.Run, outcomes []runlog.Case) []Column {
	surfaces := slices.Clone(run.Selection.Surfaces)
	for _, c := range outcomes {
		surfaces = append(surfaces, c.Surface)
	}
	slices.SortFunc(surfaces, inOrder(dialect.Surfaces()))
	var list []Column
	for _, s := range slices.Compact(surfaces) {
		list = append(list, Column{Name: string(s), Short: shortName(s)})
	}
	return list
}

func levels(outcomes []runlog.Case) []LevelTotals {
	counts := make(map[contract.Level]runlog.Counts)
	var seen []contract.Level
	for _, c := range outcomes {
		if counts[c.Level] == nil {
			counts[c.Level] = make(runlog.Counts)
			seen = append(seen, c.Level)
		}
		counts[c.Level][c.Verdict]++
	}
	slices.SortFunc(seen, inOrder(contract.Levels()))
	totals := make([]LevelTotals, 0, len(seen))
	for _, l := range seen {
		totals = append(totals, LevelTotals{l, counts[l]})
	}
	return totals
}

// inOrder compares as the list has it; what is not in the list comes after it, by name.
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
