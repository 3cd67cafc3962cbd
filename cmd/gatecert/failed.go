package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/internal/wait"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/profile"
)

// failures are the cases of an earlier run that a run with --failed plays.
type failures struct {
	earlier runlog.Run
	cases   []string
}

// failuresIn reads them from the folder or the log of a run: what failed, could not be judged or never ran there.
func failuresIn(c *console, from string) (failures, error) {
	earlier, err := readLog(from)
	if err != nil {
		return failures{}, err
	}
	f := failures{earlier: earlier}
	gone := 0
	for _, k := range earlier.AllCases() {
		if k.Verdict.Conformant() {
			continue
		}
		if _, err := contract.ParseCase(k.ID); err != nil {
			gone++
			continue
		}
		f.cases = append(f.cases, k.ID)
	}
	if gone > 0 {
		fmt.Fprintf(c.err, "note: skipping %s from the run %s (unknown to this version of gatecert)\n", plain.Count(gone, "case"), from)
	}
	if len(f.cases) == 0 {
		return f, fmt.Errorf("%w: no case failed in %s: omit --failed to run every case", gatecert.ErrNothingToRun, from)
	}
	return f, nil
}

// selected restricts a configuration to the failures, and to their endpoints where none are named.
func (f failures) selected(config gatecert.Config) gatecert.Config {
	config.Cases = f.cases
	if len(config.Surfaces) == 0 {
		for _, id := range f.cases {
			if k, err := contract.ParseCase(id); err == nil && !slices.Contains(config.Surfaces, string(k.Surface)) {
				config.Surfaces = append(config.Surfaces, string(k.Surface))
			}
		}
	}
	return config
}

// orLogged is the gateway that the flags name, or the profile of this folder if it is about the gateway of an earlier run, or else that
// gateway as its log knows it.
func (f *targetFlags) orLogged(c *console, earlier runlog.Run, yes bool) (p profile.Profile, err error) {
	if err := f.findSame(c, earlier); err != nil {
		return p, err
	}
	if p, err = f.profile(); err != nil || f.URL != "" || f.Target != "" {
		return p, err
	}
	if p, err = runner.TargetOf(earlier, f.Key); err != nil {
		return p, err
	}
	if p, err = f.on(p); err != nil {
		return p, err
	}
	return p, f.mayTell(c, p.BaseURL, yes)
}

// How long a gateway that accepts connections again may take until it serves calls, and how often gatecert checks this.
const (
	startsFor   = 30 * time.Second
	startsEvery = time.Second
)

// untilPass plays the failures again after every restart of the gateway, until all pass or the user leaves. The exit code is that
// of the last round.
func (r runCommand) untilPass(ctx context.Context, c *console, config gatecert.Config, f failures, formats []reports.Format) error {
	switch {
	case config.Target.BaseURL == "":
		return fmt.Errorf("%w: --until-pass waits for the gateway to restart, but the built-in gateway never restarts: specify your gateway with a URL or --target", errUsage)
	case prepares(config.Target) && !r.Yes:
		return fmt.Errorf("%w: --until-pass with the driver %s changes the gateway in every round: add --yes to permit the changes", errUsage, config.Target.Driver)
	}
	address, err := runner.Address(config.Target.BaseURL)
	if err != nil {
		return err
	}
	entered := c.lines(ctx)
	for round := 1; ; round++ {
		run, out, err := c.certify(ctx, config, runOptions{out: r.Out, kind: latestRun, formats: formats, yes: r.Yes, keep: r.Keep})
		for began := time.Now(); errors.Is(err, gatecert.ErrInconclusive) && round > 1 && time.Since(began) < startsFor; {
			if wait.For(ctx, startsEvery) != nil {
				return err
			}
			run, out, err = c.certify(ctx, config, runOptions{out: r.Out, kind: latestRun, formats: formats, yes: r.Yes, keep: r.Keep})
		}
		switch {
		case began(run):
			if err := reports.NewRetry(f.earlier, run, f.cases).Terminal(c.out, c.options(r.Failures), true); err != nil {
				return err
			}
			if err := reports.Closing(c.out, run, c.options(0)); err != nil {
				return err
			}
			fmt.Fprintf(c.out, "reports: %s\n", out.shown(formats[0].File))
			if err != nil {
				return err
			}
			if outcome(run) == nil {
				return nil
			}
		case !errors.Is(err, gatecert.ErrInconclusive):
			return err
		default:
			fmt.Fprintln(c.err, "gatecert:", err)
		}
		fmt.Fprintf(c.err, "round %d has ended. Waiting for the gateway at %s to restart%s\n", round, address, entered.hint())
		if entered.orRestart(ctx, address) != nil { // the user has left
			if began(run) {
				return outcome(run)
			}
			return err
		}
	}
}

// userLines are the lines that the user of a terminal enters.
type userLines chan struct{}

// lines reads what the user enters, until the process ends. It is nil where there is no user.
func (c *console) lines(ctx context.Context) userLines {
	if c.in == nil {
		return nil
	}
	lines := make(userLines)
	go func() {
		for in := bufio.NewScanner(c.in); in.Scan(); {
			select {
			case lines <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return lines
}

func (l userLines) hint() string {
	if l == nil {
		return ""
	}
	return ". To rerun now, press Enter; to stop, press Ctrl-C"
}

// orRestart returns when the user has entered a line or the gateway has restarted, or with the cause when ctx is cancelled.
func (l userLines) orRestart(ctx context.Context, address string) error {
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	restarted := make(chan error, 1)
	go func() { restarted <- runner.AwaitRestart(watching, address) }()
	select {
	case <-l:
		return nil
	case err := <-restarted:
		return err
	}
}
