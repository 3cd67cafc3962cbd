package measured

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/gatecert/gatecert/reports/runlog"
)

// Format is a report that is a file in the folder of a measurement.
type Format struct {
	// Name selects it on a command line: "json".
	Name string
	// File is its name in the folder: "report.json".
	File string
	// Render writes it. It returns [ErrNone] when the measurement has no data for it.
	Render func(io.Writer, runlog.Measured) error
}

// ErrNone is returned by a renderer when the measurement has no data for it: a histogram of the TTFT needs streams.
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
