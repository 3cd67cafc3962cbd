package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/internal/atomicfile"
	"github.com/gatecert/gatecert/internal/clients"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/reports/clientlog"
	"github.com/gatecert/gatecert/reports/runlog"
)

// clientsName is the file in the folder of a run with what client libraries did.
const clientsName = "clients.json"

// playsClients reports whether a run plays client libraries too: one that is named is asked for.
func (r runCommand) playsClients() bool { return r.Clients || len(r.Client)+len(r.Adapter) > 0 }

// clients are the client libraries that a run plays when its cases have ended: they play the same rows. It returns nil for none.
func (r runCommand) clients(c *console, config gatecert.Config) (*clients.Config, error) {
	if !r.playsClients() {
		return nil, nil //nolint:nilnil // nothing is asked for
	}
	if url := config.Target.BaseURL; url != "" && !r.Yes && !runner.OnThisMachine(url) {
		return nil, fmt.Errorf("%w: clients send each request up to %d times, and %s is not on this machine; --yes sends them, with the consent of whoever runs it",
			errNotSent, clients.MaxAttempts, config.Target.Shown(url))
	}
	adapters, err := r.adapters(c)
	if err != nil {
		return nil, err
	}
	return &clients.Config{Adapters: adapters, Probes: probeNames(), CallTime: defaultCallTime}, nil
}

// withoutClients is the error of clients as that of their run: an interruption is one. Anything else is noted, because it is nothing about
// the gateway.
func (c *console) withoutClients(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	fmt.Fprintf(c.err, "note: the run is complete without its clients: %v\n", err)
	return nil
}

// writeClients writes the record of clients into the folder of their run.
func writeClients(dir string, log clientlog.Log) error {
	if err := atomicfile.Write(filepath.Join(dir, clientsName), 0o600, func(w io.Writer) error { return clientlog.WriteJSON(w, log) }); err != nil {
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
		return run, fmt.Errorf("%s: %w; without the file, the run is shown without its clients", path, err)
	}
	if log.RunID == run.RunID {
		run.Clients = &log
	}
	return run, nil
}
