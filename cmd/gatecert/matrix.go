package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
)

type matrixCommand struct {
	Logs   []string `arg:"" help:"Folders of runs, or their run.ndjson." type:"path"`
	Format string   `help:"terminal, html, md or json. Default: ${default}." default:"terminal" enum:"terminal,html,md,json"`
	Out    string   `help:"Write into this file. Default: print." placeholder:"FILE" type:"path"`
}

// Help implements kong's HelpProvider.
func (matrixCommand) Help() string {
	return `Examples:
  gatecert matrix runs/mine runs/theirs                          two gateways on the terminal
  gatecert matrix runs/v1 runs/v2 --format html --out versions.html

It is a picture, so that its exit code says only whether it could be drawn; gatecert diff judges.`
}

func (m matrixCommand) Run(c *console) error {
	var runs []runlog.Run
	for _, path := range m.Logs {
		run, err := readLog(path)
		if err != nil {
			return err
		}
		runs = append(runs, run)
	}
	beside := reports.NewSideBySide(runs)
	return printTo(c, m.Out, func(w io.Writer, opts reports.TerminalOptions) error {
		switch m.Format {
		case "html":
			return beside.HTML(w)
		case "md":
			return beside.Markdown(w)
		case "json":
			return beside.JSON(w)
		default:
			return beside.Terminal(w, opts)
		}
	})
}

// printTo renders into a file, without colour, or to the console.
func printTo(c *console, path string, render func(io.Writer, reports.TerminalOptions) error) (err error) {
	if path == "" {
		return render(c.out, reports.TerminalOptions{Color: c.color, Width: c.width})
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600) //nolint:gosec // the path is the user's own argument
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return render(file, reports.TerminalOptions{})
}
