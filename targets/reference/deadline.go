package reference

import (
	"context"
	"errors"
	"io"
	"time"
)

// maxStreamTime bounds the whole of one upstream's answer, however steadily it comes.
const maxStreamTime = 10 * time.Minute

// deadline bounds how long an upstream may take. When it passes, the upstream call is cancelled with [ErrTooSlow] as the
// cause.
type deadline struct {
	ctx    context.Context //nolint:containedctx // the deadline's own
	cancel context.CancelCauseFunc
	timer  *time.Timer
	stop   context.CancelFunc
}

func newDeadline(ctx context.Context, first time.Duration) *deadline {
	ctx, stop := context.WithTimeoutCause(ctx, maxStreamTime, ErrTooSlow)
	ctx, cancel := context.WithCancelCause(ctx)
	return &deadline{
		ctx: ctx, cancel: cancel, stop: stop,
		timer: time.AfterFunc(first, func() { cancel(ErrTooSlow) }),
	}
}

// end cancels the upstream call, if it is not over, and releases the timer.
func (d *deadline) end() {
	d.timer.Stop()
	d.cancel(context.Canceled)
	d.stop()
}

// explain replaces the error of an upstream call by [ErrTooSlow] when the deadline cancelled it.
func (d *deadline) explain(err error) error {
	if err != nil && errors.Is(context.Cause(d.ctx), ErrTooSlow) {
		return ErrTooSlow
	}
	return err
}

// idleReader reads an upstream's stream. The first byte must come before the deadline as it stands; each further read
// may take the idle time. The clock stops between reads, since the client may be slow to read.
type idleReader struct {
	source   io.Reader
	deadline *deadline
	idle     time.Duration
	started  bool
}

func (a *idleReader) Read(into []byte) (int, error) {
	if a.started {
		a.deadline.timer.Reset(a.idle)
	}
	n, err := a.source.Read(into)
	if n > 0 {
		a.started = true
		a.deadline.timer.Stop()
	}
	return n, err
}
