package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/atomicfile"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/reports/baseline"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// baseline reads the run's baseline. With --update-baseline the file need not exist.
func (r runCommand) baseline() (baseline.Baseline, error) {
	if r.Baseline == "" {
		if r.Update {
			return baseline.Baseline{}, fmt.Errorf("%w: --update-baseline needs a file to write to: add --baseline FILE", errUsage)
		}
		return baseline.Baseline{}, nil
	}
	known, err := gatecert.LoadBaseline(r.Baseline)
	switch {
	case errors.Is(err, os.ErrNotExist) && r.Update:
		return baseline.Baseline{}, nil
	case errors.Is(err, os.ErrNotExist):
		return known, fmt.Errorf("%w: --baseline: %w: specify a baseline or an earlier run; to create a new baseline, add --update-baseline", errUsage, err)
	case err == nil && known.Recorded && r.Update:
		return known, fmt.Errorf("%w: --update-baseline would overwrite %s, which is the result of a run: use --baseline to specify a YAML file", errUsage, r.Baseline)
	}
	return known, err
}

// updateBaseline writes the baseline under which the run's failures are expected. It returns the outcome of the run under
// the new baseline: errors, untestable cases and expired entries remain.
func (r runCommand) updateBaseline(c *console, config gatecert.Config, run runlog.Run) error {
	if !run.Complete() {
		fmt.Fprintf(c.out, "%s was not changed, because the run is incomplete\n", r.Baseline)
		return outcome(run)
	}
	asked, err := runner.Select(runner.Choice{Level: config.Level, Rows: config.Rows, Surfaces: config.Surfaces, Cases: config.Cases})
	if err != nil {
		return err
	}
	updated := config.Baseline.Updated(run.Cases, asked.Asks)
	if err := atomicfile.Write(r.Baseline, 0o644, updated.Write); err != nil {
		return fmt.Errorf("write baseline: %w", err)
	}
	fmt.Fprintf(c.out, "%s: %s (previously %d)\n", r.Baseline, plain.Count(len(updated.Entries), "entry"), len(config.Baseline.Entries))
	var excused []runlog.Case
	for _, result := range run.Cases {
		excused = append(excused, updated.Excused(result))
	}
	footer := runlog.Conclude(run.Header, excused, run.Footer.Ended)
	footer.Stale = updated.Stale(excused, asked.Asks, run.Started)
	run.Cases, run.Footer = excused, &footer
	return outcome(run)
}

// proposeEntries prints the first entries that would turn the run's failures into expected ones.
func proposeEntries(w io.Writer, run runlog.Run, most int) {
	most = max(most, 1)
	missing := baseline.Baseline{}.Updated(run.Cases, func(contract.Case) bool { return true })
	rest := len(missing.Entries) - most
	if len(missing.Entries) == 0 {
		return
	}
	missing.Entries = missing.Entries[:min(most, len(missing.Entries))]
	fmt.Fprintf(w, "\nTo accept these failures, add these entries to the baseline and replace each reason with your own:\n%s", missing.YAML())
	if rest > 0 {
		fmt.Fprintf(w, "  # and %s: to write all of them, use --update-baseline\n", plain.Count(rest, "more entry"))
	}
}
