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
	Rate float64       `help:"Requests a second. Default: ${default}." default:"20"`
	For  time.Duration `help:"How long. Default: ${default}." default:"1m"`
	PID  int           `name:"pid" help:"Process of the gateway, on this machine: its memory is watched." placeholder:"PID"`
}

// Help implements kong's HelpProvider.
func (soakCommand) Help() string {
	return `A constant rate for long. Latency, errors and, with --pid, memory are looked at for a trend; the beginning is left out.
A trend is told with its 95 % interval and called growth when it is certain and more than a tenth of the start.

Examples:
  gatecert load soak --for 30s                                              the embedded reference gateway
  gatecert load soak http://127.0.0.1:3000 --model gpt-4o-mini --rate 100 --for 2h --pid 4711`
}

func (cmd soakCommand) Run(ctx context.Context, c *console) (err error) {
	soak := load.Soak{Rate: cmd.Rate, For: cmd.For, PID: cmd.PID}
	if err := soak.CheckPID(); err != nil {
		return loadError(err)
	}
	r, err := cmd.open(ctx, c, keptShots)
	if err != nil {
		return loadError(err)
	}
	defer func() { err = errors.Join(err, r.close(ctx)) }()
	progress := &loadProgress{c: c}
	soak.Phase = r.stage
	soak.Phase.Progress = progress.show
	plan, err := r.engine.PlanSoak(soak)
	if err != nil {
		return loadError(err)
	}
	if err := r.clear(ctx, c, plan); err != nil {
		return err
	}
	drift, err := r.engine.Soak(ctx, soak)
	progress.close()
	if drift.Measurement.Sent > 0 {
		printDrift(c, drift, err != nil)
	}
	if writeErr := writeMeasurement(c, cmd.Out, drift.Measurement); writeErr != nil || err != nil {
		return errors.Join(loadError(err), writeErr)
	}
	return loadOutcome(drift.Measurement.Verdict())
}

// printDrift tells what a soak found, one that was interrupted too.
func printDrift(c *console, d load.SoakResult, interrupted bool) {
	m := d.Measurement
	admitted := m.Of(load.AllRequests, runlog.Admitted)
	span, verdict := m.Schedule, string(m.Verdict())
	if interrupted {
		span += ", interrupted after " + m.Elapsed.Round(100*time.Millisecond).String()
		verdict += ", as far as it got"
	}
	fmt.Fprintf(c.out, "\nsoak      %s: %d of %d sent, %d admitted, %.3g %% not answered as asked\n",
		span, m.Sent, m.Offered, admitted.Count, m.ErrorRate()*100)
	fmt.Fprintf(c.out, "service   p50 %s  p99 %s  p99.9 %s  max %s\n", shortTime(admitted.ServiceTime.Quantile(0.5)),
		shortTime(admitted.ServiceTime.Quantile(0.99)), shortTime(admitted.ServiceTime.Quantile(0.999)), shortTime(admitted.ServiceTime.Max()))
	fmt.Fprintf(c.out, "verdict   %s\n", verdict)
	for _, reason := range m.Generator.Problems {
		fmt.Fprintf(c.out, "  this machine was not fit: %s\n", reason)
	}
	tellBreaches(c.out, m.Violations)
	for _, t := range d.Trends {
		word := "steady"
		if t.Grows() {
			word = "GROWS"
		}
		fmt.Fprintf(c.out, "%-9s %s\n", word, t)
	}
	if d.MemoryError != nil {
		fmt.Fprintf(c.out, "memory    %v\n", d.MemoryError)
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
