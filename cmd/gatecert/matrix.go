package main

import (
	"fmt"
	"io"

	"github.com/gatecert/gatecert/internal/atomicfile"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
)

type matrixCommand struct {
	Logs   []string `arg:"" help:"Run folders, or the run.ndjson files in them." type:"path"`
	Format string   `help:"Output format: terminal, html, md or json. Default: ${default}." default:"terminal" enum:"terminal,html,md,json"`
	Lang   string   `enum:"en,zh" default:"en" help:"Language of the matrix: en (English) or zh (Chinese). JSON is not translated." placeholder:"NAME"`
	Out    string   `help:"File to write the output to. Default: print the output." placeholder:"FILE" type:"path"`
}

// Help implements kong's HelpProvider.
func (matrixCommand) Help() string {
	return `Examples:
  gatecert matrix runs/mine runs/theirs                          compare two gateways on the terminal
  gatecert matrix runs/v1 runs/v2 --format html --out versions.html

gatecert matrix only displays the runs, and exits with code 0 whatever their verdicts are. If a command in CI must fail when a verdict gets worse,
use gatecert diff.`
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
	language, _ := reports.LanguageNamed(m.Lang) // the flag has no other names
	matrix := reports.NewSideBySide(runs).In(language)
	return printTo(c, m.Out, func(w io.Writer, opts reports.TerminalOptions) error {
		switch m.Format {
		case "html":
			return matrix.HTML(w)
		case "md":
			return matrix.Markdown(w)
		case "json":
			return matrix.JSON(w)
		default:
			return matrix.Terminal(w, opts)
		}
	})
}

// printTo renders into a file, without colour, or to the console.
func printTo(c *console, path string, render func(io.Writer, reports.TerminalOptions) error) error {
	if path == "" {
		return c.print(func(w io.Writer) error { return render(w, c.options(0)) })
	}
	var failed error
	err := atomicfile.Write(path, 0o600, func(w io.Writer) error {
		failed = render(w, reports.TerminalOptions{})
		return failed
	})
	if err != nil && failed == nil {
		return fmt.Errorf("%w: --out: write %s: %w", errUsage, path, err)
	}
	return err
}
