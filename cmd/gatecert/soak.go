package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/runlog"
)

type soakCommand struct {
	loadFlags
	Rate float64       `help:"Requests per second. Default: ${default}." default:"20"`
	For  time.Duration `help:"Duration. Default: ${default}." default:"1m"`
	PID  int           `name:"pid" help:"Process id of the gateway on this machine, to sample its memory." placeholder:"PID"`
}

// Help implements kong's HelpProvider.
func (soakCommand) Help() string {
	return `A constant request rate for a long time. Trends in latency, error rate and, with --pid, memory are computed without a warm-up.
Each trend is shown with its 95 % confidence interval, and flagged GROWS when the interval excludes zero and the change exceeds
10 % of the starting value.

Examples:
  gatecert load soak --for 30s                                              the embedded reference gateway
  gatecert load soak http://127.0.0.1:3000 --model gpt-4o-mini --rate 100 --for 2h --pid 4711`
}

func (cmd soakCommand) Run(ctx context.Context, c *console) (err error) {
	soak := load.Soak{Rate: cmd.Rate, For: cmd.For, PID: cmd.PID}
	if err := soak.CheckPID(); err != nil {
		return loadError(err)
	}
	s, err := cmd.open(ctx, c, keptResults)
	if err != nil {
		return loadError(err)
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	progress := &loadProgress{c: c}
	soak.Phase = s.phase
	soak.Phase.Progress = progress.show
	plan, err := s.engine.PlanSoak(soak)
	if err != nil {
		return loadError(err)
	}
	if err := s.announce(ctx, c, plan); err != nil {
		return err
	}
	soak.Phase.Mix = s.phase.Mix // the first request may have changed it
	result, err := s.engine.Soak(ctx, soak)
	progress.close()
	if result.Measurement.Sent > 0 {
		printSoak(c, result, err)
		if err := printStreaming(c, result.Measurement); err != nil {
			return err
		}
	}
	if writeErr := writeMeasurement(c, cmd.Out, result.Measurement); writeErr != nil || err != nil {
		return errors.Join(loadError(err), writeErr)
	}
	return loadOutcome(result.Measurement.Verdict())
}

// printSoak prints the result of a soak, also of one that ended early with an error.
func printSoak(c *console, result load.SoakResult, stopped error) {
	m := result.Measurement
	admitted := m.Of(load.AllRequests, runlog.Admitted)
	schedule := m.Schedule
	var qualifications []string
	if stopped != nil {
		schedule += ", stopped after " + m.Elapsed.Round(100*time.Millisecond).String()
		qualifications = append(qualifications, "stopped early")
	}
	fmt.Fprintf(c.out, "\nsoak      %s: sent %d of %d requests, %d admitted, %.3g %% errors\n",
		schedule, m.Sent, m.Offered, admitted.Count, m.ErrorRate()*100)
	fmt.Fprintf(c.out, "service   p50 %s  p99 %s  p99.9 %s  max %s\n", shortTime(admitted.ServiceTime.Quantile(0.5)),
		shortTime(admitted.ServiceTime.Quantile(0.99)), shortTime(admitted.ServiceTime.Quantile(0.999)), shortTime(admitted.ServiceTime.Max()))
	printVerdict(c, m.Verdict(), qualifications...)
	for _, problem := range m.Generator.Problems {
		fmt.Fprintf(c.out, "  inconclusive: %s\n", problem)
	}
	printViolations(c.out, m.Violations)
	for _, t := range result.Trends {
		word := "steady"
		if t.Grows() {
			word = "GROWS"
		}
		fmt.Fprintf(c.out, "%-9s %s\n", word, t)
	}
	if result.MemoryError != nil {
		fmt.Fprintf(c.out, "memory    %v\n", result.MemoryError)
	}
	var p50, p99 []plotPoint
	for _, w := range m.Windows {
		if w.P99 > 0 {
			p50 = append(p50, plotPoint{w.Start.Seconds(), milliseconds(w.P50)})
			p99 = append(p99, plotPoint{w.Start.Seconds(), milliseconds(w.P99)})
		}
	}
	plot(c.out, c.width, axes{x: "seconds", y: "service time, ms", logY: true}, []plotSeries{{"p50", 'o', p50}, {"p99", '*', p99}})
}
