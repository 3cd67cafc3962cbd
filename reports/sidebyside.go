package reports

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// MatrixSchema names the version of a side by side's JSON.
const MatrixSchema = "gatecert.matrix/1"

// SideBySide is several runs as one matrix: the rows of the contract by targets.
type SideBySide struct {
	Runs []runlog.Run
	// Matrix has a column for each run, in their order.
	Matrix Matrix
}

// NewSideBySide lays out runs. A target that is there more than once gets a number behind its name.
func NewSideBySide(runs []runlog.Run) SideBySide {
	s := SideBySide{Runs: runs}
	s.Matrix.Totals = make(runlog.Counts)
	seen := make(map[string]int)
	place := make(map[contract.RowID]int)
	for i, run := range runs {
		name := targetName(run)
		if seen[name]++; seen[name] > 1 {
			name = fmt.Sprintf("%s #%d", name, seen[name])
		}
		s.Matrix.Columns = append(s.Matrix.Columns, Column{Name: name, Short: letter(i)})
		m := NewMatrix(run)
		for v, n := range m.Totals {
			s.Matrix.Totals[v] += n
		}
		for _, r := range m.Rows {
			at, known := place[r.ID]
			if !known {
				at = len(s.Matrix.Rows)
				place[r.ID] = at
				s.Matrix.Rows = append(s.Matrix.Rows, MatrixRow{Row: r.Row, Group: r.Group, Counts: make(runlog.Counts)})
			}
			row := &s.Matrix.Rows[at]
			for v, n := range r.Counts {
				row.Counts[v] += n
			}
			// Runs before this one do not know a row that only this one names.
			for len(row.Cells) < i {
				row.Cells = append(row.Cells, absent(s.Matrix.Columns[len(row.Cells)]))
			}
			cell := Cell{Column: name, Verdict: r.Verdict, Counts: r.Counts}
			for _, c := range r.Cells {
				cell.Cases = append(cell.Cases, c.Cases...)
			}
			row.Cells = append(row.Cells, cell)
		}
	}
	for i := range s.Matrix.Rows {
		row := &s.Matrix.Rows[i]
		for len(row.Cells) < len(runs) {
			row.Cells = append(row.Cells, absent(s.Matrix.Columns[len(row.Cells)]))
		}
		row.Verdict = worst(row.Counts)
	}
	return s
}

func absent(c Column) Cell { return Cell{Column: c.Name, Verdict: NotRun, Counts: runlog.Counts{}} }

// letter is a short name for a column: A to Z, then numbers.
func letter(i int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	if i < len(letters) {
		return letters[i : i+1]
	}
	return fmt.Sprint(i + 1)
}

// sentence says what the side by side shows: "2 targets: 20 of 32 rows alike, 8 differ, 4 not run by all".
func (s SideBySide) sentence() string {
	differ, partly := 0, 0
	for _, r := range s.Matrix.Rows {
		var seen []contract.Verdict
		for _, c := range r.Cells {
			seen = append(seen, c.Verdict)
		}
		slices.Sort(seen)
		switch seen = slices.Compact(seen); {
		case len(seen) == 1:
		case slices.Contains(seen, NotRun):
			partly++
		default:
			differ++
		}
	}
	rows := len(s.Matrix.Rows)
	text := fmt.Sprintf("%s: %d of %s alike, %d differ", Count(len(s.Runs), "target"), rows-differ-partly, Count(rows, "row"), differ)
	if partly > 0 {
		text += fmt.Sprintf(", %d not run by all", partly)
	}
	return text
}

// remarks are what makes the runs hard to compare, each a sentence, safe to show.
func (s SideBySide) remarks() []string {
	var list []string
	for i, run := range s.Runs {
		if run.ContractDigest != s.Runs[0].ContractDigest {
			list = append(list, s.Matrix.Columns[i].Name+" was judged by another contract than "+s.Matrix.Columns[0].Name+".")
		}
		if run.Selection.Scope() != s.Runs[0].Selection.Scope() {
			list = append(list, fmt.Sprintf("%s was certified at level %s, %s at level %s.", s.Matrix.Columns[i].Name,
				run.Selection.Scope(), s.Matrix.Columns[0].Name, s.Runs[0].Selection.Scope()))
		}
	}
	return list
}

// Terminal writes the matrix for people at a terminal. It fails only when w does.
func (s SideBySide) Terminal(w io.Writer, opts TerminalOptions) error {
	t := terminal{opts: opts.withDefaults()}
	if err := t.matrix(s.Matrix); err != nil {
		return err
	}
	var verdicts, painted []string
	for _, v := range shown() {
		verdicts = append(verdicts, sign(v)+" "+string(v))
		painted = append(painted, t.sign(v)+" "+string(v))
	}
	t.wrapped(verdicts, painted)
	t.line("")
	for i, run := range s.Runs {
		t.line("%s %s %s", s.Matrix.Columns[i].Short, t.sign(run.Verdict()), s.Matrix.Columns[i].Name)
		t.line("    %s.", Sentence(run))
	}
	t.line("")
	for _, r := range s.remarks() {
		t.line("note: %s", r)
	}
	t.line("%s.", s.sentence())
	return t.flush(w)
}

// Markdown writes the matrix in GitHub's dialect. It fails only when w does.
func (s SideBySide) Markdown(w io.Writer) error {
	var out bytes.Buffer
	fmt.Fprintf(&out, "## gatecert: %s side by side\n\n**%s.**\n\n", Count(len(s.Runs), "target"), s.sentence())
	markdownMatrix(&out, s.Matrix)
	out.WriteString("| | target | url | result |\n|:-:|:--|:--|:--|\n")
	for i, run := range s.Runs {
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", sign(run.Verdict()), cell(s.Matrix.Columns[i].Name, nameLimit),
			cell(run.Target.BaseURL, nameLimit), Sentence(run))
	}
	for _, r := range s.remarks() {
		fmt.Fprintf(&out, "\n%s\n", code(r, textLimit))
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

type matrixReport struct {
	Schema   string         `json:"schema"`
	Sentence string         `json:"sentence"`
	Remarks  []string       `json:"remarks"`
	Targets  []matrixTarget `json:"targets"`
	Rows     []matrixLine   `json:"rows"`
}

type matrixTarget struct {
	// Column is the target's name in the cells, unique in the matrix.
	Column string `json:"column"`
	diffRun
	Level contract.Level `json:"level"`
	Cases runlog.Counts  `json:"cases"`
	Rows  runlog.Counts  `json:"rows"`
}

type matrixLine struct {
	ID      contract.RowID `json:"id"`
	Meaning string         `json:"meaning"`
	Cells   []matrixCell   `json:"cells"`
}

type matrixCell struct {
	Column  string           `json:"column"`
	Verdict contract.Verdict `json:"verdict"`
	Cases   runlog.Counts    `json:"cases"`
}

// JSON writes the matrix for machines. It fails only when w does.
func (s SideBySide) JSON(w io.Writer) error {
	out := matrixReport{Schema: MatrixSchema, Sentence: s.sentence(), Remarks: filled(s.remarks()), Targets: []matrixTarget{}, Rows: []matrixLine{}}
	for i, run := range s.Runs {
		m := NewMatrix(run)
		out.Targets = append(out.Targets, matrixTarget{
			Column: s.Matrix.Columns[i].Name, diffRun: newDiffRun(run), Level: run.Selection.Level,
			Cases: whole(m.Totals, contract.Verdicts()), Rows: whole(m.RowCounts(), shown()),
		})
	}
	for _, r := range s.Matrix.Rows {
		line := matrixLine{ID: r.ID, Meaning: r.Meaning}
		for _, c := range r.Cells {
			line.Cells = append(line.Cells, matrixCell{c.Column, c.Verdict, whole(c.Counts, contract.Verdicts())})
		}
		out.Rows = append(out.Rows, line)
	}
	return encodeJSON(w, out)
}

// HTML writes the matrix as a page like [HTML]'s: a cell opens the evidence of its cases. It fails only when w does.
func (s SideBySide) HTML(w io.Writer) error {
	var entries []pageEntry
	for i, run := range s.Runs {
		column := s.Matrix.Columns[i].Name
		for _, c := range run.AllCases() {
			entries = append(entries, pageEntry{c, column})
		}
	}
	var names []string
	for _, c := range s.Matrix.Columns {
		names = append(names, c.Name)
	}
	p := page{Title: plain.Text(strings.Join(names, " · "), nameLimit), Verdict: contract.Pass, Remarks: s.remarks(), By: "Target"}
	p.Headline, p.Detail, _ = strings.Cut(s.sentence(), ": ")
	for i, run := range s.Runs {
		p.Verdict, _ = contract.Worst(p.Verdict, run.Verdict())
		p.Facts = append(p.Facts, [2]string{s.Matrix.Columns[i].Name, plain.Text(run.Target.BaseURL, nameLimit) + " · " + Sentence(run)})
		m := NewMatrix(run)
		p.Levels = append(p.Levels, newPageLevel(s.Matrix.Columns[i].Name, m.Totals))
	}
	return p.write(w, s.Matrix, entries)
}
