package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/atomicfile"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
)

type runCommand struct {
	targetFlags
	Level       string   `help:"Highest certification level: edge, relay, account, store, load, full. Default: edge with a URL, otherwise everything but the cases under load, which load and full add."`
	Rows        []string `help:"Rows to run, ids or patterns: http:404, 'code:channel:*'. Default: all 32." placeholder:"ROW"`
	Surfaces    []string `help:"Surfaces to run: chat, chat-stream, … Default: all the target offers." placeholder:"SURFACE"`
	Concurrency int      `help:"Cases at once. Default: the profile's, or 8." placeholder:"N"`
	Baseline    string   `help:"Failures that are expected: YAML (docs/ci.md), or the folder, run.ndjson or verdicts.txt of an earlier run." placeholder:"FILE" type:"path"`
	Update      bool     `name:"update-baseline" help:"Write --baseline anew, so that it expects today's failures and nothing else."`
	Format      []string `help:"Reports to write: html, json, junit, md, verdicts, ctrf, badge, annotations, har, messages. Default: the first five." placeholder:"NAME"`
	Out         string   `help:"Folder for run.ndjson and the reports. Default: ${default}." default:"reports/latest" type:"path"`
	Yes         bool     `help:"Agree to what a driver has to change on a running gateway (it lists that first), and to put load on a gateway that is not on this machine. For CI."`
	Failures    int      `help:"Failures told in full on the terminal. Default: ${default}." default:"10"`
}

// Help implements kong's HelpProvider.
func (runCommand) Help() string {
	return `Examples:
  gatecert run                                             the embedded reference gateway, everything but load
  gatecert run --level full                                and under load: about 50 s
  gatecert run https://gateway.example --model gpt-4o-mini level edge, key from $GATEWAY_KEY
  gatecert run --target my-gateway.yaml --level relay      as the profile says, up to level relay
  gatecert run --target new-api.yaml --yes                 a running new-api, prepared and left as it was (docs/new-api.md)
  gatecert run --target my-gateway.yaml --baseline known.yaml                     known failures do not turn the run red
  gatecert run --target my-gateway.yaml --baseline known.yaml --update-baseline   accept today's failures

The run's log is OUT/run.ndjson; gatecert report OUT renders the reports again.`
}

func (r runCommand) Run(ctx context.Context, c *console) (err error) {
	config, err := r.config()
	if err != nil {
		return err
	}
	formats, err := formatsNamed(r.Format)
	if err != nil {
		return err
	}
	run, err := c.certify(ctx, config, formats, r.Out, r.Yes)
	if run.Schema == "" {
		return err
	}
	if termErr := reports.Terminal(c.out, run, reports.TerminalOptions{Color: c.color, Width: c.width, Failures: r.Failures}); termErr != nil {
		return errors.Join(err, termErr)
	}
	fmt.Fprintf(c.out, "reports: %s\n", filepath.Join(r.Out, formats[0].File))
	if err != nil && run.Complete() {
		return fmt.Errorf("the run is complete, and its reports stand: %w", err)
	}
	if err != nil {
		return fmt.Errorf("interrupted, everything so far is in %s: %w", filepath.Join(r.Out, logName), err)
	}
	if r.Update {
		return r.updateBaseline(c, config, run)
	}
	if r.Baseline != "" {
		proposeEntries(c.out, run, r.Failures)
	}
	return outcome(run)
}

// certify runs with a log in the folder, writes the reports beside it and returns the run; that has no schema when it
// never began. An interrupted run is reported like any other: its reports say that it is incomplete.
func (c *console) certify(ctx context.Context, config gatecert.Config, formats []reports.Format, dir string, yes bool) (run runlog.Run, err error) {
	// Before the log is written over: that of a run that died is evidence until it is cleaned up after.
	journal, err := c.mayChange(&config, dir, yes)
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, journal.Close()) }()
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return run, fmt.Errorf("make the folder for the reports: %w", err)
	}
	log, err := os.OpenFile(filepath.Join(dir, logName), os.O_CREATE|os.O_WRONLY|os.O_TRUNC|os.O_APPEND, 0o600) //nolint:gosec // the user's own folder
	if err != nil {
		return run, fmt.Errorf("open the log: %w", err)
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	if err := removeReports(dir); err != nil {
		return run, err
	}
	config.Log, config.AllowRemoteLoad = log, yes
	bar := newProgress(c)
	config.Progress = bar.show
	certification, err := gatecert.New(config)
	if err != nil {
		return run, err
	}
	run, err = certification.Run(ctx)
	bar.close()
	if run.Schema == "" {
		return run, err
	}
	return run, errors.Join(err, writeReports(run, formats, dir))
}

// removeReports removes the reports of an earlier run: beside the log of one that did not get far they would be taken for its
// own.
func removeReports(dir string) error {
	for _, f := range reports.Formats() {
		if err := os.Remove(filepath.Join(dir, f.File)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove an earlier report: %w", err)
		}
	}
	return nil
}

// outcome is nil for a conformant run, and carries its verdict otherwise.
func outcome(run runlog.Run) error {
	if verdictCode(run) == exitConformant {
		return nil
	}
	return verdictError{run}
}

func (r runCommand) config() (gatecert.Config, error) {
	known, err := r.baseline()
	if err != nil {
		return gatecert.Config{}, err
	}
	config := gatecert.Config{
		Baseline: known, Level: contract.Level(r.Level), Rows: r.Rows, Surfaces: r.Surfaces, Concurrency: r.Concurrency, Command: os.Args,
	}
	if r.Concurrency < 0 || r.Concurrency > 256 {
		return config, fmt.Errorf("%w: --concurrency %d: want 1 to 256", errUsage, r.Concurrency)
	}
	if config.Target, err = r.profile(); err != nil {
		return config, err
	}
	if r.URL != "" && config.Level == "" {
		config.Level = contract.Edge
	}
	return config, nil
}

// logName is the log's file in a run folder.
const logName = "run.ndjson"

// writeReports renders the formats into the folder.
func writeReports(run runlog.Run, formats []reports.Format, dir string) error {
	for _, f := range formats {
		render := func(w io.Writer) error { return f.Render(w, run) }
		if err := atomicfile.Write(filepath.Join(dir, f.File), 0o600, render); err != nil {
			return fmt.Errorf("write %s: %w", f.Name, err)
		}
	}
	return nil
}
