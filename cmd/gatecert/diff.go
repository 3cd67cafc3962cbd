package main

import (
	"fmt"
	"io"

	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/measured"
)

type diffCommand struct {
	Old      string `arg:"" help:"The earlier run's folder or run.ndjson file." type:"path"`
	New      string `arg:"" help:"The later run's folder or run.ndjson file." type:"path"`
	Format   string `help:"Output format: terminal, md or json. Default: ${default}." default:"terminal" enum:"terminal,md,json"`
	Out      string `help:"File to write the output to. Default: print the output." placeholder:"FILE" type:"path"`
	Failures int    `help:"Number of cases to show on the terminal for each kind of change. Default: ${default}." default:"20"`
}

// Help implements kong's HelpProvider.
func (diffCommand) Help() string {
	return `The kinds of change:
  worse, better   a different verdict
  changed         same verdict, but different requirements are violated
  new, gone       only one of the two runs contains the case

If both runs are measurements (load capacity, load soak), gatecert diff compares the capacity bounds and the mean of each metric (such as
p99 TTFT) over the time windows of each run. The difference between the means is shown with its 95 % confidence interval (method of batch
means). A latency metric counts as worse if its mean is higher and the interval excludes 0.

Exit codes: 0 nothing got worse; 1 a case or a measured value got worse; 3 there is nothing to compare, or the new run is incomplete.`
}

func (d diffCommand) Run(c *console) error {
	if isMeasured(d.Old) && isMeasured(d.New) {
		return d.measured(c)
	}
	old, err := readLog(d.Old)
	if err != nil {
		return err
	}
	run, err := readLog(d.New)
	if err != nil {
		return err
	}
	diff := reports.NewDiff(old, run)
	if diff.Compared() == 0 {
		return fmt.Errorf("%w: the runs have no case in common: compare runs that cover the same rows and endpoints", errNothingCompared)
	}
	if err := printTo(c, d.Out, func(w io.Writer, opts reports.TerminalOptions) error {
		opts.Failures = d.Failures
		switch d.Format {
		case "md":
			return diff.Markdown(w)
		case "json":
			return diff.JSON(w)
		default:
			return diff.Terminal(w, opts)
		}
	}); err != nil {
		return err
	}
	switch {
	case diff.Count(reports.Worse) > 0:
		return shownError{exitNotConformant, "a case got worse"}
	case !run.Complete():
		return outcome(run)
	default:
		return nil
	}
}

// measured compares two measurements.
func (d diffCommand) measured(c *console) error {
	old, err := readMeasured(d.Old)
	if err != nil {
		return err
	}
	run, err := readMeasured(d.New)
	if err != nil {
		return err
	}
	diff := measured.NewDiff(old, run)
	if len(diff.Changes) == 0 {
		return fmt.Errorf("%w: no metric has at least %d time windows (not counting the first and the last) in both measurements: compare longer measurements of the same kind",
			errNothingCompared, measured.MinWindows)
	}
	if err := printTo(c, d.Out, func(w io.Writer, _ reports.TerminalOptions) error {
		switch d.Format {
		case "md":
			return diff.Markdown(w)
		case "json":
			return diff.JSON(w)
		default:
			return diff.Terminal(w)
		}
	}); err != nil {
		return err
	}
	if diff.Count(measured.Worse) > 0 {
		return shownError{exitNotConformant, "the later measurement is worse"}
	}
	return nil
}
