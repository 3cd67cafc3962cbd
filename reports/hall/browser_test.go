//go:build !race

// The pages are rendered by one goroutine; with the race detector this takes ten seconds more.

package hall_test

import (
	"io"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/internal/browsertest"
)

func TestPagesInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser is slow to start")
	}
	browser := browsertest.Start(t)
	logs := two(t)
	for about, name := range hostileNames() {
		logs["hostile/"+strings.ReplaceAll(about, " ", "-")+".ndjson"] = folder(t, map[string]entry{"x": {name: name, version: name}})["x"]
	}
	pages := site(t, read(t, logs, options()))
	open := func(t *testing.T, name string, before ...chromedp.Action[chromedp.Void]) browsertest.Page {
		require.Contains(t, pages, name)
		return browser.Show(t, func(w io.Writer) error {
			_, err := io.WriteString(w, pages[name])
			return err
		}, "", before...)
	}
	for _, name := range []string{"index.html", "rows/code-model_not_found.html", "rows/http-5xx.html", "gateways/mine.html"} {
		p := open(t, name)
		for _, width := range []int64{1440, 360} {
			p.Run(t, chromedp.EmulateViewport(width, 800))
			for _, scheme := range []string{"light", "dark"} {
				p.Eval(t, `for (let i = 0; i < 3 && document.documentElement.dataset.theme !== "`+scheme+`"; i++) document.getElementById("theme").click()`)
				wide := p.Eval(t, `document.documentElement.scrollWidth`).(float64)
				assert.LessOrEqual(t, wide, float64(width), "%s at %d pixels scrolls", name, width)
				assert.Equal(t, scheme, p.Eval(t, `getComputedStyle(document.documentElement).colorScheme`))
			}
		}
		assert.NotEqual(t, "owned", p.Eval(t, `document.title`), name)
		assert.Equal(t, 0.0, p.Eval(t, `performance.getEntriesByType("resource").length`), "%s asks the network", name)
	}

	t.Run("the keyboard walks the matrix, and every cell says its verdict", func(t *testing.T) {
		p := open(t, "index.html", chromedp.EmulateViewport(1440, 900))
		assert.Equal(t, 32.0, p.Eval(t, `document.querySelectorAll("#matrix tr[data-row]").length`))
		assert.Equal(t, true, p.Eval(t, `[...document.querySelectorAll("#matrix a.cell")].every((a) => a.tabIndex === 0 && a.getAttribute("aria-label").includes(": "))`))
		p.Run(t, chromedp.KeyEvent("\t"))
		assert.Equal(t, "Skip to the content", p.Eval(t, `document.activeElement.textContent`))
		p.Eval(t, `document.querySelector("#matrix tr[data-row='http:400'] .row a").focus()`)
		p.Press(t, "ArrowDown", "ArrowRight")
		assert.Equal(t, true, p.Eval(t, `document.activeElement === document.querySelector("#matrix tr[data-row='http:401'] a.cell")`))
		assert.Equal(t, 1.0, p.Eval(t, `document.querySelectorAll("#matrix tbody a[tabindex='0']").length`), "for Tab it is one stop")
	})
}
