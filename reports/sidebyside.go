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

// MatrixSchema is the version of the JSON of a [SideBySide].
const MatrixSchema = "gatecert.matrix/1"

// SideBySide contains several runs in one matrix: the rows of the contract by targets.
type SideBySide struct {
	Runs []runlog.Run
	// Matrix has one column for each run, in order.
	Matrix   Matrix
	entries  []pageEntry
	language Language
}

// In returns the matrix in a language. Text from a gateway, names and ids are not translated, and neither is the JSON.
func (s SideBySide) In(l Language) SideBySide {
	s.language = l
	return s
}

// NewSideBySide returns a matrix of the runs. If several targets have the same name, a number is added to the name.
func NewSideBySide(runs []runlog.Run) SideBySide {
	s := SideBySide{Runs: runs}
	var columns []Column
	seen := make(map[string]bool)
	for i, run := range runs {
		name := targetName(run)
		for n := 2; seen[name]; n++ {
			name = fmt.Sprintf("%s #%d", targetName(run), n)
		}
		seen[name] = true
		columns = append(columns, Column{Name: name, Short: letter(i)})
		for _, c := range run.AllCases() {
			s.entries = append(s.entries, pageEntry{Case: c, Column: name, Target: name, Traces: run.TraceURL})
		}
	}
	s.Matrix = newMatrix(columns, s.entries)
	return s
}

// letter is a short name for a column: A to Z, then numbers.
func letter(i int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	if i < len(letters) {
		return letters[i : i+1]
	}
	return fmt.Sprint(i + 1)
}

// sentence sums up the matrix: "2 targets: 20 of 32 rows agree, 8 differ, 4 ran only on some targets".
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
	text := fmt.Sprintf("%s: %d of %s agree, %d differ", plain.Count(len(s.Runs), "target"), rows-differ-partly, plain.Count(rows, "row"), differ)
	if partly > 0 {
		text += fmt.Sprintf(", %d ran only on some targets", partly)
	}
	return text
}

// notes are the differences that make runs hard to compare, each a sentence, safe to show.
func (s SideBySide) notes() []string {
	var list []string
	for i, run := range s.Runs {
		if run.ContractDigest != s.Runs[0].ContractDigest {
			list = append(list, s.Matrix.Columns[i].Name+" and "+s.Matrix.Columns[0].Name+" were judged against different versions of the contract.")
		}
		if run.Selection.Scope() != s.Runs[0].Selection.Scope() {
			list = append(list, fmt.Sprintf("%s was tested at level %s and %s at level %s.", s.Matrix.Columns[i].Name,
				run.Selection.Scope(), s.Matrix.Columns[0].Name, s.Runs[0].Selection.Scope()))
		}
	}
	return list
}

// Terminal writes the matrix for a terminal. It returns only errors of w.
func (s SideBySide) Terminal(w io.Writer, opts TerminalOptions) error {
	opts.Language = s.language
	t, say := terminal{opts: opts.withDefaults()}, s.language.text
	more := t.matrix(s.Matrix)
	t.verdictLegend(legendVerdicts(), verdictWord)
	if len(more) > 0 {
		t.wrapped(more, more)
	}
	t.line("")
	for i, run := range s.Runs {
		t.line("%s %s %s", s.Matrix.Columns[i].Short, t.sign(run.Verdict()), s.Matrix.Columns[i].Name)
		t.line("    %s", say(Sentence(run)+"."))
		if text := aspectsText(aspectTotals(run), s.language); text != "" {
			t.line("    %s %s", say("held:"), text)
		}
	}
	t.line("")
	if c := s.callers(); c != nil {
		c.sideBySideTerminal(&t)
	}
	for _, r := range s.notes() {
		t.line("%s", say("note: "+r))
	}
	t.line("%s", say(s.sentence()+"."))
	return flush(w, &t.out)
}

// Markdown writes the matrix in GitHub Flavored Markdown. It returns only errors of w.
func (s SideBySide) Markdown(w io.Writer) error {
	var out bytes.Buffer
	say := s.language.text
	fmt.Fprintf(&out, "## %s\n\n**%s**\n\n", say("gatecert: "+plain.Count(len(s.Runs), "target")+" side by side"), say(s.sentence()+"."))
	markdownMatrix(&out, s.Matrix, s.language)
	fmt.Fprintf(&out, "| | %s | %s | %s |\n|:-:|:--|:--|:--|\n", say("target"), say("url"), say("result"))
	for i, run := range s.Runs {
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", sign(run.Verdict()), cell(s.Matrix.Columns[i].Name, nameLimit),
			cell(run.Target.BaseURL, nameLimit), strings.TrimRight(say(Sentence(run)+"."), ".。"))
	}
	s.markdownScores(&out)
	if c := s.callers(); c != nil {
		c.sideBySideMarkdown(&out, s.language)
	}
	for _, r := range s.notes() {
		fmt.Fprintf(&out, "\n%s\n", code(r, textLimit))
	}
	return flush(w, &out)
}

// markdownScores writes in how many cases of each target each aspect held.
func (s SideBySide) markdownScores(out *bytes.Buffer) {
	scores := s.scores()
	if !scores.Tested() {
		return
	}
	fmt.Fprintf(out, "\n| %s |", s.language.text("held"))
	for _, a := range scores.Aspects {
		fmt.Fprintf(out, " %s |", s.language.text(string(a)))
	}
	out.WriteString("\n|:--|" + strings.Repeat("--:|", len(scores.Aspects)) + "\n")
	for _, l := range scores.Lines {
		fmt.Fprintf(out, "| %s |", cell(l.Name, nameLimit))
		for _, t := range l.Totals {
			fmt.Fprintf(out, " %s |", t.Share())
		}
		out.WriteString("\n")
	}
}

func (s SideBySide) scores() scores { return newScores("Target", s.Matrix.Columns, s.entries, false) }

type matrixReport struct {
	Schema   string         `json:"schema"`
	Sentence string         `json:"sentence"`
	Remarks  []string       `json:"remarks"`
	Targets  []matrixTarget `json:"targets"`
	Rows     []matrixLine   `json:"rows"`
	// Clients describes the behaviour of client libraries on each row, if they ran.
	Clients []matrixCallers `json:"clients,omitempty"`
}

type matrixTarget struct {
	// Column is the target's name in the cells, unique in the matrix.
	Column string `json:"column"`
	diffRun
	Level contract.Level `json:"level"`
	Cases runlog.Counts  `json:"cases"`
	Rows  runlog.Counts  `json:"rows"`
	// Aspects are the aspects that at least one case tested.
	Aspects map[contract.Aspect]matrixScore `json:"aspects"`
}

// matrixScore is in how many cases of those that tested it an aspect held.
type matrixScore struct {
	Held int `json:"held"`
	Of   int `json:"of"`
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

// JSON writes the matrix for programs. It returns only errors of w.
func (s SideBySide) JSON(w io.Writer) error {
	out := matrixReport{Schema: MatrixSchema, Sentence: s.sentence(), Remarks: filled(s.notes()), Targets: []matrixTarget{}, Rows: []matrixLine{}}
	for i, run := range s.Runs {
		m, aspects := NewMatrix(run), make(map[contract.Aspect]matrixScore)
		for _, a := range aspectTotals(run) {
			aspects[a.Aspect] = matrixScore{a.Held, a.Of}
		}
		out.Targets = append(out.Targets, matrixTarget{
			Column: s.Matrix.Columns[i].Name, diffRun: newDiffRun(run), Level: run.Selection.Level,
			Cases: whole(m.Totals, contract.Verdicts()), Rows: whole(m.RowCounts(), legendVerdicts()), Aspects: aspects,
		})
	}
	for _, r := range s.Matrix.Rows {
		line := matrixLine{ID: r.ID, Meaning: r.Meaning}
		for _, c := range r.Cells {
			line.Cells = append(line.Cells, matrixCell{c.Column, c.Verdict, whole(c.Counts, contract.Verdicts())})
		}
		out.Rows = append(out.Rows, line)
	}
	out.Clients = s.matrixCallers()
	return encodeJSON(w, out)
}

// HTML writes the matrix as a page like that of [HTML]. A cell opens the evidence of its cases. HTML returns only errors of w.
func (s SideBySide) HTML(w io.Writer) error {
	var names []string
	for _, c := range s.Matrix.Columns {
		names = append(names, c.Name)
	}
	p := newPage("Comparison of "+plain.Count(len(s.Runs), "target"), contract.Pass, s.sentence(), s.notes(), "Target")
	p.Brand, p.Targets, p.Scores, p.language = "comparison", true, s.scores(), s.language
	for i, run := range s.Runs {
		p.Verdict, _ = contract.Worst(p.Verdict, run.Verdict())
		p.Facts = append(p.Facts, Fact{names[i], strings.Join(append(runAbout(run), Sentence(run)), " · ")})
		p.Levels = append(p.Levels, pageLevel{names[i], NewMatrix(run).Totals})
	}
	return p.write(w, s.Matrix, s.entries, func(int) *callers { return s.callers() })
}
