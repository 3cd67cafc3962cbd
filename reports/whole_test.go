//go:build !race

// A second browser is a third of the work of the tests of this package: make test-whole.

package reports_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert/internal/browsertest"
)

func TestEvidenceInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser is slow to start")
	}
	browser := browsertest.Start(t)

	t.Run("a cell opens its evidence, and Escape gives the focus back to it", func(t *testing.T) {
		p := openRun(t, browser, failingRun(), "")
		p.Run(t, chromedp.Click(chromedp.CSS(`#matrix [href="#code:model_not_found/chat"]`)), chromedp.WaitVisible(chromedp.CSS(`#evidence`)))
		evidence := p.Text(t, "#evidence")
		for _, want := range []string{
			"status-class", "503", "POST https://gateway.example/v1/chat",
			`"code":"model_not_found"`, "cancelled by the gateway", "upstream address leaked in body", "curl -sS",
		} {
			assert.Contains(t, evidence, want)
		}
		assert.Contains(t, p.Eval(t, `document.getElementById("evidence").textContent`), "Then the status is 404", "folded")
		assert.Equal(t, "503", p.Eval(t, `document.querySelector("#evidence .line mark").textContent`), "what is wrong in the answer is marked")
		p.Run(t, chromedp.KeyEvent("\x1b"), chromedp.WaitNotVisible(chromedp.CSS(`#evidence`)))
		assert.Equal(t, "#code:model_not_found/chat", p.Eval(t, `document.activeElement.getAttribute("href")`))
		assert.Equal(t, "", p.Eval(t, `location.hash`))
	})

	t.Run("what is printed has the request and the answer of each case that needs attention", func(t *testing.T) {
		p := openRun(t, browser, failingRun(), "")
		printed := `document.querySelectorAll("#list .case").length`
		assert.Equal(t, 0.0, p.Eval(t, printed))
		p.Eval(t, `dispatchEvent(new Event("beforeprint")); ""`)
		assert.Equal(t, p.Eval(t, `document.querySelectorAll("#list li:is(:has(.v-fail), :has(.v-warn), :has(.v-error), :has(.v-untestable))").length`), p.Eval(t, printed))
		text := p.Eval(t, `document.querySelector("#list .case").textContent`)
		assert.Contains(t, text, "Request")
		assert.Contains(t, text, "Response")
		p.Eval(t, `dispatchEvent(new Event("afterprint")); ""`)
		assert.Equal(t, 0.0, p.Eval(t, printed))
	})

	t.Run("a link leads to a cell, a row or a case", func(t *testing.T) {
		p := openRun(t, browser, failingRun(), "#code:get_channel_failed/chat-stream")
		p.Run(t, chromedp.WaitVisible(chromedp.CSS(`#evidence`)))
		assert.Contains(t, p.Text(t, "#evidence"), "[DONE]")
		p.Run(t, chromedp.Evaluate[chromedp.Void](`location.hash = "#http:404"`), chromedp.Poll[chromedp.Void](`document.querySelectorAll("#evidence article").length === 4`))
		p.Run(t, chromedp.Evaluate[chromedp.Void](`location.hash = "#http:401/wrong-key/messages"`), chromedp.Poll[chromedp.Void](`document.querySelectorAll("#evidence article").length === 1`))
		assert.Equal(t, "http:401/wrong-key/messages", p.Text(t, "#evidence-title"))
		p.Run(t, chromedp.Evaluate[chromedp.Void](`location.hash = "#nowhere"`), chromedp.WaitNotVisible(chromedp.CSS(`#evidence`)))
	})

	t.Run("a row explains itself, also when nothing of it ran", func(t *testing.T) {
		p := openRun(t, browser, failingRun(), "#code:update_data_error")
		p.Run(t, chromedp.WaitVisible(chromedp.CSS(`#evidence`)))
		evidence := p.Text(t, "#evidence")
		for _, want := range []string{"update_data_error: Data write error", "Retry or contact support", "5xx (stated)", "failing-store-writes", "No case of this row ran."} {
			assert.Contains(t, evidence, want)
		}
		p.Run(t, chromedp.Evaluate[chromedp.Void](`location.hash = "#http:404/chat"`), chromedp.Poll[chromedp.Void](`document.querySelectorAll("#evidence article").length === 1`))
		assert.Equal(t, false, p.Eval(t, `document.querySelector("#evidence .rule").open`), "above a case it is folded")
		assert.Contains(t, p.Eval(t, `document.querySelector("#evidence .rule").textContent`), "a path under the API root that does not exist")
	})

	t.Run("findings mark where want and got differ", func(t *testing.T) {
		run := failingRun()
		for i := range run.Cases {
			if run.Cases[i].ID == "code:model_not_found/absent-model/chat" {
				run.Cases[i].Findings[0].Want, run.Cases[i].Findings[0].Got = `"model_not_found" in error.code`, `"no_such_model" in error.code`
			}
		}
		p := openRun(t, browser, run, "#code:model_not_found/chat")
		p.Run(t, chromedp.WaitVisible(chromedp.CSS(`#evidence`)))
		assert.Equal(t, "model_not_found", p.Text(t, "#evidence del"))
		assert.Equal(t, "no_such_model", p.Text(t, "#evidence ins"))
		assert.Equal(t, 1.0, p.Eval(t, `document.querySelectorAll("#evidence ins").length`), "what has no word in common is not marked")
	})

	t.Run("a stream stands on its timeline", func(t *testing.T) {
		p := openRun(t, browser, failingRun(), "#code:get_channel_failed/chat-stream")
		p.Run(t, chromedp.WaitVisible(chromedp.CSS(`#evidence`)))
		assert.Equal(t, "2 events over 12ms", p.Eval(t, `document.querySelector("#evidence .timeline").getAttribute("aria-label")`))
		assert.Equal(t, "41.7 75", p.Eval(t, `[...document.querySelectorAll("#evidence .timeline .event")].map((e) => e.getAttribute("x")).join(" ")`))
	})

	t.Run("the copied command line is the one to run", func(t *testing.T) {
		run := failingRun()
		line := "# curl cannot do all of it\ncurl -sS 'https://gateway.example/' --data-binary '\u202e<b>'"
		run.Cases[0].Observation.Sent.Curl = line
		run.Cases[1].Observation.Sent.Curl = strings.Repeat("x", 5000)
		p := openRun(t, browser, run, "#http:400/chat")
		p.Run(t, chromedp.WaitVisible(chromedp.CSS(`#evidence`)))
		p.Eval(t, `window.copied = ""; navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }`)
		p.Run(t, chromedp.Click(chromedp.CSS(`#evidence .copy`)), chromedp.Poll[chromedp.Void](`document.querySelector("#evidence .copy").textContent === "copied"`))
		assert.Equal(t, line, p.Eval(t, `window.copied`))
		assert.Contains(t, p.Text(t, "#evidence"), `\u202e<b>`, "what is shown cannot turn the text around")
		p.Run(t, chromedp.Evaluate[chromedp.Void](`location.hash = "#http:400/chat-stream"`), chromedp.Poll[chromedp.Void](`document.getElementById("evidence-title").textContent === "http:400/chat-stream"`))
		assert.Equal(t, 0.0, p.Eval(t, `document.querySelectorAll("#evidence .copy").length`), "a line that was cut is not for copying")
	})

	t.Run("nothing of the evidence is read until somebody asks for it", func(t *testing.T) {
		count := `window.parsed = 0; const parse = JSON.parse; JSON.parse = (text) => { window.parsed++; return parse(text); }; `
		p := openRun(t, browser, failingRun(), "")
		p.Eval(t, count)
		p.Eval(t, `document.querySelector("[name=verdict][value=fail]").click()`)
		assert.Equal(t, 0.0, p.Eval(t, `window.parsed`))
		p.Run(t, chromedp.Click(chromedp.CSS(`#matrix [href="#code:model_not_found/chat"]`)), chromedp.WaitVisible(chromedp.CSS(`#evidence`)))
		p.Run(t, chromedp.SendKeys(chromedp.CSS(`[name=text]`), "status"))
		assert.Equal(t, 1.0, p.Eval(t, `window.parsed`))
	})

	t.Run("hostile content stays text", func(t *testing.T) {
		p := openRun(t, browser, hostileRun(), "#http:400/chat")
		p.Run(t, chromedp.WaitVisible(chromedp.CSS(`#evidence`)))
		assert.NotEqual(t, "owned", p.Eval(t, `document.title`))
		assert.Equal(t, 0.0, p.Eval(t, `document.querySelectorAll("img, iframe, object, a[href^='javascript']").length`))
		assert.Equal(t, 3.0, p.Eval(t, `document.scripts.length`), "the cases, the page's script, and the evidence")
		assert.Equal(t, false, p.Eval(t, `/[\u202e\u2066\u0000-\u0008\u001b]/.test(document.body.textContent)`))
		assert.Contains(t, p.Text(t, "#evidence"), `\u202eevil`)
	})
}
