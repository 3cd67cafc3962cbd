// Package wait has the one wait in the tree that ends early with its context.
package wait

import (
	"context"
	"time"
)

// For waits for d. When ctx is done first, it returns the cause at once ([context.Cause]). A d of 0 or less is over at once.
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
