// Package gatecert certifies LLM API gateways against the published error contract. Executable scenarios test all
// 32 rows of the contract on every surface that the gateway offers.
//
// [New] checks a configuration, and [Certification.Run] runs it. Package gatecerttest does both in a gateway's own go test. The
// gatecert command adds reports, drivers that prepare gateways, and load tests.
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

// Version is the version of this source. Logs record the version and, if the build knows it, the commit.
const Version = version.Number

// Config selects what to certify, and how.
type Config struct {
	// Target is the gateway under test; see [profile.FromURL] and [profile.Load]. Target is required unless Driver starts
	// its own gateway.
	Target profile.Profile
	// Driver prepares the gateway. nil means [static.Driver], for a gateway that was set up manually as the profile describes.
	// Package reference starts the reference gateway. Package newapi prepares a running new-api or one-api.
	Driver targets.Driver
	// OpenStore opens the database that the profile's store names, for recipes that break it; see package store. If OpenStore is nil,
	// [New] rejects a profile that declares a store.
	OpenStore targets.OpenStore
	// Level excludes the cases that need a higher level. "" selects all cases except the load cases.
	Level contract.Level
	// TimeLimit stops a run that takes longer; a stopped run is incomplete. 0 means no time limit.
	TimeLimit time.Duration
	// AllowActions permits the shell commands and SQL statements of the target's recipes. If AllowActions is false, the cases that need
	// them are not offered. Ask your user before you set AllowActions for a profile that somebody else wrote.
	AllowActions bool
	// AllowRemoteLoad permits load cases on a gateway that is not on this machine.
	AllowRemoteLoad bool
	// Rows are row ids or patterns ("http:404", "code:channel:*"). If Rows is empty, all rows are selected.
	Rows []string
	// Cases are the ids of individual cases. If Cases is empty, all cases of the level, rows and surfaces are selected.
	Cases []string
	// Surfaces are the names of surfaces. If Surfaces is empty, all surfaces that the target offers are selected.
	Surfaces []string
	// Baseline lists the expected failures. The zero value lists none.
	Baseline baseline.Baseline
	// Concurrency is the number of cases that run concurrently, from 1 to [profile.MaxConcurrency]. 0 means the profile's number.
	Concurrency int
	// Log receives the event log of the run, with one JSON line per Write call. If Log is nil, the log is kept only in memory.
	Log io.Writer
	// Command is the command line to record in the log. Secrets in the command line are redacted.
	Command []string
	// TraceURL is the URL of a page that shows a trace, with {trace_id} in place of the trace id. The reports link to this page. [New] rejects a
	// TraceURL that is not an http or https URL. The gateway's tracing records the requests if Target.Sampled is set.
	TraceURL string
	// Progress, if not nil, is called as the run proceeds, one call at a time. A slow Progress function slows down the run.
	Progress func(Progress)
	// Afterwards, if not nil, is called after the footer of an uninterrupted run is written, while the gateway is still prepared.
	// gatecert run --clients uses Afterwards to run client libraries. Run returns the error of Afterwards together with the unchanged run.
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

// The errors that a run returns if it ends without a verdict on the gateway.
var (
	// ErrUsage is returned if the configuration names something that does not exist or contradicts itself.
	ErrUsage = runner.ErrUsage
	// ErrNothingToRun is returned if the target offers none of the selected cases.
	ErrNothingToRun = runner.ErrNothingToRun
	// ErrInconclusive is returned before any case runs if nothing can be judged: no healthy call succeeds, or the gateway does
	// not call the mock upstream. The error text is one sentence: what happened, where, and what to do.
	ErrInconclusive = runner.ErrInconclusive
	// ErrUnreachable is returned if the gateway cannot be reached. ErrUnreachable is an [ErrInconclusive] whose text names the URL.
	ErrUnreachable = runner.ErrUnreachable
	// ErrTimeLimit is returned if the run reaches [Config].TimeLimit.
	ErrTimeLimit = runner.ErrTimeLimit
	// ErrHarness is returned if gatecert itself fails, for example because it cannot write the log or the driver cannot prepare the target.
	ErrHarness = runner.ErrHarness
)

// Certification is a checked configuration, ready to run. It may run more than once, but if the configuration has a Log, not
// concurrently with itself.
type Certification struct{ job runner.Job }

// New checks everything about a configuration that can be checked without sending requests. If the configuration is invalid, New
// returns [ErrUsage] with the reason.
func New(cfg Config) (*Certification, error) {
	selection, err := runner.Select(runner.Choice{Level: cfg.Level, Rows: cfg.Rows, Cases: cfg.Cases, Surfaces: cfg.Surfaces})
	if err != nil {
		return nil, err
	}
	if cfg.Concurrency < 0 || cfg.Concurrency > profile.MaxConcurrency {
		return nil, fmt.Errorf("%w: the concurrency is %d, but must be between 1 and %d", ErrUsage, cfg.Concurrency, profile.MaxConcurrency)
	}
	if cfg.TraceURL != "" && (!profile.AbsoluteURL(cfg.TraceURL) || !strings.Contains(cfg.TraceURL, "{trace_id}")) {
		return nil, fmt.Errorf("%w: the trace URL must be an http or https URL that contains {trace_id}", ErrUsage)
	}
	if err := cfg.Target.Claims.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	if problem := profile.BaseURLFault(cfg.Target.BaseURL); problem != "" && profile.AbsoluteURL(cfg.Target.BaseURL) {
		return nil, fmt.Errorf("%w: Config.Target.BaseURL: %s", ErrUsage, problem)
	}
	driver := cfg.Driver
	if driver == nil {
		if name := cfg.Target.Driver; name != "" && name != profile.StaticDriver {
			return nil, fmt.Errorf("%w: the profile requires the driver %q: set Config.Driver to this driver", ErrUsage, name)
		}
		if !profile.AbsoluteURL(cfg.Target.BaseURL) {
			return nil, fmt.Errorf("%w: the target's base URL %q is not an http or https URL: set Config.Target to a profile with such a base URL, for example http://127.0.0.1:8080", ErrUsage, cfg.Target.Shown(cfg.Target.BaseURL))
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

// Asks reports whether the configuration selects the case k.
func (c *Certification) Asks(k contract.Case) bool { return c.job.Selection.Asks(k) }

// Cases returns the selected cases on the surfaces that the target lists, or on all surfaces if it lists none. Whether the target lacks
// something that a case needs is known only after the target has been prepared.
func (c *Certification) Cases() []contract.Case {
	listed := c.job.Target.Surfaces
	return slices.DeleteFunc(contract.Cases(), func(k contract.Case) bool {
		return !c.Asks(k) || len(listed) > 0 && !slices.Contains(listed, k.Surface)
	})
}

// Run certifies the target and returns the run as its log records it.
//
// A failing gateway is not an error but a verdict of the run. Run returns [ErrNothingToRun], [ErrInconclusive],
// [ErrUnreachable] or [ErrHarness] if there can be no verdict, and the errors of package targets for consent, credentials and gateways that
// cannot be prepared. If ctx is cancelled, the log keeps the results so far, the run is marked as interrupted, and Run returns the cause
// of the cancellation together with the run.
func (c *Certification) Run(ctx context.Context) (runlog.Run, error) {
	return runner.Run(ctx, c.job)
}

// LoadBaseline reads the expected failures of a gateway for [Config].Baseline: a YAML file of entries (docs/ci.md), or
// the folder, run.ndjson or verdicts.txt of an earlier run.
//
// LoadBaseline returns [baseline.ErrBaseline] if the file is none of these or its content is invalid, and the file system's error if the
// file cannot be read.
func LoadBaseline(path string) (baseline.Baseline, error) {
	return baseline.Load(path, func(file string, data []byte) (baseline.Document, error) { return yamlfile.Parse(file, data) })
}
