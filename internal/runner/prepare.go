package runner

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// Prepare prepares a target. The caller closes what it returns.
//
// It returns the errors of package targets for consent, credentials and gateways that cannot be prepared,
// [ErrUnreachable] for a connection that could not be made, and [ErrHarness] for everything else.
func Prepare(ctx context.Context, driver targets.Driver, target profile.Profile) (targets.Prepared, error) {
	prepared, err := driver.Prepare(ctx, target)
	if err != nil {
		return targets.Prepared{}, wrapPrepareError(target, err)
	}
	return prepared, nil
}

// wrapPrepareError classifies the error of a driver. What the user can correct passes through (consent, credentials, a
// gateway that cannot be prepared), a failed connection becomes [ErrUnreachable], everything else [ErrHarness].
func wrapPrepareError(target profile.Profile, err error) error {
	if errors.Is(err, targets.ErrConsent) || errors.Is(err, targets.ErrCredential) || errors.Is(err, targets.ErrCannotPrepare) {
		return fmt.Errorf("prepare %s: %w", target.Name, err)
	}
	if op := (*net.OpError)(nil); errors.As(err, &op) && op.Op == "dial" {
		return fmt.Errorf("%w: %s: %w", ErrUnreachable, target.BaseURL, err)
	}
	return fmt.Errorf("%w: prepare %s: %w", ErrHarness, target.Name, err)
}

// CheckHealth makes the healthy call of a surface. A load multiplies this call: if one fails, a load of them shows nothing.
// It returns [ErrUnreachable] when there is no answer, and [ErrHarness] when the call does not succeed.
func CheckHealth(ctx context.Context, p targets.Prepared, surface dialect.Surface) error {
	session := targets.NewSession(p, targets.Host{})
	o, ok, detail, err := session.Control(ctx, surface, targets.ControlHealthy)
	err = errors.Join(err, session.Close())
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
