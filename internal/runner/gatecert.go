// Package gatecert certifies LLM API gateways against the published error contract: 32 rows, each an executable
// scenario, judged on every surface the gateway offers.
//
// [Run] is what the command does, for programs; [Test] embeds a certification in a gateway's own go test.
package runner

import (
	"context"
	"io"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/baseline"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// Version is the tool's version as it stands in every log.
const Version = "0.1.0"

// Config says what to certify. The zero value certifies the embedded reference gateway in full.
type Config struct {
	// Target is the gateway under test. The zero value is the embedded reference gateway.
	Target profile.Profile
	// Level bounds what is tried: cases that need a higher level are left out. "" is everything but the cases under load.
	Level contract.Level
	// LoadAnywhere agrees that the cases under load are played also where the gateway is not on this machine.
	LoadAnywhere bool
	// Rows are row ids or patterns ("http:404", "code:channel:*"). None: all rows.
	Rows []string
	// Cases are ids of cases, for a run of just these. None: all of the level, rows and surfaces.
	Cases []string
	// Surfaces are names of surfaces. None: all that the target offers.
	Surfaces []string
	// Baseline holds the failures that are expected. The zero value expects none.
	Baseline baseline.Baseline
	// Concurrency overrides the profile's number of cases at once; 0 leaves it.
	Concurrency int
	// Consent is asked before a driver changes a gateway that somebody runs. nil refuses: the changes are then in the error.
	Consent func([]targets.Change) bool
	// Journal takes a line for everything that a driver makes or changes on such a gateway, before it does, and one for
	// everything that is undone; [Clean] reads it. nil: what a run that dies leaves behind has to be found by hand.
	Journal io.Writer
	// Log takes the run's event log, one JSON line a Write. nil: the log is kept in memory only.
	Log io.Writer
	// Command is the command line to put into the log, secrets included: they are redacted here.
	Command []string
	// Progress, when not nil, is told of every step of the run, one call at a time.
	Progress func(Progress)
}

// Progress is how far a run has come.
type Progress struct {
	// Phase is "prepare", "controls", "cases", "alone" (cases that must run alone), "load" or "done".
	Phase string
	// Plan says, before the first case under load, what is going to be sent; "" at all other times.
	Plan string
	// Load is how far a load has come, nil in other phases.
	Load *load.Progress
	// Target is the base URL, known from the controls on.
	Target string
	// Done and Total count cases.
	Done, Total int
	// Last is the case that has just ended, nil in other phases.
	Last *runlog.Case
}

// Run certifies a target and returns the run as its log tells it.
//
// That the gateway fails is no error: the run's verdict says so. It returns [ErrUsage], [ErrNothingToRun],
// [ErrUnreachable] or [ErrHarness] when there can be no verdict. When ctx is cancelled, what was found until then is in
// the log, the run is marked as interrupted, and the cause is returned with it.
func Run(ctx context.Context, cfg Config) (runlog.Run, error) {
	r, err := newRunner(cfg)
	if err != nil {
		return runlog.Run{}, err
	}
	return r.run(ctx)
}
