//go:build !race

// A report is rendered by one goroutine; the race detector makes these tests ten times as slow.

package reports_test

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
)

func TestFormats(t *testing.T) {
	for _, f := range reports.Formats() {
		for name, run := range runs() {
			t.Run(f.Name+" of a "+name+" run", func(t *testing.T) {
				got := render(t, run, func(w *bytes.Buffer, run runlog.Run) error { return f.Render(w, run) })
				assert.True(t, utf8.Valid(got))
				golden(t, name+"."+f.File, got)
			})
		}
		t.Run(f.Name+" reports a writer that fails", func(t *testing.T) {
			assert.ErrorIs(t, f.Render(brokenWriter{}, failingRun()), errBroken)
		})
		t.Run(f.Name+" of nothing at all says that nothing ran", func(t *testing.T) {
			got := render(t, runlog.Run{}, func(w *bytes.Buffer, run runlog.Run) error { return f.Render(w, run) })
			if f.Name == "badge" {
				assert.Contains(t, string(got), `"incomplete"`)
				return
			}
			assert.Contains(t, string(got), "the log has no footer; no case was executed")
		})
	}
}

func TestJSONKeepsItsSchema(t *testing.T) {
	schema := compile(t, "report.schema.json")
	for name, run := range runs() {
		t.Run(name, func(t *testing.T) {
			report := bytes.NewReader(render(t, run, func(w *bytes.Buffer, run runlog.Run) error { return reports.JSON(w, run) }))
			value, err := jsonschema.UnmarshalJSON(report)
			require.NoError(t, err)
			assert.NoError(t, schema.Validate(value))
		})
	}
	t.Run("and the schema refuses what is none", func(t *testing.T) {
		assert.Error(t, schema.Validate(map[string]any{"schema": "gatecert.report/2"}))
	})
}
