package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gatecert/gatecert/reports"
)

type reportCommand struct {
	Log    string `arg:"" help:"A run's folder, or its run.ndjson." type:"path"`
	Format string `help:"Print one format: terminal, json, junit, md, html. Default: terminal."`
	Out    string `help:"Write all report files into this folder." placeholder:"DIR" type:"path"`
}

// Help implements kong's HelpProvider.
func (reportCommand) Help() string {
	return `Every report is a pure function of the log: the same log gives the same bytes again.
The exit code is the run's: 0 conformant, 1 not conformant, 3 incomplete, 5 harness fault.`
}

func (r reportCommand) Run(c *console) error {
	run, err := readLog(r.Log)
	if err != nil {
		return err
	}
	switch {
	case r.Out != "" && r.Format != "":
		return fmt.Errorf("%w: --out writes every format, --format prints one: give one of them", errUsage)
	case r.Out != "":
		if err := os.MkdirAll(r.Out, 0o750); err != nil {
			return fmt.Errorf("make the folder for the reports: %w", err)
		}
		err = writeReports(run, r.Out)
	case r.Format == "" || r.Format == "terminal":
		err = reports.Terminal(c.out, run, reports.TerminalOptions{Color: c.color, Width: c.width})
	default:
		err = r.print(c, run)
	}
	if err != nil {
		return err
	}
	return outcome(run)
}

func (r reportCommand) print(c *console, run reports.Run) error {
	names := []string{"terminal"}
	for _, f := range reports.Formats() {
		if f.Name == r.Format {
			return f.Render(c.out, run)
		}
		names = append(names, f.Name)
	}
	return fmt.Errorf("%w: no format %q: want one of %s", errUsage, r.Format, strings.Join(names, ", "))
}

// readLog reads a run from its folder or its log.
func readLog(path string) (run reports.Run, err error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, logName)
	}
	file, err := os.Open(path) //nolint:gosec // the path is the user's own argument
	if err != nil {
		return run, fmt.Errorf("%w: %w", errUsage, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if run, err = reports.Read(file); err != nil {
		return run, fmt.Errorf("%s: %w", path, err)
	}
	return run, nil
}
