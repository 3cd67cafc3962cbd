//go:build !race

// The page is rendered by one goroutine; with the race detector this takes ten seconds more.

package reports_test

import (
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/browsertest"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
)

func TestPageInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser is slow to start")
	}
	browser := browsertest.Start(t)

	t.Run("the matrix has all rows and every surface, and says its verdicts without colour", func(t *testing.T) {
		p := openRun(t, browser, failingRun(), "")
		assert.Equal(t, 32.0, p.Eval(t, `document.querySelectorAll("#matrix tr[data-row]").length`))
		assert.Equal(t, 4.0, p.Eval(t, `document.querySelectorAll("#matrix th.surface").length`))
		assert.Equal(t, "✗", p.Eval(t, `document.querySelector("#matrix [href='#code:model_not_found/chat']").textContent`))
		assert.Equal(t, "code:model_not_found on chat: fail", p.Eval(t, `document.querySelector("#matrix [href='#code:model_not_found/chat']").ariaLabel`))
		assert.Equal(t, true, p.Eval(t, `document.getElementById("evidence").hidden`))
	})

	t.Run("the surfaces stand under their API formats, and all of them fit a laptop", func(t *testing.T) {
		p := openRun(t, browser, wideRun(), "", chromedp.EmulateViewport(1440, 900))
		assert.Equal(t, "OpenAI 12, Anthropic 3, Gemini 2", p.Eval(t, `[...document.querySelectorAll("#matrix th.format")].map((e) => e.textContent + " " + e.colSpan).join(", ")`))
		assert.Equal(t, 17.0, p.Eval(t, `document.querySelectorAll("#matrix th.surface").length`))
		assert.Equal(t, "chat messages gemini", p.Eval(t, `[...document.querySelectorAll("#matrix th.surface.starts")].map((e) => e.textContent).join(" ")`))
		assert.Equal(t, p.Eval(t, `document.querySelector(".scroll").clientWidth`), p.Eval(t, `document.querySelector(".scroll").scrollWidth`))
		left := `(e) => Math.round(e.getBoundingClientRect().left)`
		assert.Equal(t, p.Eval(t, `[...document.querySelectorAll("#matrix th.surface")].map(`+left+`).join(" ")`),
			p.Eval(t, `[...document.querySelectorAll("#matrix tr.group")][1].querySelectorAll("td:not(.expected)").values().map(`+left+`).toArray().join(" ")`))
	})

	t.Run("a load is drawn, with a bar for each outcome in each span, and a line that begins where there are times", func(t *testing.T) {
		p := openRun(t, browser, loadRun(), "")
		assert.Equal(t, 2.0, p.Eval(t, `document.querySelectorAll("article.load").length`))
		assert.Equal(t, 3.0, p.Eval(t, `document.querySelectorAll("article.load svg").length`), "without times there is one, twice as wide")
		assert.Equal(t, "1280 640 640", p.Eval(t, `[...document.querySelectorAll("article.load svg")].map((e) => e.viewBox.baseVal.width).join(" ")`))
		assert.Equal(t, 4.0+3+3, p.Eval(t, `document.querySelectorAll("article.load:first-of-type figure:first-child svg rect:not(.band)").length`))
		assert.Equal(t, 4.0+3+3+1, p.Eval(t, `document.querySelectorAll("article.load:last-of-type figure:first-child svg rect:not(.band)").length`))
		assert.Equal(t, "admitted refused timeout disconnected", p.Eval(t, `[...document.querySelectorAll("article.load:last-of-type figure:first-child .legend li")].map((e) => e.textContent).join(" ")`))
		assert.Equal(t, "0 s 0.5 s 1 s 1.5 s 2 s", p.Eval(t, `[...document.querySelectorAll("article.load svg text.tick")].map((e) => e.textContent).filter((t) => t.endsWith(" s")).slice(0, 5).join(" ")`))
		assert.Equal(t, "healthy before 45 1ms 2ms  4ms 250ms", p.Eval(t, `[...document.querySelector("article.load:last-of-type table:has(td.num) tbody tr").children].map((e) => e.textContent).join(" ")`), "45 calls have no 99th percentile")
		assert.Equal(t, 3.0, p.Eval(t, `document.querySelector("polyline.l-p50").points.length`))
		assert.Equal(t, "before outage", p.Eval(t, `[...document.querySelector("article.load:last-of-type svg").querySelectorAll("text.phase")].map((e) => e.textContent).join(" ")`), "the third is too narrow")
		assert.Equal(t, "✗", p.Eval(t, `document.querySelectorAll("article.load")[1].querySelector("tbody .mark").textContent`))
		assert.Equal(t, "!", p.Eval(t, `document.querySelectorAll("article.load")[1].querySelectorAll("tbody .mark")[1].textContent`))
		assert.Equal(t, true, p.Eval(t, `[...document.querySelectorAll("article.load svg *")].every((e) => { const b = e.getBBox ? e.getBBox() : {x: 0, y: 0, width: 0, height: 0}; return b.x >= 0 && b.x + b.width <= (e.viewportElement || e).viewBox.baseVal.width + 1 && b.y >= -1 && b.y + b.height <= 211 })`), "everything is inside its picture")
		p.Run(t, chromedp.Click(chromedp.CSS(`article.load:last-child h3 a`)), chromedp.WaitVisible(chromedp.CSS(`#evidence`)))
		assert.Contains(t, p.Text(t, "#evidence"), "hung calls were answered after 4s")
		assert.NotEqual(t, "owned", p.Eval(t, `document.title`))
	})

	t.Run("the causes come first, and each shows its cases in the matrix and in the list", func(t *testing.T) {
		p := openRun(t, browser, failingRun(), "")
		assert.Equal(t, "Fix these first: 6 causes of 4 failures and 1 warning", p.Eval(t, `document.querySelector("#causes h2").textContent`))
		assert.Equal(t, true, p.Eval(t, `!!(document.getElementById("causes").compareDocumentPosition(document.getElementById("matrix")) & Node.DOCUMENT_POSITION_FOLLOWING)`))
		assert.Equal(t, 6.0, p.Eval(t, `document.querySelectorAll("#causes li").length`))
		assert.Equal(t, "503", p.Eval(t, `document.querySelectorAll("#causes li")[1].querySelector("mark").textContent`))
		p.Run(t, chromedp.Click(chromedp.CSS(`#causes li:nth-child(2) summary`)), chromedp.Click(chromedp.CSS(`#causes li:nth-child(2) button`)))
		listed := `[...document.querySelectorAll("#list li:not([hidden]) code")].map((e) => e.textContent).join(" ")`
		assert.Equal(t, "code:model_not_found/absent-model/chat", p.Eval(t, listed))
		assert.Equal(t, "cause", p.Eval(t, `document.activeElement.name`), "the keyboard goes on at the filter")
		assert.Equal(t, "503 instead of 4xx", p.Eval(t, `document.activeElement.selectedOptions[0].textContent`))
		assert.Equal(t, 1.0, p.Eval(t, `document.querySelectorAll("#matrix tr[data-row]:not([hidden])").length`))
		p.Eval(t, `{ const c = document.forms.filters.elements.cause; c.value = ""; c.dispatchEvent(new Event("input", { bubbles: true })); "" }`)
		assert.Equal(t, 32.0, p.Eval(t, `document.querySelectorAll("#matrix tr[data-row]:not([hidden])").length`))
		p = openRun(t, browser, goodRun(), "")
		assert.Equal(t, 0.0, p.Eval(t, `document.querySelectorAll("#causes").length`))
		p = openRun(t, browser, hostileRun(), "")
		assert.NotEqual(t, "owned", p.Eval(t, `document.title`))
	})

	t.Run("nothing is asked of the network", func(t *testing.T) {
		p := openRun(t, browser, failingRun(), "#code:model_not_found/chat")
		assert.Equal(t, 0.0, p.Eval(t, `performance.getEntriesByType("resource").length`))
	})

	t.Run("several runs stand side by side", func(t *testing.T) {
		good := goodRun()
		good.Target.Name, good.Target.Version = "other gateway", ""
		matrix := reports.NewSideBySide([]runlog.Run{failingRun(), good})
		p := browser.Show(t, matrix.HTML, "")
		assert.Equal(t, 2.0, p.Eval(t, `document.querySelectorAll("#matrix th.surface").length`))
		assert.Equal(t, "✗2/4✓", p.Eval(t, `[...document.querySelectorAll("#matrix tr[data-row='code:model_not_found'] .cell")].map((c) => c.textContent).join("")`))
		assert.Contains(t, p.Text(t, "#main"), "2 targets: ")
		p.Run(t, chromedp.Click(chromedp.CSS(`#matrix [href="#code:model_not_found/other%20gateway"]`)), chromedp.WaitVisible(chromedp.CSS(`#evidence`)))
		assert.Equal(t, "other gateway/code:model_not_found/absent-model/chat", p.Text(t, "#evidence .id"))
		p.Eval(t, `const s = document.querySelector("[name=target]"); s.value = "other gateway"; s.dispatchEvent(new Event("input", { bubbles: true }))`)
		assert.Equal(t, "32 of 128 cases", p.Text(t, "#found"))
		p.Run(t, chromedp.Click(chromedp.CSS(`#clear`)))
		assert.Equal(t, "", p.Text(t, "#found"))
		p.Eval(t, `document.querySelector("[name=differences]").click()`)
		differ := `((r) => new Set([...r.querySelectorAll(".cell")].map((c) => c.className.match(/v-[a-z-]+/)[0])).size > 1)`
		assert.Equal(t, true, p.Eval(t, `[...document.querySelectorAll("#matrix tr[data-row]")].every((r) => r.hidden !== `+differ+`(r))`))
		assert.Less(t, p.Eval(t, `document.querySelectorAll("#matrix tr[data-row]:not([hidden])").length`), 32.0)
	})

	t.Run("the aspects are a second view, and a number in it shows its cases", func(t *testing.T) {
		run := failingRun()
		for i := range run.Cases {
			run.Cases[i].Aspects = map[contract.Aspect]contract.Result{contract.AspectStatus: contract.Held, contract.AspectCode: contract.Held}
		}
		broken := &run.Cases[slices.IndexFunc(run.Cases, func(c runlog.Case) bool { return c.Verdict == contract.Fail })]
		broken.Aspects[contract.AspectStatus] = contract.Violated
		p := openRun(t, browser, run, "")
		assert.Equal(t, "all "+"chat chat-stream messages gemini", p.Eval(t, `[...document.querySelectorAll("#aspects tbody th")].map((e) => e.textContent).join(" ")`))
		p.Eval(t, `document.querySelector("#aspects [data-aspect=status][data-column=chat]").click()`)
		assert.Equal(t, broken.ID, p.Eval(t, `[...document.querySelectorAll("#list li:not([hidden]) code")].map((e) => e.textContent).join(" ")`))
		assert.Equal(t, "aspect", p.Eval(t, `document.activeElement.name`), "the keyboard goes on at the filter")
	})

	t.Run("a run of load cases begins with its charts, and its matrix has no empty rows", func(t *testing.T) {
		run := loadRun()
		run.Expected = nil
		p := openRun(t, browser, concluded(run.Header, slices.DeleteFunc(run.Cases, func(c runlog.Case) bool { return c.Load == nil })), "")
		assert.Equal(t, true, p.Eval(t, `!!(document.getElementById("load").compareDocumentPosition(document.getElementById("matrix")) & Node.DOCUMENT_POSITION_FOLLOWING)`))
		assert.Equal(t, true, p.Eval(t, `[...document.querySelectorAll("#matrix tr[data-row]")].every((r) => r.querySelector("a.cell"))`))
	})

	t.Run("a thousand cells open at once", func(t *testing.T) {
		var surfaces []dialect.Surface
		for i := range 32 {
			surfaces = append(surfaces, dialect.Surface(fmt.Sprintf("surface-%02d", i)))
		}
		run := concluded(header(contract.Relay, surfaces...), every(contract.Rows(), surfaces...))
		opened := `performance.getEntriesByType("navigation")[0].loadEventEnd`
		blank := browser.Show(t, func(w io.Writer) error {
			_, err := io.WriteString(w, `<!doctype html><link rel="icon" href="data:,"><title>blank</title>`)
			return err
		}, "").Eval(t, opened).(float64)
		p := openRun(t, browser, run, "")
		took := p.Eval(t, opened).(float64)
		assert.Equal(t, 1024.0, p.Eval(t, `document.querySelectorAll("#matrix a.cell").length`))
		t.Logf("1,024 cells were there after %.0f ms, a blank page after %.0f ms", took, blank)
		assert.Less(t, took, 3000+10*blank, "milliseconds; on an idle machine it is below 1,000")
		p.Run(t, chromedp.Poll[chromedp.Void](fmt.Sprintf(`document.querySelectorAll("#list a").length === %d`, len(run.Cases))))
		assert.Equal(t, "none", p.Eval(t, `document.getElementById("list").lastElementChild.className`), "what is said at the end stands at the end")
	})

	t.Run("filters narrow the matrix and the list of cases", func(t *testing.T) {
		p := openRun(t, browser, failingRun(), "")
		shownRows := `document.querySelectorAll("#matrix tr[data-row]:not([hidden])").length`
		shownCases := `document.querySelectorAll("#list li:not([hidden])").length`
		assert.Equal(t, 96.0, p.Eval(t, shownCases))
		p.Eval(t, `document.querySelector("[name=verdict][value=fail]").click()`)
		assert.Equal(t, 2.0, p.Eval(t, shownRows))
		assert.Equal(t, 2.0, p.Eval(t, shownCases))
		assert.Equal(t, "2 of 96 cases", p.Text(t, "#found"))
		p.Run(t, chromedp.SendKeys(chromedp.CSS(`[name=text]`), "stream-end"))
		assert.Equal(t, 1.0, p.Eval(t, shownCases))
		p.Run(t, chromedp.SendKeys(chromedp.CSS(`[name=text]`), " nothing has this"))
		assert.Contains(t, p.Text(t, "#list"), "No case matches the filter.")
		assert.Equal(t, "No case matches the filter.", p.Text(t, "#nothing"))
		assert.Equal(t, "0", p.Eval(t, `String(document.querySelector(".scroll").offsetHeight)`), "in the place of the matrix")
	})

	t.Run("the keyboard walks the matrix and steps through what needs attention", func(t *testing.T) {
		p := openRun(t, browser, failingRun(), "")
		focus := `document.activeElement.getAttribute("href")`
		p.Eval(t, `document.querySelector("#matrix [href='#http:400']").focus()`)
		p.Press(t, "ArrowRight", "ArrowDown", "ArrowRight")
		assert.Equal(t, "#http:401/chat-stream", p.Eval(t, focus))
		assert.Equal(t, 1.0, p.Eval(t, `document.querySelectorAll("#matrix a[tabindex='0']").length`))
		p.Run(t, chromedp.KeyEvent("j"), chromedp.WaitVisible(chromedp.CSS(`#evidence`)))
		assert.Equal(t, "http:401/messages", p.Text(t, "#evidence-title"))
		p.Run(t, chromedp.KeyEvent("j"), chromedp.Poll[chromedp.Void](`document.getElementById("evidence-title").textContent === "code:bad_request_body/messages"`))
	})

	t.Run("the theme can be chosen", func(t *testing.T) {
		p := openRun(t, browser, goodRun(), "")
		p.Eval(t, `document.documentElement.dataset.theme = ""; document.getElementById("theme").click()`)
		light := p.Eval(t, `getComputedStyle(document.body).backgroundColor`)
		p.Run(t, chromedp.Click(chromedp.CSS(`#theme`)))
		assert.NotEqual(t, light, p.Eval(t, `getComputedStyle(document.body).backgroundColor`))
	})

	t.Run("a phone scrolls the matrix and not the page", func(t *testing.T) {
		for name, run := range map[string]runlog.Run{"failing": failingRun(), "hostile": hostileRun(), "load": loadRun(), "wide": wideRun()} {
			for _, hash := range []string{"", "#http:404"} {
				p := openRun(t, browser, run, hash, chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile))
				assert.LessOrEqual(t, p.Eval(t, `document.documentElement.scrollWidth`), 360.0, name+hash)
				assert.LessOrEqual(t, p.Eval(t, `document.getElementById("evidence").scrollWidth`), 360.0, name+hash)
			}
		}
	})

	t.Run("an incomplete run is marked first", func(t *testing.T) {
		p := openRun(t, browser, incompleteRun(), "")
		assert.Contains(t, p.Text(t, ".verdict"), "INCOMPLETE: the log ends in an incomplete line and has no footer")
		assert.Equal(t, 2.0, p.Eval(t, `document.querySelectorAll("#matrix .cell.v-error").length`))
	})
}
