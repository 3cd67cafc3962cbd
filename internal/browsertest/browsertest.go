// Package browsertest opens pages in a headless Chromium, for tests.
package browsertest

import (
	"bytes"
	"context"
	"io"
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
)

// Browser is one browser process for all pages of a test.
type Browser struct{ ctx context.Context } //nolint:containedctx // it is how chromedp names a browser

// Start starts a browser, which ends with the test. If there is no browser, Start skips the test; in CI, the test fails.
func Start(t *testing.T) Browser {
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
			t.Fatal("chromium is not in PATH: CI must install it")
		}
		t.Skip("chromium is not in PATH: the page was not opened in a browser")
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
	return Browser{ctx}
}

// Page is a page in its own tab.
type Page struct{ ctx context.Context } //nolint:containedctx // and a tab

// Show renders a page. It runs the actions in before, and then loads the page with hash in its URL. The test fails if the page ever writes to
// the console or throws an exception.
func (b Browser) Show(t *testing.T, render func(io.Writer) error, hash string, before ...chromedp.Action[chromedp.Void]) Page {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, render(&out))
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
	p := Page{ctx}
	address := (&url.URL{Scheme: "file", Path: path}).String() + hash
	p.Run(t, append(before, chromedp.Navigate(address))...)
	return p
}

// Run runs actions on the page.
func (p Page) Run(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	require.NoError(t, chromedp.Do(p.ctx, actions...))
}

// Eval returns the value of a JavaScript expression.
func (p Page) Eval(t *testing.T, expression string) any {
	t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[any](expression))
	require.NoError(t, err)
	return value
}

// Text returns the visible text of the first element that matches a selector.
func (p Page) Text(t *testing.T, selector string) string {
	t.Helper()
	text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`document.querySelector("`+selector+`").innerText`))
	require.NoError(t, err)
	return text
}

// Press sends named keys to the element that has the focus.
func (p Page) Press(t *testing.T, keys ...string) {
	t.Helper()
	for _, key := range keys {
		p.Eval(t, `document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "`+key+`", bubbles: true, cancelable: true}))`)
	}
}

// Picture returns the whole page as a PNG image.
func (p Page) Picture(t *testing.T) []byte {
	t.Helper()
	picture, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	return picture
}
