package reference

import (
	"context"
	"errors"
	"io"
	"time"
)

// longestStream bounds the whole of one provider's answer, however lively it is.
const longestStream = 10 * time.Minute

// patience is how long a provider may take. When it runs out the provider's call is cancelled, with errTooSlow as
// the cause.
type patience struct {
	ctx    context.Context //nolint:containedctx // it is what runs out
	cancel context.CancelCauseFunc
	timer  *time.Timer
	stop   context.CancelFunc
}

func newPatience(ctx context.Context, first time.Duration) *patience {
	ctx, stop := context.WithTimeoutCause(ctx, longestStream, errTooSlow)
	ctx, cancel := context.WithCancelCause(ctx)
	return &patience{
		ctx: ctx, cancel: cancel, stop: stop,
		timer: time.AfterFunc(first, func() { cancel(errTooSlow) }),
	}
}

// renew grants so much time from now on; what was left of the time before is forfeit.
func (p *patience) renew(d time.Duration) { p.timer.Reset(d) }

// pause stops the clock until the next renewal.
func (p *patience) pause() { p.timer.Stop() }

// end cancels the call, if it is not over, and releases the timer.
func (p *patience) end() {
	p.timer.Stop()
	p.cancel(context.Canceled)
	p.stop()
}

// explain returns why the provider's call failed: errTooSlow when it was cancelled for that, else as it appeared.
func (p *patience) explain(appeared error) error {
	if appeared != nil && errors.Is(context.Cause(p.ctx), errTooSlow) {
		return errTooSlow
	}
	return appeared
}

// attentive reads a provider's stream. The first byte must come in the time granted before, each further read may
// take the idle time. The clock stands still between reads, since the caller may be slow to take what was read.
type attentive struct {
	source   io.Reader
	patience *patience
	idle     time.Duration
	begun    bool
}

func (a *attentive) Read(into []byte) (int, error) {
	if a.begun {
		a.patience.renew(a.idle)
	}
	n, err := a.source.Read(into)
	if n > 0 {
		a.begun = true
		a.patience.pause()
	}
	return n, err
}
