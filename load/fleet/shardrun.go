package fleet

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/gatecert/gatecert/load"
)

// runningShard is the shard that a worker prepares, or runs.
type runningShard struct {
	id string
	// begin is closed when the coordinator has named the instant, which is at then.
	begin chan struct{}
	at    time.Time
	once  sync.Once
	// stop ends it.
	stop context.CancelCauseFunc
}

var (
	errStopped = errors.New("the coordinator has stopped it")
	errLease   = errors.New("its lease has ended: the coordinator was not heard in time")
	errLate    = errors.New("it came after its deadline")
)

// run runs a shard and returns its portion.
func (s *session) run(todo shard) portion {
	ctx, stop := context.WithCancelCause(s.ctx)
	defer stop(nil)
	running := &runningShard{id: todo.ID, begin: make(chan struct{}), stop: stop}
	s.mu.Lock()
	s.shard = running
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.shard = nil
		s.mu.Unlock()
	}()
	out := portion{Worker: s.worker.id, Shard: todo.ID}
	engine, err := s.prepare(ctx, todo)
	if err == nil {
		err = s.awaitStart(ctx, running, todo)
	}
	if err == nil {
		out.Portion, err = s.send(ctx, engine, running, todo)
	}
	if err == nil && s.lease.Ended() {
		err = errLease
	}
	if err != nil {
		out.Ended, out.Stopped = err.Error(), errors.Is(err, errStopped)
	}
	return out
}

// prepare builds the requests, checks the target and the descriptors, and connects to the gateway. It tells the coordinator how that went.
func (s *session) prepare(ctx context.Context, todo shard) (*load.Engine, error) {
	said := ready{Worker: s.worker.id, Shard: todo.ID}
	engine, err := func() (*load.Engine, error) {
		if s.clock.now() > todo.Deadline {
			return nil, errLate
		}
		if err := s.targets.checkPhase(todo.Phase); err != nil {
			return nil, err
		}
		engine, err := s.engine(todo.Setup)
		if err != nil {
			return nil, err
		}
		return engine, engine.Warm(ctx, todo.Phase)
	}()
	if err != nil {
		said.Refused, said.Invalid = err.Error(), errors.Is(err, load.ErrInvalid) && !errors.Is(err, load.ErrDescriptors)
		s.show("refuses a share: " + err.Error())
	}
	s.say("ready", said)
	return engine, err
}

// say publishes a message of the session that nobody acknowledges.
func (s *session) say(what string, message any) {
	subject := s.subjects.of(s.id, what)
	if sealed, err := s.sealer.seal(subject, message); err == nil {
		_ = s.conn.Publish(subject, sealed) // the coordinator will miss it
	}
}

// awaitStart waits until the coordinator names the beginning.
func (s *session) awaitStart(ctx context.Context, running *runningShard, todo shard) error {
	ctx, cancel := context.WithDeadlineCause(ctx, s.clock.instant(todo.Deadline).Add(askFor), errLate)
	defer cancel()
	select {
	case <-running.begin:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// leaseCheck is how often a running shard looks at its lease. No request is sent after its end in any case.
const leaseCheck = 100 * time.Millisecond

// send runs the phase.
func (s *session) send(ctx context.Context, engine *load.Engine, running *runningShard, todo shard) (load.Portion, error) {
	p := todo.Phase
	p.Start, p.Lease = running.at, &s.lease
	p.Progress = func(progress load.Progress) {
		s.say("news", news{Worker: s.worker.id, Shard: todo.ID, Progress: progress})
	}
	if p.SnapshotEvery > 0 {
		p.SoFar = func(soFar load.Portion) { s.say("news", news{Worker: s.worker.id, Shard: todo.ID, Soak: &soFar}) }
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	over := make(chan struct{})
	defer close(over)
	go func() {
		tick := time.NewTicker(leaseCheck)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
				if s.lease.Ended() {
					cancel(errLease)
					return
				}
			}
		}
	}()
	out, err := engine.RunShare(ctx, p)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("run the share: %w", err)
	}
	return out, err
}

// started takes the instant at which a shard begins.
func (w *worker) started(_ context.Context, m *nats.Msg) any {
	var st start
	if w.sealer.open(m.Subject, m.Data, &st) != nil {
		return nil
	}
	running := w.runningShard(st.Shard)
	switch {
	case running == nil:
		return answer{"it does not have the share"}
	case w.clock.now() > st.At:
		return answer{"it heard of the beginning too late"}
	}
	running.once.Do(func() {
		running.at = w.clock.instant(st.At)
		close(running.begin)
	})
	return answer{}
}

// stopped ends a shard.
func (w *worker) stopped(_ context.Context, m *nats.Msg) any {
	var st stop
	if w.sealer.open(m.Subject, m.Data, &st) != nil {
		return nil
	}
	if running := w.runningShard(st.Shard); running != nil {
		running.stop(errStopped)
	}
	return answer{}
}

func (w *worker) runningShard(id string) *runningShard {
	w.mu.Lock()
	s := w.session
	w.mu.Unlock()
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shard == nil || s.shard.id != id {
		return nil
	}
	return s.shard
}
