package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/atomicfile"
	"github.com/gatecert/gatecert/internal/clients"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/internal/yamlfile"
	"github.com/gatecert/gatecert/reports/clientlog"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/store"
)

type clientsCommand struct {
	targetFlags
	clientFlags
	Rows     []string      `complete:"rows" help:"Rows or row patterns to run. Default: all." placeholder:"ROW"`
	Probe    []string      `help:"Names of the probes to run, or 'none'. In a probe, the client receives its responses from gatecert, not from the gateway. Default: all." placeholder:"NAME"`
	Slow     bool          `help:"Also run the probes that keep a client waiting for minutes. With --slow, the command can take up to twenty minutes."`
	CallTime time.Duration `help:"Timeout for one call, including all its attempts. Default: ${default}, or 7m with --slow." default:"15s"`
	Format   string        `enum:"terminal,markdown,json,behaviour" help:"Output format: terminal, markdown, json or behaviour (one line per call, without times, for comparing client versions). Default: ${default}." default:"terminal"`
	Out      string        `help:"Also write the results to this file as JSON." placeholder:"FILE" type:"path"`
	From     string        `help:"Render the JSON file of an earlier run again, without sending any requests." placeholder:"FILE" type:"path"`
	Against  string        `help:"At the end, print how the clients' behaviour differs from their behaviour in an earlier run. FILE is that run's JSON file. Differences in behaviour do not affect the exit code." placeholder:"FILE" type:"path"`
	Yes      bool          `help:"Allow requests to a gateway on another machine, and allow the changes that the driver lists. For CI."`
}

// Help implements kong's HelpProvider.
func (clientsCommand) Help() string {
	return `gatecert clients shows how real client libraries handle each response: how many times they send a request, which error they raise, where a
program can find the error code, and whether they accept an error as a normal response. The report compares each client's behaviour
with what the contract tells callers to do. The result is not a verdict on the gateway. Every client calls a recorder on this machine,
which records all attempts. Client libraries never receive the gateway's keys.

Examples:
  gatecert clients --client curl                              run one client against the reference gateway
  gatecert clients --rows code:insufficient_user_quota        run all installed clients, for one row
  gatecert clients --target my-gateway.yaml --out seen.json   run all installed clients against your gateway, and keep the results as JSON

See docs/clients.md for how to install and add clients. Exit codes: 0 regardless of the clients' behaviour; 2 usage; 3 interrupted, or
no client is installed; 5 gateway not available.`
}

// slowCallTime is the same with --slow: the longest probe takes 310 s.
const slowCallTime = 7 * time.Minute

func (cmd clientsCommand) Run(ctx context.Context, c *console) error {
	var before *clientlog.Log
	if cmd.Against != "" {
		recorded, err := readFrom(cmd.Against, clientlog.ReadJSON)
		if err != nil {
			return err
		}
		before = &recorded
	}
	if cmd.From != "" {
		log, err := readFrom(cmd.From, clientlog.ReadJSON)
		if err != nil {
			return err
		}
		return cmd.show(c, log, before)
	}
	adapters, err := cmd.adapters(c)
	if err != nil {
		return err
	}
	config, err := cmd.config(adapters)
	if err != nil {
		return err
	}
	target, err := cmd.profile()
	if err != nil {
		return err
	}
	cmd.tellRoot(c)
	log, err := cmd.play(ctx, c, target, config)
	if len(log.Calls) == 0 && err != nil {
		return err
	}
	return errors.Join(cmd.show(c, log, before), err)
}

func (cmd clientsCommand) config(adapters []clients.Adapter) (clients.Config, error) {
	config := clients.Config{Adapters: adapters, Slow: cmd.Slow, CallTime: cmd.CallTime}
	if cmd.Slow {
		config.CallTime = slowCallTime
	}
	if config.CallTime <= 0 || config.CallTime > slowCallTime {
		return config, fmt.Errorf("%w: --call-time %s: must be greater than 0 and at most %s", errUsage, plain.Duration(cmd.CallTime), plain.Duration(slowCallTime))
	}
	selection, err := runner.Select(runner.Choice{Level: contract.Full, Rows: cmd.Rows})
	if err != nil {
		return config, err
	}
	config.Asks = selection.Asks
	known := probeNames()
	switch {
	case len(cmd.Probe) == 0:
		config.Probes = known
	case slices.Equal(cmd.Probe, []string{"none"}):
	default:
		for _, name := range cmd.Probe {
			if !slices.Contains(known, name) {
				return config, fmt.Errorf("%w: --probe: there is no probe %q: %s", errUsage, name, yamlfile.DidYouMean(name, known, "must be 'none', or one or more of "+strings.Join(known, ", ")))
			}
		}
		config.Probes = cmd.Probe
	}
	return config, nil
}

// play prepares the target and plays.
func (cmd clientsCommand) play(ctx context.Context, c *console, target profile.Profile, config clients.Config) (log clientlog.Log, err error) {
	made := gatecert.Config{Target: target, Command: os.Args, OpenStore: store.Open}
	changes, err := c.prepareIn(&made, "", cmd.Yes)
	if err != nil {
		return log, err
	}
	defer func() { err = errors.Join(err, changes.close()) }()
	made.Target.WithoutActions = made.Target.WithoutActions || !cmd.AllowActions && len(made.Target.Actions()) > 0
	prepared, err := runner.Prepare(ctx, made.Driver, made.Target)
	if err != nil {
		return log, err
	}
	defer func() { err = errors.Join(err, prepared.Close(context.WithoutCancel(ctx))) }()
	if p := prepared.Profile; !cmd.Yes && !runner.OnThisMachine(p.BaseURL) {
		return log, fmt.Errorf("%w: %s is not on this machine: if the gateway's operator agrees, add --yes", errNotSent, p.Shown(p.BaseURL))
	}
	session := targets.NewSession(prepared, targets.Host{OpenStore: store.Open})
	defer func() { err = errors.Join(err, session.Close()) }()
	return c.playClients(ctx, config, session)
}

// show prints the log in the wanted format, writes the file of --out, and compares with that of --against.
func (cmd clientsCommand) show(c *console, log clientlog.Log, before *clientlog.Log) error {
	if before != nil {
		defer func() { _, _ = clientlog.Drift(c.err, *before, log) }() // news about clients, and no failure
	}
	if cmd.Out != "" {
		if err := atomicfile.Write(cmd.Out, 0o600, func(w io.Writer) error { return clientlog.WriteJSON(w, log) }); err != nil {
			return fmt.Errorf("write the results as JSON: %w", err)
		}
	}
	switch cmd.Format {
	case "json":
		return clientlog.WriteJSON(c.out, log)
	case "markdown":
		return clientlog.WriteMarkdown(c.out, log, describeProbe)
	case "behaviour":
		for _, b := range clientlog.Behaviours(log) {
			if err := b.Write(c.out); err != nil {
				return err
			}
		}
		return nil
	default:
		return clientlog.WriteTerminal(c.out, log)
	}
}
