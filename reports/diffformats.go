package reports

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// DiffSchema is the version of a diff's JSON.
const DiffSchema = "gatecert.diff/1"

// Sentence summarises the diff, for example "2 worse, 1 better, 553 unchanged".
func (d Diff) Sentence() string {
	var parts []string
	for _, m := range moves() {
		if n := d.Count(m); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, m))
		}
	}
	return strings.Join(append(parts, fmt.Sprintf("%d unchanged", d.Unchanged)), ", ")
}

// Notes describes the differences that make two runs hard to compare, one sentence each. The sentences are safe to show.
func (d Diff) Notes() []string {
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
		list = append(list, "The two runs were judged against different versions of the contract.")
	}
	if d.Old.Target.Name != d.New.Target.Name {
		list = append(list, "The two runs tested different targets.")
	}
	if only := onlyIn(d.Old, d.New); only != "" {
		list = append(list, "Only the old run contains "+only+".")
	}
	if only := onlyIn(d.New, d.Old); only != "" {
		list = append(list, "Only the new run contains "+only+".")
	}
	return list
}

// onlyIn names the surfaces of which one run has cases and the other has none: "412 cases on images, speech", "" for none.
func onlyIn(one, other runlog.Run) string {
	has := make(map[dialect.Surface]bool)
	for _, c := range other.AllCases() {
		has[c.Surface] = true
	}
	n := 0
	var surfaces []dialect.Surface
	for _, c := range one.AllCases() {
		if !has[c.Surface] {
			n++
			surfaces = append(surfaces, c.Surface)
		}
	}
	if n == 0 {
		return ""
	}
	slices.SortFunc(surfaces, inOrder(dialect.Surfaces()))
	return plain.Text(plain.Count(n, "case")+" on "+plain.Joined(slices.Compact(surfaces)), textLimit)
}

// Text describes the change in one line that is safe to show, for example "pass → fail  MUST status-class: got 503, want 404".
func (c Change) Text() string {
	text := cmp.Or(string(verdictOf(c.Before)), "–") + " → " + cmp.Or(string(verdictOf(c.After)), "–")
	if reason := c.reason(); reason != "" {
		text += "  " + reason
	}
	return text
}

// reason explains the new verdict, "" for none and for a pass.
func (c Change) reason() string {
	if c.After == nil || c.After.Verdict == contract.Pass {
		return ""
	}
	return Headline(*c.After)
}

// verdictOf is the verdict of a case, "" for none.
func verdictOf(c *runlog.Case) contract.Verdict {
	if c == nil {
		return ""
	}
	return c.Verdict.OrError()
}

// Terminal writes the diff for a terminal, with at most opts.Failures cases of each move. It returns only errors of w.
func (d Diff) Terminal(w io.Writer, opts TerminalOptions) error {
	opts = opts.withDefaults()
	t := terminal{opts: opts}
	t.line("old  %s", runLine(d.Old))
	t.line("new  %s", runLine(d.New))
	t.line("")
	shown := make(map[Move]int)
	for _, c := range d.Changes {
		if shown[c.Move]++; shown[c.Move] > opts.Failures {
			continue
		}
		if shown[c.Move] == 1 {
			t.line("%s:", c.Move)
		}
		sign := " "
		if c.After != nil {
			sign = t.sign(verdictOf(c.After))
		}
		t.line("  %s %s", sign, plain.Text(c.ID, nameLimit))
		t.line("      %s", c.Text())
		if n := d.Count(c.Move) - shown[c.Move]; n > 0 && shown[c.Move] == opts.Failures {
			t.line("  … and %d more", n)
		}
	}
	if len(d.Changes) > 0 {
		t.line("")
	}
	for _, r := range d.Notes() {
		t.line("note: %s", r)
	}
	t.line("%s.", d.Sentence())
	return flush(w, &t.out)
}

func runLine(run runlog.Run) string {
	return fmt.Sprintf("%s  %s  %s", targetName(run), plain.Text(run.RunID, nameLimit), Sentence(run))
}

func targetName(run runlog.Run) string {
	return plain.Text(strings.TrimSpace(run.Target.Name+" "+run.Target.Version), nameLimit)
}

// Markdown writes the diff in GitHub Flavored Markdown, for a comment on a pull request. It returns only errors of w.
func (d Diff) Markdown(w io.Writer) error {
	var out bytes.Buffer
	fmt.Fprintf(&out, "## gatecert diff: %s\n\n", code(d.New.Target.Name, nameLimit))
	fmt.Fprintf(&out, "**%s.**\n\n", d.Sentence())
	for _, r := range d.Notes() {
		fmt.Fprintf(&out, "- %s\n", r)
	}
	const most = 200 // cases of each move; nobody reads more in a comment
	for _, m := range moves() {
		n := d.Count(m)
		if n == 0 {
			continue
		}
		fmt.Fprintf(&out, "\n### %s: %s\n\n| case | before | after | |\n|:--|:--|:--|:--|\n", m, plain.Count(n, "case"))
		shown := 0
		for _, c := range d.Changes {
			if c.Move != m {
				continue
			}
			if shown++; shown > most {
				continue
			}
			about := c.reason()
			if about != "" {
				about = cell(about, textLimit)
			}
			fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", cell(c.ID, nameLimit), signed(verdictOf(c.Before)), signed(verdictOf(c.After)), about)
		}
		if shown > most {
			fmt.Fprintf(&out, "\n… and %d more\n", shown-most)
		}
	}
	return flush(w, &out)
}

func signed(v contract.Verdict) string {
	if v == "" {
		return "–"
	}
	return sign(v) + " " + string(v)
}

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
	RunID    string            `json:"run_id"`
	Target   runlog.TargetInfo `json:"target"`
	Verdict  contract.Verdict  `json:"verdict"`
	Complete bool              `json:"complete"`
	Sentence string            `json:"sentence"`
}

type diffChange struct {
	ID     string           `json:"id"`
	Move   Move             `json:"move"`
	Before contract.Verdict `json:"before,omitempty"`
	After  contract.Verdict `json:"after,omitempty"`
	// Reason explains the verdict of the new run.
	Reason string `json:"reason,omitempty"`
}

// JSON writes the diff for programs. It returns only errors of w.
func (d Diff) JSON(w io.Writer) error {
	out := diffReport{
		Schema: DiffSchema, Old: newDiffRun(d.Old), New: newDiffRun(d.New), Sentence: d.Sentence(),
		Counts: make(map[Move]int), Remarks: filled(d.Notes()), Changes: []diffChange{}, Unchanged: d.Unchanged,
	}
	for _, m := range moves() {
		out.Counts[m] = d.Count(m)
	}
	for _, c := range d.Changes {
		out.Changes = append(out.Changes, diffChange{c.ID, c.Move, verdictOf(c.Before), verdictOf(c.After), c.reason()})
	}
	return encodeJSON(w, out)
}

func newDiffRun(run runlog.Run) diffRun {
	return diffRun{
		RunID: run.RunID, Target: targetInfo(run), Verdict: run.Verdict(), Complete: run.Complete(), Sentence: Sentence(run),
	}
}

// encodeJSON writes a value as every JSON report is written: indented, without escaping <, > and &.
func encodeJSON(w io.Writer, value any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(value); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
