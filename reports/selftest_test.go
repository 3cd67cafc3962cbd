package reports_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports"
)

// selfTests are one that passed and one with every kind of mistake.
func selfTests() map[string]reports.SelfTest {
	caught := reports.GatewayResult{
		Name: "rate-limit-as-503", Sentence: "The gateway returns 503 to a client over its rate limit, as if the gateway were overloaded.", Theme: "status",
		Took: 2 * time.Second, Ran: 555,
		Kills: []reports.Kill{{
			Case: "http:429/over-rate-limit/chat", Row: "http:429", Verdict: contract.Fail,
			Broken: []contract.Requirement{contract.StatusClass}, Headline: "MUST status-class: got 503, want 429",
		}},
	}
	permitted := reports.GatewayResult{Name: "chunked", Sentence: "Answers are sent in chunks.", Took: time.Second, Ran: 555}
	survivor := reports.GatewayResult{
		Name: "codes-numeric", Sentence: "The code is a number.", Theme: "code", Took: time.Second, Ran: 555,
		Mistakes: []reports.Mistake{
			{Case: "code:model_not_found/absent-model/chat", Row: "code:model_not_found", Want: contract.Fail, Got: contract.Pass, Problem: "survived"},
			{Problem: "2 of 555 expected cases never ran"},
		},
	}
	alarm := permitted
	alarm.Mistakes = []reports.Mistake{{
		Case: "http:404/unknown-path/chat/wrong-method", Row: "http:404", Want: contract.Pass, Got: contract.Fail,
		Problem: "false alarm: MUST whole: got a transfer that broke off: \x1b[31m<script>",
	}}
	test := reports.SelfTest{
		Schema: reports.SelfTestSchema, Tool: "gatecert 0.0.0", ContractDigest: "sha256:c0ffee", Started: started, Took: 75 * time.Second,
	}
	slow := reports.GatewayResult{
		Name: "slow-but-in-time", Sentence: "Answers take their time.", Took: time.Second, Ran: 555,
		ParallelMistakes: []reports.Mistake{{Problem: "1 of 555 expected cases never ran"}},
	}
	good, bad := test, test
	good.Gateways = []reports.GatewayResult{caught, permitted, slow}
	bad.Gateways = []reports.GatewayResult{caught, survivor, alarm}
	bad.NeverFailed = []contract.RowID{"code:model_not_found"}
	bad.NeverBroken = []contract.Requirement{contract.Fields}
	return map[string]reports.SelfTest{"selftest-good": good, "selftest-bad": bad}
}

func TestSelfTestRenderers(t *testing.T) {
	for name, test := range selfTests() {
		for suffix, render := range map[string]func(io.Writer) error{
			".txt":  func(w io.Writer) error { return test.Terminal(w, reports.TerminalOptions{Width: 100}) },
			".json": test.JSON,
		} {
			t.Run(name+suffix, func(t *testing.T) {
				var out bytes.Buffer
				require.NoError(t, render(&out))
				assert.NotContains(t, out.String(), "\x1b")
				golden(t, name+suffix, out.Bytes())
			})
		}
	}
}

func TestSelfTestPage(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, selfTests()["selftest-bad"].HTML(&out))
	page := out.String()
	for _, part := range []string{
		`<tr data-row="codes-numeric">`, `href="#codes-numeric/code:model_not_found" aria-label="codes-numeric on code:model_not_found: fail"`, "self-test report", "green: the mutant was killed",
		"Mutants: code", "Permitted behaviours", `<span>code:update_data_error</span>`, "self-test FAILED",
		`"id":"http:429/over-rate-limit/chat (rate-limit-as-503)"`, `"cell":"rate-limit-as-503/http:429"`,
	} {
		assert.Contains(t, page, part)
	}
	assert.NotContains(t, page, "<script>:")
	assert.NotContains(t, page, "off: \x1b[31m<script>")
}

func TestSelfTestIsOKOnlyWhenAllOfItIs(t *testing.T) {
	good, bad := selfTests()["selftest-good"], selfTests()["selftest-bad"]
	assert.True(t, good.OK())
	assert.False(t, bad.OK())
	assert.False(t, reports.SelfTest{}.OK(), "nothing was tested")
	for name, damage := range map[string]func(*reports.SelfTest){
		"a survivor":                 func(s *reports.SelfTest) { s.Gateways = append(s.Gateways, bad.Gateways[1]) },
		"a false alarm":              func(s *reports.SelfTest) { s.Gateways = append(s.Gateways, bad.Gateways[2]) },
		"a row that nothing fails":   func(s *reports.SelfTest) { s.NeverFailed = bad.NeverFailed },
		"a requirement never broken": func(s *reports.SelfTest) { s.NeverBroken = bad.NeverBroken },
	} {
		s := good
		damage(&s)
		assert.False(t, s.OK(), name)
	}
}

func TestSelfTestMatrix(t *testing.T) {
	m := selfTests()["selftest-bad"].Matrix()
	require.Len(t, m.Columns, 32)
	assert.Equal(t, reports.Column{Name: "code:update_data_error", Short: "3\n2"}, m.Columns[31])
	require.Len(t, m.Rows, 3)
	assert.Equal(t, contract.Pass, m.Rows[0].Verdict, "a mutant that was killed passes")
	assert.Equal(t, contract.Pass, m.Rows[0].Cells[4].Verdict, "where it was killed")
	assert.Equal(t, reports.NotRun, m.Rows[0].Cells[5].Verdict, "where nothing changed")
	assert.Equal(t, contract.Fail, m.Rows[1].Verdict)
	assert.Equal(t, contract.Fail, m.Rows[1].Cells[13].Verdict, "red is what survived")
	assert.Equal(t, "Mutants: code", m.Rows[1].Group)
	assert.Equal(t, "Permitted behaviours", m.Rows[2].Group)
}
