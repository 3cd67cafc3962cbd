package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/internal/clients"
	"github.com/gatecert/gatecert/internal/version"
	"github.com/gatecert/gatecert/internal/yamlfile"
	"github.com/gatecert/gatecert/reports/clientlog"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/targets"
)

// clientFlags choose client libraries.
type clientFlags struct {
	Client   []string `help:"Clients to run, by adapter name. Default: every client in clients.json that is installed." placeholder:"NAME"`
	Adapters string   `help:"Folder that contains clients.json, the list of adapters. Default: ${default}." default:"clients" placeholder:"DIR" type:"path"`
	Adapter  []string `help:"Additional adapter: a program that implements the protocol in docs/clients.md. Repeatable." placeholder:"NAME=COMMAND" sep:"none"`
}

// adapters are the chosen ones that are installed. One that was named and is not installed is a usage error.
func (f clientFlags) adapters(c *console) ([]clients.Adapter, error) {
	var all []clients.Adapter
	for _, word := range f.Adapter {
		name, command, ok := strings.Cut(word, "=")
		if !ok || name == "" || len(strings.Fields(command)) == 0 {
			return nil, fmt.Errorf("%w: --adapter %q: must be NAME=COMMAND", errUsage, word)
		}
		all = append(all, clients.Adapter{Name: name, Command: strings.Fields(command)})
	}
	named := len(f.Client) > 0
	if len(all) == 0 || named {
		listed, err := clients.ReadManifest(f.Adapters)
		switch {
		case err == nil:
			all = append(all, listed...)
		case len(all) == 0:
			return nil, fmt.Errorf("%w: use --adapters DIR to specify the folder that contains clients.json, or --adapter NAME=COMMAND to specify a single adapter", err)
		}
	}
	var chosen []clients.Adapter
	for _, a := range all {
		if named && !slices.Contains(f.Client, a.Name) {
			continue
		}
		if missing := a.Missing(); missing != "" {
			if named {
				return nil, fmt.Errorf("%w: client %s is not installed: %s", errUsage, a.Name, missing)
			}
			fmt.Fprintf(c.err, "skipping client %s: %s\n", a.Name, missing)
			continue
		}
		chosen = append(chosen, a)
	}
	for _, name := range f.Client {
		if !slices.ContainsFunc(all, func(a clients.Adapter) bool { return a.Name == name }) {
			return nil, fmt.Errorf("%w: --client: there is no client %q in %s: %s", errUsage, name, f.Adapters,
				yamlfile.DidYouMean(name, namesOf(all), "use one of "+plain.Joined(namesOf(all))))
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("%w: none of the clients in clients.json is installed (to install them, run make clients)", clients.ErrNoClient)
	}
	return chosen, nil
}

func namesOf(adapters []clients.Adapter) []string {
	var names []string
	for _, a := range adapters {
		names = append(names, a.Name)
	}
	return names
}

// defaultCallTime is the longest time of one call of a client.
const defaultCallTime = 15 * time.Second

// probeNames are the names of all probes.
func probeNames() []string {
	var names []string
	for _, p := range clients.Probes() {
		names = append(names, p.Name)
	}
	return names
}

func describeProbe(name string) string {
	for _, p := range clients.Probes() {
		if p.Name == name {
			return p.Sentence
		}
	}
	return ""
}

// playClients plays clients on a prepared gateway, and says how far they are.
func (c *console) playClients(ctx context.Context, config clients.Config, session *targets.Session) (clientlog.Log, error) {
	p := session.Profile
	c.notef("plan: run %s against %s through a recorder on this machine; each call is limited to %s and %d attempts",
		plain.Count(len(config.Adapters), "client"), p.Shown(p.BaseURL), plain.Duration(config.CallTime), clients.MaxAttempts)
	searched, _ := p.SearchedSecrets()
	config.Session, config.Redactor = session, redact.New(searched...)
	b := newBar(c)
	config.Progress = func(done, total int) {
		switch {
		case b.bars != nil:
			b.draw("clients", done, total, func() string { return "" })
		case !c.quiet && time.Since(b.printed) > printEvery:
			b.printed = time.Now()
			b.linef("%d of %s", done, plain.Count(total, "call"))
		}
	}
	log, err := clients.Play(ctx, config)
	b.close()
	log.Tool, log.ContractDigest, log.Target = version.Tool(), contract.Digest(), p.Shown(p.Name)
	return log, err
}
