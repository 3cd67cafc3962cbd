package main

import (
	"context"
	"errors"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/targets"
)

// The exit codes of every command.
const (
	exitConformant    = 0
	exitNotConformant = 1
	exitUsage         = 2
	exitIncomplete    = 3
	exitHarness       = 5
)

// verdictError carries a run's verdict to the exit code; the report has told it already.
type verdictError struct{ run reports.Run }

func (e verdictError) Error() string { return "the run's verdict is " + string(e.run.Verdict()) }

// silent reports whether an error has been told already.
func silent(err error) bool {
	var verdict verdictError
	return errors.As(err, &verdict)
}

// exitCode is the one place where errors and verdicts become exit codes.
func exitCode(err error) int {
	var verdict verdictError
	switch {
	case err == nil:
		return exitConformant
	case errors.As(err, &verdict):
		return verdictCode(verdict.run)
	case errors.Is(err, gatecert.ErrUsage), errors.Is(err, targets.ErrProfile), errors.Is(err, errUsage):
		return exitUsage
	case errors.Is(err, gatecert.ErrNothingToRun), errors.Is(err, context.Canceled):
		return exitIncomplete
	case errors.Is(err, reports.ErrNoHeader), errors.Is(err, reports.ErrMalformed), errors.Is(err, reports.ErrSchema):
		return exitIncomplete
	default:
		return exitHarness
	}
}

func verdictCode(run reports.Run) int {
	switch verdict := run.Verdict(); {
	case !run.Complete():
		return exitIncomplete
	case verdict == contract.Error:
		return exitHarness
	case verdict.Conformant():
		return exitConformant
	default:
		return exitNotConformant
	}
}

// errUsage is returned when a command line parses and makes no sense.
var errUsage = errors.New("usage")
