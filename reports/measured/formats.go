package measured

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/gatecert/gatecert/reports/runlog"
)

// Format is a report that is written as a file in the folder of a measurement.
type Format struct {
	// Name selects the format on a command line, for example "json".
	Name string
	// File is the name of the file in the folder, for example "report.json".
	File string
	// Render writes the report. It returns [ErrNone] if the measurement contains no data for it.
	Render func(io.Writer, runlog.Measured) error
}

// ErrNone is returned by a renderer if the measurement contains no data for it: for example, a histogram of the TTFT needs streams.
var ErrNone = errors.New("the measurement has no data for this report")

// Formats returns the formats of report files.
func Formats() []Format {
	formats := []Format{
		{"html", "report.html", HTML}, {"json", "report.json", JSON}, {"md", "summary.md", Markdown}, {"openmetrics", "metrics.txt", OpenMetrics},
	}
	for _, m := range []string{"latency", "service", "ttft", "itl"} {
		file := m
		if m == "service" {
			file = "service-time"
		}
		formats = append(formats, Format{"hgrm-" + m, file + ".hgrm", func(w io.Writer, x runlog.Measured) error { return Hgrm(w, x, m) }})
	}
	return formats
}

func flush(w io.Writer, out *bytes.Buffer) error {
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
