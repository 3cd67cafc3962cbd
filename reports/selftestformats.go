package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Terminal writes the matrix of gateways and rows for a terminal, and the mistakes. It returns only errors of w.
func (s SelfTest) Terminal(w io.Writer, opts TerminalOptions) error {
	t := terminal{opts: opts.withDefaults()}
	m := s.Matrix()
	t.matrix(m)
	t.verdictLegend([]contract.Verdict{contract.Pass, contract.Fail, NotRun}, func(v contract.Verdict) string { return selfTestWords[v] })
	var columns []string
	for _, c := range m.Columns {
		columns = append(columns, strings.ReplaceAll(c.Short, "\n", "")+" "+c.Name)
	}
	t.wrapped(columns, columns)
	t.line("")
	for _, g := range s.Gateways {
		t.mistakes(g, g.Mistakes)
		if g.OK() && len(g.ParallelMistakes) > 0 {
			t.mistakes(g, g.ParallelMistakes)
			t.line("  This gateway produced the expected results when it was tested alone.")
			t.line("")
		}
	}
	t.line("%s (%s).", t.paint(s.verdict(), s.Sentence()), s.Took.Round(time.Second))
	return flush(w, &t.out)
}

// selfTestWords are what verdicts mean in the matrix of a self-test.
var selfTestWords = map[contract.Verdict]string{
	contract.Pass: "killed",
	contract.Fail: "mutant survived or false alarm raised",
	NotRun:        "unchanged",
}

func (t *terminal) mistakes(g GatewayResult, mistakes []Mistake) {
	if len(mistakes) == 0 {
		return
	}
	t.line("%s %s", t.sign(contract.Fail), g.Name)
	t.line("  %s", plain.Text(g.Sentence, textLimit))
	for i, m := range mistakes {
		if i == t.opts.Failures {
			t.line("  … and %d more", len(mistakes)-i)
			break
		}
		t.line("  %s", m.text())
	}
	t.line("")
}

// text is the mistake in a line: "http:404/unknown-model/chat: got pass, want fail: survived".
func (m Mistake) text() string {
	if m.Case == "" {
		return plain.Text(m.Problem, textLimit)
	}
	return plain.Text(fmt.Sprintf("%s: got %s, want %s: %s", m.Case, m.Got, m.Want, m.Problem), textLimit)
}

// JSON writes the self-test for programs. It returns only errors of w.
func (s SelfTest) JSON(w io.Writer) error { return encodeJSON(w, s) }

// HTML writes the self-test as a page like that of [HTML]. A cell opens the cases that detected the mutant. HTML returns only errors of w.
func (s SelfTest) HTML(w io.Writer) error {
	m := s.Matrix()
	p := newPage("Self-test of gatecert", s.verdict(), s.Sentence(), nil, "Theme")
	p.Brand, p.Words = "self-test report", selfTestWords
	p.Counted, p.RowName, p.ColumnName = "Gateways", "Gateway", "Row"
	p.About = []string{s.Started.UTC().Format("2006-01-02 15:04") + " UTC", "green: the mutant was killed", "red: the mutant survived, or a permitted behaviour raised a false alarm"}
	p.Facts = []Fact{
		{"tool", plain.Text(s.Tool, nameLimit)}, {"contract", plain.Text(s.ContractDigest, nameLimit)},
		{"started", s.Started.UTC().Format(time.RFC3339)}, {"duration", plain.Duration(s.Took.Round(time.Millisecond))},
	}
	var entries []pageEntry
	for i, g := range s.Gateways {
		group := m.Rows[i].Group
		at := slices.IndexFunc(p.Levels, func(l pageLevel) bool { return l.Name == group })
		if at < 0 {
			at = len(p.Levels)
			p.Levels = append(p.Levels, pageLevel{group, make(runlog.Counts)})
		}
		p.Levels[at].Counts[m.Rows[i].Verdict]++
		for _, k := range g.Kills {
			entries = append(entries, g.entry(k.Case, contract.Pass, string(k.Verdict)+": "+k.Headline))
		}
		for _, m := range g.Mistakes {
			entries = append(entries, g.entry(m.Case, contract.Fail, m.text()))
		}
	}
	return p.write(w, m, entries, nil)
}

// entry puts a case into the cell of the gateway and its row.
func (g GatewayResult) entry(id string, verdict contract.Verdict, headline string) pageEntry {
	key := runlog.KeyOf(contract.SplitID(id))
	row := key.Row
	key.ID, key.Row = strings.TrimPrefix(id, string(row)+"/")+" ("+g.Name+")", contract.RowID(g.Name)
	if id == "" {
		key.Level = "" // a mistake about the gateway as a whole
	}
	return pageEntry{Case: runlog.Case{CaseKey: key, Verdict: verdict, Reason: headline}, Column: string(row), Target: string(row)}
}
