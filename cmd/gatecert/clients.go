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
	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/internal/atomicfile"
	"github.com/gatecert/gatecert/internal/clients"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/internal/version"
	"github.com/gatecert/gatecert/reports/clientlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/store"
)

type clientsCommand struct {
	targetFlags
	Client   []string      `help:"Clients by the name of their adapter. Default: all in the list that are installed." placeholder:"NAME"`
	Adapters string        `help:"Folder with clients.json, the list of adapters. Default: ${default}." default:"clients" placeholder:"DIR" type:"path"`
	Adapter  []string      `help:"One more adapter, as NAME=COMMAND; it speaks the lines of docs/clients.md. Repeatable." placeholder:"NAME=COMMAND" sep:"none"`
	Rows     []string      `complete:"rows" help:"Rows or patterns of rows. Default: all." placeholder:"ROW"`
	Probe    []string      `help:"Probes, answers that gatecert itself gives: names, or none. Default: all." placeholder:"NAME"`
	Slow     bool          `help:"Let a client wait for up to five minutes, and play the probes that need it."`
	CallTime time.Duration `help:"Longest time of one call with all its attempts. Default: ${default}, with --slow 5m." default:"15s"`
	Format   string        `enum:"terminal,markdown,json,behaviour" help:"terminal, markdown, json or behaviour (a line a call without times, to compare versions of one client). Default: ${default}." default:"terminal"`
	Out      string        `help:"Also write the JSON into this file." placeholder:"FILE" type:"path"`
	From     string        `help:"Render the JSON of an earlier run again; nothing is sent." placeholder:"FILE" type:"path"`
	Yes      bool          `help:"Send to a gateway that is not on this machine, and agree to the changes that a driver lists. For CI."`
}

// Help implements kong's HelpProvider.
func (clientsCommand) Help() string {
	return `What real client libraries make of each answer: how often they send a request, what they raise, where the code is to be read, and whether
they take an error for an answer. It is compared with what the row tells callers to do. Nothing of it is a verdict on the gateway.
Every client calls a recorder on this machine, which sees all attempts. No client library gets a key of the gateway.

Examples:
  gatecert clients --client curl                           one client on the reference gateway
  gatecert clients --rows code:insufficient_user_quota     all that are installed
  gatecert clients --target my-gateway.yaml --out seen.json

docs/clients.md says how to install clients and how to add one. Exit codes: 0 whatever the clients do, 2 usage, 3 interrupted or no client, 5 no gateway.`
}

const slowCallTime = 5 * time.Minute

func (cmd clientsCommand) Run(ctx context.Context, c *console) error {
	if cmd.From != "" {
		return cmd.render(c)
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
	return errors.Join(cmd.show(c, log), err)
}

func (cmd clientsCommand) render(c *console) error {
	file, err := os.Open(cmd.From)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	log, err := clientlog.ReadJSON(file)
	if err != nil {
		return err
	}
	return cmd.show(c, log)
}

// adapters are the chosen ones that are installed. One that was named and is not installed is a usage error.
func (cmd clientsCommand) adapters(c *console) ([]clients.Adapter, error) {
	var all []clients.Adapter
	for _, word := range cmd.Adapter {
		name, command, ok := strings.Cut(word, "=")
		if !ok || name == "" || len(strings.Fields(command)) == 0 {
			return nil, fmt.Errorf("%w: --adapter %q: want NAME=COMMAND", errUsage, word)
		}
		all = append(all, clients.Adapter{Name: name, Command: strings.Fields(command)})
	}
	named := len(cmd.Client) > 0
	if len(all) == 0 || named {
		listed, err := clients.ReadManifest(cmd.Adapters)
		switch {
		case err == nil:
			all = append(all, listed...)
		case len(all) == 0:
			return nil, fmt.Errorf("%w (--adapters names the folder, --adapter a single command)", err)
		}
	}
	var chosen []clients.Adapter
	for _, a := range all {
		if named && !slices.Contains(cmd.Client, a.Name) {
			continue
		}
		if missing := a.Missing(); missing != "" {
			if named {
				return nil, fmt.Errorf("%w: client %s is not installed: %s", errUsage, a.Name, missing)
			}
			fmt.Fprintf(c.err, "client %s is left out: %s\n", a.Name, missing)
			continue
		}
		chosen = append(chosen, a)
	}
	for _, name := range cmd.Client {
		if !slices.ContainsFunc(all, func(a clients.Adapter) bool { return a.Name == name }) {
			return nil, fmt.Errorf("%w: no client %q in %s", errUsage, name, cmd.Adapters)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("%w: none is installed", clients.ErrNoClient)
	}
	return chosen, nil
}

func (cmd clientsCommand) config(adapters []clients.Adapter) (clients.Config, error) {
	config := clients.Config{Adapters: adapters, Slow: cmd.Slow, CallTime: cmd.CallTime}
	if cmd.Slow {
		config.CallTime = slowCallTime
	}
	if config.CallTime <= 0 || config.CallTime > slowCallTime {
		return config, fmt.Errorf("%w: --call-time %s: want more than 0 and at most %s", errUsage, cmd.CallTime, slowCallTime)
	}
	selection, err := runner.Select(runner.Choice{Level: contract.Full, Rows: cmd.Rows})
	if err != nil {
		return config, err
	}
	config.Asks = selection.Asks
	var known []string
	for _, p := range clients.Probes() {
		known = append(known, p.Name)
	}
	switch {
	case len(cmd.Probe) == 0:
		config.Probes = known
	case slices.Equal(cmd.Probe, []string{"none"}):
	default:
		for _, name := range cmd.Probe {
			if !slices.Contains(known, name) {
				return config, fmt.Errorf("%w: no probe %q: want none, or of %s", errUsage, name, strings.Join(known, ", "))
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
	p := prepared.Profile
	fmt.Fprintf(c.err, "plan: %d clients call %s through a recorder on this machine, each call for at most %s and at most %d times\n",
		len(config.Adapters), p.Shown(p.BaseURL), config.CallTime, clients.MaxAttempts)
	if !cmd.Yes && !runner.OnThisMachine(p.BaseURL) {
		return log, fmt.Errorf("%w: %s is not on this machine; --yes sends it, with the consent of whoever runs it", errNotSent, p.Shown(p.BaseURL))
	}
	session := targets.NewSession(prepared, targets.Host{OpenStore: store.Open})
	defer func() { err = errors.Join(err, session.Close()) }()
	searched, _ := p.SearchedSecrets()
	config.Session, config.Redactor, config.Roots = session, redact.New(searched...), prepared.Roots
	b := newBar(c)
	config.Progress = func(done, total int) {
		if c.terminal {
			b.draw("clients", done, total, func() string { return "" })
		} else if time.Since(b.printed) > printEvery {
			b.printed = time.Now()
			b.linef("%d of %d calls", done, total)
		}
	}
	log, err = clients.Play(ctx, config)
	b.close()
	log.Tool, log.ContractDigest, log.Target = version.Tool(), contract.Digest(), p.Shown(p.Name)
	return log, err
}

// show prints the log in the wanted format, and writes the file of --out.
func (cmd clientsCommand) show(c *console, log clientlog.Log) error {
	if cmd.Out != "" {
		if err := atomicfile.Write(cmd.Out, 0o600, func(w io.Writer) error { return clientlog.WriteJSON(w, log) }); err != nil {
			return fmt.Errorf("write the JSON: %w", err)
		}
	}
	switch cmd.Format {
	case "json":
		return clientlog.WriteJSON(c.out, log)
	case "markdown":
		return clientlog.WriteMarkdown(c.out, log, describeProbe)
	case "behaviour":
		for _, client := range log.Clients {
			if err := clientlog.Behaviour(c.out, log, client.Name); err != nil {
				return err
			}
		}
		return nil
	default:
		return clientlog.WriteTerminal(c.out, log)
	}
}

func describeProbe(name string) string {
	for _, p := range clients.Probes() {
		if p.Name == name {
			return p.Sentence
		}
	}
	return ""
}
