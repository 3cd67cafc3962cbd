package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/atomicfile"
	"github.com/gatecert/gatecert/internal/otlp"
	"github.com/gatecert/gatecert/internal/version"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/profile"
)

type runCommand struct {
	targetFlags
	Level       string        `complete:"levels" help:"Highest certification level to run: edge, relay, account, store or full. Load cases run only at level full. Default: edge if you give a URL; otherwise all levels, without the load cases."`
	Rows        []string      `complete:"rows" help:"Rows to run, as ids or patterns: http:404, 'code:channel:*'. Default: all 32." placeholder:"ROW"`
	Surfaces    []string      `complete:"surfaces" help:"Endpoints to run: chat, chat-stream, … (gatecert list surfaces). Default: every endpoint the target offers." placeholder:"SURFACE"`
	Failed      string        `help:"Run only the cases that failed, could not be judged or did not run in an earlier run. RUN is the folder or the run.ndjson file of the earlier run. If neither a URL nor --target is given, gatecert tests the gateway that the log of RUN names." placeholder:"RUN" type:"path"`
	UntilPass   bool          `help:"With --failed: rerun the failed cases each time the gateway restarts, until all of them pass."`
	Concurrency int           `help:"Number of cases to run concurrently, at most 256. Default: the number in the profile, or 8." placeholder:"N"`
	Baseline    string        `help:"Baseline of expected failures: a YAML file (docs/ci.md), or the folder, run.ndjson or verdicts.txt of an earlier run." placeholder:"FILE" type:"path"`
	Update      bool          `name:"update-baseline" help:"Rewrite the --baseline file so that the baseline expects exactly the failures in this run."`
	Format      []string      `complete:"formats" help:"Reports to write: html, json, junit, md, verdicts, ctrf, badge, annotations, har, messages. Default: the first five." placeholder:"NAME"`
	Out         string        `help:"Folder for run.ndjson and the reports. Default: a new folder, reports/START-TARGET (the start time and the target's name); the link reports/latest points to the new folder." placeholder:"DIR" type:"path"`
	Keep        int           `help:"Keep the N newest runs of this target in reports/, and delete older runs that have no certificate. Default: keep all." placeholder:"N"`
	Yes         bool          `help:"Allow the driver to change a running gateway (gatecert lists the changes first), and allow load cases against a gateway on another machine. For CI."`
	TimeLimit   time.Duration `help:"Stop the run after this time. A stopped run is incomplete (exit code 3). Use --time-limit 0 for no time limit. Default: ${default}." default:"15m"`
	Wait        time.Duration `help:"Wait up to this long for the gateway to start, that is, until the --target file exists and the gateway accepts connections. Default: do not wait."`
	Lang        string        `enum:"en,zh" default:"en" help:"Language of the reports: en (English) or zh (Chinese)." placeholder:"NAME"`
	Quiet       bool          `short:"q" xor:"words" help:"Print only the final summary, errors, and notes that need your attention."`
	Verbose     bool          `short:"v" xor:"words" help:"Print each case when it finishes, and an example of every failure cause."`
	TraceURL    string        `name:"trace-url" help:"URL of a page that displays a trace, for trace links in the reports: 'https://grafana.example/explore?trace={trace_id}'." placeholder:"URL"`
	OTLP        string        `name:"otlp" help:"Send the run's spans to this OpenTelemetry collector (OTLP over HTTP, JSON), such as http://127.0.0.1:4318. --otlp also sets --trace." placeholder:"URL"`
	Clients     bool          `help:"After the run, also test real client libraries, and record in clients.json how they handle each response (docs/clients.md). Client results do not affect any verdict."`
	clientFlags
	Failures int `help:"Number of failure causes to show on the terminal with an example. All other failure causes are shown on one line each. Default: ${default}." default:"5"`
}

// Help implements kong's HelpProvider.
func (runCommand) Help() string {
	return `Examples:
  gatecert run                                             test the built-in reference gateway with all cases except load cases
  gatecert run --level full                                also run load cases; the run takes about 50 s
  gatecert run https://gateway.example --model gpt-4o-mini                        test a gateway at level edge, with the key in $GATEWAY_KEY
  gatecert run https://gateway.example --model gpt-4o-mini --model anthropic=claude-haiku-4-5      use a different model for one API format
  gatecert run https://gateway.example --model m --claim codes=none               do not judge error codes (table 1 only)
  gatecert run --target my-gateway.yaml --level relay      test the gateway that a profile describes, up to level relay
  gatecert run --failed reports/latest                     rerun the cases that failed in the last run
  gatecert run --failed reports/latest --until-pass        rerun the failed cases after every gateway restart, until all pass
  gatecert run --target new-api.yaml --yes                 prepare, test and restore a running new-api (docs/new-api.md)
  gatecert run --target my-gateway.yaml --baseline known.yaml                     do not fail the run because of known failures
  gatecert run --target my-gateway.yaml --baseline known.yaml --update-baseline   rewrite the baseline to expect exactly the failures of this run
  gatecert run --client openai-node,langchain              also test these client libraries (install them with make clients)

A run writes its log to run.ndjson in the run's folder; to render the reports again, use gatecert report FOLDER. If a run cannot start,
for example because the gateway is unreachable, the folder stays unchanged. Two runs cannot use the same folder at the same time.`
}

func (r runCommand) Run(ctx context.Context, c *console) error {
	c.quiet, c.verbose, c.language = r.Quiet, r.Verbose, r.Lang
	formats, err := formatsNamed(r.Format, r.Lang)
	if err != nil {
		return err
	}
	if r.UntilPass && r.playsClients() {
		return fmt.Errorf("%w: --until-pass runs only cases, not client libraries: omit --clients, --client and --adapter", errUsage)
	}
	if r.Failed != "" {
		return r.playFailed(ctx, c, formats)
	}
	if r.UntilPass {
		return fmt.Errorf("%w: --until-pass reruns the cases that failed in an earlier run: specify that run with --failed RUN", errUsage)
	}
	if err := r.find(c); err != nil {
		return err
	}
	config, err := r.config(ctx, r.profile)
	if err != nil {
		return err
	}
	return r.play(ctx, c, config, formats, nil)
}

// playFailed plays what failed in an earlier run, once or until it passes.
func (r runCommand) playFailed(ctx context.Context, c *console, formats []reports.Format) error {
	f, err := failuresIn(c, r.Failed)
	if err != nil {
		return err
	}
	target, err := r.orLogged(c, f.earlier, r.Yes)
	if err != nil && (r.Wait == 0 || r.Target == "") {
		return err
	}
	again := func() (profile.Profile, error) { return target, nil }
	if r.Target != "" {
		again = r.profile
	}
	config, err := r.config(ctx, again)
	if err != nil {
		return err
	}
	config = f.selected(config)
	if r.UntilPass {
		r.tellRoot(c)
		return r.untilPass(ctx, c, config, f, formats)
	}
	return r.play(ctx, c, config, formats, &f)
}

// play plays a configuration once, and reports it. With failures, it says how many of them are fixed.
func (r runCommand) play(ctx context.Context, c *console, config gatecert.Config, formats []reports.Format, f *failures) error {
	r.tellRoot(c)
	options := runOptions{out: r.Out, kind: latestRun, formats: formats, yes: r.Yes, keep: r.Keep}
	var err error
	if options.clients, err = r.clients(c, config); err != nil {
		return err
	}
	if r.OTLP != "" {
		spans, err := otlp.New(r.OTLP, version.Current().Version, config.Target.Shown(config.Target.Name))
		if err != nil {
			return fmt.Errorf("%w: --otlp: %w", errUsage, err)
		}
		defer func() {
			if err := spans.Close(ctx); err != nil {
				fmt.Fprintf(c.err, "note: some spans could not be sent to the --otlp collector: %v\n", err)
			}
		}()
		options.onCase = spans.Case
	}
	run, out, err := c.certify(ctx, config, options)
	if !began(run) {
		return err
	}
	if termErr := c.report(run, r.Failures); termErr != nil {
		return errors.Join(err, termErr)
	}
	if f != nil {
		if termErr := reports.NewRetry(f.earlier, run, f.cases).Terminal(c.out, c.options(0), false); termErr != nil {
			return errors.Join(err, termErr)
		}
	}
	fmt.Fprintf(c.out, "reports: %s\n", out.shown(formats[0].File))
	if err != nil && run.Complete() {
		return fmt.Errorf("the run is complete, but a later step failed, so some of its reports may be missing: %w", err)
	}
	if err != nil {
		return fmt.Errorf("the run was interrupted; its results so far are in %s: %w", out.shown(logName), err)
	}
	if r.Update {
		return r.updateBaseline(c, config, run)
	}
	if r.Baseline != "" {
		proposeEntries(c.out, run, r.Failures)
	}
	return outcome(run)
}

// report prints the report of a run: all of it, or with --quiet its closing sentence.
func (c *console) report(run runlog.Run, failures int) error {
	if c.quiet {
		return reports.Closing(c.out, run, c.options(0))
	}
	return reports.Terminal(c.out, run, c.options(failures))
}

// runOptions are what a command says about a run, besides its configuration.
type runOptions struct {
	// out is the folder that the user named, "" for one of its own.
	out     string
	kind    outputKind
	formats []reports.Format
	// yes agrees to changes on a gateway, and to load on another machine.
	yes bool
	// keep is how many runs of the target are kept, 0 for all.
	keep int
	// clients are played when all cases have been; nil for none.
	clients *runClients
	// onCase is called with each case that has ended; nil for nothing.
	onCase func(runlog.Case)
	// workers make the calls of a rate limit's verification, where any were asked for.
	workers fleetFlags
}

// certify runs with a log in a folder and writes the reports next to it. Nothing in the folder changes before the run has
// begun, and the run has no schema when it never did. An interrupted run has reports too: they say that it is incomplete.
func (c *console) certify(ctx context.Context, config gatecert.Config, options runOptions) (run runlog.Run, out *output, err error) {
	journal, err := c.mayChange(&config, options.yes)
	if err != nil {
		return run, nil, err
	}
	if options.workers.asked() {
		config.Driver = &fleetDriver{Driver: config.Driver, flags: options.workers, console: c}
	}
	config.AllowRemoteLoad = options.yes
	bar := &progress{bar: newBar(c)}
	defer bar.close()
	config.Progress = func(p gatecert.Progress) {
		bar.show(p)
		if options.onCase != nil && p.Last != nil {
			options.onCase(*p.Last)
		}
	}
	if _, err := gatecert.New(config); err != nil { // before a folder is made: it refuses a typo
		return run, nil, err
	}
	if out, err = c.openOutput(options.out, options.kind, config.Target); err != nil {
		return run, nil, err
	}
	defer func() { err = errors.Join(err, out.close()) }()
	if err := journal.open(config.Target, out); err != nil {
		return run, out, err
	}
	defer func() { err = errors.Join(err, journal.Close()) }()
	config.Log = &out.log
	c.tellActions(config)
	shown := out.log.began
	out.log.began = func() {
		shown()
		if config.TimeLimit > 0 && !c.quiet {
			bar.linef("the run takes at most %s (--time-limit)", plain.Duration(config.TimeLimit))
		}
	}
	var certification *gatecert.Certification
	if options.clients != nil {
		config.Afterwards = options.clients.playing(c, bar, func(k contract.Case) bool { return certification.Asks(k) })
	}
	if certification, err = gatecert.New(config); err != nil {
		return run, out, err
	}
	run, err = certification.Run(ctx)
	bar.close()
	if !began(run) {
		return run, out, err
	}
	if options.clients != nil {
		run.Clients = options.clients.seen
		err = errors.Join(err, writeClients(run, out.dir))
	}
	err = errors.Join(err, writeReports(run, options.formats, out.dir))
	if err == nil && options.keep > 0 && out.own && run.Complete() {
		removed, err := out.prune(options.keep)
		if removed > 0 {
			c.notef("%s removed", plain.Count(removed, "earlier run"))
		}
		return run, out, err
	}
	return run, out, err
}

// config is the configuration of a run of the target that load returns.
func (r runCommand) config(ctx context.Context, load func() (profile.Profile, error)) (gatecert.Config, error) {
	known, err := r.baseline()
	if err != nil {
		return gatecert.Config{}, err
	}
	config := gatecert.Config{
		Baseline: known, Level: contract.Level(r.Level), Rows: r.Rows, Surfaces: r.Surfaces, Concurrency: r.Concurrency, Command: os.Args,
	}
	if r.Keep < 0 || r.Keep > 0 && r.Out != "" {
		return config, fmt.Errorf("%w: --keep %d: the number must be at least 1, and --keep cannot be combined with --out, because --keep deletes only runs in reports/", errUsage, r.Keep)
	}
	if r.TimeLimit < 0 {
		return config, fmt.Errorf("%w: --time-limit %s: must be positive, or 0 for no limit", errUsage, plain.Duration(r.TimeLimit))
	}
	if r.Concurrency < 0 || r.Concurrency > 256 {
		return config, fmt.Errorf("%w: --concurrency %d: must be between 1 and 256", errUsage, r.Concurrency)
	}
	if config.Target, err = await(ctx, r.Wait, load); err != nil {
		return config, err
	}
	config.AllowActions, config.TimeLimit, config.TraceURL = r.permits(config.Target), r.TimeLimit, r.TraceURL
	config.Target.Sampled = config.Target.Sampled || r.OTLP != ""
	if r.URL == "" {
		return config, nil
	}
	if config.Level == "" {
		config.Level = contract.Edge
	}
	if level := contract.LevelOf(r.Level); level.Valid() && level != contract.Edge {
		return config, fmt.Errorf("%w: --level %s needs more than a URL: create a profile with %s (gatecert init URL writes a profile to start from), or use --level edge",
			errUsage, level, needsUpTo(level))
	}
	return config, nil
}

// needsUpTo is what a profile needs for a level.
func needsUpTo(level contract.Level) string {
	var needs []string
	for _, l := range contract.Levels() {
		if level.Includes(l) && l.Needs() != "" {
			needs = append(needs, l.Needs())
		}
	}
	return strings.Join(needs, "; ")
}

func writeReports(run runlog.Run, formats []reports.Format, dir string) error {
	for _, f := range formats {
		render := func(w io.Writer) error { return f.Render(w, run) }
		if err := atomicfile.Write(filepath.Join(dir, f.File), 0o600, render); err != nil {
			return fmt.Errorf("write %s: %w", f.Name, err)
		}
	}
	return nil
}
