package load

import (
	"context"
	"time"
)

// sleeper waits for instants. It is not safe for concurrent use.
type sleeper struct{ fine fineSleeper }

// coarse is how long before the instant the coarse wait ends: Go's timers are up to 1.1 ms late, since the runtime
// waits for them in whole milliseconds.
const coarse = 1500 * time.Microsecond

// until waits until the instant. It returns false when ctx was done before.
func (s sleeper) until(ctx context.Context, instant time.Time) bool {
	if rest := time.Until(instant) - coarse; rest > 0 {
		timer := time.NewTimer(rest)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return false
		}
	}
	if rest := time.Until(instant); rest > 0 {
		s.fine.sleep(rest)
	}
	return ctx.Err() == nil
}
