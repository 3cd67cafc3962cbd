package runner

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// Prepare brings the target into the state that a run needs, for those who put it to another use,
// such as the load commands. What was prepared has to be closed by the caller.
//
// It returns [ErrUnreachable] or [ErrHarness] when the driver fails, and what
// the driver says of consent, credentials and gateways that it cannot prepare.
func Prepare(ctx context.Context, driver targets.Driver, target profile.Profile) (targets.Prepared, error) {
	prepared, err := driver.Prepare(ctx, target)
	if err != nil {
		return targets.Prepared{}, unprepared(target, err)
	}
	return prepared, nil
}

// Healthy makes the healthy call of a surface, which every load is a multiple of: a load of calls that fail one by one says
// nothing. It returns [ErrUnreachable] or [ErrHarness] when that does not succeed.
func Healthy(ctx context.Context, p targets.Prepared, surface dialect.Surface) error {
	stage := targets.NewSession(p, targets.Host{})
	o, ok, detail, err := stage.Control(ctx, surface, targets.ControlHealthy)
	err = errors.Join(err, stage.Close())
	switch {
	case err != nil:
		return err
	case o.Failure != nil:
		return fmt.Errorf("%w: %s: %s", ErrUnreachable, p.Profile.BaseURL, o.Failure.Detail)
	case !ok:
		return fmt.Errorf("%w: the healthy call on %s failed before any load: %s", ErrHarness, surface, detail)
	default:
		return nil
	}
}
