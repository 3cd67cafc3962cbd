package reports_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
)

func TestSentence(t *testing.T) {
	selected := goodRun()
	selected.Selection.Rows = []contract.RowID{"http:404", "http:429"}
	selected.Cases, selected.Expected = nil, nil
	selected = concluded(selected.Header, []runlog.Case{result(contract.Rows()[3], dialect.Chat), result(contract.Rows()[4], dialect.Chat)})
	single := failingRun()
	single.Cases = single.Cases[:3]
	single.Cases[0].Verdict = contract.Fail
	single = concluded(single.Header, single.Cases)
	single.Selection.Cases = []string{single.Cases[0].ID, single.Cases[1].ID, single.Cases[2].ID}
	single.Expected = single.Selection.Cases
	one := concluded(header(contract.Edge), every(contract.Rows()[:1], dialect.Chat))
	unloaded := goodRun() // no load case that was selected is offered
	unloaded.Selection.Level, unloaded.Selection.LoadSurfaces = contract.Full, []dialect.Surface{dialect.Chat}
	unjudged := every(contract.Rows()[:2], dialect.Chat)
	for i := range unjudged {
		unjudged[i].Verdict = contract.Error
	}
	faulty := concluded(header(contract.Edge), unjudged)
	dead := faulty
	dead.Controls = []runlog.Control{{Surface: dialect.Chat, Kind: runlog.ControlHealthy, Phase: runlog.BeforeCases}}
	claiming := func(run runlog.Run, claims contract.Claims) runlog.Run {
		run.Target.Claims = claims
		return run
	}
	noCodes := contract.Claims{Codes: &contract.CodeClaim{None: true}}
	tests := map[string]struct {
		run  runlog.Run
		want string
	}{
		"all rows":      {goodRun(), "conformant at level relay: 32 of 32 rows pass"},
		"one row":       {one, "conformant at level edge: 1 of 32 rows passes, 31 not run"},
		"failures":      {failingRun(), "NOT conformant at level relay: 2 of 32 rows fail, 1 untestable, 1 in error, 4 pass, 1 warns, 1 fails as expected, 14 not offered (14 in part), 8 not run"},
		"load cases":    {loadRun(), "NOT conformant at level full, load cases on chat: 1 of 32 rows fails, 5 pass, 26 not run"},
		"no load":       {unloaded, "conformant at level full: 32 of 32 rows pass"},
		"selected rows": {selected, "PASS: 2 of 2 selected rows pass (http:404, http:429, level relay)"},
		"many rows": {func() runlog.Run {
			run := goodRun()
			run.Selection.Rows = []contract.RowID{"http:404"}
			return run
		}(), "PASS: 32 of 32 selected rows pass (level relay)"},
		"no codes":          {claiming(goodRun(), noCodes), "conformant at level relay to table 1; the gateway claims no codes: 32 of 32 rows pass"},
		"no codes, and not": {claiming(loadRun(), noCodes), "NOT conformant at level full, load cases on chat to table 1; the gateway claims no codes: 1 of 32 rows fails, 5 pass, 26 not run"},
		"no client keys":    {claiming(goodRun(), contract.Claims{NoClientKeys: true}), "conformant at level relay; the gateway issues no client keys: 32 of 32 rows pass"},
		"own codes": {claiming(goodRun(), contract.Claims{Codes: &contract.CodeClaim{Words: map[string][]string{"bad_response": {"x"}}}}),
			"conformant at level relay to table 1 and to the gateway's own codes: 32 of 32 rows pass"},
		"no codes, selected": {claiming(selected, noCodes), "PASS: 2 of 2 selected rows pass (http:404, http:429, level relay to table 1; the gateway claims no codes)"},
		"selected cases":     {single, "FAIL: 1 of 3 selected cases fails, 2 pass (http:400, level relay)"},
		"nothing judged":     {faulty, "INCONCLUSIVE: no case could be judged. Nothing is certified"},
		"no healthy answer":  {dead, "INCONCLUSIVE: the healthy control call failed on every endpoint. Nothing is certified"},
		"a torn log":         {incompleteRun(), "INCOMPLETE: the log ends in an incomplete line and has no footer; 2 of 4 expected cases never ran. Nothing is certified"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { assert.Equal(t, tt.want, reports.Sentence(tt.run)) })
	}
}
