package runlog_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert/contract"
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
		{"torn before the footer", func(r *runlog.Run) { r.Footer, r.Torn = nil, true }, contract.Error, "the log ends in an incomplete line and has no footer"},
		{"interrupted", func(r *runlog.Run) { r.Footer.Interrupted = true }, contract.Error, "the run was interrupted"},
		{"an expected case is not there", func(r *runlog.Run) { r.Expected = append(r.Expected, "http:418/teapot/chat") }, contract.Error, "1 of 33 expected cases never ran"},
		{"nothing was expected and nothing ran", func(r *runlog.Run) { *r = concluded(header(), nil) }, contract.Error, "no case was executed"},
		{"every case is not offered", func(r *runlog.Run) {
			cases := passing(2)
			cases[0].Verdict, cases[1].Verdict = contract.NotOffered, contract.NotOffered
			*r = concluded(header(), cases)
		}, contract.Error, "no case was executed"},
		{"the footer's word is worse than the cases", func(r *runlog.Run) { r.Footer.Verdict = contract.Error }, contract.Error, ""},
		{"the footer's word is better than the cases", func(r *runlog.Run) { judge(r, contract.Fail); r.Footer.Verdict = contract.Pass }, contract.Fail, ""},
		{"a case was made to pass after the footer", func(r *runlog.Run) { judge(r, contract.Fail); r.Cases[0].Verdict = contract.Pass }, contract.Error, "the footer's counts do not match the cases in the log"},
		{"a verdict that is none", func(r *runlog.Run) { judge(r, "splendid") }, contract.Error, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			run := concluded(header(), passing(32))
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
	cases := passing(3)
	cases[1].Verdict, cases[2].Verdict = contract.Warn, contract.NotOffered
	h := header()
	h.Expected = []string{cases[0].ID, "http:418/teapot/chat", "http:418/teapot/chat"}
	assert.Equal(t, runlog.Footer{Type: "footer",
		Ended: started, Verdict: contract.Error,
		Counts:   map[contract.Verdict]int{contract.Pass: 1, contract.Warn: 1, contract.NotOffered: 1},
		Executed: 2,
		Missing:  []string{"http:418/teapot/chat"},
		Surplus:  []string{cases[1].ID},
	}, runlog.Conclude(h, cases, started))
}
