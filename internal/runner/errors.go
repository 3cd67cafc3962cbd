package runner

import "errors"

// The errors with which a run ends without a verdict about the gateway. cmd/gatecert maps them to exit codes in one place.
var (
	// ErrUsage is returned when the configuration names something that does not exist: a row, a surface, a level.
	ErrUsage = errors.New("usage")
	// ErrNothingToRun is returned when the selection leaves no case that the target offers.
	ErrNothingToRun = errors.New("nothing to run")
	// ErrUnreachable is returned when the gateway cannot be reached. Its text names the URL.
	ErrUnreachable = errors.New("target unreachable")
	// ErrHarness is returned when gatecert itself failed: the log cannot be written, the driver cannot prepare the target.
	ErrHarness = errors.New("harness fault")
)
