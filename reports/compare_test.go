package reports_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
)

func TestCompare(t *testing.T) {
	must := func(o contract.Requirement, got string) []contract.Finding {
		return []contract.Finding{{Requirement: o, Level: contract.Must, Got: got}, {Requirement: contract.RequestID, Level: contract.Note}}
	}
	one := func(v contract.Verdict, f []contract.Finding) runlog.Case {
		return runlog.Case{CaseKey: runlog.CaseKey{ID: "a"}, Verdict: v, Findings: f}
	}
	for _, tt := range []struct {
		name          string
		before, after runlog.Case
		want          reports.Move
	}{
		{"a failure that is mended is better", one(contract.Fail, must(contract.Code, "x")), one(contract.Pass, nil), reports.Better},
		{"a warning is worse than a pass", one(contract.Pass, nil), one(contract.Warn, nil), reports.Worse},
		{"what is not offered any more is worse", one(contract.Pass, nil), one(contract.NotOffered, nil), reports.Worse},
		{"the same failure in other words is the same", one(contract.Fail, must(contract.Code, "x")), one(contract.Fail, must(contract.Code, "y")), reports.Same},
		{"another failure is a change", one(contract.Fail, must(contract.Code, "x")), one(contract.Fail, must(contract.Envelope, "x")), reports.Changed},
		{"a note is not a change", one(contract.Pass, must(contract.Code, "x")[1:]), one(contract.Pass, nil), reports.Same},
		{"a verdict that is none counts as an error", one(contract.Untestable, nil), one("splendid", nil), reports.Worse},
	} {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, reports.Compare(tt.before, tt.after)) })
	}
}

// changedRuns are two runs with one case for every move.
func changedRuns() (old, run runlog.Run) {
	h := header(contract.Relay, dialect.Chat)
	before, after := every(contract.Rows()[:6], dialect.Chat), every(contract.Rows()[:6], dialect.Chat)
	finding := func(o contract.Requirement) []contract.Finding {
		return []contract.Finding{{Requirement: o, Level: contract.Must, Want: "404", Got: "503"}}
	}
	before[0].Verdict, before[0].Findings = contract.Fail, finding(contract.StatusClass)
	after[1].Verdict, after[1].Findings = contract.Fail, finding(contract.StatusClass)
	before[2].Verdict, before[2].Findings = contract.Fail, finding(contract.Code)
	after[2].Verdict, after[2].Findings = contract.Fail, finding(contract.Envelope)
	newer := h
	newer.RunID, newer.ContractDigest = "20260505-030201-c3d4", "other"
	return concluded(h, before[:5]), concluded(newer, append(after[:4:4], after[5]))
}

func TestDiff(t *testing.T) {
	d := reports.NewDiff(changedRuns())
	var moves []reports.Move
	for _, c := range d.Changes {
		moves = append(moves, c.Move)
	}
	assert.Equal(t, []reports.Move{reports.Worse, reports.Changed, reports.Better, reports.Appeared, reports.Gone}, moves)
	assert.Equal(t, 1, d.Count(reports.Same))
	assert.Equal(t, 4, d.Compared())
	assert.Equal(t, "1 worse, 1 changed, 1 better, 1 new, 1 gone, 1 unchanged", d.Sentence())
	for name, render := range map[string]func(io.Writer) error{
		"diff.txt":  func(w io.Writer) error { return d.Terminal(w, reports.TerminalOptions{}) },
		"diff.md":   d.Markdown,
		"diff.json": d.JSON,
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, name, render2(t, render))
			assert.ErrorIs(t, render(brokenWriter{}), errBroken)
		})
	}
}

func TestDiffWithARunThatCrashed(t *testing.T) {
	whole := incompleteRun()
	whole.Cases = every(contract.Rows()[3:5], dialect.Chat, dialect.Embeddings)
	d := reports.NewDiff(whole, incompleteRun())
	assert.Equal(t, 2, d.Count(reports.Worse), "what never ran is an error")
	var out bytes.Buffer
	require.NoError(t, d.Terminal(&out, reports.TerminalOptions{}))
	assert.Contains(t, out.String(), "note: The new run is incomplete: the log ends in an incomplete line and has no footer")
}

func TestDiffSaysWhichEndpointsOneRunHasAlone(t *testing.T) {
	old := concluded(header(contract.Edge), every(contract.Rows()[:3], dialect.Chat, dialect.Embeddings))
	recent := concluded(header(contract.Edge), every(contract.Rows()[:3], dialect.Speech, dialect.Chat, dialect.Images))
	var out bytes.Buffer
	require.NoError(t, reports.NewDiff(old, recent).Terminal(&out, reports.TerminalOptions{}))
	assert.Contains(t, out.String(), "note: Only the old run contains 3 cases on embeddings.\nnote: Only the new run contains 6 cases on images, speech.\n")
}

func TestDiffBoundsWhatItTells(t *testing.T) {
	poor := crowd(450)
	rich := crowd(450)
	for i := range rich.Cases {
		rich.Cases[i].Verdict = contract.Pass
	}
	d := reports.NewDiff(rich, poor)
	assert.Equal(t, 450, d.Count(reports.Worse))
	var text, md bytes.Buffer
	require.NoError(t, d.Terminal(&text, reports.TerminalOptions{Failures: 3}))
	assert.Contains(t, text.String(), "… and 447 more")
	require.NoError(t, d.Markdown(&md))
	assert.Contains(t, md.String(), "… and 250 more")
	for _, bad := range []string{"\x1b", "\u202e", "<script"} {
		assert.NotContains(t, text.String(), bad+"]0;owned")
		assert.NotContains(t, text.String(), "\u202e")
	}
}

func TestSideBySide(t *testing.T) {
	good := goodRun()
	good.Target.Name, good.Target.Version = "other", ""
	s := reports.NewSideBySide([]runlog.Run{failingRun(), good, failingRun()})
	var names []string
	for _, c := range s.Matrix.Columns {
		names = append(names, c.Name)
	}
	assert.Equal(t, []string{"example 2.4.1", "other", "example 2.4.1 #2"}, names)
	require.Len(t, s.Matrix.Rows, 32)
	row := s.Matrix.Rows[13]
	assert.Equal(t, contract.RowID("code:model_not_found"), row.ID)
	assert.Equal(t, []contract.Verdict{contract.Fail, contract.Pass, contract.Fail}, []contract.Verdict{row.Cells[0].Verdict, row.Cells[1].Verdict, row.Cells[2].Verdict})
	assert.Equal(t, reports.NotRun, s.Matrix.Rows[31].Cells[0].Verdict)
	for name, render := range map[string]func(io.Writer) error{
		"matrix.txt":  func(w io.Writer) error { return s.Terminal(w, reports.TerminalOptions{}) },
		"matrix.md":   s.Markdown,
		"matrix.json": s.JSON,
		"matrix.html": s.HTML,
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, name, render2(t, render))
			assert.ErrorIs(t, render(brokenWriter{}), errBroken)
		})
	}
}

func TestSideBySideKeepsARowThatOnlyOneRunHas(t *testing.T) {
	odd := result(contract.Rows()[0], dialect.Chat)
	odd.ID, odd.Row, odd.Verdict = "code:unheard_of/x/chat", "code:unheard_of", contract.Fail
	s := reports.NewSideBySide([]runlog.Run{goodRun(), concluded(header(contract.Edge), []runlog.Case{odd}), goodRun()})
	require.Len(t, s.Matrix.Rows, 33)
	last := s.Matrix.Rows[32]
	require.Len(t, last.Cells, 3)
	assert.Equal(t, []contract.Verdict{reports.NotRun, contract.Fail, reports.NotRun}, []contract.Verdict{last.Cells[0].Verdict, last.Cells[1].Verdict, last.Cells[2].Verdict})
	assert.Equal(t, contract.Fail, last.Verdict)
}

// render2 renders twice and insists on the same bytes.
func render2(t *testing.T, f func(io.Writer) error) []byte {
	t.Helper()
	return render(t, runlog.Run{}, func(w *bytes.Buffer, _ runlog.Run) error { return f(w) })
}
