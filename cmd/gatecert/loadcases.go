package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/yamlfile"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// caseFlags are shared by the commands that run load cases of the contract.
type caseFlags struct {
	targetFlags
	Surface string `complete:"surfaces" help:"Endpoint to call, both with and without streaming: chat, responses, messages or gemini. Default: ${default}." default:"chat"`
	Out     string `help:"Folder for run.ndjson and the reports. Default: a new folder, reports/START-TARGET-load (the start time and the target's name); the link reports/load points to the new folder." placeholder:"DIR" type:"path"`
	Yes     bool   `help:"Allow load on a gateway on another machine, and allow the changes that the driver lists. For CI."`
}

func (f *caseFlags) config(c *console) (gatecert.Config, error) {
	surface := dialect.Surface(f.Surface)
	if !slices.Contains(contract.LoadSurfaces(), surface) {
		return gatecert.Config{}, fmt.Errorf("%w: --surface: the endpoint %q has no load cases: %s", errUsage, f.Surface,
			yamlfile.DidYouMean(f.Surface, contract.LoadSurfaces(), "use one of "+plain.Joined(contract.LoadSurfaces())))
	}
	if err := f.find(c); err != nil {
		return gatecert.Config{}, err
	}
	target, err := f.profile()
	target.Load.Surfaces = []dialect.Surface{surface}
	return gatecert.Config{Target: target, Level: contract.Full, Command: os.Args, AllowActions: f.permits(target)}, err
}

// certify runs the load cases of circumstances, and prints the result of each with a plot of its course.
func (f caseFlags) certify(ctx context.Context, c *console, config gatecert.Config, circumstances ...string) error {
	return f.certifyFrom(ctx, c, config, fleetFlags{}, circumstances...)
}

// certifyFrom is certify with the workers that make the calls of a rate limit's verification.
func (f caseFlags) certifyFrom(ctx context.Context, c *console, config gatecert.Config, workers fleetFlags, circumstances ...string) error {
	f.tellRoot(c)
	config.Surfaces = []string{f.Surface}
	for _, circumstance := range circumstances {
		config.Cases = append(config.Cases, contract.CaseOf(circumstance, dialect.Surface(f.Surface), contract.LoadVariant).ID())
	}
	formats, err := formatsNamed(nil, "")
	if err != nil {
		return err
	}
	run, out, err := c.certify(ctx, config, runOptions{out: f.Out, kind: latestLoad, formats: formats, yes: f.Yes, workers: workers})
	if !began(run) {
		return err
	}
	for _, result := range run.Cases {
		printLoadCase(c, result)
	}
	for _, note := range reports.Notes(run) {
		fmt.Fprintf(c.out, "note: %s\n", note)
	}
	fmt.Fprintf(c.out, "%s.\nreports: %s\n", reports.Sentence(run), out.shown(formats[0].File))
	if err != nil {
		return fmt.Errorf("the run ended with an error; its results so far are in %s: %w", out.shown(logName), err)
	}
	return outcome(run)
}

func printLoadCase(c *console, result runlog.Case) {
	fmt.Fprintf(c.out, "%s %s\n", result.Verdict, result.ID)
	if result.Reason != "" {
		fmt.Fprintf(c.out, "  %s\n", plain.Text(result.Reason, maxReason))
	}
	if result.Load == nil {
		fmt.Fprintln(c.out)
		return
	}
	for _, line := range reports.LoadText(*result.Load) {
		fmt.Fprintf(c.out, "  %s\n", line)
	}
	for _, f := range result.Findings {
		fmt.Fprintf(c.out, "  %s\n", plain.Text(f.String(), maxReason))
	}
	plotResponses(c, *result.Load)
	fmt.Fprintln(c.out)
}

// maxReason bounds what is printed of a reason or a finding. They may quote the gateway.
const maxReason = 400

func plotResponses(c *console, summary runlog.LoadSummary) {
	series := []plotSeries{{name: "admitted", mark: '+'}, {name: "refused", mark: '-'}, {name: "other", mark: 'x'}}
	for _, span := range summary.Spans {
		rates := make([]float64, len(series))
		for _, counts := range span.Counts {
			for outcome, n := range counts {
				rate := float64(n) / max(span.Lasts, time.Millisecond).Seconds()
				switch outcome {
				case runlog.Admitted:
					rates[0] += rate
				case runlog.Refused:
					rates[1] += rate
				default:
					rates[2] += rate
				}
			}
		}
		for i, rate := range rates {
			if rate > 0 {
				series[i].points = append(series[i].points, plotPoint{(span.At + span.Lasts/2).Seconds(), rate})
			}
		}
	}
	plot(c.out, c.width, axes{x: "s", y: "responses/s"}, series)
}
