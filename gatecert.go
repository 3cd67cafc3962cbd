// Package gatecert certifies LLM API gateways against the published error contract: 32 rows, each an executable
// scenario, judged on every surface the gateway offers.
//
// [New] checks a configuration, [Certification.Run] plays it. Package gatecerttest does the same inside a gateway's own
// go test. The gatecert command adds reports, drivers for kinds of gateways and load experiments.
package gatecert

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/internal/version"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/baseline"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/static"
)

// Version is the tool's version as it stands in every log.
const Version = version.Version

// Config says what to certify.
type Config struct {
	// Target is the gateway under test. [profile.FromURL] and [profile.Load] make one; it is required unless Driver brings
	// a gateway of its own.
	Target profile.Profile
	// Driver prepares the gateway. nil is [static.Driver]: everything was prepared by hand, as the profile says.
	// Package reference embeds a gateway, package newapi prepares a running new-api or one-api.
	Driver targets.Driver
	// OpenStore opens the database that a profile's store names, for recipes that break it. Package store has one; nil
	// opens none, and [New] refuses a profile that needs it.
	OpenStore targets.OpenStore
	// Level bounds what is tried: cases that need a higher level are left out. "" is everything but the load cases.
	Level contract.Level
	// AllowRemoteLoad permits load cases on a gateway that is not on this machine.
	AllowRemoteLoad bool
	// Rows are row ids or patterns ("http:404", "code:channel:*"). None: all rows.
	Rows []string
	// Cases are ids of cases, for a run of just these. None: all of the level, rows and surfaces.
	Cases []string
	// Surfaces are names of surfaces. None: all that the target offers.
	Surfaces []string
	// Baseline holds the failures that are expected. The zero value expects none.
	Baseline baseline.Baseline
	// Concurrency overrides the profile's number of cases at once, 1 to 256; 0 leaves it.
	Concurrency int
	// Log takes the run's event log, one JSON line a Write. nil: the log is kept in memory only.
	Log io.Writer
	// Command is the command line to put into the log, secrets included: they are redacted here.
	Command []string
	// Progress, when not nil, is called as the run proceeds, one call at a time. A slow function slows the run.
	Progress func(Progress)
}

// Progress is how far a run has come.
type Progress struct {
	// Phase is one of the phases below.
	Phase string
	// Target is the base URL of the gateway, "" until [PhaseControls].
	Target string
	// Done counts the cases that have ended, Total those that must run. Total is 0 until [PhaseControls] has ended.
	Done, Total int
	// Last is the case that has just ended, nil when the call reports something else.
	Last *runlog.Case
	// Plan says what the load cases are going to send; it is reported once, before the first case, and "" otherwise.
	Plan string
	// Load is how far a load case has come, nil otherwise.
	Load *load.Progress
}

// The phases of a run, in their order. A phase without cases is not reported.
const (
	PhasePrepare    = runner.PhasePrepare    // the driver prepares the gateway
	PhaseControls   = runner.PhaseControls   // control calls show which surfaces can be judged
	PhaseConcurrent = runner.PhaseConcurrent // cases that run at once
	PhaseExclusive  = runner.PhaseExclusive  // cases that run one after the other
	PhaseLoad       = runner.PhaseLoad       // load cases
	PhaseDone       = runner.PhaseDone       // the log has its footer
)

// The errors by which a run ends without a verdict about the gateway.
var (
	// ErrUsage is returned when the configuration asks for something that does not exist, or contradicts itself.
	ErrUsage = runner.ErrUsage
	// ErrNothingToRun is returned when the selection leaves no case that the target offers.
	ErrNothingToRun = runner.ErrNothingToRun
	// ErrUnreachable is returned when the gateway cannot be reached. Its text names the URL.
	ErrUnreachable = runner.ErrUnreachable
	// ErrHarness is returned when gatecert could not do its own part: the log cannot be written, the driver failed.
	ErrHarness = runner.ErrHarness
)

// Certification is a configuration that was checked, ready to be run.
type Certification struct{ job runner.Job }

// New checks everything about a configuration that can be known before anything is sent. It returns [ErrUsage] with
// what is wrong.
func New(cfg Config) (*Certification, error) {
	selection, err := runner.Select(runner.Choice{Level: cfg.Level, Rows: cfg.Rows, Cases: cfg.Cases, Surfaces: cfg.Surfaces})
	if err != nil {
		return nil, err
	}
	if cfg.Concurrency < 0 || cfg.Concurrency > profile.MaxConcurrency {
		return nil, fmt.Errorf("%w: concurrency %d: want 1 to %d", ErrUsage, cfg.Concurrency, profile.MaxConcurrency)
	}
	driver := cfg.Driver
	if driver == nil {
		if name := cfg.Target.Driver; name != "" && name != profile.StaticDriver {
			return nil, fmt.Errorf("%w: the profile asks for driver %q: set Config.Driver", ErrUsage, name)
		}
		if !profile.AbsoluteURL(cfg.Target.BaseURL) {
			return nil, fmt.Errorf("%w: the target's base URL %q is not an http(s) URL", ErrUsage, cfg.Target.BaseURL)
		}
		if cfg.Target.Store.Present() && cfg.OpenStore == nil {
			return nil, fmt.Errorf("%w: the profile has a store: set Config.OpenStore (package store)", ErrUsage)
		}
		driver = static.Driver{}
	}
	var progress func(runner.Progress)
	if cfg.Progress != nil {
		progress = func(p runner.Progress) { cfg.Progress(Progress(p)) }
	}
	return &Certification{runner.Job{
		Tool: version.Tool, Target: cfg.Target, Driver: driver, OpenStore: cfg.OpenStore,
		Selection: selection, AllowRemoteLoad: cfg.AllowRemoteLoad, Baseline: cfg.Baseline, Concurrency: cfg.Concurrency,
		Log: cfg.Log, Command: cfg.Command, Progress: progress,
	}}, nil
}

// Asks reports whether the configuration asks for a case.
func (c *Certification) Asks(k contract.Case) bool { return c.job.Selection.Asks(k) }

// Cases returns the cases that the configuration asks for, whatever the target offers.
func (c *Certification) Cases() []contract.Case {
	return slices.DeleteFunc(contract.Cases(), func(k contract.Case) bool { return !c.Asks(k) })
}

// Run certifies the target and returns the run as its log tells it.
//
// That the gateway fails is no error: the run's verdict says so. It returns [ErrNothingToRun], [ErrUnreachable] or
// [ErrHarness] when there can be no verdict. When ctx is cancelled, what was found until then is in the log, the run is
// marked as interrupted, and the cause is returned with it.
func (c *Certification) Run(ctx context.Context) (runlog.Run, error) {
	return runner.Run(ctx, c.job)
}
