package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

type soakCommand struct {
	loadFlags
	Rate       float64       `help:"Requests per second. Default: ${default}." default:"20"`
	For        time.Duration `help:"Duration of the soak. Default: ${default}." default:"1m"`
	Checkpoint time.Duration `help:"Interval at which to save the results so far in the log, so that these results are not lost if the command is killed. Default: ${default}." default:"1m" placeholder:"DURATION"`
	SLO        string        `name:"slo" help:"SLO for the entire soak, in the same form as gatecert load capacity --slo. If the gateway misses the SLO, the exit code is 1." placeholder:"CONDITIONS"`
	PID        int           `name:"pid" help:"Process id of a gateway on this machine, for sampling the gateway's memory and open file descriptors." placeholder:"PID"`
}

// Help implements kong's HelpProvider.
func (soakCommand) Help() string {
	return `gatecert load soak sends requests at a constant rate for a long time and computes trends in latency, error rate and, with --pid, memory
and open file descriptors. The trends exclude the warm-up at the start. Each trend is shown with its 95 % confidence interval. A trend is
marked "growing" if its entire interval is above 0 and the increase exceeds 5 % of the starting value (for the error rate, the increase
must also exceed 0.1 percentage points). The command also counts stalls, in which several requests are slow at the same time, and
detects whether stalls occur at regular intervals. Every minute (--checkpoint), the command saves the results so far, so that these
results are not lost if the command is killed.

Examples:
  gatecert load soak --for 30s                                              test the built-in reference gateway
  gatecert load soak http://127.0.0.1:3000 --model gpt-4o-mini --rate 100 --for 2h --pid 4711`
}

func (cmd soakCommand) Run(ctx context.Context, c *console) (err error) {
	if err := (load.Soak{PID: cmd.PID}).CheckPID(); err != nil {
		return loadError(fmt.Errorf("--pid: %w", err))
	}
	if !(cmd.Rate > 0) || cmd.For <= 0 { // !(>) catches NaN too
		return fmt.Errorf("%w: --rate %g, --for %s: both must be greater than 0", errUsage, cmd.Rate, plain.Duration(cmd.For))
	}
	if cmd.Checkpoint <= 0 {
		return fmt.Errorf("%w: --checkpoint %s: must be greater than 0, such as 1m", errUsage, plain.Duration(cmd.Checkpoint))
	}
	slo, err := cmd.slo()
	if err != nil {
		return err
	}
	s, err := cmd.open(ctx, c)
	if err != nil {
		return loadError(err)
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	workers := fleetFor(c, cmd.fleetFlags, s)
	defer func() { err = errors.Join(err, workers.close(ctx)) }()
	progress, results := &loadProgress{c: c}, cmd.results()
	soak, err := agree(ctx, c, func() (load.Soak, load.Plan, error) {
		soak := load.Soak{Phase: s.phase, Rate: cmd.Rate, For: cmd.For, PID: cmd.PID, CheckpointEvery: cmd.Checkpoint}
		soak.Phase.Progress, soak.Phase.Record = progress.show, results.record()
		if slo != nil {
			soak.Phase.SLO = *slo
		}
		plan, err := s.engine.PlanSoak(soak)
		return soak, plan, err
	}, s)
	if err != nil {
		return err
	}
	run, err := s.begin(c, runlog.SoakKind, slo)
	if err != nil {
		return err
	}
	soak.Checkpoint = func(r load.SoakResult) { run.checkpoint(r.Measurement) }
	result, stopped := s.engine.Soak(ctx, soak)
	progress.close()
	results.keep(mainResults)
	footer := soakFooter(run, result, slo, stopped)
	footer.Notes = append(footer.Notes, workers.notes()...)
	if result.Measurement.Sent > 0 {
		printSoak(c, result, stopped)
		printGates(c, footer.Gates)
		printWorkers(c, result.Measurement)
		err = printStreaming(c, result.Measurement)
	}
	if result.Measurement.Sent == 0 {
		fmt.Fprintln(c.out, "\nsoak      "+footer.Result)
		printVerdict(c, result.Measurement.Verdict())
		for _, problem := range result.Measurement.Generator.Problems {
			fmt.Fprintf(c.out, "  inconclusive: %s\n", problem)
		}
	}
	err = errors.Join(loadError(stopped), err, run.end(footer), results.finish(mainResults, result.Measurement))
	fmt.Fprintf(c.out, "reports: %s\n", run.shown())
	if err != nil {
		return err
	}
	return errors.Join(gateOutcome(footer.Gates), loadOutcome(result.Measurement.Verdict()))
}

// slo reads --slo; nil for none.
func (cmd soakCommand) slo() (*load.SLO, error) {
	if cmd.SLO == "" {
		return nil, nil //nolint:nilnil // none was asked for
	}
	slo, err := load.ParseSLO(cmd.SLO)
	if err != nil {
		return nil, fmt.Errorf("%w: --slo: %w", errUsage, err)
	}
	return &slo, nil
}

// soakFooter says what a soak came to.
func soakFooter(run *measuredRun, result load.SoakResult, slo *load.SLO, stopped error) runlog.MeasuredFooter {
	m := result.Measurement
	f := runlog.MeasuredFooter{
		Verdict: m.Verdict(), Interrupted: stopped != nil, Violations: load.LoggedViolations(m.Violations),
		Result: fmt.Sprintf("%s: %d of %d requests admitted, %.3g %% errors", m.Schedule, m.Count(runlog.Admitted), m.Offered, m.ErrorRate()*100),
	}
	for _, t := range result.Trends {
		f.Trends = append(f.Trends, t.Logged())
	}
	f.Notes = append(f.Notes, "stalls: "+result.Stalls.String())
	if slo != nil && m.Sent > 0 {
		g := runlog.Gate{Text: "SLO " + slo.String(), Result: contract.Held, Why: "every condition is met"}
		if misses := slo.Misses(m); len(misses) > 0 {
			g.Result, g.Why = contract.Violated, strings.Join(misses, "; ")
			if !m.Generator.OK() {
				g.Result = contract.Untested
			}
		}
		f.Gates = append(f.Gates, g)
	}
	m.LogMain(&run.log, &f)
	if m.Sent == 0 {
		f.Result, f.Notes = "no requests were sent", m.Generator.Problems
		if stopped != nil {
			f.Notes = append(f.Notes, stopped.Error())
		}
	}
	return f
}

// printSoak prints the result of a soak, also of one that ended early with an error.
func printSoak(c *console, result load.SoakResult, stopped error) {
	m := result.Measurement
	admitted := m.Of(load.AllRequests, runlog.Admitted)
	schedule := m.Schedule
	var qualifications []string
	if stopped != nil {
		schedule += ", stopped after " + plain.Duration(m.Elapsed.Round(100*time.Millisecond))
		qualifications = append(qualifications, "stopped early")
	}
	fmt.Fprintf(c.out, "\nsoak      %s: sent %d of %d requests, %d admitted, %.3g %% errors\n",
		schedule, m.Sent, m.Offered, admitted.Count, m.ErrorRate()*100)
	fmt.Fprintf(c.out, "service   p50 %s  p99 %s  p99.9 %s  max %s\n", plain.Time(admitted.ServiceTime.Quantile(0.5)),
		plain.Time(admitted.ServiceTime.Quantile(0.99)), plain.Time(admitted.ServiceTime.Quantile(0.999)), plain.Time(admitted.ServiceTime.Max()))
	printVerdict(c, m.Verdict(), qualifications...)
	for _, problem := range m.Generator.Problems {
		fmt.Fprintf(c.out, "  inconclusive: %s\n", problem)
	}
	printViolations(c.out, m.Violations)
	for _, t := range result.Trends {
		word := "steady"
		switch {
		case t.Unclear:
			word = "unclear"
		case t.Grows():
			word = "growing"
		}
		fmt.Fprintf(c.out, "%-9s %s\n", word, t)
	}
	fmt.Fprintf(c.out, "stalls    %s\n", result.Stalls)
	if result.ProcessError != nil {
		fmt.Fprintf(c.out, "process   %v\n", result.ProcessError)
	}
	var chart quantilePlot
	for _, w := range m.Windows {
		if w.P99 > 0 {
			chart.add(w.Start.Seconds(), w.P50, w.P99)
		}
	}
	chart.plot(c, "seconds", "service time, ms")
}
