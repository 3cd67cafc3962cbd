package reports_test

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

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/reports"
)

func TestPageInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser is slow to start")
	}
	browser := startBrowser(t)

	t.Run("the matrix has all rows and every surface, and says its verdicts without colour", func(t *testing.T) {
		p := browser.open(t, failingRun(), "")
		assert.Equal(t, 32.0, p.eval(t, `document.querySelectorAll("#matrix tr[data-row]").length`))
		assert.Equal(t, 4.0, p.eval(t, `document.querySelectorAll("#matrix th.surface").length`))
		assert.Equal(t, "✗", p.eval(t, `document.querySelector("#matrix [href='#code:model_not_found/chat']").textContent`))
		assert.Equal(t, "code:model_not_found on chat: fail", p.eval(t, `document.querySelector("#matrix [href='#code:model_not_found/chat']").ariaLabel`))
		assert.Equal(t, true, p.eval(t, `document.getElementById("evidence").hidden`))
	})

	t.Run("a cell opens its evidence, and Escape gives the focus back to it", func(t *testing.T) {
		p := browser.open(t, failingRun(), "")
		p.run(t, chromedp.Click(chromedp.CSS(`#matrix [href="#code:model_not_found/chat"]`)), chromedp.WaitVisible(chromedp.CSS(`#evidence`)))
		evidence := p.text(t, "#evidence")
		for _, want := range []string{
			"status-class", "503", "Then the answer keeps row code:model_not_found", "POST https://gateway.example/v1/chat",
			`"code":"model_not_found"`, "cancelled by the gateway", "provider address leaked in body", "curl -sS",
		} {
			assert.Contains(t, evidence, want)
		}
		p.run(t, chromedp.KeyEvent("\x1b"), chromedp.WaitNotVisible(chromedp.CSS(`#evidence`)))
		assert.Equal(t, "#code:model_not_found/chat", p.eval(t, `document.activeElement.getAttribute("href")`))
		assert.Equal(t, "", p.eval(t, `location.hash`))
	})

	t.Run("a link leads to a cell, a row or a case", func(t *testing.T) {
		p := browser.open(t, failingRun(), "#code:get_channel_failed/chat-stream")
		p.run(t, chromedp.WaitVisible(chromedp.CSS(`#evidence`)))
		assert.Contains(t, p.text(t, "#evidence"), "[DONE]")
		p.run(t, chromedp.Evaluate[chromedp.Void](`location.hash = "#http:404"`), chromedp.Poll[chromedp.Void](`document.querySelectorAll("#evidence article").length === 4`))
		p.run(t, chromedp.Evaluate[chromedp.Void](`location.hash = "#http:401/wrong-key/messages"`), chromedp.Poll[chromedp.Void](`document.querySelectorAll("#evidence article").length === 1`))
		assert.Equal(t, "http:401/wrong-key/messages", p.text(t, "#evidence-title"))
		p.run(t, chromedp.Evaluate[chromedp.Void](`location.hash = "#nowhere"`), chromedp.WaitNotVisible(chromedp.CSS(`#evidence`)))
	})

	t.Run("filters narrow the matrix and the list of cases", func(t *testing.T) {
		p := browser.open(t, failingRun(), "")
		shownRows := `document.querySelectorAll("#matrix tr[data-row]:not([hidden])").length`
		shownCases := `document.querySelectorAll("#list li:not([hidden])").length`
		assert.Equal(t, 96.0, p.eval(t, shownCases))
		p.eval(t, `document.querySelector("[name=verdict][value=fail]").click()`)
		assert.Equal(t, 2.0, p.eval(t, shownRows))
		assert.Equal(t, 2.0, p.eval(t, shownCases))
		assert.Equal(t, "2 of 96 cases", p.text(t, "#found"))
		p.run(t, chromedp.SendKeys(chromedp.CSS(`[name=text]`), "stream-end"))
		assert.Equal(t, 1.0, p.eval(t, shownCases))
		p.run(t, chromedp.SendKeys(chromedp.CSS(`[name=text]`), " nothing has this"))
		assert.Contains(t, p.text(t, "#list"), "No case fits the filter.")
	})

	t.Run("the keyboard walks the matrix and steps through what needs attention", func(t *testing.T) {
		p := browser.open(t, failingRun(), "")
		focus := `document.activeElement.getAttribute("href")`
		p.eval(t, `document.querySelector("#matrix [href='#http:400']").focus()`)
		p.press(t, "ArrowRight", "ArrowDown", "ArrowRight")
		assert.Equal(t, "#http:401/chat-stream", p.eval(t, focus))
		assert.Equal(t, 1.0, p.eval(t, `document.querySelectorAll("#matrix a[tabindex='0']").length`))
		p.run(t, chromedp.KeyEvent("j"), chromedp.WaitVisible(chromedp.CSS(`#evidence`)))
		assert.Equal(t, "http:401/messages", p.text(t, "#evidence-title"))
		p.run(t, chromedp.KeyEvent("j"), chromedp.Poll[chromedp.Void](`document.getElementById("evidence-title").textContent === "code:bad_request_body/messages"`))
	})

	t.Run("the theme can be chosen", func(t *testing.T) {
		p := browser.open(t, goodRun(), "")
		p.eval(t, `document.documentElement.dataset.theme = ""; document.getElementById("theme").click()`)
		light := p.eval(t, `getComputedStyle(document.body).backgroundColor`)
		p.run(t, chromedp.Click(chromedp.CSS(`#theme`)))
		assert.NotEqual(t, light, p.eval(t, `getComputedStyle(document.body).backgroundColor`))
	})

	t.Run("hostile content stays text", func(t *testing.T) {
		p := browser.open(t, hostileRun(), "#http:400/chat")
		p.run(t, chromedp.WaitVisible(chromedp.CSS(`#evidence`)))
		assert.NotEqual(t, "owned", p.eval(t, `document.title`))
		assert.Equal(t, 0.0, p.eval(t, `document.querySelectorAll("img, iframe, object, a[href^='javascript']").length`))
		assert.Equal(t, 2.0, p.eval(t, `document.scripts.length`))
		assert.Equal(t, false, p.eval(t, `/[\u202e\u2066\u0000-\u0008\u001b]/.test(document.body.textContent)`))
		assert.Contains(t, p.text(t, "#evidence"), `\u202eevil`)
	})

	t.Run("a phone scrolls the matrix and not the page", func(t *testing.T) {
		for name, run := range runs() {
			for _, hash := range []string{"", "#http:404"} {
				p := browser.open(t, run, hash, chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile))
				assert.LessOrEqual(t, p.eval(t, `document.documentElement.scrollWidth`), 360.0, name+hash)
				assert.LessOrEqual(t, p.eval(t, `document.getElementById("evidence").scrollWidth`), 360.0, name+hash)
			}
		}
	})

	t.Run("an incomplete run says so first", func(t *testing.T) {
		p := browser.open(t, incompleteRun(), "")
		assert.Contains(t, p.text(t, ".verdict"), "INCOMPLETE: the log ends in a torn line and has no footer")
		assert.Equal(t, 2.0, p.eval(t, `document.querySelectorAll("#matrix .cell.v-error").length`))
	})
}

// browser is one process for all pages of the test.
type browser struct{ ctx context.Context }

// startBrowser skips the test where there is no browser; in CI its absence is a failure.
func startBrowser(t *testing.T) browser {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no chromium in PATH: CI has to install it")
		}
		t.Skip("no chromium in PATH: the page was not opened in a browser")
	}
	alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1400, 1000),
	)
	t.Cleanup(cancelAlloc)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx))
	return browser{ctx}
}

// opened is a page in a tab of its own.
type opened struct{ ctx context.Context }

// open renders a run, loads it, and fails the test if the page ever complains on its console.
func (b browser) open(t *testing.T, run reports.Run, hash string, before ...chromedp.Action[chromedp.Void]) opened {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, reports.HTML(&out, run))
	path := filepath.Join(t.TempDir(), "report.html")
	require.NoError(t, os.WriteFile(path, out.Bytes(), 0o600))

	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx)) // the first call makes the tab, which must not end with the timeout below
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
		case *runtime.EventConsoleAPICalled:
			complaints = append(complaints, string(e.Type))
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
	address := (&url.URL{Scheme: "file", Path: path}).String() + hash
	p.run(t, append(before, chromedp.Navigate(address))...)
	return p
}

func (p opened) run(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	require.NoError(t, chromedp.Do(p.ctx, actions...))
}

func (p opened) eval(t *testing.T, expression string) any {
	t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[any](expression))
	require.NoError(t, err)
	return value
}

// text is what a reader sees of the first element that a selector fits.
func (p opened) text(t *testing.T, selector string) string {
	t.Helper()
	text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`document.querySelector("`+selector+`").innerText`))
	require.NoError(t, err)
	return text
}

// press sends named keys to what has the focus.
func (p opened) press(t *testing.T, keys ...string) {
	t.Helper()
	for _, key := range keys {
		p.eval(t, `document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "`+key+`", bubbles: true, cancelable: true}))`)
	}
}
