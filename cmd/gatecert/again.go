package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/profile"
)

// againFlags are those of a verification that plays cases anew.
type againFlags struct {
	Again      string   `complete:"reference" help:"Rerun a random tenth of the cases on the gateway TARGET and compare the verdicts. TARGET is a URL, a profile, or 'reference' for the built-in gateway." placeholder:"TARGET"`
	Seed       uint64   `help:"With --again: rerun the same cases as the earlier verification that printed this seed." placeholder:"N"`
	GatewayKey string   `help:"With --again URL: a valid API key for the gateway." env:"GATEWAY_KEY" placeholder:"KEY"`
	Model      []string `help:"With --again URL: a model to test, in the same form as gatecert run --model. Default: the models in the log." placeholder:"NAME" sep:"none"`
	claimFlags
	AllowActions bool          `help:"With --again: run the shell commands and SQL statements in the profile."`
	Yes          bool          `help:"With --again: allow the driver to change a running gateway without asking (gatecert lists the changes first). For CI."`
	TimeLimit    time.Duration `help:"With --again: stop the rerun after this time. Default: ${default}." default:"15m"`
}

// target is the gateway that --again names, with the flags that a run of it would have.
func (f againFlags) target(earlier runlog.Run) (profile.Profile, targetFlags, error) {
	flags := targetFlags{claimFlags: f.claimFlags, AllowActions: f.AllowActions}
	var p profile.Profile
	var err error
	switch isURL := strings.Contains(f.Again, "://"); {
	case f.Again == profile.ReferenceDriver:
		p, err = flags.profile()
	case !isURL:
		flags.Target, flags.Model = f.Again, f.Model
		p, err = flags.profile()
	case len(f.Model) > 0:
		flags.URL, flags.Key, flags.Model = f.Again, f.GatewayKey, f.Model
		p, err = flags.profile()
	case profile.BaseURLFault(f.Again) != "":
		err = fmt.Errorf("%w: --again: %s", errUsage, profile.BaseURLFault(f.Again))
	default:
		if p, err = runner.TargetAt(earlier, f.Again, f.GatewayKey); err == nil {
			p, err = flags.on(p)
		}
		if err == nil && f.GatewayKey == "" && !p.Claims.NoClientKeys() {
			err = fmt.Errorf("%w: --again with a URL requires --gateway-key (or $GATEWAY_KEY); for a gateway that issues no client keys, add --claim client_keys=false", errUsage)
		}
	}
	return p, flags, err
}

// play plays a tenth of the cases of a log anew. It returns nil when each has the verdict of the log, and the errors of a run.
func (f againFlags) play(ctx context.Context, c *console, earlier runlog.Run) (err error) {
	if f.TimeLimit < 0 {
		return fmt.Errorf("%w: --time-limit %s: must be positive, or 0 for no limit", errUsage, plain.Duration(f.TimeLimit))
	}
	var config gatecert.Config
	var flags targetFlags
	if config.Target, flags, err = f.target(earlier); err != nil {
		return err
	}
	config.AllowActions = flags.permits(config.Target)
	c.tellActions(config)
	seed := f.Seed
	for seed == 0 {
		seed = rand.Uint64() >> 32
	}
	job := runner.Job{Target: config.Target, AllowActions: config.AllowActions, TimeLimit: f.TimeLimit}
	sample, err := runner.SampleOf(earlier, job, seed)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "seed %d: rerunning %d of %s on %s", seed, len(sample.Cases), plain.Count(sample.Of, "case"), config.Target.Shown(f.Again))
	if sample.NotOffered > 0 {
		fmt.Fprintf(c.out, "; this target does not offer %d of the cases in the log", sample.NotOffered)
	}
	fmt.Fprintln(c.out)
	changes, err := c.prepareIn(&config, "", f.Yes)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, changes.close()) }()
	bar := &progress{bar: newBar(c)}
	defer bar.close()
	job.Driver, job.OpenStore, job.Progress = config.Driver, config.OpenStore, bar.show
	later, err := runner.PlayAgain(ctx, job, sample.Cases)
	bar.close()
	if err != nil {
		return err
	}
	again := reports.NewAgain(earlier, later, sample.Cases)
	if err := again.Write(c.out); err != nil {
		return err
	}
	switch {
	case len(again.Differing) > 0:
		return shownError{exitNotConformant, "some verdicts differ from those in the log"}
	case len(again.Open) > 0:
		return shownError{exitHarness, "inconclusive"}
	default:
		return nil
	}
}
