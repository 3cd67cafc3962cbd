package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/internal/folderlock"
	"github.com/gatecert/gatecert/internal/watch"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/targets/profile"
)

type watchCommand struct {
	targetFlags
	Level     string        `complete:"levels" help:"Highest certification level to run: edge, relay, account or store. A watch runs no load cases. Default: edge if you give a URL; otherwise all of these levels."`
	Rows      []string      `complete:"rows" help:"Rows to run, as ids or patterns: http:404, 'code:channel:*'. Default: all 32." placeholder:"ROW"`
	Surfaces  []string      `complete:"surfaces" help:"Endpoints to run: chat, chat-stream, … (gatecert list surfaces). Default: every endpoint the target offers." placeholder:"SURFACE"`
	Every     time.Duration `help:"Interval between the starts of two consecutive runs, at least 5s. Each start varies randomly by up to a tenth of this interval. Default: ${default}." default:"15m"`
	Rounds    int           `help:"Stop after N runs. Default: never." placeholder:"N"`
	Dir       string        `help:"Folder for the runs, their history and the last known state. A watch that is restarted with the same folder continues where it stopped. Default: ${default}." default:"watch" type:"path"`
	Keep      int           `help:"Keep the N newest runs with their reports. Default: ${default}." default:"100" placeholder:"N"`
	Listen    string        `help:"Address to serve the reports and /metrics on. Use 'none' to disable serving. Default: ${default}." default:"127.0.0.1:9464"`
	Webhook   string        `help:"URL that receives a POST request with JSON after each run in which a verdict or the outcome changed. If $$GATECERT_WEBHOOK_SECRET is set, gatecert signs the JSON with this secret." placeholder:"URL"`
	Yes       bool          `help:"Allow the driver to change a running gateway before each run."`
	Lang      string        `enum:"en,zh" default:"en" help:"Language of the reports: en (English) or zh (Chinese)." placeholder:"NAME"`
	TimeLimit time.Duration `help:"Stop each run after this time. A stopped run is incomplete. Default: ${default}." default:"15m"`
}

// Help implements kong's HelpProvider.
func (watchCommand) Help() string {
	return `Examples:

    gatecert watch --target my-gateway.yaml                       run every 15 minutes
    gatecert watch https://gateway.example --model gpt-4o-mini --every 1h --webhook https://hooks.example/gatecert

http://127.0.0.1:9464/ shows the verdict history and the latest report; Prometheus can scrape /metrics (docs/watch.md). If the gateway
is unreachable, the watch records the outcome "unreachable" and continues. The watch reports each verdict change once. After Ctrl-C, the
watch ends when the current run has cleaned up. The exit code is then 0, whatever the verdicts were.`
}

// secretVariable names the secret that signs what a webhook gets. Other users of the machine can see flags, so it has none.
const secretVariable = "GATECERT_WEBHOOK_SECRET" //nolint:gosec // the name of a variable

func (w watchCommand) Run(ctx context.Context, c *console) (err error) {
	if err := w.check(); err != nil {
		return err
	}
	if err := w.find(c); err != nil {
		return err
	}
	target, err := w.profile()
	if err != nil {
		return err
	}
	if prepares(target) && !w.Yes {
		return fmt.Errorf("%w: the driver %s changes the gateway before each run and restores it afterwards: add --yes to permit the changes", errUsage, target.Driver)
	}
	config, err := w.play().config(ctx, w.profile)
	if err != nil {
		return err
	}
	if _, err := c.mayChange(&config, w.Yes); err != nil {
		return err
	}
	if _, err := gatecert.New(config); err != nil { // a typo is not the outcome of a round
		return err
	}
	if err := os.MkdirAll(w.Dir, 0o750); err != nil {
		return fmt.Errorf("create the folder for the watch: %w (use --dir to choose another folder)", err)
	}
	lock, err := folderlock.Take(w.Dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	name := plain.Text(target.Name, 200)
	if target.BaseURL == "" && target.Name == "" {
		name = "reference"
	}
	watcher, err := watch.New(watch.Config{
		Target: name, Every: w.Every, Rounds: w.Rounds, Dir: w.Dir, Keep: w.Keep, Random: rand.Float64,
		Webhook: watch.Webhook{URL: w.Webhook, Secret: os.Getenv(secretVariable)},
		Play:    func(ctx context.Context, dir string) watch.Round { return w.round(ctx, c, dir) },
		Ended:   func(e watch.Entry) { tellRound(c, e) },
		Problem: func(err error) { fmt.Fprintf(c.err, "gatecert: %v\n", err) },
	})
	if err != nil {
		return err
	}
	stop, err := w.serve(ctx, c, watcher)
	if err != nil {
		return err
	}
	defer stop()
	return watcher.Run(ctx)
}

// check refuses flags that make no sense.
func (w watchCommand) check() error {
	switch {
	case w.Every < watch.MinEvery:
		return fmt.Errorf("%w: --every %s: must be at least %s", errUsage, plain.Duration(w.Every), watch.MinEvery)
	case w.Keep < 1:
		return fmt.Errorf("%w: --keep %d: must be at least 1", errUsage, w.Keep)
	case w.Rounds < 0:
		return fmt.Errorf("%w: --rounds %d: must be 0 (no limit) or a positive number", errUsage, w.Rounds)
	case strings.EqualFold(w.Level, "full"), strings.EqualFold(w.Level, "load"):
		return fmt.Errorf("%w: --level %s: a watch runs no load cases: use --level store or a lower level", errUsage, w.Level)
	}
	if w.Webhook == "" {
		return nil
	}
	if !profile.AbsoluteURL(w.Webhook) {
		return fmt.Errorf("%w: --webhook: the value is not an http or https URL: use a URL such as https://hooks.example/gatecert", errUsage) // not shown: it may hold a secret
	}
	return nil
}

// play is the run of a round as the run command has it.
func (w watchCommand) play() runCommand {
	return runCommand{targetFlags: w.targetFlags, Level: w.Level, Rows: w.Rows, Surfaces: w.Surfaces, Yes: w.Yes, TimeLimit: w.TimeLimit}
}

// round plays one run into a folder. The profile is read anew each time.
func (w watchCommand) round(ctx context.Context, c *console, dir string) watch.Round {
	config, err := w.play().config(ctx, w.profile)
	if err != nil {
		return watch.Round{Outcome: watch.Fault, Reason: err.Error()}
	}
	config.Command = []string{"gatecert", "watch"} // the webhook's URL may hold a secret
	quiet := *c
	quiet.quiet, quiet.out, quiet.err, quiet.terminal = true, io.Discard, io.Discard, false
	formats, err := formatsNamed([]string{"html"}, w.Lang)
	if err != nil {
		return watch.Round{Outcome: watch.Fault, Reason: err.Error()}
	}
	run, _, err := quiet.certify(ctx, config, runOptions{out: dir, kind: latestRun, formats: formats, yes: w.Yes})
	switch {
	case began(run):
		r := watch.Round{Run: &run}
		if err != nil {
			r.Reason = err.Error()
		}
		return r
	case errors.Is(err, gatecert.ErrUnreachable):
		return watch.Round{Outcome: watch.Unreachable, Reason: err.Error()}
	case errors.Is(err, gatecert.ErrInconclusive):
		return watch.Round{Outcome: watch.Inconclusive, Reason: err.Error()}
	case err == nil:
		err = errors.New("the run did not start")
	}
	return watch.Round{Outcome: watch.Fault, Reason: err.Error()}
}

// tellRound prints a line for a round, and one for each of its changes.
func tellRound(c *console, e watch.Entry) {
	fmt.Fprintf(c.out, "%s %s\n", e.Started.Local().Format(time.DateTime), e.Sentence) //nolint:gosmopolitan // for the person at this terminal
	const most = 20
	for i, change := range e.Changes {
		if i == most {
			fmt.Fprintf(c.out, "  … and %s\n", plain.Count(len(e.Changes)-most, "more change"))
			break
		}
		fmt.Fprintf(c.out, "  %s\n", change)
	}
}

// serve serves the watch until stop is called.
func (w watchCommand) serve(ctx context.Context, c *console, watcher *watch.Watcher) (stop func(), err error) {
	if w.Listen == "none" {
		return func() {}, nil
	}
	handler, err := watcher.Handler()
	if err != nil {
		return nil, err
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", w.Listen)
	if err != nil {
		return nil, fmt.Errorf("%w: --listen %s: %w: use another address such as 127.0.0.1:9464, or 'none'", errUsage, w.Listen, err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: time.Minute, IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // it ends with Close
	}()
	fmt.Fprintf(c.err, "history: http://%s/   metrics: http://%s/metrics   folder: %s\n", listener.Addr(), listener.Addr(), w.Dir)
	return func() {
		_ = server.Close()
		<-done
	}, nil
}
