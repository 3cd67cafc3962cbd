package measured

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/olekukonko/tablewriter/tw"

	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// maxWorkers bounds the workers in a table; the log has all of them.
const maxWorkers = 200

// workerRow is a line of the table of workers.
type workerRow struct {
	Name, Machine, Sent, Share, Begun, Clock, Lag, Late, CPU string
}

// workerColumns are the names of its columns.
func workerColumns() []string {
	return []string{"worker", "machine", "sent", "share", "began after", "clock", "lag p99", "late", "CPU"}
}

func (r workerRow) cells() []string {
	return []string{r.Name, r.Machine, r.Sent, r.Share, r.Begun, r.Clock, r.Lag, r.Late, r.CPU}
}

// workerRows are the workers of the fleet that sent the main measurement.
func workerRows(f *runlog.MeasuredFooter) []workerRow {
	if f == nil {
		return nil
	}
	sent := uint64(0)
	for _, w := range f.Workers {
		sent += w.Sent
	}
	var rows []workerRow
	for _, w := range f.Workers[:min(len(f.Workers), maxWorkers)] {
		row := workerRow{
			Name: name(w.Name), Machine: name(w.Host), Sent: fmt.Sprint(w.Sent), Share: fmt.Sprintf("%.1f %%", 100*float64(w.Sent)/float64(max(sent, 1))),
			Begun: plain.Time(w.Begun), Clock: fmt.Sprintf("%s ± %s", signed(w.Offset), plain.Time(w.Within)), Lag: plain.Time(w.LagP99), Late: fmt.Sprint(w.Late),
		}
		if w.Source != "" {
			row.Machine += " (" + name(w.Source) + ")"
		}
		if w.CPU >= 0 && w.CPU < 1000 {
			row.CPU = fmt.Sprintf("%.0f %% of %s", 100*w.CPU, plain.Count(w.Cores, "core"))
		}
		rows = append(rows, row)
	}
	return rows
}

// signed writes a duration with its sign.
func signed(d time.Duration) string {
	if d < 0 {
		return "−" + plain.Time(-d)
	}
	return "+" + plain.Time(d)
}

// workerTable writes the table for a terminal, and nothing without workers.
func workerTable(w io.Writer, f *runlog.MeasuredFooter, cells tw.CellConfig) error {
	rows := workerRows(f)
	if len(rows) == 0 {
		return nil
	}
	var lines [][]string
	for _, r := range rows {
		lines = append(lines, r.cells())
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return fmt.Errorf("table: %w", err)
	}
	if err := reports.Table(w, upper(workerColumns()), lines, cells); err != nil {
		return fmt.Errorf("table: %w", err)
	}
	return nil
}

func upper(names []string) (all []string) {
	for _, n := range names {
		all = append(all, strings.ToUpper(n))
	}
	return all
}
