// Package runner plays the cases of a contract against a prepared target: it plans, makes the control calls, plays the
// features and writes the log.
package runner

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/baseline"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// Job is one run, as far as it can be checked before anything is sent.
type Job struct {
	// Tool names and versions whoever writes the log: "gatecert 0.1.0".
	Tool      string
	Target    profile.Profile
	Driver    targets.Driver
	OpenStore targets.OpenStore
	Selection runlog.Selection
	// AllowRemoteLoad permits load cases on a gateway that is not on this machine.
	AllowRemoteLoad bool
	Baseline        baseline.Baseline
	// Concurrency overrides the profile's number of cases at once; 0 leaves it.
	Concurrency int
	// Log takes one event a Write. nil keeps the log in memory only.
	Log io.Writer
	// Command is the command line for the log; its secrets are redacted here.
	Command []string
	// Progress, when not nil, is called one call at a time.
	Progress func(Progress)
}

// Progress is how far a run has come.
type Progress struct {
	// Phase is "prepare", "controls", "cases", "alone" (cases that must run alone), "load" or "done".
	Phase string
	// Plan says, before the first load case, what is going to be sent; "" at all other times.
	Plan string
	// Load is how far a load case has come, nil in other phases.
	Load *load.Progress
	// Target is the base URL, known from the controls on.
	Target string
	// Done and Total count cases.
	Done, Total int
	// Last is the case that has just ended, nil in other phases.
	Last *runlog.Case
}

// Run plays a job and returns the run as its log tells it.
//
// That the gateway fails is no error: the run's verdict says so. It returns [ErrNothingToRun], [ErrUnreachable] or
// [ErrHarness] when there can be no verdict. When ctx is cancelled, what was found until then is in the log, the run is
// marked as interrupted, and the cause is returned with it.
func Run(ctx context.Context, job Job) (runlog.Run, error) {
	return newRunner(job).run(ctx)
}

// runID sorts by time and is unique: "20261122T091502-3f9a1c".
func runID() string {
	var tail [3]byte
	_, _ = rand.Read(tail[:]) // never fails since Go 1.24
	return fmt.Sprintf("%s-%x", time.Now().UTC().Format("20060102T150405"), tail)
}
