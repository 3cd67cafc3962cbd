package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/load"
)

type capacityCommand struct {
	loadFlags
	Latency    time.Duration `help:"Objective: the response time of --quantile of the admitted. Default: ${default}." default:"1s"`
	Quantile   float64       `help:"Objective: the quantile of --latency and --first-event. Default: ${default}." default:"0.99"`
	Errors     float64       `help:"Objective: the greatest share of requests that are not answered as asked. Default: ${default}." default:"0.001"`
	FirstEvent time.Duration `help:"Objective: the time to a stream's first event. Default: not asked for." placeholder:"DURATION"`
	Goodput    float64       `help:"Objective: the least share of requests admitted within --latency. Default: not asked for." placeholder:"SHARE"`
	From       float64       `help:"Least rate to try, a second. Default: ${default}." default:"10" placeholder:"RATE"`
	To         float64       `help:"Highest rate to try, a second. Default: 200, and 20,000 on this machine." placeholder:"RATE"`
	Short      time.Duration `help:"Length of the shortest trials. Default: ${default}." default:"1s"`
	Full       time.Duration `help:"Length of the trials that decide. In it a queue may grow by --latency: for a rate that must hold for hours, 30s. Default: ${default}." default:"5s"`
	Precision  float64       `help:"Width of the bracket, relative to its lower end, that a steady gateway gets. Default: ${default}." default:"0.1"`
	Repeats    int           `help:"Trials that must agree at each end of the bracket. Default: ${default}." default:"5"`
	Rounds     int           `help:"Rounds of the comparison with direct calls to the upstream; 0 leaves it out. Default: ${default}." default:"10"`
}

// Help implements kong's HelpProvider.
func (capacityCommand) Help() string {
	return `The capacity is the highest rate at which the gateway meets the objective. The search starts with short trials and ends
with full-length ones; its result is a bracket. Every answer is judged by the contract meanwhile. Where the upstream is
ours, the same call is compared directly and through the gateway: the difference is the gateway's own.

Examples:
  gatecert load capacity                                               the embedded reference gateway
  gatecert load capacity https://gateway.example --model gpt-4o-mini   at most 200 requests a second; more needs --yes
  gatecert load capacity --target my-gateway.yaml --latency 500ms --surface chat-stream --first-event 200ms`
}

// The highest rates that are tried when nobody names one.
const (
	farRate  = 200
	nearRate = 20_000
)

// keptShots bounds the shots that are kept for the export: at about 200 bytes each they take up to 40 MB.
const keptShots = 200_000

func (cmd capacityCommand) Run(ctx context.Context, c *console) (err error) {
	r, err := cmd.open(ctx, c, keptShots)
	if err != nil {
		return loadError(err)
	}
	defer func() { err = errors.Join(err, r.close(ctx)) }()
	progress := &loadProgress{c: c}
	search, comparison := cmd.search(r, progress), cmd.comparison(r, progress)
	plan, err := cmd.plan(r, search, comparison)
	if err != nil {
		return loadError(err)
	}
	if err := r.clear(ctx, c, plan); err != nil {
		return err
	}
	found, err := r.engine.Capacity(ctx, search)
	progress.close()
	printCapacity(c, found)
	if err != nil {
		return errors.Join(loadError(err), writeMeasurement(c, cmd.Out, found.AtLower))
	}
	if comparison != nil {
		overhead, err := r.engine.Overhead(ctx, *comparison)
		progress.close()
		if err != nil {
			return err
		}
		if err := printOverhead(c, overhead); err != nil {
			return err
		}
	}
	if err := writeMeasurement(c, cmd.Out, found.AtLower); err != nil {
		return err
	}
	return loadOutcome(found.Verdict())
}

func (cmd capacityCommand) search(r *firingRange, progress *loadProgress) load.Search {
	stage := r.stage
	if progress.c.terminal { // elsewhere a line for each trial says enough
		stage.Progress = progress.show
	}
	to := cmd.To
	if to == 0 {
		to = max(farRate, cmd.From)
		if r.stays(stage.Mix[0]) {
			to = max(nearRate, cmd.From)
		}
	}
	errorShare := cmd.Errors
	if errorShare == 0 {
		errorShare = -1 // none at all; 0 would mean the default
	}
	return load.Search{
		Phase: stage, From: cmd.From, To: to, Short: cmd.Short, Full: cmd.Full, Precision: cmd.Precision, Repeats: cmd.Repeats,
		SLO: load.SLO{
			Quantile: cmd.Quantile, Latency: cmd.Latency, Errors: errorShare, TTFT: cmd.FirstEvent, Goodput: cmd.Goodput,
		},
		Observe: func(t load.Probe) { progress.sayf("%s", trialLine(t)) },
	}
}

// comparison is nil when it is not wanted or there is nothing to compare with.
func (cmd capacityCommand) comparison(r *firingRange, progress *loadProgress) *load.Comparison {
	direct, ok := runner.DirectRequest(r.prepared.Profile, r.surface)
	if !ok || cmd.Rounds == 0 {
		return nil
	}
	stage := r.stage
	stage.Keep = 0
	return &load.Comparison{
		Phase: stage, Direct: direct, Through: r.stage.Mix[0], Rounds: cmd.Rounds, Duration: min(time.Second, cmd.Full),
		Progress: func(done, of int) { progress.sayf("comparison: round %d of %d", done, of) },
	}
}

func (cmd capacityCommand) plan(r *firingRange, s load.Search, comparison *load.Comparison) (load.Plan, error) {
	plan, err := r.engine.PlanSearch(s)
	if err != nil || comparison == nil {
		return plan, err
	}
	more, err := r.engine.PlanComparison(*comparison)
	return plan.Add(more), err
}

func trialLine(t load.Probe) string {
	verdict := "met"
	switch {
	case len(t.Inconclusive) > 0:
		verdict = "proves nothing: " + strings.Join(t.Inconclusive, "; ")
	case len(t.Misses) > 0:
		verdict = "missed: " + strings.Join(t.Misses, "; ")
	}
	return fmt.Sprintf("%8.4g/s for %-6s p50 %-8s p99 %-8s %s", t.Rate, t.Duration.Round(100*time.Millisecond), shortTime(t.P50), shortTime(t.P99), verdict)
}

func printCapacity(c *console, found load.Capacity) {
	fmt.Fprintf(c.out, "\ncapacity  %s\nobjective %s\n", found, found.SLO)
	verdict := string(found.Verdict())
	if found.Unstable {
		verdict += ", but not steady"
	}
	if found.Partial {
		verdict += ", as far as it got"
	}
	fmt.Fprintf(c.out, "verdict   %s\n", verdict)
	tellBreaches(c.out, found.Violations)
	for _, note := range found.Notes {
		fmt.Fprintf(c.out, "note      %s\n", note)
	}
	points := found.Curve
	if len(points) == 0 {
		points = found.Probes
	}
	var p50, p99 []plotPoint
	for _, t := range points {
		if len(t.Inconclusive) == 0 && t.Admitted > 0 {
			p50 = append(p50, plotPoint{t.Rate, milliseconds(t.P50)})
			p99 = append(p99, plotPoint{t.Rate, milliseconds(t.P99)})
		}
	}
	plot(c.out, c.width, axes{x: "requests a second", y: "response time, ms", logY: true},
		[]plotSeries{{"p50", 'o', p50}, {"p99", '*', p99}})
}

func printOverhead(c *console, o load.Overhead) error {
	fmt.Fprintf(c.out, "\nwhat the gateway adds to a call, at %g/s in %d rounds by turns (95 %% intervals)\n", o.Rate, o.Rounds)
	var lines [][]string
	for _, d := range o.Differences {
		lines = append(lines, []string{
			fmt.Sprintf("p%g", d.Quantile*100), shortTime(d.Direct), shortTime(d.Through), shortTime(d.Added),
			fmt.Sprintf("%s … %s", shortTime(d.Low), shortTime(d.High)),
		})
	}
	if o.Discarded > 0 {
		fmt.Fprintf(c.out, "%d rounds were measured again: this machine was not fit, or an answer not healthy\n", o.Discarded)
	}
	return table(c.out, []string{"quantile", "direct", "through", "added", "interval"}, lines)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// shortTime leaves three digits.
func shortTime(d time.Duration) string {
	for unit := time.Duration(1); ; unit *= 10 {
		if d.Abs() < 1000*unit {
			return d.Round(unit).String()
		}
	}
}
