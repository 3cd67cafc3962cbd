//go:build !race

// The page is rendered by one goroutine; with the race detector this takes ten seconds more.

package reports_test

import (
	"io"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert/internal/browsertest"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
)

func TestCallersInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser is slow to start")
	}
	browser := browsertest.Start(t)
	shown := `[...document.querySelectorAll("[role=tabpanel]")].filter((e) => !e.hidden).map((e) => e.id).join(" ")`

	t.Run("a run without clients has no tabs", func(t *testing.T) {
		p := openRun(t, browser, goodRun(), "")
		assert.Equal(t, 0.0, p.Eval(t, `document.querySelectorAll("[role=tab], [role=tabpanel]").length`))
	})

	t.Run("the tab shows rows by clients, in marks and in words", func(t *testing.T) {
		p := openRun(t, browser, callersRun(), "")
		assert.Equal(t, "gateway", p.Eval(t, shown))
		p.Run(t, chromedp.Click(chromedp.CSS(`#tab-callers`)))
		assert.Equal(t, "callers", p.Eval(t, shown))
		assert.Equal(t, "#callers", p.Eval(t, `location.hash`))
		assert.Equal(t, "one two three", p.Eval(t, `[...document.querySelectorAll("#callers-matrix th.surface")].map((e) => e.textContent).join(" ")`))
		assert.Equal(t, "●●●! ●●●! ●~", p.Eval(t, `[...document.querySelectorAll("#callers-matrix tr[data-row='code:insufficient_user_quota'] .cell")].map((e) => e.textContent).join(" ")`))
		assert.Equal(t, "code:insufficient_user_quota on one: sends the request 3 times and raises APIError (429); the code is in err.code (waited 0.5 s, 0.5 s)",
			p.Eval(t, `document.querySelector("#callers-matrix tr[data-row='code:insufficient_user_quota'] a.cell").ariaLabel`))
		p.Run(t, chromedp.Click(chromedp.CSS(`#callers-matrix tr[data-row='code:insufficient_user_quota'] a.cell`)))
		assert.Equal(t, "callers/code:insufficient_user_quota", p.Eval(t, `document.activeElement.id`))
		assert.Contains(t, p.Eval(t, `document.activeElement.innerText`), "402 (causes a warning) or 403 instead of 429 would stop all of them")
		assert.Equal(t, true, p.Eval(t, `document.getElementById("evidence").hidden`))
		p.Run(t, chromedp.Click(chromedp.CSS(`.said h3 a`)), chromedp.WaitVisible(chromedp.CSS(`#evidence`)))
	})

	t.Run("a link opens the tab at its row", func(t *testing.T) {
		p := openRun(t, browser, callersRun(), "#callers/code:model_price_error")
		assert.Equal(t, "callers", p.Eval(t, shown))
		assert.Equal(t, "callers/code:model_price_error", p.Eval(t, `document.activeElement.id`))
	})

	t.Run("the keyboard turns the tabs and walks the rows", func(t *testing.T) {
		p := openRun(t, browser, callersRun(), "")
		p.Eval(t, `document.getElementById("tab-gateway").focus()`)
		p.Press(t, "ArrowRight")
		assert.Equal(t, "callers", p.Eval(t, shown))
		assert.Equal(t, "tab-callers true 0 -1", p.Eval(t, `[document.activeElement.id, document.activeElement.ariaSelected, document.activeElement.tabIndex, document.getElementById("tab-gateway").tabIndex].join(" ")`))
		p.Press(t, "Home")
		assert.Equal(t, "gateway", p.Eval(t, shown))
		p.Press(t, "End")
		p.Eval(t, `document.querySelector("#callers-matrix a").focus()`)
		p.Press(t, "ArrowDown", "ArrowRight", "ArrowRight")
		assert.Equal(t, "code:insufficient_user_quota on two", p.Eval(t, `document.activeElement.ariaLabel.split(":").slice(0, 2).join(":")`))
		assert.Equal(t, 1.0, p.Eval(t, `document.querySelectorAll("#callers-matrix a[tabindex='0']").length`))
	})

	t.Run("print shows both", func(t *testing.T) {
		p := openRun(t, browser, callersRun(), "")
		p.Eval(t, `dispatchEvent(new Event("beforeprint"))`)
		assert.Equal(t, "gateway callers", p.Eval(t, shown))
		p.Eval(t, `dispatchEvent(new Event("afterprint"))`)
		assert.Equal(t, "gateway", p.Eval(t, shown))
	})

	t.Run("a phone scrolls the table and not the page", func(t *testing.T) {
		hostile := goodRun()
		hostile.Clients = hostileClients()
		for _, run := range []runlog.Run{callersRun(), hostile} {
			p := openRun(t, browser, run, "#callers", chromedp.EmulateViewport(390, 800, chromedp.EmulateMobile))
			assert.LessOrEqual(t, p.Eval(t, `document.documentElement.scrollWidth`), 390.0)
			assert.NotEqual(t, "owned", p.Eval(t, `document.title`))
		}
	})

	t.Run("targets are compared by their callers", func(t *testing.T) {
		other := goodRun()
		other.Target.Name = "other gateway"
		p := browser.Show(t, reports.NewSideBySide([]runlog.Run{callersRun(), other}).HTML, "#callers")
		assert.Equal(t, "0/3! ·", p.Eval(t, `[...document.querySelectorAll("#callers-matrix tr[data-row='code:insufficient_user_quota'] .cell")].map((e) => e.textContent).join(" ")`))
	})

	t.Run("Chinese has all of its words", func(t *testing.T) {
		chinese, _ := reports.LanguageNamed("zh")
		p := browser.Show(t, func(w io.Writer) error { return reports.HTMLIn(w, callersRun(), chinese) }, "#callers")
		assert.Equal(t, "调用方的实际行为", p.Text(t, "#tab-callers"))
		assert.Contains(t, p.Text(t, ".better"), "3 个客户端中有 2 个徒劳重试（one, two）")
		assert.Contains(t, p.Text(t, "#callers .groups li"), "发送一次")
		for word := range strings.SplitSeq(p.Eval(t, english).(string), "\n") {
			assert.NotRegexp(t, "send|client|answer|row says|played|raises", word, "still English")
		}
	})
}
