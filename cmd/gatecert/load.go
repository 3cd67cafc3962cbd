package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// loadCommand puts a gateway under stress.
type loadCommand struct {
	RateLimit rateLimitCommand `cmd:"" help:"Verify the declared rate limit of a key, or infer the one it has."`
	Timeout   timeoutCommand   `cmd:"" help:"Let the provider hang and fail on a share of the calls: what becomes of them, and of the others?"`
	Capacity  capacityCommand  `cmd:"" help:"Find the highest rate at which the gateway meets an objective, and what it adds to a call."`
	Soak      soakCommand      `cmd:"" help:"Hold a rate for long: what drifts?"`
}

// loadFlags are those that all kinds of load share.
type loadFlags struct {
	URL         string        `arg:"" optional:"" help:"Root URL of the gateway (without /v1). No URL and no --target: the embedded reference gateway."`
	Target      string        `help:"Profile of the gateway (YAML, docs/profile.md)." placeholder:"FILE" type:"path"`
	Key         string        `help:"A valid key of the gateway, with a URL." env:"GATEWAY_KEY"`
	Model       string        `help:"A model the key may use, with a URL."`
	Surface     string        `help:"Surface to call. Default: ${default}." default:"chat"`
	Connections int           `help:"Requests under way at once, at most. Default: ${default}." default:"64" placeholder:"N"`
	Timeout     time.Duration `help:"How long to wait for an answer. Default: ${default}." default:"30s"`
	Out         string        `help:"Folder for the shots (vegeta's JSON lines), the latencies (.hgrm) and the metrics (OpenMetrics)." placeholder:"DIR" type:"path"`
	Yes         bool          `help:"Send what the plan says, also where it is more than the default caps and leaves this machine; and agree to what a driver has to change."`
}

// errTooMuch is returned when a plan goes over the caps that hold without --yes.
var errTooMuch = errors.New("more than the caps allow")

// firingRange is a gateway made ready for load: what is fired at, and with what.
type firingRange struct {
	flags    loadFlags
	prepared targets.Prepared
	surface  dialect.Surface
	journal  journalFile
	embedded bool
	engine   *load.Engine
	stage    load.Phase
}

// open prepares the target. The caller closes the range.
func (f loadFlags) open(ctx context.Context, c *console, keep int) (r *firingRange, err error) {
	surface := dialect.Surface(f.Surface)
	if !surface.Valid() {
		return nil, fmt.Errorf("%w: no surface %q: gatecert list surfaces shows them", errUsage, f.Surface)
	}
	if f.Connections < 1 || f.Timeout <= 0 {
		return nil, fmt.Errorf("%w: --connections %d, --timeout %s: both must be positive", errUsage, f.Connections, f.Timeout)
	}
	config, err := runCommand{URL: f.URL, Target: f.Target, Key: f.Key, Model: f.Model}.config()
	if err != nil {
		return nil, err
	}
	journal, err := c.mayChange(&config, cmp.Or(f.Out, "reports/load"), f.Yes)
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(c.err, "preparing the target")
	prepared, err := runner.Prepare(ctx, config.Driver, config.Target)
	if err != nil {
		return nil, errors.Join(err, journal.Close())
	}
	r = &firingRange{
		flags: f, prepared: prepared, surface: surface, journal: journal,
		embedded: prepared.Profile.Driver == profile.ReferenceDriver,
	}
	options := runner.OptionsFor(prepared)
	options.Caps = load.HardCaps()
	through := runner.HealthyRequest(prepared.Profile, surface)
	if !r.stays(through) && !f.Yes {
		options.Caps = load.DefaultCaps()
	}
	r.engine = load.NewEngine(options)
	r.stage = load.Phase{
		Mix: []load.Request{through}, Connections: f.Connections, Timeout: f.Timeout, Embedded: r.embedded,
	}
	if f.Out != "" {
		r.stage.Keep = keep
	}
	return r, nil
}

// stays reports whether the requests of a part stay on this machine.
func (r *firingRange) stays(p load.Request) bool {
	engine := load.NewEngine(load.Options{})
	defer engine.Close()
	plan, err := engine.Plan(load.Phase{Mix: []load.Request{p}, Schedule: load.Burst{Size: 1}})
	return err == nil && plan.Loopback()
}

func (r *firingRange) close(ctx context.Context) error {
	r.engine.Close()
	return errors.Join(r.prepared.Close(context.WithoutCancel(ctx)), r.journal.Close())
}

// clear prints the plan, refuses what goes over the caps, and makes sure that a healthy call succeeds.
func (r *firingRange) clear(ctx context.Context, c *console, plan load.Plan) error {
	fmt.Fprintf(c.err, "plan: %s\n", plan)
	if err := r.engine.Caps().Allow(plan); err != nil {
		if r.flags.Yes || plan.Loopback() {
			return fmt.Errorf("%w: %w", errTooMuch, err)
		}
		return fmt.Errorf("%w: %w; --yes sends it all the same, with the consent of whoever runs %s",
			errTooMuch, err, strings.Join(plan.Hosts, " and "))
	}
	return runner.Healthy(ctx, r.prepared, r.surface)
}

// loadError makes a fault of the command line a fault of usage: the load package cannot know whose stage it is.
func loadError(err error) error {
	if errors.Is(err, load.ErrInvalid) {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	return err
}

// loadVerdictError carries the verdict of a load to the exit code; the report has told it already.
type loadVerdictError struct{ verdict contract.Verdict }

func (e loadVerdictError) Error() string { return "the load's verdict is " + string(e.verdict) }

// loadOutcome is nil for a conformant load, and carries its verdict otherwise.
func loadOutcome(v contract.Verdict) error {
	if v.Conformant() {
		return nil
	}
	return loadVerdictError{v}
}

// tellBreaches prints what answers broke.
func tellBreaches(w io.Writer, breaches []load.Violation) {
	for _, b := range breaches {
		fmt.Fprintf(w, "  %s  (%s)\n", b.Finding, reports.Count(int(b.Count), "answer")) //nolint:gosec // a count
	}
}

// writeMeasurement writes the exports of a measurement into the folder and says so.
func writeMeasurement(c *console, dir string, m load.Measurement) error {
	if dir == "" || m.Sent == 0 {
		return nil
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("make the folder for the exports: %w", err)
	}
	admitted := m.Of(load.AllRequests, runlog.Admitted)
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"shots.json", func(w io.Writer) error { return load.WriteVegeta(w, m) }},
		{"service.hgrm", func(w io.Writer) error { return load.WriteHgrm(w, admitted.ServiceTime) }},
		{"response.hgrm", func(w io.Writer) error { return load.WriteHgrm(w, admitted.Latency) }},
		{"metrics.txt", func(w io.Writer) error { return load.WriteOpenMetrics(w, m) }},
	} {
		path := filepath.Join(dir, f.name)
		err := writeFile(path, f.write)
		switch {
		case errors.Is(err, load.ErrNotKept):
			fmt.Fprintf(c.err, "%s is not written: %v\n", f.name, err)
			err = os.Remove(path)
		case err == nil:
			fmt.Fprintf(c.out, "written: %s\n", path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func writeFile(path string, write func(io.Writer) error) (err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600) //nolint:gosec // the user's own folder
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return write(file)
}

// loadProgress shows how a load goes: on a terminal one line that changes, elsewhere a line now and then.
type loadProgress struct {
	c    *console
	told time.Time
	last load.Progress
	open bool // the line that changes stands on the terminal
}

// show tells how far a stage has come.
func (p *loadProgress) show(s load.Progress) {
	span := s.Elapsed - p.last.Elapsed
	if s.Phase != p.last.Phase || span <= 0 {
		p.last, span = load.Progress{Phase: s.Phase}, s.Elapsed
	}
	rate := float64(s.Sent-p.last.Sent) / span.Seconds()
	line := fmt.Sprintf("%s: %5.1f s  %.0f/s  %d admitted  %d refused  %d failed  %d waited  lag %s",
		s.Phase, s.Elapsed.Seconds(), rate, s.Admitted, s.Refused, s.Failed, s.Waited, s.Lag.Round(10*time.Microsecond))
	if p.c.terminal {
		fmt.Fprintf(p.c.err, "\r\x1b[K%s", line)
		p.open, p.last = true, s
		return
	}
	if time.Since(p.told) >= tellEvery {
		fmt.Fprintln(p.c.err, line)
		p.told, p.last = time.Now(), s
	}
}

// sayf prints a line for good.
func (p *loadProgress) sayf(format string, args ...any) {
	p.close()
	fmt.Fprintf(p.c.err, format+"\n", args...)
	p.told = time.Now()
}

// close ends the line that changes.
func (p *loadProgress) close() {
	if p.open {
		fmt.Fprintf(p.c.err, "\r\x1b[K")
		p.open = false
	}
}
