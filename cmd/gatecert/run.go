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
	Level       string   `help:"Highest certification level: edge, relay, account, store, full. Default: edge with a URL, otherwise all cases but the load cases, which full includes."`
	Rows        []string `help:"Rows to run, ids or patterns: http:404, 'code:channel:*'. Default: all 32." placeholder:"ROW"`
	Surfaces    []string `help:"Surfaces to run: chat, chat-stream, … Default: all the target offers." placeholder:"SURFACE"`
	Concurrency int      `help:"Cases at once. Default: the profile's, or 8." placeholder:"N"`
	Baseline    string   `help:"Expected failures: a YAML file (docs/ci.md), or the folder, run.ndjson or verdicts.txt of an earlier run." placeholder:"FILE" type:"path"`
	Update      bool     `name:"update-baseline" help:"Rewrite --baseline so that it expects exactly the failures of this run."`
	Format      []string `help:"Reports to write: html, json, junit, md, verdicts, ctrf, badge, annotations, har, messages. Default: the first five." placeholder:"NAME"`
	Out         string   `help:"Folder for run.ndjson and the reports. Default: ${default}." default:"reports/latest" type:"path"`
	Yes         bool     `help:"Permit the changes that a driver makes on a running gateway (it lists them first), and load cases on a gateway that is not on this machine. For CI."`
	Failures    int      `help:"Number of failures shown in full on the terminal. Default: ${default}." default:"10"`
}

// Help implements kong's HelpProvider.
func (runCommand) Help() string {
	return `Examples:
  gatecert run                                             the embedded reference gateway, all cases but the load cases
  gatecert run --level full                                all cases: about 50 s
  gatecert run https://gateway.example --model gpt-4o-mini level edge, key from $GATEWAY_KEY
  gatecert run https://gateway.example --model gpt-4o-mini --model anthropic=claude-haiku-4-5      a model by API format
  gatecert run https://gateway.example --model m --claim codes=none               judged by table 1 only
  gatecert run --target my-gateway.yaml --level relay      as the profile says, up to level relay
  gatecert run --target new-api.yaml --yes                 a running new-api, prepared and restored (docs/new-api.md)
  gatecert run --target my-gateway.yaml --baseline known.yaml                     known failures do not fail the run
  gatecert run --target my-gateway.yaml --baseline known.yaml --update-baseline   accept the failures of this run

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
		return fmt.Errorf("the run is complete and its reports are valid, but: %w", err)
	}
	if err != nil {
		return fmt.Errorf("interrupted; the results so far are in %s: %w", filepath.Join(r.Out, logName), err)
	}
	if r.Update {
		return r.updateBaseline(c, config, run)
	}
	if r.Baseline != "" {
		proposeEntries(c.out, run, r.Failures)
	}
	return outcome(run)
}

// certify runs with a log in the folder, writes the reports next to it and returns the run, which has no schema when it never
// began. An interrupted run has reports too: they say that it is incomplete.
func (c *console) certify(ctx context.Context, config gatecert.Config, formats []reports.Format, dir string, yes bool) (run runlog.Run, err error) {
	// Before the log is overwritten: the log of a killed run is evidence until clean has undone what it left behind.
	journal, err := c.mayChange(&config, dir, yes)
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, journal.Close()) }()
	log := new(logFile)
	config.Log, config.AllowRemoteLoad = log, yes
	bar := &progress{bar: newBar(c)}
	defer bar.close()
	config.Progress = bar.show
	certification, err := gatecert.New(config) // before the files of an earlier run are removed: it refuses a typo
	if err != nil {
		return run, err
	}
	if err := log.create(dir); err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	run, err = certification.Run(ctx)
	bar.close()
	if run.Schema == "" {
		return run, err
	}
	return run, errors.Join(err, writeReports(run, formats, dir))
}

// logFile is the log of a run in its folder, not open before [logFile.create].
type logFile struct{ *os.File }

// create opens an empty log, and removes the reports of an earlier run: next to the log of a run that never began they would
// be mistaken for its reports.
func (l *logFile) create(dir string) (err error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("make the folder for the reports: %w", err)
	}
	for _, f := range reports.Formats() {
		if err := os.Remove(filepath.Join(dir, f.File)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove an earlier report: %w", err)
		}
	}
	l.File, err = os.OpenFile(filepath.Join(dir, logName), os.O_CREATE|os.O_WRONLY|os.O_TRUNC|os.O_APPEND, 0o600) //nolint:gosec // the user's own folder
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	return nil
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

const logName = "run.ndjson"

func writeReports(run runlog.Run, formats []reports.Format, dir string) error {
	for _, f := range formats {
		render := func(w io.Writer) error { return f.Render(w, run) }
		if err := atomicfile.Write(filepath.Join(dir, f.File), 0o600, render); err != nil {
			return fmt.Errorf("write %s: %w", f.Name, err)
		}
	}
	return nil
}
