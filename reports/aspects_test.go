package reports_test

import (
	"bytes"
	"html"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports"
)

func TestJSONHasTheAspectsThatExist(t *testing.T) {
	run := goodRun()
	run.Cases[0].Aspects = map[contract.Aspect]contract.Result{contract.AspectCode: contract.Violated, "evil": contract.Held, contract.AspectLeaks: "maybe"}
	var out bytes.Buffer
	require.NoError(t, reports.JSON(&out, run))
	assert.Contains(t, out.String(), "\"aspects\": {\n        \"code\": \"violated\"\n      }")
	assert.NotContains(t, out.String(), "evil")
}

// Aspects are summed up over the cases that say something about the gateway.
func TestReportsSumUpAspects(t *testing.T) {
	run := goodRun()
	render := func() (terminal, markdown, page string) {
		var out [3]bytes.Buffer
		require.NoError(t, reports.Terminal(&out[0], run, reports.TerminalOptions{}))
		require.NoError(t, reports.Markdown(&out[1], run))
		require.NoError(t, reports.HTML(&out[2], run))
		return out[0].String(), out[1].String(), out[2].String()
	}
	terminal, markdown, page := render()
	assert.NotContains(t, terminal, "held:")
	assert.NotContains(t, markdown, "| aspect |")
	assert.NotContains(t, page, `id="aspects"`)

	for i, results := range []map[contract.Aspect]contract.Result{
		{contract.AspectStatus: contract.Held, contract.AspectCode: contract.Violated, contract.AspectStream: contract.Untested},
		{contract.AspectStatus: contract.Held, contract.AspectCode: contract.Held, "evil": contract.Held},
		{contract.AspectStatus: contract.Held, contract.AspectCode: contract.Held}, // of no account: it is untestable
	} {
		run.Cases[i].Aspects = results
	}
	run.Cases[2].Verdict = contract.Untestable
	terminal, markdown, page = render()
	assert.Contains(t, terminal, "\nheld:  status 2 of 2  code 1 of 2\n")
	assert.Contains(t, markdown, "| aspect | held | of cases |\n|:--|--:|--:|\n| status | 2 | 2 |\n| code | 1 | 2 |\n\n")
	assert.Contains(t, page, `aria-label="status on all: holds in 2 of 2 cases">2/2</button>`)
	assert.Contains(t, page, `<button type="button" class="cell v-warn" data-aspect="code" data-column="" aria-label="code on all: holds in 1 of 2 cases">1/2</button>`)
	assert.Contains(t, page, `aria-label="stream on all: not tested">·</span>`)
	run.Cases[0].Findings = append(run.Cases[0].Findings, contract.Finding{Requirement: contract.Code, Level: contract.Must, Want: "a", Got: "b"})
	_, _, page = render()
	assert.Contains(t, page, `class="cell v-fail minority" data-aspect="code"`, "a MUST of the aspect is broken, in one case of two")
}

// A cell of which a part was tested says how much.
func TestReportsShowPartlyTestedCells(t *testing.T) {
	run := goodRun()
	second := run.Cases[0]
	second.ID, second.Verdict, second.Reason, second.Observation = second.ID+"/other", contract.NotOffered, "no recipe", nil
	run = concluded(run.Header, append(run.Cases, second))
	var terminal, markdown, page, report bytes.Buffer
	require.NoError(t, reports.Terminal(&terminal, run, reports.TerminalOptions{}))
	require.NoError(t, reports.Markdown(&markdown, run))
	require.NoError(t, reports.HTML(&page, run))
	require.NoError(t, reports.JSON(&report, run))
	assert.Contains(t, terminal.String(), "– 400                            –1/2\n✓ 401                            ✓\n")
	assert.Contains(t, terminal.String(), "k/n k of n cases tested\n")
	assert.Contains(t, terminal.String(), "conformant at level relay: 31 of 32 rows pass, 1 not offered (1 in part).\n")
	assert.Contains(t, markdown.String(), "| – 1/2 |\n")
	assert.Contains(t, page.String(), `–<small>1/2</small></a>`)
	assert.Contains(t, page.String(), `aria-label="http:400 on chat: not-offered, 1 of 2 cases"`, "which says what was tested")
	assert.Contains(t, report.String(), "\"verdict\": \"not-offered\",\n          \"tested\": 1,")
}

// Answers that are the upstream's own are counted in one sentence, and no verdict changes.
func TestReportsCountWhatIsPassedOn(t *testing.T) {
	run := goodRun()
	sentence := func() (text string) {
		var terminal, page bytes.Buffer
		require.NoError(t, reports.Terminal(&terminal, run, reports.TerminalOptions{}))
		require.NoError(t, reports.HTML(&page, run))
		_, text, found := strings.Cut(terminal.String(), "note: ")
		if text, _, _ = strings.Cut(text, "\n"); found {
			assert.Contains(t, page.String(), html.EscapeString(text))
		}
		return text
	}
	assert.Empty(t, sentence())
	note := contract.Finding{Requirement: contract.PassedOn, Level: contract.Note, Want: "w", Got: "g"}
	for i := range 8 {
		run.Cases[i].Findings = []contract.Finding{note}
	}
	assert.Equal(t, "8 of 32 passes are the upstream's own responses, forwarded by the gateway", sentence())
	run.Cases[0].Verdict = contract.Fail
	run = concluded(run.Header, run.Cases)
	assert.Equal(t, "7 of 31 passes, 1 of 1 failures are the upstream's own responses, forwarded by the gateway", sentence())
}
