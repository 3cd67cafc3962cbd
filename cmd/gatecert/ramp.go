package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// ramp raises the rate until the gateway misses the SLO.
func (cmd capacityCommand) ramp(ctx context.Context, c *console, s *loadSession, slo load.SLO, progress *loadProgress) error {
	results := cmd.results()
	ramp, err := agree(ctx, c, func() (load.Ramp, load.Plan, error) {
		ramp := load.Ramp{
			Phase: s.phase, SLO: slo, From: cmd.From, To: cmd.highest(s), For: cmd.Ramp,
			Observe: func(step load.RampStep) { progress.printf("%s", rampLine(step)) },
		}
		ramp.Phase.Record = results.record()
		plan, err := s.engine.PlanRamp(ramp)
		return ramp, plan, err
	}, s)
	if err != nil {
		return err
	}
	run, err := s.begin(c, runlog.CapacityKind, &slo)
	if err != nil {
		return err
	}
	result, stopped := s.engine.Ramp(ctx, ramp)
	progress.close()
	results.keep(mainResults)
	printRamp(c, result)
	m := result.Measurement
	footer := runlog.MeasuredFooter{
		Verdict: m.Verdict(), Interrupted: stopped != nil, Result: result.String(), Violations: load.LoggedViolations(m.Violations),
	}
	for _, step := range result.Steps {
		run.log.Points = append(run.log.Points, step.Logged())
	}
	m.LogMain(&run.log, &footer)
	err = errors.Join(loadError(stopped), run.end(footer), results.finish(mainResults, m))
	fmt.Fprintf(c.out, "reports: %s\n", run.shown())
	if err != nil {
		return err
	}
	return loadOutcome(m.Verdict())
}

func rampLine(s load.RampStep) string {
	return fmt.Sprintf("%8.4g/s after %-6s p50 %-8s p99 %-8s %s", s.Rate, s.At, plain.Time(s.P50), plain.Time(s.P99), metOrMissed(s.Misses, nil))
}

func printRamp(c *console, result load.RampResult) {
	fmt.Fprintf(c.out, "\nramp      %s\nSLO       %s\n", result, result.SLO)
	printVerdict(c, result.Measurement.Verdict())
	for _, problem := range result.Measurement.Generator.Problems {
		fmt.Fprintf(c.out, "  inconclusive: %s\n", problem)
	}
	printViolations(c.out, result.Measurement.Violations)
	var chart quantilePlot
	for _, s := range result.Steps {
		if s.Admitted > 0 {
			chart.add(s.Rate, s.P50, s.P99)
		}
	}
	chart.plot(c, "requests/s", "latency, ms")
}
