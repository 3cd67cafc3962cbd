// Package gatecert certifies LLM API gateways against the published error contract: 32 rows, each an executable
// scenario, judged on every surface the gateway offers.
//
// [New] checks a configuration, [Certification.Run] runs it. Package gatecerttest does both in a gateway's own go test. The
// gatecert command adds reports, drivers that prepare gateways, and load experiments.
package gatecert

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/internal/version"
	"github.com/gatecert/gatecert/internal/yamlfile"
	"github.com/gatecert/gatecert/reports/baseline"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/static"
)

// Version is the version of this source. Logs record it, and the commit that they were built from where the build knows it.
const Version = version.Number

// Config selects what to certify, and how.
type Config struct {
	// Target is the gateway under test; see [profile.FromURL] and [profile.Load]. It is required unless Driver starts a
	// gateway of its own.
	Target profile.Profile
	// Driver prepares the gateway. nil is [static.Driver]: it was prepared by hand, as the profile describes.
	// Package reference starts the reference gateway, package newapi prepares a running new-api or one-api.
	Driver targets.Driver
	// OpenStore opens the database that the profile's store names, for recipes that break it; see package store. With nil,
	// [New] refuses a profile that has a store.
	OpenStore targets.OpenStore
	// Level leaves out the cases that need a higher level. "" selects all cases but the load cases.
	Level contract.Level
	// TimeLimit ends a run that takes longer: it is incomplete then. 0 does not.
	TimeLimit time.Duration
	// AllowActions permits the shell commands and SQL statements of the target's recipes. Without it, the cases that need them are
	// not offered. Ask before you set it for a profile that somebody else wrote.
	AllowActions bool
	// AllowRemoteLoad permits load cases on a gateway that is not on this machine.
	AllowRemoteLoad bool
	// Rows are row ids or patterns of them ("http:404", "code:channel:*"). Empty: all rows.
	Rows []string
	// Cases are the ids of single cases. Empty: all of the level, the rows and the surfaces.
	Cases []string
	// Surfaces are the names of surfaces. Empty: all that the target offers.
	Surfaces []string
	// Baseline lists the expected failures. The zero value lists none.
	Baseline baseline.Baseline
	// Concurrency replaces the profile's number of cases that run at once, 1 to [profile.MaxConcurrency]; 0 keeps it.
	Concurrency int
	// Log gets the event log of the run, one JSON line a Write. nil keeps the log in memory only.
	Log io.Writer
	// Command is the command line for the log. It may contain secrets: they are redacted.
	Command []string
	// TraceURL is where a trace can be seen, with {trace_id} in place of its id: reports link it. [New] refuses one that is not an http or
	// https URL. Requests are recorded by the gateway's tracing if Target.Sampled is set.
	TraceURL string
	// Progress, when not nil, is called as the run proceeds, one call at a time. A slow function slows the run.
	Progress func(Progress)
	// Afterwards, when not nil, is called when the log of a run that was not interrupted has its footer, and the gateway is still prepared:
	// with it, gatecert run --clients plays client libraries. Its error is returned with the run and changes nothing in it.
	Afterwards func(ctx context.Context, run runlog.Run, s *targets.Session) error
}

// Progress is how far a run has come. Phase is one of the phases below. Target is the base URL of the gateway, "" until
// [PhaseControls]. Done counts the cases that have ended, Total those that must run; Total is 0 until [PhaseControls] has
// ended. Running counts the cases that run now, and Longest is the id of the one that has run for the longest time, since Since; "" for
// none. Last is the case that has just ended, nil when the call reports something else. Plan says what the load cases are
// going to send; it is reported once, before the first case, and "" otherwise. Load is how far a load case has come, nil
// otherwise.
type Progress = runner.Progress

// The phases of a run, in their order. A phase without cases is not reported.
const (
	PhasePrepare    = runner.PhasePrepare    // the driver prepares the gateway
	PhaseControls   = runner.PhaseControls   // control calls show which surfaces can be judged
	PhaseConcurrent = runner.PhaseConcurrent // cases that run at once
	PhaseExclusive  = runner.PhaseExclusive  // cases that run one after the other
	PhaseLoad       = runner.PhaseLoad       // load cases
	PhaseDone       = runner.PhaseDone       // the log has its footer
)

// The errors with which a run ends without a verdict about the gateway.
var (
	// ErrUsage is returned when the configuration names something that does not exist, or contradicts itself.
	ErrUsage = runner.ErrUsage
	// ErrNothingToRun is returned when the selection leaves no case that the target offers.
	ErrNothingToRun = runner.ErrNothingToRun
	// ErrInconclusive is returned when nothing can be judged, before any case is played: no healthy call succeeds, or the mock
	// upstream is not asked. Its text is one sentence: what happened, where, and what to do.
	ErrInconclusive = runner.ErrInconclusive
	// ErrUnreachable is returned when the gateway cannot be reached. It is an [ErrInconclusive] whose text names the URL.
	ErrUnreachable = runner.ErrUnreachable
	// ErrTimeLimit is returned when [Config].TimeLimit is over.
	ErrTimeLimit = runner.ErrTimeLimit
	// ErrHarness is returned when gatecert itself failed: the log cannot be written, the driver cannot prepare the target.
	ErrHarness = runner.ErrHarness
)

// Certification is a checked configuration, ready to run. It may run more than once, but not concurrently with itself when
// the configuration has a Log.
type Certification struct{ job runner.Job }

// New checks everything about a configuration that can be checked before anything is sent. It returns [ErrUsage], with
// what is wrong.
func New(cfg Config) (*Certification, error) {
	selection, err := runner.Select(runner.Choice{Level: cfg.Level, Rows: cfg.Rows, Cases: cfg.Cases, Surfaces: cfg.Surfaces})
	if err != nil {
		return nil, err
	}
	if cfg.Concurrency < 0 || cfg.Concurrency > profile.MaxConcurrency {
		return nil, fmt.Errorf("%w: concurrency %d: must be between 1 and %d", ErrUsage, cfg.Concurrency, profile.MaxConcurrency)
	}
	if cfg.TraceURL != "" && (!profile.AbsoluteURL(cfg.TraceURL) || !strings.Contains(cfg.TraceURL, "{trace_id}")) {
		return nil, fmt.Errorf("%w: the trace URL must be an http or https URL that contains {trace_id}", ErrUsage)
	}
	if err := cfg.Target.Claims.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	if problem := profile.BaseURLFault(cfg.Target.BaseURL); problem != "" && profile.AbsoluteURL(cfg.Target.BaseURL) {
		return nil, fmt.Errorf("%w: the target's base URL: %s", ErrUsage, problem)
	}
	driver := cfg.Driver
	if driver == nil {
		if name := cfg.Target.Driver; name != "" && name != profile.StaticDriver {
			return nil, fmt.Errorf("%w: the profile requires the driver %q: set Config.Driver to this driver", ErrUsage, name)
		}
		if !profile.AbsoluteURL(cfg.Target.BaseURL) {
			return nil, fmt.Errorf("%w: the target's base URL %q is not an http or https URL: set Config.Target to a profile whose base URL is one, such as http://127.0.0.1:8080", ErrUsage, cfg.Target.Shown(cfg.Target.BaseURL))
		}
		if cfg.Target.Store.Present() && cfg.OpenStore == nil {
			return nil, fmt.Errorf("%w: the profile declares a store: set Config.OpenStore (see package store)", ErrUsage)
		}
		driver = static.Driver{}
	}
	return &Certification{runner.Job{
		Target: cfg.Target, Driver: driver, OpenStore: cfg.OpenStore,
		Selection: selection, TimeLimit: cfg.TimeLimit, AllowActions: cfg.AllowActions, AllowRemoteLoad: cfg.AllowRemoteLoad, Baseline: cfg.Baseline, Concurrency: cfg.Concurrency,
		Log: cfg.Log, Command: cfg.Command, TraceURL: cfg.TraceURL, Progress: cfg.Progress, Afterwards: cfg.Afterwards,
	}}, nil
}

// Asks reports whether the configuration selects a case.
func (c *Certification) Asks(k contract.Case) bool { return c.job.Selection.Asks(k) }

// Cases returns the selected cases on the surfaces that the target lists, or on all where it lists none. What the target
// lacks for some of them is known only when it has been prepared.
func (c *Certification) Cases() []contract.Case {
	listed := c.job.Target.Surfaces
	return slices.DeleteFunc(contract.Cases(), func(k contract.Case) bool {
		return !c.Asks(k) || len(listed) > 0 && !slices.Contains(listed, k.Surface)
	})
}

// Run certifies the target and returns the run as its log records it.
//
// A gateway that fails is not an error but a verdict of the run. Run returns [ErrNothingToRun], [ErrInconclusive],
// [ErrUnreachable] or [ErrHarness] when there can be no verdict, and the errors of package targets for consent, credentials and gateways that
// cannot be prepared. When ctx is cancelled, the log keeps what was found until then, the run is marked as interrupted,
// and the cause of the cancellation is returned with it.
func (c *Certification) Run(ctx context.Context) (runlog.Run, error) {
	return runner.Run(ctx, c.job)
}

// LoadBaseline reads the expected failures of a gateway for [Config].Baseline: a YAML file of entries (docs/ci.md), or
// the folder, run.ndjson or verdicts.txt of an earlier run.
//
// It returns [baseline.ErrBaseline] for a file that is none of these or makes no sense, and the error of the file system
// when the file cannot be read.
func LoadBaseline(path string) (baseline.Baseline, error) {
	return baseline.Load(path, func(file string, data []byte) (baseline.Document, error) { return yamlfile.Parse(file, data) })
}
