package reports

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// verdict is that of the self-test as a whole: an error, where the harness cannot be trusted.
func (s SelfTest) verdict() contract.Verdict {
	if s.OK() {
		return contract.Pass
	}
	return contract.Error
}

// Terminal writes the matrix of trials and rows for people at a terminal, and what went wrong. It fails only when w does.
func (s SelfTest) Terminal(w io.Writer, opts TerminalOptions) error {
	t := terminal{opts: opts.withDefaults()}
	m := s.Matrix()
	if err := t.matrix(m); err != nil {
		return err
	}
	var verdicts, painted, columns []string
	for _, v := range []contract.Verdict{contract.Pass, contract.Warn, contract.Fail, contract.Untestable, contract.Error} {
		verdicts = append(verdicts, sign(v)+" "+trialWord(v))
		painted = append(painted, t.sign(v)+" "+trialWord(v))
	}
	t.wrapped(verdicts, painted)
	for _, c := range m.Columns {
		columns = append(columns, strings.ReplaceAll(c.Short, "\n", "")+" "+c.Name)
	}
	t.wrapped(columns, columns)
	t.line("")
	for _, trial := range s.Trials {
		t.trialFaults(trial, trial.Faults)
		if trial.OK() && len(trial.Together) > 0 {
			t.trialFaults(trial, trial.Together)
			t.line("  Alone it came out as it should.")
			t.line("")
		}
	}
	t.line("%s (%s).", t.paint(s.verdict(), s.Sentence()), s.Took.Round(time.Second))
	return t.flush(w)
}

// trialWord says what a verdict means in the matrix of a self-test.
func trialWord(v contract.Verdict) string {
	switch v {
	case contract.Pass:
		return "not turned"
	case contract.Error:
		return "the harness is wrong, or the surface is no evidence"
	default:
		return "turned to " + string(v)
	}
}

func (t *terminal) trialFaults(trial Trial, faults []TrialFault) {
	if len(faults) == 0 {
		return
	}
	t.line("%s %s", t.sign(contract.Error), trial.Name)
	t.line("  %s", plain.Text(trial.Sentence, textLimit))
	for i, f := range faults {
		if i == t.opts.Failures {
			t.line("  … and %d more", len(faults)-i)
			break
		}
		t.line("  %s", f.text())
	}
	t.line("")
}

// text is the fault in a line: "http:404/unknown-model/chat: got pass, want fail: survived".
func (f TrialFault) text() string {
	if f.Case == "" {
		return plain.Text(f.Problem, textLimit)
	}
	return plain.Text(fmt.Sprintf("%s: got %s, want %s: %s", f.Case, f.Got, f.Want, f.Problem), textLimit)
}

// JSON writes the self-test for machines. It fails only when w does.
func (s SelfTest) JSON(w io.Writer) error { return encodeJSON(w, s) }

// HTML writes the self-test as a page like [HTML]'s: a cell opens the cases that turned. It fails only when w does.
func (s SelfTest) HTML(w io.Writer) error {
	m := s.Matrix()
	p := page{Title: "Self-test", Verdict: s.verdict(), By: "Theme", Facts: [][2]string{
		{"tool", plain.Text(s.Tool, nameLimit)}, {"contract", plain.Text(s.ContractDigest, nameLimit)},
		{"started", s.Started.UTC().Format(time.RFC3339)}, {"took", s.Took.Round(time.Millisecond).String()},
	}}
	p.Headline, p.Detail, _ = strings.Cut(s.Sentence(), ": ")
	var entries []pageEntry
	groups := make(map[string]runlog.Counts)
	var order []string
	for i, trial := range s.Trials {
		if group := m.Rows[i].Group; groups[group] == nil {
			groups[group] = make(runlog.Counts)
			order = append(order, group)
		}
		for v, n := range m.Rows[i].Counts {
			groups[m.Rows[i].Group][v] += n
		}
		for _, c := range trial.Turned {
			entries = append(entries, trial.entry(c.Case, c.Verdict, c.Account))
		}
		for _, f := range trial.Faults {
			entries = append(entries, trial.entry(f.Case, contract.Error, f.text()))
		}
	}
	for _, name := range order {
		p.Levels = append(p.Levels, newPageLevel(name, groups[name]))
	}
	return p.write(w, m, entries)
}

// entry puts a case of the trial into the cell of its row.
func (t Trial) entry(id string, verdict contract.Verdict, account string) pageEntry {
	c := contract.SplitID(id)
	result := runlog.Case{
		ID: strings.TrimPrefix(id, string(c.Row)+"/") + " (" + t.Name + ")", Row: contract.RowID(t.Name),
		Circumstance: c.Circumstance, Surface: c.Surface, Variant: c.Variant, Verdict: verdict, Reason: account,
	}
	if id != "" {
		result.Level = c.Level()
	}
	return pageEntry{Case: result, Target: string(c.Row)}
}
