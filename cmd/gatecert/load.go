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
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/internal/yamlfile"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/reference"
)

type loadCommand struct {
	RateLimit rateLimitCommand `cmd:"" help:"Verify a key's declared rate limit, or infer an undeclared one."`
	Timeout   timeoutCommand   `cmd:"" help:"Make the upstream hang or fail on some calls, and check how the gateway handles these and all other calls."`
	Capacity  capacityCommand  `cmd:"" help:"Find the highest request rate at which the gateway meets an SLO, and measure the latency that the gateway adds."`
	Compare   compareCommand   `cmd:"" help:"Measure how two targets differ, or how much latency a gateway adds compared with direct calls to its upstream."`
	Soak      soakCommand      `cmd:"" help:"Send requests at a constant rate for a long time, and look for drift in latency, errors and memory."`
}

// loadFlags are shared by the commands that measure.
type loadFlags struct {
	targetFlags
	measureFlags
	fleetFlags
	Surface     string        `complete:"surfaces" help:"Endpoint to call: chat, messages-stream, embeddings, speech, … (gatecert list surfaces). To mix several endpoints, use weights: chat-stream=3,embeddings=1. Default: ${default}." default:"chat"`
	Connections int           `help:"Maximum number of requests in flight. Default: ${default}." default:"64" placeholder:"N"`
	Timeout     time.Duration `help:"Timeout for each request. Default: ${default}." default:"30s"`
	Arrivals    string        `help:"Arrival pattern of the requests: constant (evenly spaced), poisson (like many independent callers), gamma:CV (bursty if CV is above 1) or trace:FILE (a file with one arrival time per line, scaled to the requested rate). Default: ${default}." default:"constant"`
	Seed        uint64        `help:"Seed for random arrivals. The same seed produces the same arrivals. Default: ${default}." default:"1" placeholder:"N"`
	Out         string        `help:"Folder for run.ndjson, the reports, the histograms (.hgrm) and the result of each request (JSON lines in vegeta's format). Default: a new folder, reports/START-TARGET-load (the start time and the target's name), without per-request results; the link reports/load points to the new folder." placeholder:"DIR" type:"path"`
	Yes         bool          `help:"Allow more load than the default caps, and allow the driver to change the gateway (gatecert lists the changes before the run). For CI. Default caps for a gateway on another machine: 40,000 requests, 200 requests/s, 5m, 64 connections. Default cap for a gateway on this machine: 4,096 connections."`
}

// errNotSent is returned when a plan exceeds the caps and nothing was sent.
var errNotSent = errors.New("nothing was sent")

// loadSession is a target prepared for load.
type loadSession struct {
	flags    loadFlags
	prepared targets.Prepared
	surface  dialect.Surface
	// mix are the surfaces by weight, surface the first of them.
	mix     []runner.Weighted
	changes preparation
	engine  *load.Engine
	options load.Options
	// measured is what the requests are made from.
	measured runner.Measured
	// phase sends the successful call of the surface. It has no schedule yet. The first request may change its mix: what is measured
	// is made from it by the build function of [agree].
	phase load.Phase
	// measuresUpstream says that the mock upstream is called directly too.
	measuresUpstream bool
	// fleet sends the load; nil for this process.
	fleet *team
}

// open prepares the target. The caller closes the session.
func (f loadFlags) open(ctx context.Context, c *console) (*loadSession, error) {
	mix, err := weighted(f.Surface)
	if err != nil {
		return nil, fmt.Errorf("%w: --surface: %w", errUsage, err)
	}
	for _, s := range mix {
		if !dialect.Surface(s.Name).Valid() {
			return nil, fmt.Errorf("%w: --surface: there is no endpoint %q: %s", errUsage, s.Name, yamlfile.DidYouMean(s.Name, dialect.Surfaces(), "to see all endpoints, run gatecert list surfaces"))
		}
	}
	surface := dialect.Surface(mix[0].Name)
	if err := f.checkFleet(); err != nil {
		return nil, err
	}
	if f.Connections < 1 || f.Timeout <= 0 {
		return nil, fmt.Errorf("%w: --connections %d, --timeout %s: both must be greater than 0", errUsage, f.Connections, plain.Duration(f.Timeout))
	}
	arrivals, err := f.arrivals()
	if err != nil {
		return nil, err
	}
	measured, err := f.measured(f.Seed)
	if err != nil {
		return nil, err
	}
	if err := f.find(c); err != nil {
		return nil, err
	}
	target, err := f.profile()
	if err != nil {
		return nil, err
	}
	f.tellRoot(c)
	config := gatecert.Config{Target: target, Command: os.Args}
	changes, err := c.prepareIn(&config, f.Out, f.Yes)
	if err != nil {
		return nil, err
	}
	if embedded, ok := config.Driver.(reference.Driver); ok && !measured.Model.IsZero() {
		embedded.Options.Timeout = f.Timeout // a model takes longer than the failures that its default is for
		config.Driver = embedded
	}
	fmt.Fprintln(c.err, "preparing the target")
	prepared, err := runner.Prepare(ctx, config.Driver, config.Target)
	if err != nil {
		return nil, errors.Join(err, changes.close())
	}
	s := &loadSession{flags: f, prepared: prepared, surface: surface, mix: mix, changes: changes, measured: measured}
	requests, err := measured.Mix(prepared.Profile, mix)
	if err = errors.Join(err, checkModel(measured.Model, prepared.Profile.Upstream.Present())); err != nil {
		return nil, errors.Join(err, prepared.Close(context.WithoutCancel(ctx)), changes.close())
	}
	s.phase = load.Phase{
		Mix: requests, Connections: f.Connections, Timeout: f.Timeout,
		Embedded: prepared.Profile.Driver == profile.ReferenceDriver, Arrivals: arrivals, Seed: f.Seed,
	}
	options := runner.OptionsFor(prepared)
	options.CountTokens = measured.Count
	switch {
	case f.Yes:
		options.Caps = load.HardCaps()
	case s.local():
		options.Caps = load.LocalCaps()
	}
	s.options, s.engine = options, load.NewEngine(options)
	if f.asked() {
		s.generateBy(notJoined{})
	}
	return s, nil
}

// arrivals reads --arrivals.
func (f loadFlags) arrivals() (load.Arrivals, error) {
	path, isTrace := strings.CutPrefix(f.Arrivals, "trace:")
	if !isTrace {
		arrivals, err := load.ParseArrivals(f.Arrivals)
		if err != nil {
			return arrivals, fmt.Errorf("--arrivals: %w", err)
		}
		return arrivals, nil
	}
	file, err := os.Open(path) //nolint:gosec // the user's own file
	if err != nil {
		return load.Arrivals{}, fmt.Errorf("%w: --arrivals: %w: use trace:FILE, where FILE contains one arrival time per line", errUsage, err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	return load.ReadTrace(filepath.Base(path), file)
}

// surfaces are those of the requests.
func (s *loadSession) surfaces() []dialect.Surface {
	var list []dialect.Surface
	for _, m := range s.mix {
		list = append(list, dialect.Surface(m.Name))
	}
	return list
}

// local reports whether the requests stay on this machine.
func (s *loadSession) local() bool { return runner.OnThisMachine(s.prepared.Profile.BaseURL) }

func (s *loadSession) close(ctx context.Context) error {
	s.engine.Close()
	return errors.Join(s.prepared.Close(context.WithoutCancel(ctx)), s.changes.close())
}

// announce prints what a plan costs on the target. It returns [errNotSent] when the plan exceeds the caps.
func (s *loadSession) announce(c *console, plan load.Plan) error {
	for _, surface := range s.surfaces() {
		if surface.Large() && !s.prepared.Profile.Upstream.Present() {
			fmt.Fprintf(c.err, "plan: if the gateway calls a real upstream, each request to %s may be billed as an image or a sentence of speech\n", surface)
		}
	}
	if err := s.engine.Caps().Allow(plan); err != nil {
		switch {
		case s.flags.Yes, load.HardCaps().Allow(plan) != nil:
			return fmt.Errorf("%w: %w: reduce the load", errNotSent, err)
		case plan.Loopback():
			return fmt.Errorf("%w: %w: add --yes to send the load anyway", errNotSent, err)
		}
		return fmt.Errorf("%w: %w: if the operator of %s agrees, add --yes", errNotSent, err, strings.Join(plan.Hosts, " and "))
	}
	return nil
}

// loadError makes [load.ErrInvalid] and [runner.ErrMix] usage errors: the flags were invalid.
func loadError(err error) error {
	if errors.Is(err, load.ErrInvalid) || errors.Is(err, runner.ErrMix) {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	return err
}

func printVerdict(c *console, v contract.Verdict, qualifications ...string) {
	line := "verdict   " + string(v)
	if len(qualifications) > 0 {
		line += " (" + strings.Join(qualifications, ", ") + ")"
	}
	fmt.Fprintln(c.out, line)
}

func printViolations(w io.Writer, violations []load.Violation) {
	for _, v := range violations {
		fmt.Fprintf(w, "  %s  (%s)\n", v.Finding, plain.Count(v.Count, "response"))
	}
}

// loadProgress shows the progress of a phase: on a terminal one line that changes, elsewhere a line every few seconds.
type loadProgress struct {
	c       *console
	printed time.Time // when the last line was printed
	last    load.Progress
	open    bool // the line that changes is on the terminal
}

func (p *loadProgress) show(s load.Progress) {
	span := s.Elapsed - p.last.Elapsed
	if s.Phase != p.last.Phase || span <= 0 || s.Sent < p.last.Sent {
		p.last, span = load.Progress{Phase: s.Phase}, s.Elapsed
	}
	rate := float64(s.Sent-p.last.Sent) / max(span, time.Millisecond).Seconds()
	line := fmt.Sprintf("%s: %5.1f s  %.0f/s  %d admitted  %d refused  %d failed  %d queued  lag %s",
		s.Phase, s.Elapsed.Seconds(), rate, s.Admitted, s.Refused, s.Failed, s.Waited, s.Lag.Round(10*time.Microsecond))
	if p.c.terminal {
		fmt.Fprintf(p.c.err, "\r\x1b[K%s", line)
		p.open, p.last = true, s
		return
	}
	if time.Since(p.printed) >= printEvery {
		fmt.Fprintln(p.c.err, line)
		p.printed, p.last = time.Now(), s
	}
}

func (p *loadProgress) printf(format string, args ...any) {
	p.close()
	fmt.Fprintf(p.c.err, format+"\n", args...)
	p.printed = time.Now()
}

// close removes the line that changes.
func (p *loadProgress) close() {
	if p.open {
		fmt.Fprintf(p.c.err, "\r\x1b[K")
		p.open = false
	}
}
