package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/reports/baseline"
	"github.com/gatecert/gatecert/reports/runlog"
)

// baseline reads the run's baseline. A file that an update is about to write need not be there yet.
func (r runCommand) baseline() (baseline.Baseline, error) {
	if r.Baseline == "" {
		if r.Update {
			return baseline.Baseline{}, fmt.Errorf("%w: --update-baseline needs --baseline, the file to write", errUsage)
		}
		return baseline.Baseline{}, nil
	}
	known, err := baseline.Load(r.Baseline)
	switch {
	case errors.Is(err, os.ErrNotExist) && r.Update:
		return baseline.Baseline{}, nil
	case errors.Is(err, os.ErrNotExist):
		return known, fmt.Errorf("%w: %w", errUsage, err)
	case err == nil && known.Recorded && r.Update:
		return known, fmt.Errorf("%w: --update-baseline would overwrite the result of a run: %s", errUsage, r.Baseline)
	}
	return known, err
}

// updateBaseline writes the baseline that the run's failures ask for. The outcome is that of the run as the new
// baseline sees it: what no baseline can excuse stays, and so does an entry whose day is over.
func (r runCommand) updateBaseline(c *console, config gatecert.Config, run runlog.Run) error {
	if !run.Complete() {
		fmt.Fprintf(c.out, "%s is left as it is: the run is incomplete\n", r.Baseline)
		return outcome(run)
	}
	asked, err := runner.Select(runner.Choice{Level: config.Level, Rows: config.Rows, Surfaces: config.Surfaces, Cases: config.Cases})
	if err != nil {
		return err
	}
	updated := config.Baseline.Updated(run.Cases, asked.Asks)
	if err := writeBaseline(r.Baseline, updated); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s: %d entries, before %d\n", r.Baseline, len(updated.Entries), len(config.Baseline.Entries))
	var excused []runlog.Case
	for _, result := range run.Cases {
		excused = append(excused, updated.Excused(result))
	}
	footer := runlog.Conclude(run.Header, excused, run.Footer.Ended)
	footer.Stale = updated.Stale(excused, asked.Asks, run.Started)
	run.Cases, run.Footer = excused, &footer
	return outcome(run)
}

func writeBaseline(path string, b baseline.Baseline) (err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644) //nolint:gosec // it is meant to be committed
	if err != nil {
		return fmt.Errorf("write baseline: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return b.Write(file)
}

// proposeEntries prints the entries that would make the failures expected ones, the first of them.
func proposeEntries(w io.Writer, run runlog.Run, most int) {
	most = max(most, 1)
	// What a baseline that expects nothing would have to hold.
	missing := baseline.Baseline{}.Updated(run.Cases, func(contract.Case) bool { return true })
	rest := len(missing.Entries) - most
	if len(missing.Entries) == 0 {
		return
	}
	missing.Entries = missing.Entries[:min(most, len(missing.Entries))]
	fmt.Fprintf(w, "\nto expect what failed, put into the baseline, with a better reason:\n%s", missing.YAML())
	if rest > 0 {
		fmt.Fprintf(w, "  # and %d more: --update-baseline writes them all\n", rest)
	}
}
