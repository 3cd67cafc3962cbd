package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/load/fleet"
	"github.com/gatecert/gatecert/load/limits"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// fleetDriver prepares a target as its driver does, and then starts the workers that call it. The workers end with the target.
type fleetDriver struct {
	targets.Driver

	flags   fleetFlags
	console *console
	// team and setup are set when the target is prepared.
	team  *team
	setup fleet.Setup
}

// Prepare implements [targets.Driver]. The calls of a rate limit's verification are then made by the workers in turn.
func (d *fleetDriver) Prepare(ctx context.Context, p profile.Profile) (targets.Prepared, error) {
	prepared, err := d.Driver.Prepare(ctx, p)
	if err != nil {
		return prepared, err
	}
	d.team = &team{flags: d.flags, console: d.console}
	err = d.team.start(ctx, targetsOf(prepared.Profile))
	if err == nil {
		d.setup, err = setupOf(prepared.Profile, runner.OptionsFor(prepared))
	}
	if err != nil {
		return prepared, errors.Join(err, d.team.close(ctx), prepared.Close(context.WithoutCancel(ctx)))
	}
	patience := prepared.Profile.Limits.Patience
	d.setup.Limits = exchange.Limits{Patience: patience, Total: 2 * patience, Idle: patience}
	prepared.Caller = d.team.Calls(d.setup)
	closing := prepared.Close
	prepared.Close = func(ctx context.Context) error { return errors.Join(d.team.close(ctx), closing(ctx)) }
	return prepared, nil
}

// sources are a worker for each address that requests come from.
func (d *fleetDriver) sources() (workers []string) {
	var seen []string
	for _, w := range d.team.Workers() {
		if source := d.team.Source(w); !slices.Contains(seen, source) {
			seen, workers = append(seen, source), append(workers, w)
		}
	}
	return workers
}

// scope infers whose calls the inferred limit counts together, and prints it.
func (cmd rateLimitCommand) scope(ctx context.Context, c *console, p targets.Prepared, d *fleetDriver, m limits.LimiterModel, progress func(load.Progress)) (limits.Scope, []limits.Experiment, error) {
	sources := d.sources()
	ask := runner.Scope{OtherKey: cmd.OtherKey}
	if len(sources) > 1 {
		ask.OtherSource = d.team.Calls(d.setup, sources[1])
		fmt.Fprintf(c.err, "plan: calls from %s, to see whose calls the limit counts together\n", plain.Joined([]string{d.team.Source(sources[0]), d.team.Source(sources[1])}))
	} else {
		fmt.Fprintln(c.err, "note: all workers call from the same address, so that a limit per address cannot be told from one per key: give --source, or workers on other machines")
	}
	return runner.InferScope(ctx, p, dialect.Surface(cmd.Surface), m, ask, limits.Budget{Calls: cmd.Calls, Time: cmd.For, RefusedWith: cmd.Refusal}, progress)
}

// scopeText is what the limit counts, "" where nothing was asked.
func scopeText(s limits.Scope) string {
	if s == (limits.Scope{}) || s == (limits.Scope{Sources: limits.Unclear, Keys: limits.Unclear}) {
		return ""
	}
	return strings.TrimSpace(s.String())
}
