package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/gatecert/gatecert/internal/atomicfile"
	"github.com/gatecert/gatecert/internal/selftest"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/plain"
)

type selftestCommand struct {
	Mutant    []string `complete:"mutants" help:"Test only this mutant. Repeatable. Default: all." placeholder:"NAME"`
	Permitted []string `complete:"permitted" help:"Test only this permitted behaviour. Repeatable. Default: all." placeholder:"NAME"`
	All       bool     `help:"Run every case against every mutant and every permitted behaviour. By default, each mutant is tested with the cases that the mutant must break and a twentieth of the other cases, and each permitted behaviour with three quarters of all cases. With --all, the self-test takes a quarter of an hour."`
	Load      bool     `help:"Run load cases against the mutants that can be detected only under load, and against the permitted behaviours."`
	Parallel  int      `help:"Number of gateways to test concurrently. Default: ${default}." default:"8" placeholder:"N"`
	Out       string   `help:"Folder for selftest.html and selftest.json. Default: write no files." placeholder:"DIR" type:"path"`
}

// Help implements kong's HelpProvider.
func (selftestCommand) Help() string {
	return `A mutant is the reference gateway with one known fault. The self-test must kill every mutant: exactly the cases that the mutant breaks
must fail. A permitted behaviour is something that a conformant gateway may do, so every case must pass.

  gatecert selftest                                  test all mutants and permitted behaviours, without load cases
  gatecert selftest --all                            run every case against every mutant and permitted behaviour
  gatecert selftest --load                           test the mutants that can be detected only under load
  gatecert selftest --mutant rate-limit-as-503       test one mutant
  gatecert list mutants                              list all mutants
  gatecert gateway --mutant rate-limit-as-503        start a gateway with this fault, to try another test harness on it

The exit code is 0 when the self-test passes and 1 when it fails. See docs/self-test.md.`
}

// gcPercent lets the heap grow to five times what is in use: two hundred short runs spend a quarter of their time on
// garbage collection otherwise.
const gcPercent = 400

func (s selftestCommand) Run(ctx context.Context, c *console) error {
	if s.Parallel < 1 || s.Parallel > 64 {
		return fmt.Errorf("%w: --parallel %d: must be between 1 and 64", errUsage, s.Parallel)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	bar := &gatewayBar{newBar(c)}
	test, err := selftest.Run(ctx, selftest.Config{
		Mutants: s.Mutant, Permitted: s.Permitted, All: s.All, Load: s.Load, Parallel: s.Parallel, Progress: bar.show,
	})
	bar.close()
	if err != nil {
		return err
	}
	if err := test.Terminal(c.out, c.options(0)); err != nil {
		return err
	}
	if s.Out != "" {
		if err := s.write(test); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "reports: %s\n", filepath.Join(s.Out, "selftest.html"))
	}
	if !test.OK() {
		return shownError{exitNotConformant, "the self-test failed"}
	}
	return nil
}

func (s selftestCommand) write(test reports.SelfTest) error {
	if err := os.MkdirAll(s.Out, 0o750); err != nil {
		return fmt.Errorf("create the folder for the reports: %w (use --out to choose another folder)", err)
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

// gatewayBar shows how far a self-test has come, and each mistake at once. It is called by one goroutine at a time.
type gatewayBar struct{ bar }

func (b *gatewayBar) show(p selftest.Progress) {
	if !p.Last.OK() {
		b.linef("mistake: %s", p.Last.Name)
	}
	switch {
	case b.bars != nil:
		b.draw("gateways", p.Done, p.Total, func() string { return "" })
	case time.Since(b.printed) > printEvery || p.Done == p.Total:
		b.printed = time.Now()
		b.linef("%d of %s tested", p.Done, plain.Count(p.Total, "gateway"))
	}
}
