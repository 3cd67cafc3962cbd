package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// caseFlags are those of the loads that are cases of the contract: what they send is theirs to say.
type caseFlags struct {
	URL     string `arg:"" optional:"" help:"Root URL of the gateway (without /v1). No URL and no --target: the embedded reference gateway."`
	Target  string `help:"Profile of the gateway (YAML, docs/profile.md)." placeholder:"FILE" type:"path"`
	Key     string `help:"A valid key of the gateway, with a URL." env:"GATEWAY_KEY"`
	Model   string `help:"A model the key may use, with a URL."`
	Surface string `help:"Surface to call, its streaming twin with it: chat, responses, messages or gemini. Default: ${default}." default:"chat"`
	Out     string `help:"Folder for run.ndjson and the reports. Default: ${default}." default:"reports/load" type:"path"`
	Yes     bool   `help:"Send it also to a gateway that is not on this machine; and agree to what a driver has to change."`
}

func (f caseFlags) config() (gatecert.Config, error) {
	surface := dialect.Surface(f.Surface)
	if !slices.Contains(contract.LoadSurfaces(), surface) {
		return gatecert.Config{}, fmt.Errorf("%w: surface %q is not put under load: want one of %q", errUsage, f.Surface, contract.LoadSurfaces())
	}
	config, err := runCommand{URL: f.URL, Target: f.Target, Key: f.Key, Model: f.Model}.config()
	config.Level, config.Target.Load.Surfaces = contract.Load, []dialect.Surface{surface}
	return config, err
}

// certify runs the cases and tells what came of each, with a picture of its course.
func (f caseFlags) certify(ctx context.Context, c *console, config gatecert.Config, ids ...string) error {
	config.Cases, config.Surfaces = ids, []string{f.Surface}
	formats, err := formatsNamed(nil)
	if err != nil {
		return err
	}
	run, err := c.certify(ctx, config, formats, f.Out, f.Yes)
	if run.Schema == "" {
		return err
	}
	for _, result := range run.Cases {
		tellLoad(c, result)
	}
	fmt.Fprintf(c.out, "%s.\nreports: %s\n", reports.Sentence(run), filepath.Join(f.Out, formats[0].File))
	if err != nil {
		return fmt.Errorf("everything so far is in %s: %w", filepath.Join(f.Out, logName), err)
	}
	return outcome(run)
}

// tellLoad prints one case under load.
func tellLoad(c *console, result runlog.Case) {
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
	plotLoad(c, *result.Load)
	fmt.Fprintln(c.out)
}

// maxReason bounds what is printed of a reason, which may hold a gateway's words.
const maxReason = 400

// plotLoad draws the answers a second by what became of them.
func plotLoad(c *console, a runlog.LoadSummary) {
	series := []plotSeries{{name: "admitted", mark: '+'}, {name: "refused", mark: '-'}, {name: "anything else", mark: 'x'}}
	for _, span := range a.Spans {
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
	plot(c.out, c.width, axes{x: "s", y: "answers a second"}, series)
}
