package fleet

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// clock reads the time. It goes by the monotonic clock from the moment it was made: a step of the system's clock does not change it.
type clock struct {
	base time.Time
	// ahead is added, by tests that need a clock that is wrong.
	ahead time.Duration
}

func newClock(ahead time.Duration) clock { return clock{time.Now(), ahead} }

// now returns nanoseconds since 1970.
func (c clock) now() int64 { return c.base.UnixNano() + int64(time.Since(c.base)+c.ahead) }

// instant returns when the clock shows so many nanoseconds, with a monotonic reading.
func (c clock) instant(ns int64) time.Time {
	return c.base.Add(time.Duration(ns-c.base.UnixNano()) - c.ahead)
}

// Offset is how far a worker's clock is ahead of the coordinator's: Ahead, give or take Within.
type Offset struct{ Ahead, Within time.Duration }

// clockReadings is how often a clock is read. The reading with the shortest way is the best: half of its way bounds the error.
const clockReadings = 8

// measureClock measures the offset of a worker's clock by requests and replies, as in Cristian's algorithm (1989), and remembers it.
func (f *Fleet) measureClock(ctx context.Context, worker string) (Offset, error) {
	best := Offset{Within: time.Hour}
	for range clockReadings {
		var read reading
		sent := f.clock.now()
		if err := f.ask(ctx, worker, clockRequest, struct{}{}, &read); err != nil {
			return best, err
		}
		got := f.clock.now()
		if within := time.Duration(got-sent) / 2; within < best.Within {
			best = Offset{time.Duration(read.Now - (sent+got)/2), within}
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if m := f.members[worker]; m != nil {
		m.offset, m.measured = best, time.Now()
	}
	return best, nil
}

// askFor bounds how long a worker may take to answer. It answers at once unless it is stopped, or its machine is busy.
const askFor = 2 * time.Second

// ask makes a request of a worker. It returns [ErrLost] when there is no answer.
func (f *Fleet) ask(ctx context.Context, worker, what string, request, reply any) error {
	return f.askWithin(ctx, askFor, worker, what, request, reply)
}

func (f *Fleet) askWithin(ctx context.Context, within time.Duration, worker, what string, request, reply any) error {
	subject, nonce := f.subjects.to(worker, what), rand.Text()
	body, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("encode a request: %w", err)
	}
	message, err := f.sealer.seal(subject, asked{nonce, body})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	got, err := f.conn.RequestMsgWithContext(ctx, &nats.Msg{Subject: subject, Data: message})
	if err != nil {
		return fmt.Errorf("%w: worker %s did not respond to the request %q: %w", ErrLost, worker, what, err)
	}
	return f.sealer.open(replyTo(subject, nonce), got.Data, reply)
}
