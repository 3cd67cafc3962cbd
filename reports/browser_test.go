//go:build !race

package reports_test

import (
	"io"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/gatecert/gatecert/internal/browsertest"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
)

// openRun shows the page of a run.
func openRun(t *testing.T, b browsertest.Browser, run runlog.Run, hash string, before ...chromedp.Action[chromedp.Void]) browsertest.Page {
	t.Helper()
	return b.Show(t, func(w io.Writer) error { return reports.HTML(w, run) }, hash, before...)
}
