package clients

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/reports/clientlog"
)

// maxStarts bounds how often an adapter is started in a run.
const maxStarts = 6

// crew makes the calls of one client. It starts the adapter again when that has ended.
type crew struct {
	adapter  Adapter
	redactor *redact.Redactor
	// callTime bounds one call with all its attempts.
	callTime time.Duration
	// slots bounds the calls at once.
	slots chan struct{}
	// whole is held while all slots are taken one by one: two that did so at once would wait for each other.
	whole sync.Mutex
	ids   atomic.Int64

	mu     sync.Mutex
	proc   *process
	starts int
	client clientlog.Client
}

// newCrew starts the adapter. It returns [ErrAdapter].
func newCrew(ctx context.Context, a Adapter, redactor *redact.Redactor, callTime time.Duration) (*crew, error) {
	c := &crew{adapter: a, redactor: redactor, callTime: callTime}
	proc, err := c.running(ctx)
	if err != nil {
		return nil, err
	}
	h := proc.hello
	c.slots = make(chan struct{}, proc.parallel())
	c.client = clientlog.Client{Name: a.Name, Package: clip(h.Package, maxField), Version: clip(h.Version, maxField), Runtime: clip(h.Runtime, maxField)}
	for _, s := range h.Surfaces {
		if s.Valid() {
			c.client.Surfaces = append(c.client.Surfaces, s)
		}
	}
	if len(c.client.Surfaces) == 0 {
		proc.close()
		return nil, fmt.Errorf("%w %s: the adapter lists no endpoint that gatecert supports", ErrAdapter, a.Name)
	}
	return c, nil
}

// running returns the adapter's process, a new one where it has ended.
func (c *crew) running(ctx context.Context) (*process, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.proc != nil {
		select {
		case <-c.proc.done:
		default:
			return c.proc, nil
		}
	}
	if c.starts >= maxStarts {
		return nil, fmt.Errorf("%w %s: the adapter exited %d times and will not be restarted", ErrAdapter, c.adapter.Name, c.starts)
	}
	c.starts++
	proc, err := start(ctx, c.adapter)
	if err != nil {
		return nil, err
	}
	c.proc = proc
	return proc, nil
}

// close ends the adapter.
func (c *crew) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.proc != nil {
		c.proc.close()
	}
}

// work is one call to make.
type work struct {
	call          clientlog.Call
	model, prompt string
	handler       http.Handler
	// whole says of a probe that it is an ordinary answer.
	whole bool
}

// do makes a call. A call during which the adapter ended is made once more, alone: another one may have been the cause. It returns the
// error of ctx, and no other.
func (c *crew) do(ctx context.Context, w work) (clientlog.Call, error) {
	call, err := c.once(ctx, w, 1)
	if errors.Is(err, ErrAdapter) {
		call, err = c.once(ctx, w, cap(c.slots))
	}
	if errors.Is(err, ErrAdapter) {
		c.fault(err)
		call.Outcome, call.Message, err = clientlog.Crashed, c.redactor.Text(clip(err.Error(), maxMessage)), nil
	}
	return call, err
}

func (c *crew) fault(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.client.Fault == "" {
		c.client.Fault = c.redactor.Text(clip(err.Error(), maxMessage))
	}
}

// once makes a call while it holds some of the slots.
func (c *crew) once(ctx context.Context, w work, slots int) (call clientlog.Call, err error) {
	call = w.call
	release, err := c.hold(ctx, slots)
	if err != nil {
		return call, err
	}
	defer release()
	proc, err := c.running(ctx)
	if err != nil {
		return call, errors.Join(ctx.Err(), err)
	}
	r, err := record(ctx, call.Surface, c.redactor, w.handler)
	if err != nil {
		return call, fmt.Errorf("%w: %w", ErrAdapter, err)
	}
	limited, cancel := context.WithTimeout(ctx, c.callTime)
	defer cancel()
	begun := time.Now()
	said, err := proc.call(limited, ask{
		ID: strconv.FormatInt(c.ids.Add(1), 10), Surface: call.Surface, BaseURL: r.url(), Key: PlaceholderKey,
		Model: w.model, Prompt: w.prompt, Stream: call.Surface.Streaming(),
	})
	call.Milliseconds = time.Since(begun).Milliseconds()
	var last contract.Observation
	call.Attempts, last = r.close()
	if call.Probe != "" && call.Probe != HealthyProbe && !w.whole {
		for i := range call.Attempts {
			call.Attempts[i].Success = false // [DONE] after a part of an answer looks like the end of a whole one
		}
	}
	switch {
	case ctx.Err() != nil:
		return call, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		call.Outcome, call.Code = clientlog.Hung, codeIn(last)
		if cap(c.slots) == 1 {
			proc.close() // it would read the next call only when this one has ended
			c.forgive()
		}
		return call, nil
	case err != nil:
		return call, err
	}
	return observed(call, said, last, c.redactor), nil
}

// forgive does not count the start of an adapter that gatecert ended.
func (c *crew) forgive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.starts--
}

// hold takes slots, one after the other; whoever wants all of them waits until nobody else does.
func (c *crew) hold(ctx context.Context, n int) (release func(), err error) {
	if n > 1 {
		c.whole.Lock()
		defer c.whole.Unlock()
	}
	for i := range n {
		select {
		case c.slots <- struct{}{}:
		case <-ctx.Done():
			for range i {
				<-c.slots
			}
			return nil, ctx.Err()
		}
	}
	return func() {
		for range n {
			<-c.slots
		}
	}, nil
}
