package main

import (
	"context"
	"errors"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/clients"
	"github.com/gatecert/gatecert/internal/folderlock"
	"github.com/gatecert/gatecert/load/fleet"
	"github.com/gatecert/gatecert/reports/baseline"
	"github.com/gatecert/gatecert/reports/certificate"
	"github.com/gatecert/gatecert/reports/clientlog"
	"github.com/gatecert/gatecert/reports/hall"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/newapi"
	"github.com/gatecert/gatecert/targets/profile"
)

// The exit codes of every command.
const (
	exitConformant    = 0
	exitNotConformant = 1
	exitUsage         = 2
	exitIncomplete    = 3
	exitBaseline      = 4
	exitHarness       = 5
)

// shownError is a result that the output has shown already, with its exit code.
type shownError struct {
	code int
	text string
}

func (e shownError) Error() string { return e.text }

func silent(err error) bool {
	var shown shownError
	return errors.As(err, &shown)
}

// exitCode maps errors and verdicts to exit codes.
func exitCode(err error) int {
	var shown shownError
	switch {
	case err == nil:
		return exitConformant
	case errors.As(err, &shown):
		return shown.code
	case errors.Is(err, certificate.ErrUnsound), errors.Is(err, certificate.ErrNotVerified):
		return exitNotConformant
	case errors.Is(err, gatecert.ErrUsage), errors.Is(err, profile.ErrProfile), errors.Is(err, baseline.ErrBaseline),
		errors.Is(err, certificate.ErrKey), errors.Is(err, errUsage), errors.Is(err, errNotSent), errors.Is(err, folderlock.ErrHeld),
		errors.Is(err, targets.ErrConsent), errors.Is(err, targets.ErrCredential), errors.Is(err, targets.ErrCannotPrepare), errors.Is(err, newapi.ErrJournal),
		errors.Is(err, clients.ErrManifest), errors.Is(err, clientlog.ErrLog), errors.Is(err, hall.ErrFolder), errors.Is(err, hall.ErrSite),
		errors.Is(err, fleet.ErrConfig), errors.Is(err, fleet.ErrAccess), errors.Is(err, fleet.ErrPlain), errors.Is(err, fleet.ErrTarget), errors.Is(err, fleet.ErrAllow):
		return exitUsage
	case errors.Is(err, gatecert.ErrNothingToRun), errors.Is(err, gatecert.ErrTimeLimit), errors.Is(err, errNothingCompared), errors.Is(err, context.Canceled), errors.Is(err, hall.ErrNothingListed),
		errors.Is(err, runlog.ErrNoHeader), errors.Is(err, runlog.ErrMalformed), errors.Is(err, runlog.ErrSchema),
		errors.Is(err, clients.ErrNoClient):
		return exitIncomplete
	default:
		return exitHarness
	}
}

// outcome returns nil for a conformant run, and its verdict as an error otherwise.
func outcome(run runlog.Run) error {
	code := verdictCode(run)
	if code == exitConformant {
		return nil
	}
	return shownError{code, "the run's verdict is " + string(run.Verdict())}
}

// loadOutcome returns nil for a conformant verdict of a measurement, and the verdict as an error otherwise.
func loadOutcome(v contract.Verdict) error {
	switch {
	case v.Conformant():
		return nil
	case v == contract.Error:
		return shownError{exitHarness, "the verdict is " + string(v)}
	default:
		return shownError{exitNotConformant, "the verdict is " + string(v)}
	}
}

func verdictCode(run runlog.Run) int {
	switch verdict := run.Verdict(); {
	case !run.Complete():
		return exitIncomplete
	case verdict == contract.Error:
		return exitHarness
	case !verdict.Conformant():
		return exitNotConformant
	case len(run.Footer.Stale) > 0:
		return exitBaseline
	default:
		return exitConformant
	}
}

// The errors of commands, in addition to those of the packages.
var (
	// errUsage is returned when a command line parses but makes no sense.
	errUsage = errors.New("usage")
	// errNothingCompared is returned when two runs share no case.
	errNothingCompared = errors.New("nothing to compare")
)
