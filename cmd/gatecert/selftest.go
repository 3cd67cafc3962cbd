package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/gatecert/gatecert/internal/atomicfile"
	"github.com/gatecert/gatecert/internal/selftest"
	"github.com/gatecert/gatecert/reports"
)

type selftestCommand struct {
	Mutant    []string `help:"Test this mutant; may be repeated. Default: all." placeholder:"NAME"`
	Permitted []string `help:"Test this permitted behaviour; may be repeated. Default: all." placeholder:"NAME"`
	Load      bool     `help:"Test the mutants that only many calls show, and the permitted behaviours, with load cases."`
	Parallel  int      `help:"Gateways tested at once. Default: ${default}." default:"6" placeholder:"N"`
	Out       string   `help:"Write selftest.html and selftest.json into this folder. Default: none." placeholder:"DIR" type:"path"`
}

// Help implements kong's HelpProvider.
func (selftestCommand) Help() string {
	return `A mutant is the reference gateway, broken in one known way. It must be killed: fail exactly the cases that it breaks.
A permitted behaviour is something that a conformant gateway may do. It must pass every case.

  gatecert selftest                                  all of them, every row and requirement, without load cases
  gatecert selftest --load                           the mutants that only many calls show
  gatecert selftest --mutant rate-limit-as-503       one of them
  gatecert list mutants                              all mutants
  gatecert gateway --mutant rate-limit-as-503        serve the same gateway, for other harnesses

The exit code is 0 when the self-test passes and 1 when it fails. See docs/self-test.md.`
}

// gcPercent lets the heap grow to five times what is in use: two hundred short runs spend a quarter of their time on
// garbage collection otherwise.
const gcPercent = 400

func (s selftestCommand) Run(ctx context.Context, c *console) error {
	if s.Parallel < 1 || s.Parallel > 64 {
		return fmt.Errorf("%w: --parallel %d: want 1 to 64", errUsage, s.Parallel)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	bar := newGatewayBar(c)
	test, err := selftest.Run(ctx, selftest.Config{
		Mutants: s.Mutant, Permitted: s.Permitted, Load: s.Load, Parallel: s.Parallel, Progress: bar.show,
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
		return errSelfTest
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
		if err := atomicfile.Write(filepath.Join(s.Out, report.file), 0o600, report.render); err != nil {
			return fmt.Errorf("write %s: %w", report.file, err)
		}
	}
	return nil
}

// gatewayBar shows how far a self-test has come: a bar on a terminal, a line every few seconds elsewhere, and each mistake at
// once. It is called by one goroutine at a time.
type gatewayBar struct {
	c       *console
	bars    *mpb.Progress
	bar     *mpb.Bar
	printed time.Time
}

func newGatewayBar(c *console) *gatewayBar {
	b := &gatewayBar{c: c}
	if c.terminal {
		b.bars = mpb.New(mpb.WithOutput(c.err), mpb.WithWidth(40), mpb.WithRefreshRate(100*time.Millisecond))
	}
	return b
}

func (b *gatewayBar) show(p selftest.Progress) {
	if !p.Last.OK() {
		b.linef("mistake: %s", p.Last.Name)
	}
	switch {
	case b.bars == nil && (time.Since(b.printed) > printEvery || p.Done == p.Total):
		b.printed = time.Now()
		b.linef("%d of %d gateways tested", p.Done, p.Total)
	case b.bars != nil && b.bar == nil:
		b.bar = b.bars.AddBar(int64(p.Total), mpb.PrependDecorators(decor.Name("gateways "), decor.CountersNoUnit("%d/%d")),
			mpb.AppendDecorators(decor.Elapsed(decor.ET_STYLE_GO)), mpb.BarRemoveOnComplete())
	}
	if b.bar != nil {
		b.bar.SetCurrent(int64(p.Done))
	}
}

func (b *gatewayBar) linef(format string, args ...any) {
	out := b.c.err
	if b.bars != nil {
		out = b.bars // above the bar
	}
	fmt.Fprintf(out, format+"\n", args...)
}

func (b *gatewayBar) close() {
	if b.bars == nil {
		return
	}
	if b.bar != nil {
		b.bar.Abort(true)
	}
	b.bars.Wait()
}
