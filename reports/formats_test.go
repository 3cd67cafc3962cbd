package reports_test

import (
	"bytes"
	"testing"

	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
)

// FuzzFormats renders logs of strangers.
func FuzzFormats(f *testing.F) {
	f.Add([]byte(`{"type":"header","schema":"gatecert.run/2"}` + "\n" + `{"type":"case","id":"a/b/c","verdict":"pass"}` + "\n" + `{"type":"fo`))
	f.Add([]byte(`{"type":"header","schema":"gatecert.run/2","expected":["x"]}` + "\n" + `{"type":"footer","verdict":"pass"}`))
	f.Fuzz(func(t *testing.T, log []byte) {
		run, err := runlog.Read(bytes.NewReader(log))
		if err != nil {
			return
		}
		for _, f := range reports.Formats() {
			if err := f.Render(&bytes.Buffer{}, run); err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
		}
	})
}
