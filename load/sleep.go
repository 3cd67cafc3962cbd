package load

import (
	"context"
	"time"

	"github.com/gatecert/gatecert/internal/wait"
)

// coarse is how long before an instant the coarse wait for it ends. Go's timers are up to 1.1 ms late, because the runtime
// waits for them in whole milliseconds.
const coarse = 1500 * time.Microsecond

// sleepUntil waits for an instant, to about 0.07 ms on Linux. When ctx is done first, it returns the cause.
func sleepUntil(ctx context.Context, instant time.Time) error {
	if err := wait.For(ctx, time.Until(instant)-coarse); err != nil {
		return err
	}
	for rest := time.Until(instant); rest > 0; rest = time.Until(instant) {
		sleepFine(rest)
	}
	return context.Cause(ctx)
}
