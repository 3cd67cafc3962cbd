package main

import (
	"fmt"
	"io"

	"github.com/gatecert/gatecert/reports"
)

type diffCommand struct {
	Old      string `arg:"" help:"Folder of the earlier run, or its run.ndjson." type:"path"`
	New      string `arg:"" help:"Folder of the later run, or its run.ndjson." type:"path"`
	Format   string `help:"terminal, md or json. Default: ${default}." default:"terminal" enum:"terminal,md,json"`
	Out      string `help:"Write into this file. Default: print." placeholder:"FILE" type:"path"`
	Failures int    `help:"Number of cases shown of each kind of change on the terminal. Default: ${default}." default:"20"`
}

// Help implements kong's HelpProvider.
func (diffCommand) Help() string {
	return `worse and better: the verdict changed. changed: the verdict is the same, but other requirements are violated. new and gone: only one
run has the case.
Exit codes: 0 no case got worse; 1 a case got worse; 3 the runs have no case in common, or the new run is incomplete.`
}

func (d diffCommand) Run(c *console) error {
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
		return fmt.Errorf("%w: the runs have no case in common", errNothingCompared)
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
