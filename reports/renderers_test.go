package reports_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert/reports"
)

func TestFormats(t *testing.T) {
	for _, f := range reports.Formats() {
		for name, run := range runs() {
			t.Run(f.Name+" of a "+name+" run", func(t *testing.T) {
				got := render(t, run, func(w *bytes.Buffer, run reports.Run) error { return f.Render(w, run) })
				golden(t, name+"."+f.File, got)
			})
		}
		t.Run(f.Name+" reports a writer that fails", func(t *testing.T) {
			assert.ErrorIs(t, f.Render(brokenWriter{}, goodRun()), errBroken)
		})
	}
}
