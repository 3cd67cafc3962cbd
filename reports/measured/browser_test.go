//go:build !race

package measured_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/internal/browsertest"
	"github.com/gatecert/gatecert/reports/measured"
	"github.com/gatecert/gatecert/reports/runlog"
)

// picturesVariable names a folder into which the test draws each page, to be looked at.
const picturesVariable = "GATECERT_PICTURES"

// open shows the page of a run at a width and in a colour scheme.
func open(t *testing.T, browser browsertest.Browser, run runlog.Measured, width int64, scheme string) browsertest.Page {
	t.Helper()
	coloured := func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		return cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
	}
	return browser.Show(t, func(w io.Writer) error { return measured.HTML(w, logged(t, run)) }, "", coloured, chromedp.EmulateViewport(width, 900))
}

func TestPageInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser is slow to start")
	}
	browser := browsertest.Start(t)

	t.Run("the chart of a capacity comes first, with the SLO, the bounds and each conclusive probe", func(t *testing.T) {
		p := open(t, browser, capacityRun(), 1440, "light")
		assert.Equal(t, "between 200 and 210/s", p.Eval(t, `document.querySelector("h1").innerText`))
		assert.Equal(t, "p50 and p99 of the TTFT at each rate", p.Eval(t, `document.querySelector("figcaption").innerText`))
		assert.Equal(t, true, p.Eval(t, `document.querySelector("figure").getBoundingClientRect().bottom < 900`), "without scrolling")
		assert.Equal(t, "SLO p99 TTFT <= 300ms", p.Eval(t, `document.querySelector("figure text.slo").textContent`))
		assert.Equal(t, "200/s met, 210/s missed", p.Eval(t, `[...document.querySelectorAll("figure:first-child text.bound")].map((e) => e.textContent).join(", ")`))
		assert.Equal(t, 16.0, p.Eval(t, `document.querySelectorAll("figure:first-child circle").length`), "two quantiles of eight conclusive probes")
		assert.Equal(t, 4.0, p.Eval(t, `document.querySelectorAll("figure:first-child circle.missed").length`))
		assert.Equal(t, 1.0, p.Eval(t, `document.querySelectorAll("figure:first-child rect.between").length`))
		assert.Equal(t, 8.0, p.Eval(t, `document.querySelectorAll("figure").length`))
		assert.Equal(t, "admitted refused (429)", p.Eval(t, `[...document.querySelectorAll("figure:nth-child(5) .legend li")].map((e) => e.textContent).join(" ")`))
		assert.Equal(t, 0.0, p.Eval(t, `document.querySelectorAll("#matrix, table:not(:has(tbody tr))").length`), "no empty table")
		assert.Equal(t, 7.0, p.Eval(t, `document.querySelectorAll("section[aria-label=Metrics] tbody tr").length`))
	})

	t.Run("everything is inside its picture, and nothing is wider than a telephone", func(t *testing.T) {
		for _, run := range []runlog.Measured{capacityRun(), soakRun(), compareRun(), hostileRun(), limitRun(), runs()["limit-hostile"]} {
			p := open(t, browser, run, 390, "dark")
			assert.Equal(t, "", p.Eval(t, `[...document.querySelectorAll("figure svg :is(rect, circle, polyline, line)")].filter((e) => {
				const b = e.getBBox(), v = e.ownerSVGElement.viewBox.baseVal;
				return b.x < -1 || b.x + b.width > v.width + 1 || b.y < -5 || b.y + b.height > v.height + 1 }).map((e) => e.outerHTML).join("; ")`))
			assert.Equal(t, 390.0, p.Eval(t, `document.documentElement.scrollWidth`))
			assert.Equal(t, "", p.Eval(t, `[...document.querySelectorAll("figure svg text")].filter((e) => e.getBoundingClientRect().right > 390 || e.getBoundingClientRect().left < 0).map((e) => e.textContent).join("; ")`))
			assert.NotEqual(t, "owned", p.Eval(t, `document.title`))
		}
	})

	t.Run("the keyboard reaches the theme, the tables and the probes", func(t *testing.T) {
		p := open(t, browser, capacityRun(), 1440, "light")
		before := p.Eval(t, `getComputedStyle(document.body).backgroundColor`)
		p.Eval(t, `document.getElementById("theme").click(); document.getElementById("theme").click(); ""`)
		assert.Equal(t, "theme: dark", p.Eval(t, `document.getElementById("theme").innerText`))
		assert.NotEqual(t, before, p.Eval(t, `getComputedStyle(document.body).backgroundColor`))
		assert.Equal(t, true, p.Eval(t, `[...document.querySelectorAll(".scroll")].every((e) => e.tabIndex === 0 && e.ariaLabel)`))
		assert.Equal(t, true, p.Eval(t, `document.querySelector("a.skip").hash === "#charts" && !!document.querySelector("#charts")`))
		assert.Equal(t, true, p.Eval(t, `{ const d = document.querySelector("section[aria-label=Probes] details"); d.querySelector("summary").click(); d.open }`))
		assert.Equal(t, 9.0, p.Eval(t, `document.querySelectorAll("section[aria-label=Probes] tbody tr").length`))
		p.Eval(t, `localStorage.clear(); ""`)
	})

	t.Run("a soak shows its course, its trends and what it was asked for", func(t *testing.T) {
		p := open(t, browser, soakRun(), 1440, "dark")
		assert.Equal(t, "Service time during the measurement, at 20/s", p.Eval(t, `document.querySelector("figcaption").innerText`))
		assert.Equal(t, "admitted 5xx timeout or broken transfer", p.Eval(t, `[...document.querySelectorAll("figure:nth-child(2) .legend li")].map((e) => e.textContent).join(" ")`))
		assert.Equal(t, 2.0, p.Eval(t, `document.querySelectorAll("figure:first-child polyline.q50").length`), "the line is broken where nothing was admitted")
		assert.Equal(t, "violated", p.Eval(t, `document.querySelector(".gates .mark").ariaLabel`))
	})

	t.Run("a comparison shows each difference with its interval", func(t *testing.T) {
		p := open(t, browser, compareRun(), 1440, "light")
		assert.Equal(t, "Difference between B and A for each metric, with 95 % confidence intervals", p.Eval(t, `document.querySelector("figcaption").innerText`))
		assert.Equal(t, "q99 q50 q99", p.Eval(t, `[...document.querySelectorAll("figure circle")].map((e) => e.className.baseVal).join(" ")`))
		assert.Equal(t, 4.0, p.Eval(t, `document.querySelectorAll("section[aria-label=Comparison] tbody tr").length`))
	})

	t.Run("an inferred limit shows its answers first, then its numbers and its experiments", func(t *testing.T) {
		p := open(t, browser, limitRun(), 1440, "light")
		assert.Equal(t, "fixed-window of 20 in 2s", p.Eval(t, `document.querySelector("h1").innerText`))
		assert.Contains(t, p.Eval(t, `document.querySelector(".verdict .sentence").innerText`), "The result is clear. 192 calls in 4 experiments: ")
		assert.Equal(t, "Calls admitted so far, Responses per second over time, by outcome", p.Eval(t, `[...document.querySelectorAll("figcaption")].map((e) => e.innerText).join(", ")`))
		assert.Equal(t, "admitted, refused, failed, call by the other caller, admitted", p.Eval(t, `[...document.querySelectorAll("figure:first-child .legend li")].map((e) => e.textContent).join(", ")`))
		assert.Equal(t, "drain refill boundary key", p.Eval(t, `[...document.querySelectorAll("figure:first-child text.bound")].map((e) => e.textContent).join(" ").trim()`))
		assert.Equal(t, "limit 20 20 window 2s 1.996s to 2.004s", p.Eval(t, `[...document.querySelectorAll("section[aria-label=Limit] tbody :is(th, td)")].map((e) => e.textContent).join(" ")`))
		assert.Equal(t, 4.0, p.Eval(t, `document.querySelectorAll("section[aria-label=Experiments] tbody tr").length`))
		assert.Equal(t, 2.0, p.Eval(t, `document.querySelectorAll("section[aria-label=Evidence] li").length`), "without what the experiments say")
	})

	if dir := os.Getenv(picturesVariable); dir != "" {
		for name, run := range runs() {
			for _, width := range []int64{1440, 390} {
				for _, scheme := range []string{"light", "dark"} {
					p := open(t, browser, run, width, scheme)
					require.NoError(t, os.WriteFile(filepath.Join(dir, name+"-"+scheme+"-"+map[int64]string{1440: "1440", 390: "390"}[width]+".png"), p.Picture(t), 0o600))
				}
			}
		}
	}
}
