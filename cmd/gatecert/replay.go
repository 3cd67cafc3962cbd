package main

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/reports"
)

type replayCommand struct {
	Case string `arg:"" help:"Id of the case, as in the reports."`
	From string `required:"" help:"The earlier run: its folder or its run.ndjson." placeholder:"RUN" type:"path"`
	targetFlags
	Yes bool `help:"Permit the changes that a driver makes on a running gateway (it lists them first). For CI."`
}

// Help implements kong's HelpProvider.
func (replayCommand) Help() string {
	return `Example:
  gatecert replay code:model_not_found/absent-model/chat --from reports/latest

It runs the case with its control calls, shows the response and its curl line, and says fixed, still failing, still passing or
different. Without a URL and --target, the target is the one in the log; of a gateway at a URL it needs the key.
Exit codes: those of a run of this one case.`
}

func (r replayCommand) Run(ctx context.Context, c *console) (err error) {
	earlier, err := readLog(r.From)
	if err != nil {
		return err
	}
	var config gatecert.Config
	if config.Target, err = r.profile(); err != nil {
		return err
	}
	if config.Target.BaseURL == "" && config.Target.Driver == "" {
		if config.Target, err = runner.TargetOf(earlier, r.Key); err != nil {
			return err
		}
	}
	config.AllowActions = r.permits(config.Target)
	c.tellActions(config)
	changes, err := c.prepareIn(&config, filepath.Dir(logPath(r.From)), r.Yes)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, changes.close()) }()
	again, err := runner.Replay(ctx, runner.Job{Target: config.Target, Driver: config.Driver, OpenStore: config.OpenStore, AllowActions: config.AllowActions}, earlier, r.Case)
	if err != nil {
		return err
	}
	before, _ := earlier.Case(r.Case) // Replay has found it
	replay := reports.Replay{Before: before, After: again.AllCases()[0]}
	if err := replay.Terminal(c.out, reports.TerminalOptions{Color: c.color, Width: c.width}); err != nil {
		return err
	}
	return outcome(again)
}
