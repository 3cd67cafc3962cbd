package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// DiffSchema names the version of a diff's JSON.
const DiffSchema = "gatecert.diff/1"

// Sentence sums the diff up: "2 worse, 1 better, 553 unchanged".
func (d Diff) Sentence() string {
	var parts []string
	for _, m := range moves() {
		if n := d.Count(m); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, m))
		}
	}
	return strings.Join(append(parts, fmt.Sprintf("%d unchanged", d.Unchanged)), ", ")
}

// remarks are what makes the two runs hard to compare, each a sentence, safe to show.
func (d Diff) remarks() []string {
	var list []string
	for _, r := range []struct {
		which string
		run   runlog.Run
	}{{"old", d.Old}, {"new", d.New}} {
		if gap := r.run.Incomplete(); gap != "" {
			list = append(list, "The "+r.which+" run is incomplete: "+gap+".")
		}
	}
	if d.Old.ContractDigest != d.New.ContractDigest {
		list = append(list, "The runs were judged by different contracts.")
	}
	if d.Old.Target.Name != d.New.Target.Name {
		list = append(list, "The runs are of different targets.")
	}
	return list
}

// words tells a change in a line: "pass → fail  MUST status-class: got 503, want 404".
func (c Change) words() string {
	verdict := func(r *runlog.Case) string {
		if r == nil {
			return "–"
		}
		return string(r.Verdict.OrError())
	}
	text := verdict(c.Before) + " → " + verdict(c.After)
	if c.After != nil && c.After.Verdict != contract.Pass {
		text += "  " + accountOf(*c.After).headline()
	}
	return text
}

// Terminal writes the diff for people at a terminal, the first cases of each move as opts.Failures bounds them. It
// fails only when w does.
func (d Diff) Terminal(w io.Writer, opts TerminalOptions) error {
	opts = opts.withDefaults()
	t := terminal{opts: opts}
	t.line("old  %s", runLine(d.Old))
	t.line("new  %s", runLine(d.New))
	t.line("")
	told := make(map[Move]int)
	for _, c := range d.Changes {
		if told[c.Move]++; told[c.Move] > opts.Failures {
			continue
		}
		if told[c.Move] == 1 {
			t.line("%s:", c.Move)
		}
		t.line("  %s %s", t.changeSign(c), plain.Text(c.ID, nameLimit))
		t.line("      %s", c.words())
		if n := d.Count(c.Move) - told[c.Move]; n > 0 && told[c.Move] == opts.Failures {
			t.line("  … and %d more", n)
		}
	}
	if len(d.Changes) > 0 {
		t.line("")
	}
	for _, r := range d.remarks() {
		t.line("note: %s", r)
	}
	t.line("%s.", d.Sentence())
	return t.flush(w)
}

func (t *terminal) changeSign(c Change) string {
	if c.After == nil {
		return " "
	}
	return t.sign(c.After.Verdict.OrError())
}

// runLine names a run in a line.
func runLine(run runlog.Run) string {
	return fmt.Sprintf("%s  %s  %s", targetName(run), plain.Text(run.RunID, nameLimit), Sentence(run))
}

// targetName is the target's name with its version.
func targetName(run runlog.Run) string {
	return plain.Text(strings.TrimSpace(run.Target.Name+" "+run.Target.Version), nameLimit)
}

// Markdown writes the diff in GitHub's dialect, for a comment on a change. It fails only when w does.
func (d Diff) Markdown(w io.Writer) error {
	var out bytes.Buffer
	fmt.Fprintf(&out, "## gatecert diff: %s\n\n", code(d.New.Target.Name, nameLimit))
	fmt.Fprintf(&out, "**%s.**\n\n", d.Sentence())
	for _, r := range d.remarks() {
		fmt.Fprintf(&out, "- %s\n", r)
	}
	const most = 200 // a move; more than that nobody reads in a comment
	for _, m := range moves() {
		n := d.Count(m)
		if n == 0 {
			continue
		}
		fmt.Fprintf(&out, "\n### %s: %s\n\n| case | before | after | |\n|:--|:--|:--|:--|\n", m, Count(n, "case"))
		told := 0
		for _, c := range d.Changes {
			if c.Move != m {
				continue
			}
			if told++; told > most {
				continue
			}
			about := ""
			if c.After != nil && c.After.Verdict != contract.Pass {
				about = cell(accountOf(*c.After).headline(), textLimit)
			}
			fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", cell(c.ID, nameLimit), signed(c.Before), signed(c.After), about)
		}
		if told > most {
			fmt.Fprintf(&out, "\n… and %d more\n", told-most)
		}
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write diff: %w", err)
	}
	return nil
}

func signed(c *runlog.Case) string {
	if c == nil {
		return "–"
	}
	v := c.Verdict.OrError()
	return sign(v) + " " + string(v)
}

// diffReport is a diff as machines want it.
type diffReport struct {
	Schema    string       `json:"schema"`
	Old       diffRun      `json:"old"`
	New       diffRun      `json:"new"`
	Sentence  string       `json:"sentence"`
	Counts    map[Move]int `json:"counts"`
	Remarks   []string     `json:"remarks"`
	Changes   []diffChange `json:"changes"`
	Unchanged int          `json:"unchanged"`
}

type diffRun struct {
	RunID    string           `json:"run_id"`
	Target   reportTarget     `json:"target"`
	Verdict  contract.Verdict `json:"verdict"`
	Complete bool             `json:"complete"`
	Sentence string           `json:"sentence"`
}

type diffChange struct {
	ID     string           `json:"id"`
	Move   Move             `json:"move"`
	Before contract.Verdict `json:"before,omitempty"`
	After  contract.Verdict `json:"after,omitempty"`
	// Reason is why the case stands as it does now.
	Reason string `json:"reason,omitempty"`
}

// JSON writes the diff for machines. It fails only when w does.
func (d Diff) JSON(w io.Writer) error {
	out := diffReport{
		Schema: DiffSchema, Old: newDiffRun(d.Old), New: newDiffRun(d.New), Sentence: d.Sentence(),
		Counts: make(map[Move]int), Remarks: filled(d.remarks()), Changes: []diffChange{}, Unchanged: d.Unchanged,
	}
	for _, m := range moves() {
		out.Counts[m] = d.Count(m)
	}
	for _, c := range d.Changes {
		change := diffChange{ID: c.ID, Move: c.Move}
		if c.Before != nil {
			change.Before = c.Before.Verdict.OrError()
		}
		if c.After != nil {
			change.After = c.After.Verdict.OrError()
			if change.After != contract.Pass {
				change.Reason = accountOf(*c.After).headline()
			}
		}
		out.Changes = append(out.Changes, change)
	}
	return encodeJSON(w, out)
}

func newDiffRun(run runlog.Run) diffRun {
	return diffRun{
		RunID: run.RunID, Target: newReportTarget(run), Verdict: run.Verdict(), Complete: run.Complete(), Sentence: Sentence(run),
	}
}

// encodeJSON writes a value as every JSON report is written: indented, with <, > and & as they are.
func encodeJSON(w io.Writer, value any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(value); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
