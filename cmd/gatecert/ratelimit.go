package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/load/limits"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/profile"
)

type rateLimitCommand struct {
	caseFlags
	fleetFlags
	Infer    bool          `help:"Infer the limit of the valid key, even if the profile declares a limit for another key."`
	Calls    int           `help:"Maximum number of calls for inferring a limit. Default: ${default}." default:"4000"`
	For      time.Duration `help:"Maximum time for inferring a limit. Default: ${default}." default:"3m"`
	JSON     bool          `name:"json" help:"Print the inferred limit as JSON, including confidence intervals, the evidence and the experiments."`
	OtherKey string        `name:"other-key" help:"A second API key. When inferring a limit, also test whether calls with this key count against the same limit." env:"GATEWAY_OTHER_KEY" placeholder:"KEY"`
	// 429 is always one.
	Refusal []int `help:"When inferring a limit, also count responses with this status (such as 503 or 529) as refusals. Default: only 429." placeholder:"STATUS"`
}

// Help implements kong's HelpProvider.
func (rateLimitCommand) Help() string {
	return `If the profile declares limits.rate, the command verifies this limit. The limit must be exact for single calls and for a burst. Every
refusal must be a complete 429 with a correct Retry-After header. Other keys must not be affected. Refused calls must not be charged and
must not count against the limit. If the profile declares no limit, the command infers the key's limit: its type (fixed window, sliding
log, sliding counter, token bucket, concurrency) and its parameters.

Examples:
  gatecert load rate-limit                                           verify the limit of the built-in reference gateway
  gatecert load rate-limit http://127.0.0.1:3000 --model m --for 5m  infer the limit
  gatecert load rate-limit URL --infer --refusal 503                 infer the limit; status 503 also counts as a refusal
  gatecert load rate-limit URL --workers 2 --source 10.0.0.5,10.0.0.6 --other-key KEY    infer whether these keys and addresses share the limit
  gatecert load rate-limit URL --infer --json | jq .intervals        print the confidence intervals of the parameters`
}

func (cmd rateLimitCommand) Run(ctx context.Context, c *console) error {
	if cmd.Calls < 1 || cmd.For <= 0 {
		return fmt.Errorf("%w: --calls %d, --for %s: both must be greater than 0", errUsage, cmd.Calls, plain.Duration(cmd.For))
	}
	for _, status := range cmd.Refusal {
		if status < 400 || status > 599 {
			return fmt.Errorf("%w: --refusal %d: must be an HTTP status from 400 to 599", errUsage, status)
		}
	}
	if err := cmd.checkFleet(); err != nil {
		return err
	}
	config, err := cmd.config(c)
	if err != nil {
		return err
	}
	if !cmd.Infer && (config.Target.Limits.Rate.Key != "" || config.Target.BaseURL == "") {
		return cmd.certifyFrom(ctx, c, config, cmd.fleetFlags, contract.OverRateLimit)
	}
	return cmd.infer(ctx, c, config)
}

// consent returns [errNotSent] for a gateway on another machine, unless --yes was given.
func (cmd rateLimitCommand) consent(url string) error {
	if cmd.Yes || runner.OnThisMachine(url) {
		return nil
	}
	return fmt.Errorf("%w: %s is not on this machine: if the gateway's operator agrees, add --yes", errNotSent, url)
}

func (cmd rateLimitCommand) infer(ctx context.Context, c *console, config gatecert.Config) (err error) {
	if url := config.Target.BaseURL; url != "" { // otherwise the driver knows it, once it has started the gateway
		if err := cmd.consent(url); err != nil {
			return err
		}
	}
	changes, err := c.prepareIn(&config, cmd.Out, cmd.Yes)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, changes.close()) }()
	workers := &fleetDriver{Driver: config.Driver, flags: cmd.fleetFlags, console: c}
	if cmd.asked() {
		config.Driver = workers
	}
	prepared, err := runner.Prepare(ctx, config.Driver, config.Target)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, prepared.Close(context.WithoutCancel(ctx))) }()
	fmt.Fprintf(c.err, "plan: at most %s in %s, to %s\n", plain.Count(cmd.Calls, "call"), plain.Duration(cmd.For), prepared.Profile.BaseURL)
	if err := cmd.consent(prepared.Profile.BaseURL); err != nil {
		return err
	}
	run, err := cmd.begin(c, &changes, prepared.Profile)
	if err != nil {
		return err
	}
	progress := &loadProgress{c: c}
	budget := limits.Budget{
		Calls: cmd.Calls, Time: cmd.For, RefusedWith: cmd.Refusal, Announce: func(sentence string) { progress.printf("plan: %s", sentence) },
		Finished: func(e limits.Experiment) { run.experiment(e.Logged(run.log.Started)) },
	}
	if workers.team != nil { // one limit is inferred from one address
		prepared.Caller = workers.team.Calls(workers.setup, workers.limited())
	}
	began := time.Now()
	model, experiments, err := runner.InferRateLimit(ctx, prepared, dialect.Surface(cmd.Surface), budget, progress.show)
	var scope limits.Scope
	if err == nil && (workers.team != nil || cmd.OtherKey != "") {
		var more []limits.Experiment
		scope, more, err = cmd.scope(ctx, c, prepared, workers, model, budget.Left(experiments, began), progress.show)
		experiments = append(experiments, more...)
	}
	progress.close()
	err = errors.Join(err, run.end(inferenceFooter(model, scope, err)))
	if cmd.JSON {
		fmt.Fprintf(c.err, "reports: %s\n", run.shown())
		return errors.Join(err, json.NewEncoder(c.out).Encode(newInferredLimit(model, scope, experiments, err)))
	}
	printInference(c, model, scope, runlog.EvidenceBesides(run.log.Experiments, model.Evidence), experiments, err)
	fmt.Fprintf(c.out, "reports: %s\n", run.shown())
	return err
}

// begin opens the folder of an inference, whose log has every experiment that was made so far.
func (cmd rateLimitCommand) begin(c *console, changes *preparation, target profile.Profile) (*measuredRun, error) {
	log := runlog.Measured{MeasuredHeader: runner.MeasuredHeader(target, runlog.RateLimitKind, os.Args, dialect.Surface(cmd.Surface))}
	log.Facts = []runlog.MeasuredFact{{Name: "budget", Text: fmt.Sprintf("at most %s in %s", plain.Count(cmd.Calls, "call"), plain.Duration(cmd.For))}}
	for _, status := range cmd.Refusal {
		log.Facts = append(log.Facts, runlog.MeasuredFact{Name: "refusal", Text: fmt.Sprintf("status %d also counts as a refusal", status)})
	}
	return c.openMeasured(changes, cmd.Out, target, log)
}

// inferenceFooter says what an inference came to; err is its error. A limit violates nothing: the verdict says only whether it is clear.
func inferenceFooter(m limits.LimiterModel, scope limits.Scope, err error) runlog.MeasuredFooter {
	f := runlog.MeasuredFooter{Verdict: contract.Pass, Result: m.String(), Limiter: m.Logged(scope)}
	switch {
	case err == nil:
	case errors.Is(err, limits.ErrInconclusive), errors.Is(err, limits.ErrBudget):
		f.Verdict, f.Result, f.Limiter.Kind = contract.Error, "unclear: "+err.Error(), ""
	default:
		f.Verdict, f.Result, f.Limiter, f.Interrupted = contract.Error, "not finished: "+err.Error(), nil, true
	}
	return f
}

func printInference(c *console, model limits.LimiterModel, scope limits.Scope, evidence []string, experiments []limits.Experiment, err error) {
	switch {
	case err == nil:
		fmt.Fprintf(c.out, "limiter   %s\n", model)
		if model.Intervals != (limits.Intervals{}) {
			fmt.Fprintf(c.out, "          possible range: %s\n", model.Intervals)
		}
		if text := scopeText(scope); text != "" {
			fmt.Fprintf(c.out, "scope     %s\n", text)
		}
	case errors.Is(err, limits.ErrInconclusive), errors.Is(err, limits.ErrBudget):
		fmt.Fprintln(c.out, "limiter   unclear")
	}
	for _, sentence := range evidence {
		fmt.Fprintf(c.out, "          %s\n", sentence)
	}
	for _, e := range experiments {
		fmt.Fprintf(c.out, "%-9s %s (%s, %s)\n", e.Name, e.Sentence, plain.Count(e.Calls, "call"), e.Took.Round(time.Millisecond))
	}
}
