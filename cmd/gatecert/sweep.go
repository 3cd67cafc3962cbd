package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// sweep measures a closed loop at each of --concurrency.
func (cmd capacityCommand) sweep(ctx context.Context, c *console, s *loadSession, slo load.SLO, progress *loadProgress) error {
	results := cmd.results()
	sweep, err := agree(ctx, c, func() (load.Sweep, load.Plan, error) {
		sweep := load.Sweep{
			Phase: s.phase, SLO: slo, Levels: cmd.Levels, Each: cmd.Full, Most: cmd.highest(s),
			Observe: func(l load.SweepLevel) {
				progress.printf("%s", callersLine(l))
				results.keep(strconv.Itoa(l.Concurrency))
			},
		}
		sweep.Phase.Record = results.record()
		plan, err := s.engine.PlanSweep(sweep)
		return sweep, plan, err
	}, s)
	if err != nil {
		return err
	}
	run, err := s.begin(c, runlog.CapacityKind, &slo)
	if err != nil {
		return err
	}
	result, stopped := s.engine.Sweep(ctx, sweep)
	progress.close()
	footer := runlog.MeasuredFooter{
		Verdict: result.Verdict(), Interrupted: stopped != nil, Result: result.String(), Violations: load.LoggedViolations(result.Violations),
	}
	for _, l := range result.Levels {
		run.log.Points = append(run.log.Points, l.Logged(cmd.Full))
	}
	result.AtBest.LogMain(&run.log, &footer)
	footer.Notes = append(footer.Notes, s.fleet.notes()...)
	printWorkers(c, result.AtBest)
	best, _ := result.Best()
	err = errors.Join(loadError(stopped), printSweep(c, result), run.end(footer), results.finish(strconv.Itoa(best.Concurrency), result.AtBest))
	fmt.Fprintf(c.out, "reports: %s\n", run.shown())
	if err != nil {
		return err
	}
	return loadOutcome(result.Verdict())
}

func callersLine(l load.SweepLevel) string {
	return fmt.Sprintf("%12s %8.4g/s p50 %-8s p99 %-8s %s",
		plain.Count(l.Concurrency, "caller"), l.Throughput, plain.Time(l.P50), plain.Time(l.P99), metOrMissed(l.Misses, l.Inconclusive))
}

func printSweep(c *console, result load.SweepResult) error {
	fmt.Fprintf(c.out, "\nsweep     %s\nSLO       %s\n", result, result.SLO)
	printVerdict(c, result.Verdict())
	printViolations(c.out, result.Violations)
	var lines [][]string
	for _, l := range result.Levels {
		note := metOrMissed(l.Misses, l.Inconclusive)
		if l.Bounded {
			note += " (stopped early: this level sent the maximum of --to × --full requests)"
		}
		lines = append(lines, []string{
			strconv.Itoa(l.Concurrency), fmt.Sprintf("%.4g", l.Throughput), plain.Time(l.P50), plain.Time(l.P99), fmt.Sprintf("%.3g", 100*l.Errors), note,
		})
	}
	return table(c.out, []string{"callers", "requests/s", "p50", "p99", "errors, %", "result"}, lines)
}
