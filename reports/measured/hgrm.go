package measured

import (
	"bytes"
	"fmt"
	"io"

	"time"

	"github.com/gatecert/gatecert/internal/histogram"
	"github.com/gatecert/gatecert/reports/runlog"
)

// Hgrm writes the distribution of a metric of the admitted requests in the format of HdrHistogram's plotter, in milliseconds.
func Hgrm(w io.Writer, m runlog.Measured, metric string) error {
	x, ok := m.Metric(metric)
	if !ok || x.Unit != runlog.UnitTime {
		return fmt.Errorf("%w: %s", ErrNone, metric)
	}
	var h histogram.Histogram
	for _, b := range x.Bars {
		h.AddMany(time.Duration(b[0]), uint64(b[1])) //nolint:gosec // not negative: the reader sees to that
	}
	var out bytes.Buffer
	if err := h.WriteHgrm(&out); err != nil {
		return fmt.Errorf("write histogram: %w", err)
	}
	return flush(w, &out)
}
