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
	"github.com/gatecert/gatecert/internal/clients"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/reports/clientlog"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
)

// clientsName is the file in the folder of a run with what client libraries did.
const clientsName = "clients.json"

// playsClients reports whether a run plays client libraries too: one that is named is asked for.
func (r runCommand) playsClients() bool { return r.Clients || len(r.Client)+len(r.Adapter) > 0 }

// runClients are the client libraries that a run plays when its cases have ended.
type runClients struct {
	config clients.Config
	// seen is what they did, nil before they have played.
	seen *clientlog.Log
}

// clients are the client libraries that a run plays, nil for none.
func (r runCommand) clients(c *console, config gatecert.Config) (*runClients, error) {
	if !r.playsClients() {
		return nil, nil //nolint:nilnil // nothing is asked for
	}
	if url := config.Target.BaseURL; url != "" && !r.Yes && !runner.OnThisMachine(url) {
		return nil, fmt.Errorf("%w: clients may send each request up to %d times, and %s is not on this machine: if the gateway's operator agrees, add --yes",
			errNotSent, clients.MaxAttempts, config.Target.Shown(url))
	}
	adapters, err := r.adapters(c)
	if err != nil {
		return nil, err
	}
	return &runClients{config: clients.Config{Adapters: adapters, Probes: probeNames(), CallTime: defaultCallTime}}, nil
}

// playing returns what a run does afterwards: it plays the clients on the cases that it asks for.
func (r *runClients) playing(c *console, b *progress, asks func(contract.Case) bool) func(context.Context, runlog.Run, *targets.Session) error {
	return func(ctx context.Context, run runlog.Run, s *targets.Session) error {
		b.close()
		r.config.Asks = asks
		log, err := c.playClients(ctx, r.config, s)
		log.RunID = run.RunID
		r.seen = &log
		return c.withoutClients(ctx, err)
	}
}

// withoutClients is the error of clients as that of their run: an interruption is one. Anything else is noted, because it is nothing about
// the gateway.
func (c *console) withoutClients(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	fmt.Fprintf(c.err, "note: the run is complete, but the client libraries could not be tested: %v\n", err)
	return nil
}

// writeClients writes the record of a run's clients, if there is one, into its folder.
func writeClients(run runlog.Run, dir string) error {
	if run.Clients == nil {
		return nil
	}
	render := func(w io.Writer) error { return clientlog.WriteJSON(w, *run.Clients) }
	if err := atomicfile.Write(filepath.Join(dir, clientsName), 0o600, render); err != nil {
		return fmt.Errorf("write %s: %w", clientsName, err)
	}
	return nil
}

// withClients adds what is in the folder of a run about its clients. The record of another run is left out.
func withClients(run runlog.Run, dir string) (runlog.Run, error) {
	path := filepath.Join(dir, clientsName)
	file, err := os.Open(path) //nolint:gosec // next to the user's own log
	switch {
	case errors.Is(err, os.ErrNotExist):
		return run, nil
	case err != nil:
		return run, fmt.Errorf("%w: %w", errUsage, err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	log, err := clientlog.ReadJSON(file)
	if err != nil {
		return run, fmt.Errorf("%s: %w; to render the report without client results, remove this file", path, err)
	}
	if log.RunID == run.RunID {
		run.Clients = &log
	}
	return run, nil
}
