package reports

import (
	"io"

	"github.com/gatecert/gatecert/reports/runlog"
)

// Format is a report that is kept in a file of the run directory.
type Format struct {
	// Name is what people ask for: "json".
	Name string
	// File is its name in a run directory: "report.json".
	File   string
	Render func(io.Writer, runlog.Run) error
	// OnDemand says that it is written only when it is asked for by name.
	OnDemand bool
}

// Formats returns the formats of report files. [Terminal] is none of them: it needs to know the terminal.
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
