package reports_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
)

func TestWhetherARunCanBeJudged(t *testing.T) {
	tests := []struct {
		name    string
		change  func(run *runlog.Run)
		verdict contract.Verdict
		says    string
	}{
		{"all passed", func(*runlog.Run) {}, contract.Pass, ""},
		{"one warned", func(r *runlog.Run) { judge(r, contract.Warn) }, contract.Warn, ""},
		{"one failed", func(r *runlog.Run) { judge(r, contract.Fail) }, contract.Fail, ""},
		{"without a footer", func(r *runlog.Run) { r.Footer = nil }, contract.Error, "the log has no footer"},
		{"torn before the footer", func(r *runlog.Run) { r.Footer, r.Torn = nil, true }, contract.Error, "the log ends in a torn line and has no footer"},
		{"interrupted", func(r *runlog.Run) { r.Footer.Interrupted = true }, contract.Error, "the run was interrupted"},
		{"an expected case is not there", func(r *runlog.Run) { r.Expected = append(r.Expected, "http:429/over-rate-limit/chat") }, contract.Error, "1 of 33 expected cases never ran"},
		{"nothing was expected and nothing ran", func(r *runlog.Run) { *r = concluded(header(contract.Edge), nil) }, contract.Error, "no case was executed"},
		{"every case is not offered", func(r *runlog.Run) {
			cases := every(contract.Rows()[:2], dialect.Chat)
			cases[0].Verdict, cases[1].Verdict = contract.NotOffered, contract.NotOffered
			*r = concluded(header(contract.Edge), cases)
		}, contract.Error, "no case was executed"},
		{"the footer's word is worse than the cases", func(r *runlog.Run) { r.Footer.Verdict = contract.Error }, contract.Error, ""},
		{"the footer's word is better than the cases", func(r *runlog.Run) { judge(r, contract.Fail); r.Footer.Verdict = contract.Pass }, contract.Fail, ""},
		{"a case was made to pass after the footer", func(r *runlog.Run) { judge(r, contract.Fail); r.Cases[0].Verdict = contract.Pass }, contract.Error, "the footer's counts do not match the cases in the log"},
		{"a verdict that is none", func(r *runlog.Run) { judge(r, "splendid") }, contract.Error, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			run := goodRun()
			tt.change(&run)
			assert.Equal(t, tt.verdict, run.Verdict())
			assert.Equal(t, tt.says, run.Incomplete())
			assert.Equal(t, tt.says == "", run.Complete())
		})
	}
}

// judge gives the first case a verdict and concludes the run anew.
func judge(r *runlog.Run, v contract.Verdict) {
	r.Cases[0].Verdict = v
	r.Expected = nil
	*r = concluded(r.Header, r.Cases)
}

func TestConclude(t *testing.T) {
	cases := every(contract.Rows()[:3], dialect.Chat)
	cases[1].Verdict, cases[2].Verdict = contract.Warn, contract.NotOffered
	h := header(contract.Edge)
	h.Expected = []string{cases[0].ID, "http:404/unknown-model/chat", "http:404/unknown-model/chat"}
	assert.Equal(t, runlog.Footer{Type: "footer",
		Ended: started, Verdict: contract.Error,
		Counts:   map[contract.Verdict]int{contract.Pass: 1, contract.Warn: 1, contract.NotOffered: 1},
		Executed: 2,
		Missing:  []string{"http:404/unknown-model/chat"},
		Surplus:  []string{cases[1].ID},
	}, runlog.Conclude(h, cases, started))
}

func TestSentence(t *testing.T) {
	selected := goodRun()
	selected.Selection.Rows = []contract.RowID{"http:404"}
	one := concluded(header(contract.Edge), every(contract.Rows()[:1], dialect.Chat))
	unloaded := goodRun() // nothing that was asked for under load was offered
	unloaded.Selection.Level, unloaded.Selection.LoadSurfaces = contract.Full, []dialect.Surface{dialect.Chat}
	tests := map[string]struct {
		run  runlog.Run
		want string
	}{
		"no load":       {unloaded, "conformant at level full: 32 of 32 rows pass"},
		"all rows":      {goodRun(), "conformant at level relay: 32 of 32 rows pass"},
		"one row":       {one, "conformant at level edge: 1 of 32 rows passes, 31 not run"},
		"selected rows": {selected, "conformant at level relay on the 1 row asked for: 32 of 32 rows pass"},
		"failures":      {failingRun(), "NOT conformant at level relay: 2 of 32 rows fail, 1 untestable, 1 in error, 4 pass, 1 warns, 1 fails as expected, 14 not offered, 8 not run"},
		"a torn log":    {incompleteRun(), "INCOMPLETE: the log ends in a torn line and has no footer; 2 of 4 expected cases never ran. Nothing is certified"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { assert.Equal(t, tt.want, reports.Sentence(tt.run)) })
	}
}
