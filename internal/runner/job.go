// Package runner runs the cases of the contract against a target: it prepares the target, makes the control calls, runs
// the features and writes the log.
package runner

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gatecert/gatecert/reports/baseline"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// Job is one run. Everything about it that can be checked without sending requests has been checked.
type Job struct {
	Target    profile.Profile
	Driver    targets.Driver
	OpenStore targets.OpenStore
	Selection runlog.Selection
	// TimeLimit is the maximum duration of the run; 0 means no limit. Persist runs every case of a surface even if its calls take too long.
	TimeLimit time.Duration
	Persist   bool
	// AllowActions permits the shell commands and SQL statements of Target. Those of a driver need no permission.
	AllowActions bool
	// AllowRemoteLoad permits load cases on a gateway that is not on this machine.
	AllowRemoteLoad bool
	Baseline        baseline.Baseline
	// Concurrency replaces the profile's number of cases that run at once; 0 keeps it.
	Concurrency int
	// TraceURL is the URL of a page that shows a trace, for the reports, with {trace_id} in place of the trace id.
	TraceURL string
	// Log receives one event in each Write call. If it is nil, the log is kept only in memory.
	Log io.Writer
	// Command is the command line to record in the log. Its secrets are redacted.
	Command []string
	// Progress, when not nil, is called as the run proceeds, one call at a time.
	Progress func(Progress)
	// Afterwards, if not nil, is called after the footer of an uninterrupted run is written, while the gateway is still prepared. Run returns its
	// error together with the unchanged run.
	Afterwards func(ctx context.Context, run runlog.Run, s *targets.Session) error
}

// Run runs a job and returns the run as its log records it.
//
// A failing gateway is not an error but a verdict of the run. Run returns [ErrNothingToRun], [ErrInconclusive], [ErrUnreachable] or [ErrHarness] when
// there can be no verdict, and the errors of package targets for consent, credentials and gateways that cannot be prepared. If ctx is cancelled, the
// log keeps the results so far, the run is marked as interrupted, and Run returns the cause of the cancellation together with the run.
func Run(ctx context.Context, job Job) (runlog.Run, error) {
	r := &runner{
		job: job, id: runID(), selection: job.Selection,
		progress: &reporter{call: job.Progress}, journal: newJournal(job.Log),
	}
	return r.run(ctx)
}

// runID sorts by time and is unique: "20261122T091502-3f9a1c".
func runID() string {
	var tail [3]byte
	_, _ = rand.Read(tail[:]) // never fails since Go 1.24
	return fmt.Sprintf("%s-%x", time.Now().UTC().Format("20060102T150405"), tail)
}

// The errors that a run returns if it ends without a verdict on the gateway. cmd/gatecert maps them to exit codes in one place.
var (
	// ErrUsage is returned if the configuration names something that does not exist: a row, a surface, a level.
	ErrUsage = errors.New("usage")
	// ErrNothingToRun is returned if the target offers none of the selected cases.
	ErrNothingToRun = errors.New("nothing to run")
	// ErrUnreachable is returned if the gateway cannot be reached. Its text is that of [ErrInconclusive].
	ErrUnreachable = errors.New("target unreachable")
	// ErrTimeLimit is returned if the time limit of a run has passed. The run is then incomplete, or never began.
	ErrTimeLimit = errors.New("the time limit was exceeded")
	// ErrHarness is returned if gatecert itself fails: for example, because it cannot write the log or the driver cannot prepare the target.
	ErrHarness = errors.New("harness fault")
)
