package reports

import "io"

// Format is a report that is kept in a file of the run directory.
type Format struct {
	// Name is what people ask for: "json".
	Name string
	// File is its name in a run directory: "report.json".
	File   string
	Render func(io.Writer, Run) error
}

// Formats returns the formats of report files. [Terminal] is none of them: it needs to know the terminal.
func Formats() []Format {
	return []Format{
		{"json", "report.json", JSON},
		{"junit", "junit.xml", JUnit},
		{"md", "summary.md", Markdown},
		{"html", "report.html", HTML},
		{"verdicts", "verdicts.txt", Verdicts},
	}
}
