package reports

import (
	"bytes"
	"fmt"
	"io"

	"github.com/gatecert/gatecert/reports/runlog"
)

// Format is a report that is written as a file in a run's folder.
type Format struct {
	// Name selects the format on a command line, for example "json".
	Name string
	// File is the name of the file in a run's folder, for example "report.json".
	File   string
	Render func(io.Writer, runlog.Run) error
	// OnDemand is set if the report is written only if it is selected by name.
	OnDemand bool
}

// Formats returns the formats of report files. They do not include [Terminal], which needs information about the terminal. To add a format, add one
// file with its renderer, and one line here.
func Formats() []Format {
	return []Format{
		{Name: "html", File: "report.html", Render: HTML},
		{Name: "json", File: "report.json", Render: JSON},
		{Name: "junit", File: "junit.xml", Render: JUnit},
		{Name: "md", File: "summary.md", Render: Markdown},
		{Name: "verdicts", File: "verdicts.txt", Render: Verdicts},
		{Name: "ctrf", File: "ctrf.json", Render: CTRF, OnDemand: true},
		{Name: "badge", File: "badge.json", Render: Badge, OnDemand: true},
		{Name: "annotations", File: "annotations.txt", Render: Annotations, OnDemand: true},
		{Name: "har", File: "exchanges.har", Render: HAR, OnDemand: true},
		{Name: "messages", File: "messages.ndjson", Render: Messages, OnDemand: true},
	}
}

// FormatsIn returns [Formats] in a language. Formats for programs are the same in all languages.
func FormatsIn(l Language) []Format {
	formats := Formats()
	for i := range formats {
		switch formats[i].Name {
		case "md":
			formats[i].Render = func(w io.Writer, run runlog.Run) error { return MarkdownIn(w, run, l) }
		case "html":
			formats[i].Render = func(w io.Writer, run runlog.Run) error { return HTMLIn(w, run, l) }
		}
	}
	return formats
}

func flush(w io.Writer, out *bytes.Buffer) error {
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
