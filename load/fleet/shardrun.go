package fleet

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gatecert/gatecert/load"
)

// runningShard is the shard that a worker prepares, or runs.
type runningShard struct {
	id string
	// begin is closed when the coordinator has named the instant, which is at then.
	begin chan struct{}
	at    time.Time
	once  sync.Once
	// attempt is the one that it is of, made when that was sent, by the coordinator's clock.
	attempt string
	made    int64
	// stop ends it.
	stop context.CancelCauseFunc
}

var (
	errStopped = errors.New("the coordinator stopped this worker's share of the load")
	errLease   = errors.New("its lease expired: it did not receive a heartbeat from the coordinator in time")
	errLate    = errors.New("the deadline for starting this worker's share of the load has passed")
)

// run runs a shard and returns its portion.
func (s *session) run(todo shard, what order) portion {
	ctx, stop := context.WithCancelCause(s.ctx)
	defer stop(nil)
	running := &runningShard{id: todo.ID, attempt: todo.Attempt, made: todo.Made, begin: make(chan struct{}), stop: stop}
	s.setAhead(todo.Ahead)
	s.mu.Lock()
	s.shard = running
	s.mu.Unlock()
	out := portion{Worker: s.worker.id, Shard: todo.ID}
	what.Phase = s.arranged(ctx, todo, what.Phase)
	share, err := s.prepare(ctx, todo, what)
	out.Refused = err != nil
	if err == nil {
		err = s.awaitStart(ctx, running, todo)
	}
	if err == nil {
		out.Portion, err = s.send(ctx, share, running)
	}
	if err == nil && (s.lease.Ended() || out.Portion.Unleased() > 0) {
		err = errLease
	}
	if err != nil {
		out.Ended, out.Stopped = err.Error(), errors.Is(err, errStopped)
		out.Refused = out.Refused || s.ctx.Err() != nil // the worker is being stopped: it takes no other share
	}
	return out
}

// prepare builds the requests, checks the target and the descriptors, and connects to the gateway. It tells the coordinator how that went.
func (s *session) prepare(ctx context.Context, todo shard, what order) (*load.ReadyShare, error) {
	said := ready{Worker: s.worker.id, Shard: todo.ID}
	share, err := func() (*load.ReadyShare, error) {
		if s.clock.now() > todo.Deadline {
			return nil, errLate
		}
		if err := s.targets.checkPhase(what.Phase); err != nil {
			return nil, err
		}
		engine, err := s.engine(what.Setup)
		if err != nil {
			return nil, err
		}
		return engine.Ready(ctx, what.Phase)
	}()
	if err != nil {
		said.Refused, said.Invalid = err.Error(), errors.Is(err, load.ErrInvalid) && !errors.Is(err, load.ErrDescriptors)
		s.show("refused a share of the load: " + err.Error())
	}
	s.say("ready", said)
	return share, err
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
const leaseCheck = 20 * time.Millisecond

// arranged returns the phase with what this worker adds to it.
func (s *session) arranged(ctx context.Context, todo shard, p load.Phase) load.Phase {
	p.Share, p.Lease, p.Keep = todo.Share, &s.lease, min(p.Keep, mostKept)
	p.Progress = func(progress load.Progress) {
		s.say("news", news{Worker: s.worker.id, Shard: todo.ID, Progress: progress})
	}
	if p.SnapshotEvery > 0 {
		p.SoFar = func(soFar load.Portion) { s.saySoFar(ctx, todo.ID, soFar) }
	}
	return p
}

// send runs the share.
func (s *session) send(ctx context.Context, share *load.ReadyShare, running *runningShard) (load.Portion, error) {
	ctx, cancel := s.whileLeased(ctx)
	defer cancel()
	out, err := share.Run(ctx, running.at)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("sending its share of the load failed: %w", err)
	}
	return out, err
}

// mostKept bounds the results that a worker keeps, at 300 bytes each.
const mostKept = 200_000

// saySoFar tells the coordinator what was measured so far, by way of the store where it is large.
func (s *session) saySoFar(ctx context.Context, shard string, soFar load.Portion) {
	subject, name := s.subjects.of(s.id, "news"), shard+".sofar"
	message, err := s.blobs.fit(ctx, s.sealer, subject, name,
		news{Worker: s.worker.id, Shard: shard, SoFar: &soFar}, news{Worker: s.worker.id, Shard: shard, Blob: name})
	if err == nil {
		_ = s.conn.Publish(subject, message) // the next one has all of it
	}
}

// started takes the instant at which a shard begins.
func (w *worker) started(_ context.Context, body []byte) any {
	var st start
	if unpack(body, &st) != nil {
		return nil
	}
	running := w.runningShard(st.Shard)
	switch {
	case running == nil:
		return answer{"the worker is not working on this share of the load"}
	case w.clock.now() > st.At:
		return answer{"the worker received the start time too late"}
	}
	running.once.Do(func() {
		running.at = w.clock.instant(st.At)
		close(running.begin)
	})
	return answer{}
}

// stopped ends a shard.
func (w *worker) stopped(_ context.Context, body []byte) any {
	var st stop
	if unpack(body, &st) != nil {
		return nil
	}
	if running := w.runningShard(st.Shard); running != nil {
		running.stop(errStopped)
	}
	return answer{}
}

func (w *worker) runningShard(id string) *runningShard {
	s := w.current()
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
