package fleet

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/gatecert/gatecert/exchange"
)

const (
	// clockAgain is after how long a worker's clock is measured anew. Meanwhile it may drift by driftPPM millionths.
	clockAgain = 10 * time.Second
	driftPPM   = 100
	// answerFor is how long a worker may take to pass the answer of a call on.
	answerFor = 5 * time.Second
)

// Call makes a single call from a worker. It returns [ErrLost] when the worker does not respond, and the text of [ErrTarget] when the
// worker refuses.
func (f *Fleet) Call(ctx context.Context, worker string, setup Setup, c exchange.Call) (exchange.Made, error) {
	offset, err := f.offsetOf(ctx, worker)
	if err != nil {
		return exchange.Made{}, err
	}
	var got called
	total := setup.Limits.Total + answerFor
	if err := f.askWithin(ctx, total, worker, callRequest, call{ID: rand.Text(), Call: c, Setup: setup}, &got); err != nil {
		return exchange.Made{}, err
	}
	if got.Refused != "" {
		return exchange.Made{}, fmt.Errorf("worker %s: %s", worker, got.Refused)
	}
	return exchange.Made{
		Began: f.clock.instant(got.Began - int64(offset.Ahead)), Ended: f.clock.instant(got.Ended - int64(offset.Ahead)),
		Within: offset.Within, Observation: got.Observation,
	}, nil
}

// Calls returns a caller whose calls are made by the workers in turn. If no names are given, all workers that are present take turns.
func (f *Fleet) Calls(setup Setup, workers ...string) exchange.Caller {
	var next atomic.Uint64
	return func(ctx context.Context, c exchange.Call) (exchange.Made, error) {
		of := workers
		if len(of) == 0 {
			if of = f.Workers(); len(of) == 0 {
				return exchange.Made{}, fmt.Errorf("%w: no worker is left", ErrLost)
			}
		}
		return f.Call(ctx, of[(next.Add(1)-1)%uint64(len(of))], setup, c)
	}
}

// offsetOf returns the offset of a worker's clock, measured in the last seconds.
func (f *Fleet) offsetOf(ctx context.Context, worker string) (Offset, error) {
	f.mu.Lock()
	m := f.members[worker]
	if m == nil {
		f.mu.Unlock()
		return Offset{}, fmt.Errorf("%w: worker %s is not part of this fleet", ErrLost, worker)
	}
	offset, age := m.offset, time.Since(m.measured)
	f.mu.Unlock()
	if age > clockAgain {
		return f.measureClock(ctx, worker)
	}
	offset.Within += age * driftPPM / 1_000_000
	return offset, nil
}

// Source returns the address that a worker sends from, "" if none was set.
func (f *Fleet) Source(worker string) string { return f.member(worker).Source }
