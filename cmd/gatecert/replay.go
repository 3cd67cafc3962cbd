package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/plain"
)

type replayCommand struct {
	Case string `arg:"" complete:"cases" help:"Id of the case, as shown in the reports."`
	From string `required:"" help:"The earlier run's folder or run.ndjson file." placeholder:"RUN" type:"path"`
	targetFlags
	Yes bool `help:"Allow the driver to change a running gateway (gatecert lists the changes first), and allow gatecert to send the key in $$GATEWAY_KEY to the gateway URL in the log. For CI."`
}

// Help implements kong's HelpProvider.
func (replayCommand) Help() string {
	return `Example:
  gatecert replay code:model_not_found/absent-model/chat --from reports/latest

gatecert replay reruns the case with its control calls, shows the response and an equivalent curl command, and reports the case as fixed,
still failing, still passing or different. If neither a URL nor --target is given, the command uses the target in the log. If the target
in the log is a URL, add --key, or add --yes to allow gatecert to send the key in $GATEWAY_KEY to that URL. This permission is required
because someone else may have written the log. The exit codes are the same as those of gatecert run.`
}

// mayTell reports whether the key may be sent to a URL that only the log names: the log may be a stranger's, and the key of the
// environment was not meant for it. It returns [errUsage].
func (f targetFlags) mayTell(c *console, url string, yes bool) error {
	if url == "" || yes || f.Key != cmp.Or(os.Getenv("GATECERT_KEY"), os.Getenv("GATEWAY_KEY")) {
		return nil
	}
	shown := plain.Text(url, maxReason)
	if c.in != nil {
		fmt.Fprintf(c.err, "the URL %s comes only from the log, which someone else may have written. Send the key in $GATEWAY_KEY to this URL? [y/N] ", shown)
		answer, err := bufio.NewReader(c.in).ReadString('\n')
		if err == nil && strings.EqualFold(strings.TrimSpace(answer), "y") {
			return nil
		}
	}
	return fmt.Errorf("%w: the key in $GATEWAY_KEY would be sent to %s, an address that comes only from the log: specify the gateway with a URL or --target, or confirm with --yes or --key", errUsage, shown)
}

func (r replayCommand) Run(ctx context.Context, c *console) (err error) {
	earlier, err := readLog(r.From)
	if err != nil {
		return err
	}
	var config gatecert.Config
	if config.Target, err = r.orLogged(c, earlier, r.Yes); err != nil {
		return err
	}
	r.tellRoot(c)
	config.AllowActions = r.permits(config.Target)
	c.tellActions(config)
	log, err := logPath(r.From)
	if err != nil {
		return err
	}
	changes, err := c.prepareIn(&config, filepath.Dir(log), r.Yes)
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
	if err := replay.Terminal(c.out, c.options(0)); err != nil {
		return err
	}
	return outcome(again)
}
