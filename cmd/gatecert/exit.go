package main

import (
	"context"
	"errors"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/baseline"
	"github.com/gatecert/gatecert/reports/certificate"
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

// verdictError is a run that is not conformant, for the exit code. The report has shown its verdict.
type verdictError struct{ run runlog.Run }

func (e verdictError) Error() string { return "the run's verdict is " + string(e.run.Verdict()) }

// silent reports whether the output has shown an error already.
func silent(err error) bool {
	var verdict verdictError
	var loaded loadVerdictError
	return errors.As(err, &verdict) || errors.As(err, &loaded) || errors.Is(err, errWorse) || errors.Is(err, errCertifiedFailure) ||
		errors.Is(err, errSelfTest)
}

// exitCode maps errors and verdicts to exit codes.
func exitCode(err error) int {
	var verdict verdictError
	var loaded loadVerdictError
	switch {
	case err == nil:
		return exitConformant
	case errors.As(err, &loaded) && loaded.verdict != contract.Error:
		return exitNotConformant
	case errors.As(err, &verdict):
		return verdictCode(verdict.run)
	case errors.Is(err, errWorse), errors.Is(err, errSelfTest), errors.Is(err, errCertifiedFailure),
		errors.Is(err, certificate.ErrUnsound), errors.Is(err, certificate.ErrNotVerified):
		return exitNotConformant
	case errors.Is(err, gatecert.ErrUsage), errors.Is(err, profile.ErrProfile), errors.Is(err, baseline.ErrBaseline),
		errors.Is(err, certificate.ErrKey), errors.Is(err, errUsage), errors.Is(err, errNotSent),
		errors.Is(err, targets.ErrConsent), errors.Is(err, targets.ErrCredential), errors.Is(err, targets.ErrCannotPrepare), errors.Is(err, newapi.ErrJournal):
		return exitUsage
	case errors.Is(err, gatecert.ErrNothingToRun), errors.Is(err, errNothingCompared), errors.Is(err, context.Canceled):
		return exitIncomplete
	case errors.Is(err, runlog.ErrNoHeader), errors.Is(err, runlog.ErrMalformed), errors.Is(err, runlog.ErrSchema):
		return exitIncomplete
	default:
		return exitHarness
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
	// errWorse is returned when a case got worse. The output has shown it.
	errWorse = errors.New("a case got worse")
	// errCertifiedFailure is returned when a valid certificate says that the gateway fails. The output has shown it.
	errCertifiedFailure = errors.New("certified as a failure")
	// errSelfTest is returned when a self-test failed. Its report was printed.
	errSelfTest = errors.New("the self-test failed")
	// errNothingCompared is returned when two runs share no case.
	errNothingCompared = errors.New("nothing to compare")
)
