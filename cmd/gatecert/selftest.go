package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/gatecert/gatecert/internal/selftest"
	"github.com/gatecert/gatecert/reports"
)

type selftestCommand struct {
	Deviation []string `help:"Try this deviation; may be repeated. Default: all." placeholder:"NAME"`
	Variation []string `help:"Try this permitted variation; may be repeated. Default: all." placeholder:"NAME"`
	Load      bool     `help:"Try the deviations that only many calls show, and the variations, under load."`
	Parallel  int      `help:"Gateways tried at once. Default: ${default}." default:"6" placeholder:"N"`
	Out       string   `help:"Write selftest.html and selftest.json into this folder. Default: none." placeholder:"DIR" type:"path"`
}

// Help implements kong's HelpProvider.
func (selftestCommand) Help() string {
	return `Every deviation is a reference gateway that breaks the contract in one known way, and has to be caught in exactly the
cases that it breaks; every variation differs in a way that the contract permits, and has to pass.

  gatecert selftest                                    all of them, every row, every obligation, at rest
  gatecert selftest --load                             those that only many calls show
  gatecert selftest --deviation rate-limit-as-503      one of them
  gatecert list deviations                             what there is
  gatecert gateway --deviate rate-limit-as-503         the same gateway, for other harnesses

The exit code is 0 when the harness can be trusted, 1 when it cannot. docs/self-test.md explains more.`
}

// moreGarbage lets the heap grow to five times what is in use: two hundred short runs collect garbage a quarter of
// their time otherwise.
const moreGarbage = 400

func (s selftestCommand) Run(ctx context.Context, c *console) error {
	if s.Parallel < 1 || s.Parallel > 64 {
		return fmt.Errorf("%w: --parallel %d: want 1 to 64", errUsage, s.Parallel)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(moreGarbage))
	bar := newTrialBar(c)
	test, err := selftest.Run(ctx, selftest.Config{
		Deviations: s.Deviation, Variations: s.Variation, UnderLoad: s.Load, Parallel: s.Parallel, Progress: bar.show,
	})
	bar.close()
	if err != nil {
		return err
	}
	if err := test.Terminal(c.out, reports.TerminalOptions{Color: c.color, Width: c.width}); err != nil {
		return err
	}
	if s.Out != "" {
		if err := s.write(test); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "reports: %s\n", filepath.Join(s.Out, "selftest.html"))
	}
	if !test.OK() {
		return errUntrusted
	}
	return nil
}

func (s selftestCommand) write(test reports.SelfTest) error {
	if err := os.MkdirAll(s.Out, 0o750); err != nil {
		return fmt.Errorf("make the folder for the reports: %w", err)
	}
	for _, report := range []struct {
		file   string
		render func(io.Writer) error
	}{{"selftest.html", test.HTML}, {"selftest.json", test.JSON}} {
		file, err := os.OpenFile(filepath.Join(s.Out, report.file), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return fmt.Errorf("write %s: %w", report.file, err)
		}
		if err := errors.Join(report.render(file), file.Close()); err != nil {
			return fmt.Errorf("write %s: %w", report.file, err)
		}
	}
	return nil
}

// trialBar shows how far a self-test has come: a bar on a terminal, a plain line now and then elsewhere, and what went
// wrong as soon as it is known. It is called by one goroutine at a time.
type trialBar struct {
	c    *console
	bars *mpb.Progress
	bar  *mpb.Bar
	told time.Time
}

func newTrialBar(c *console) *trialBar {
	b := &trialBar{c: c}
	if c.terminal {
		b.bars = mpb.New(mpb.WithOutput(c.err), mpb.WithWidth(40), mpb.WithRefreshRate(100*time.Millisecond))
	}
	return b
}

func (b *trialBar) show(p selftest.Progress) {
	if !p.Last.OK() {
		b.linef("not as it should be: %s", p.Last.Name)
	}
	switch {
	case b.bars == nil && (time.Since(b.told) > tellEvery || p.Done == p.Total):
		b.told = time.Now()
		b.linef("%d of %d gateways tried", p.Done, p.Total)
	case b.bars != nil && b.bar == nil:
		b.bar = b.bars.AddBar(int64(p.Total), mpb.PrependDecorators(decor.Name("gateways "), decor.CountersNoUnit("%d/%d")),
			mpb.AppendDecorators(decor.Elapsed(decor.ET_STYLE_GO)), mpb.BarRemoveOnComplete())
	}
	if b.bar != nil {
		b.bar.SetCurrent(int64(p.Done))
	}
}

func (b *trialBar) linef(format string, args ...any) {
	out := b.c.err
	if b.bars != nil {
		out = b.bars // above the bar
	}
	fmt.Fprintf(out, format+"\n", args...)
}

func (b *trialBar) close() {
	if b.bars == nil {
		return
	}
	if b.bar != nil {
		b.bar.Abort(true)
	}
	b.bars.Wait()
}
