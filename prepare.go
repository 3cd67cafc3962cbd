package gatecert

import (
	"context"

	"github.com/gatecert/gatecert/targets"
)

// Prepare brings the target of a configuration into the state that a run needs, for those who put it to another use,
// such as the load commands. What was prepared has to be closed by the caller.
//
// It returns [ErrUsage] when no driver has the target's name, [ErrUnreachable] or [ErrHarness] when the driver fails, and what
// the driver says of consent, credentials and gateways that it cannot prepare.
func Prepare(ctx context.Context, cfg Config) (targets.Prepared, error) {
	driver, err := driverFor(cfg, runID())
	if err != nil {
		return targets.Prepared{}, err
	}
	prepared, err := driver.Prepare(ctx, cfg.Target)
	if err != nil {
		return targets.Prepared{}, unprepared(cfg.Target, err)
	}
	return prepared, nil
}
