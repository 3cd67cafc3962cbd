package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

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

// Prepare implements [targets.Driver]. After it, the workers take turns making the calls that verify a rate limit.
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

// limited is the worker that a limit is inferred from: the first of sources, or any. It is "" where none is left.
func (d *fleetDriver) limited() string {
	for _, w := range append(d.sources(), d.team.Workers()...) {
		return w
	}
	return ""
}

// sources are a worker for each address that workers were told to send from. Others count as none: their machine may have several names, or
// the same address as another machine.
func (d *fleetDriver) sources() (workers []string) {
	if d.team == nil {
		return nil
	}
	var seen []netip.Addr
	for _, w := range d.team.Workers() {
		source, err := netip.ParseAddr(d.team.Source(w))
		if source = source.Unmap(); err == nil && !slices.Contains(seen, source) {
			seen, workers = append(seen, source), append(workers, w)
		}
	}
	return workers
}

// oneSource says why it is not asked whether a limit is shared by addresses.
const oneSource = "no two workers were started with different --source addresses; without --source, even workers on different machines may reach the gateway from the same address"

// scope infers whether others share the inferred limit. It takes what is left of the budget.
func (cmd rateLimitCommand) scope(ctx context.Context, c *console, p targets.Prepared, d *fleetDriver, m limits.LimiterModel, left limits.Budget, progress func(load.Progress)) (limits.Scope, []limits.Experiment, error) {
	sources := d.sources()
	ask := runner.Scope{OtherKey: cmd.OtherKey}
	var experiments []limits.Experiment
	switch {
	case len(sources) > 1:
		ask.OtherSource = d.team.Calls(d.setup, sources[1])
		fmt.Fprintf(c.err, "plan: calls from %s, to test whether these addresses share the limit\n", plain.Joined([]string{d.team.Source(sources[0]), d.team.Source(sources[1])}))
	case d.team != nil:
		fmt.Fprintf(c.err, "note: %s\n", oneSource)
		notAsked := limits.Experiment{Name: "source", Sentence: "another address: not tested, because " + oneSource, Began: time.Now()}
		left.Finished(notAsked)
		experiments = append(experiments, notAsked)
	}
	scope, more, err := runner.InferScope(ctx, p, dialect.Surface(cmd.Surface), m, ask, left, progress)
	return scope, append(experiments, more...), err
}

// scopeText is what was found of others, "" where nothing was asked.
func scopeText(s limits.Scope) string {
	if s == (limits.Scope{}) {
		return ""
	}
	return s.String()
}
