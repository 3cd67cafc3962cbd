// Package wait provides a wait that ends early if its context is done.
package wait

import (
	"context"
	"time"
)

// For waits for d. If ctx is done first, it immediately returns the cause ([context.Cause]). If d is 0 or less, it returns at once.
func For(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
