//go:build !race

package measured_test

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/reports/measured"
	"github.com/gatecert/gatecert/reports/runlog"
)

// picturesVariable names a folder into which the test draws each page, to be looked at.
const picturesVariable = "GATECERT_PICTURES"

func startBrowser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal("no chromium in PATH: CI has to install it")
	}
	if err != nil {
		t.Skip("no chromium in PATH: the page was not opened in a browser")
	}
	alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-dev-shm-usage", true), chromedp.UserDataDir(t.TempDir()),
	)
	t.Cleanup(cancelAlloc)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx))
	return ctx
}

// opened is a page in a tab of its own.
type opened struct{ ctx context.Context }

// open renders a run, loads it at a width and in a colour scheme, and fails the test if the page ever complains on its console.
func open(t *testing.T, browser context.Context, run runlog.Measured, width int64, scheme string) opened {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, measured.HTML(&out, logged(t, run)))
	path := filepath.Join(t.TempDir(), "report.html")
	require.NoError(t, os.WriteFile(path, out.Bytes(), 0o600))
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx))
	ctx, cancelTimeout := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancelTimeout)
	var mu sync.Mutex
	var complaints []string
	require.NoError(t, chromedp.Listen(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			complaints = append(complaints, e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			complaints = append(complaints, e.Entry.Text)
		}
	}))
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		assert.Empty(t, complaints, "on the console")
	})
	p := opened{ctx}
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	require.NoError(t, err)
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate((&url.URL{Scheme: "file", Path: path}).String())))
	return p
}

func (p opened) eval(t *testing.T, expression string) any {
	t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[any](expression))
	require.NoError(t, err)
	return value
}

func TestPageInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser is slow to start")
	}
	browser := startBrowser(t)

	t.Run("the chart of a capacity comes first, with the SLO, the bounds and each conclusive probe", func(t *testing.T) {
		p := open(t, browser, capacityRun(), 1440, "light")
		assert.Equal(t, "between 200 and 210/s", p.eval(t, `document.querySelector("h1").innerText`))
		assert.Equal(t, "p50 and p99 of the TTFT against the rate", p.eval(t, `document.querySelector("figcaption").innerText`))
		assert.Equal(t, true, p.eval(t, `document.querySelector("figure").getBoundingClientRect().bottom < 900`), "without scrolling")
		assert.Equal(t, "SLO p99 TTFT <= 300ms", p.eval(t, `document.querySelector("figure text.slo").textContent`))
		assert.Equal(t, "200/s met, 210/s missed", p.eval(t, `[...document.querySelectorAll("figure:first-child text.bound")].map((e) => e.textContent).join(", ")`))
		assert.Equal(t, 16.0, p.eval(t, `document.querySelectorAll("figure:first-child circle").length`), "two quantiles of eight conclusive probes")
		assert.Equal(t, 4.0, p.eval(t, `document.querySelectorAll("figure:first-child circle.missed").length`))
		assert.Equal(t, 1.0, p.eval(t, `document.querySelectorAll("figure:first-child rect.between").length`))
		assert.Equal(t, 8.0, p.eval(t, `document.querySelectorAll("figure").length`))
		assert.Equal(t, "admitted refused (429)", p.eval(t, `[...document.querySelectorAll("figure:nth-child(5) .legend li")].map((e) => e.textContent).join(" ")`))
		assert.Equal(t, 0.0, p.eval(t, `document.querySelectorAll("#matrix, table:not(:has(tbody tr))").length`), "no empty table")
		assert.Equal(t, 7.0, p.eval(t, `document.querySelectorAll("section[aria-label=Metrics] tbody tr").length`))
	})

	t.Run("everything is inside its picture, and nothing is wider than a telephone", func(t *testing.T) {
		for _, run := range []runlog.Measured{capacityRun(), soakRun(), compareRun(), hostileRun()} {
			p := open(t, browser, run, 390, "dark")
			assert.Equal(t, "", p.eval(t, `[...document.querySelectorAll("figure svg :is(rect, circle, polyline, line)")].filter((e) => {
				const b = e.getBBox(), v = e.ownerSVGElement.viewBox.baseVal;
				return b.x < -1 || b.x + b.width > v.width + 1 || b.y < -5 || b.y + b.height > v.height + 1 }).map((e) => e.outerHTML).join("; ")`))
			assert.Equal(t, 390.0, p.eval(t, `document.documentElement.scrollWidth`))
			assert.Equal(t, "", p.eval(t, `[...document.querySelectorAll("figure svg text")].filter((e) => e.getBoundingClientRect().right > 390 || e.getBoundingClientRect().left < 0).map((e) => e.textContent).join("; ")`))
			assert.NotEqual(t, "owned", p.eval(t, `document.title`))
		}
	})

	t.Run("the keyboard reaches the theme, the tables and the probes", func(t *testing.T) {
		p := open(t, browser, capacityRun(), 1440, "light")
		before := p.eval(t, `getComputedStyle(document.body).backgroundColor`)
		p.eval(t, `document.getElementById("theme").click(); document.getElementById("theme").click(); ""`)
		assert.Equal(t, "theme: dark", p.eval(t, `document.getElementById("theme").innerText`))
		assert.NotEqual(t, before, p.eval(t, `getComputedStyle(document.body).backgroundColor`))
		assert.Equal(t, true, p.eval(t, `[...document.querySelectorAll(".scroll")].every((e) => e.tabIndex === 0 && e.ariaLabel)`))
		assert.Equal(t, true, p.eval(t, `document.querySelector("a.skip").hash === "#charts" && !!document.querySelector("#charts")`))
		assert.Equal(t, true, p.eval(t, `{ const d = document.querySelector("section[aria-label=Probes] details"); d.querySelector("summary").click(); d.open }`))
		assert.Equal(t, 9.0, p.eval(t, `document.querySelectorAll("section[aria-label=Probes] tbody tr").length`))
		p.eval(t, `localStorage.clear(); ""`)
	})

	t.Run("a soak shows its course, its trends and what it was asked for", func(t *testing.T) {
		p := open(t, browser, soakRun(), 1440, "dark")
		assert.Equal(t, "Service time over time, at 20/s", p.eval(t, `document.querySelector("figcaption").innerText`))
		assert.Equal(t, "admitted 5xx timeout or broken transfer", p.eval(t, `[...document.querySelectorAll("figure:nth-child(2) .legend li")].map((e) => e.textContent).join(" ")`))
		assert.Equal(t, 2.0, p.eval(t, `document.querySelectorAll("figure:first-child polyline.q50").length`), "the line is broken where nothing was admitted")
		assert.Equal(t, "violated", p.eval(t, `document.querySelector(".gates .mark").ariaLabel`))
	})

	t.Run("a comparison shows each difference with its interval", func(t *testing.T) {
		p := open(t, browser, compareRun(), 1440, "light")
		assert.Equal(t, "What B adds, with its 95 % interval", p.eval(t, `document.querySelector("figcaption").innerText`))
		assert.Equal(t, "q99 q50 q99", p.eval(t, `[...document.querySelectorAll("figure circle")].map((e) => e.className.baseVal).join(" ")`))
		assert.Equal(t, 4.0, p.eval(t, `document.querySelectorAll("section[aria-label=Comparison] tbody tr").length`))
	})

	if dir := os.Getenv(picturesVariable); dir != "" {
		for name, run := range runs() {
			for _, width := range []int64{1440, 390} {
				for _, scheme := range []string{"light", "dark"} {
					p := open(t, browser, run, width, scheme)
					picture, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
					require.NoError(t, err)
					require.NoError(t, os.WriteFile(filepath.Join(dir, name+"-"+scheme+"-"+map[int64]string{1440: "1440", 390: "390"}[width]+".png"), picture, 0o600))
				}
			}
		}
	}
}
