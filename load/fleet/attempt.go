package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/plain"
)

// attempt is one run of a phase by the workers that are there. One goroutine uses it; what is heard of the workers comes through events.
type attempt struct {
	fleet  *Fleet
	id     string
	phase  load.Phase
	setup  Setup
	shards []*shardState
	// began is the instant named for the beginning; zero before it is.
	began        time.Time
	events       chan any  // ready, news, *portion
	workersShown time.Time // when those of the workers were last shown
	shown        time.Time // when progress was last shown
}

// shardState is a shard as the coordinator knows it.
type shardState struct {
	worker  string
	id      string
	share   load.Share
	offset  Offset
	ready   bool
	portion *portion
	news    load.Progress
	soFar   *load.Portion
	// idle is since when the worker says that it has nothing to do, although its portion is missing.
	idle time.Time
	// failed says what the worker did in place of its share, "" when nothing is wrong.
	failed string
	// gone says that the worker is not asked again in this phase: it is not heard, or it refuses its share.
	gone bool
}

const (
	// readyFor is how long workers may take to get ready: to receive a shard, to build its requests and to connect to the gateway. To receive and
	// build large requests may take a second more for each 64 kB, which is half a Mbit/s.
	readyFor   = 20 * time.Second
	readyBytes = 64 << 10
	// leastLead is how far ahead the beginning is named, in which every worker has to have heard of it.
	leastLead = 200 * time.Millisecond
	// portionFor is how long a portion may take after the last request has ended or timed out.
	portionFor = 10 * time.Second
	// stoppedFor is how long workers that were asked to stop may take for their portions.
	stoppedFor = 5 * time.Second
)

func newAttempt(f *Fleet, id string, p load.Phase, setup Setup, workers []string) *attempt {
	a := &attempt{fleet: f, id: id, phase: p, setup: setup, events: make(chan any, 4096+4*len(workers))}
	n := min(len(workers), p.Connections)
	if n < len(workers) {
		f.note("", fmt.Sprintf("the phase has %s and each worker needs at least one, so only %d of %d workers send requests", plain.Count(p.Connections, "connection"), n, len(workers)))
	}
	for i, worker := range workers[:n] {
		a.shards = append(a.shards, &shardState{worker: worker, id: fmt.Sprintf("%s.%s.%d-%d", f.session, id, i, n), share: load.Share{Index: i, Of: n}})
	}
	return a
}

// run returns the joined measurement; [attempt.failures] says whether it is whole.
func (a *attempt) run(ctx context.Context) (load.Measurement, error) {
	f := a.fleet
	f.mu.Lock()
	f.current = a
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.current = nil
		f.mu.Unlock()
		f.blobs.drop(context.WithoutCancel(ctx), a.id)
	}()
	a.measureClocks(ctx)
	within := a.sendShards(ctx)
	if err := a.follow(ctx, within, func(s *shardState) bool { return s.ready }, "was not ready within "+within.String()); err != nil {
		return load.Measurement{Phase: a.phase.Name}, err
	}
	if len(a.failures()) == 0 && ctx.Err() == nil {
		a.start(ctx)
	}
	lasts := time.Until(a.began) + a.phase.For + a.phase.Timeout + portionFor
	if a.began.IsZero() {
		lasts = stoppedFor
	}
	err := a.follow(ctx, lasts, func(s *shardState) bool { return s.portion != nil }, "did not report the result of its share of the load")
	if err != nil {
		return load.Measurement{Phase: a.phase.Name}, err
	}
	m, err := a.merge()
	if err != nil {
		return m, err
	}
	return m, context.Cause(ctx)
}

// each runs a function for each shard that has not failed, all at once. What it returns is why the shard has failed.
func (a *attempt) each(what func(s *shardState) error) {
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, s := range a.shards {
		if s.failed == "" {
			group.Go(func() error {
				if err := what(s); err != nil {
					s.failed, s.gone = err.Error(), true
				}
				return nil
			})
		}
	}
	_ = group.Wait() // what failed is in the shards
}

func (a *attempt) measureClocks(ctx context.Context) {
	a.each(func(s *shardState) (err error) {
		if s.offset, err = a.fleet.measureClock(ctx, s.worker); err != nil {
			return errors.New("did not respond")
		}
		return nil
	})
}

// sendShards sends each worker its shard, and returns how long the workers may take to get ready. What all have in common is sealed once, and
// stored where it is large.
func (a *attempt) sendShards(ctx context.Context) time.Duration {
	f, blob := a.fleet, ""
	common, err := f.sealer.seal(f.subjects.of(f.session, "order"), order{a.phase, a.setup})
	within := readyFor + time.Duration(len(common)/readyBytes)*time.Second
	if err == nil && len(common) > inlined {
		blob = a.id
		err = f.blobs.put(ctx, blob, common)
		common = nil
	}
	a.each(func(s *shardState) error {
		if err != nil {
			return fmt.Errorf("did not receive its share of the load: %w", err)
		}
		now := f.clock.now()
		todo := shard{
			ID: s.id, Attempt: a.id, Made: now, Ahead: s.offset.Ahead, Share: s.share, Order: common, Blob: blob, Deadline: now + int64(within) + int64(s.offset.Ahead),
		}
		if err := f.send(ctx, s.worker, todo); err != nil {
			return fmt.Errorf("did not receive its share of the load: %w", err)
		}
		return nil
	})
	return within
}

// send publishes a shard.
func (f *Fleet) send(ctx context.Context, worker string, s shard) error {
	ctx, cancel := context.WithTimeout(ctx, readyFor)
	defer cancel()
	subject := f.subjects.of(f.session, "shard."+worker)
	message, err := f.sealer.seal(subject, s)
	if err != nil {
		return err
	}
	_, err = f.js.Publish(ctx, subject, message, jetstream.WithMsgID(s.ID))
	return err
}

// start names the beginning. The instant is far enough ahead for the slowest of the workers to hear of it.
func (a *attempt) start(ctx context.Context) {
	lead, rounds := leastLead, int64(len(a.shards)/atOnce+1)
	for _, s := range a.shards {
		round := int64(4*s.offset.Within + 5*time.Millisecond) // twice the way there and back
		lead = max(lead, leastLead+4*s.offset.Within+time.Duration(rounds*round))
	}
	now := a.fleet.clock.now()
	at := now + int64(lead)
	a.began = a.fleet.clock.instant(at)
	a.each(func(s *shardState) error {
		var reply answer
		if err := a.fleet.ask(ctx, s.worker, startRequest, start{Shard: s.id, At: at + int64(s.offset.Ahead)}, &reply); err != nil {
			return errors.New("did not confirm the start time")
		}
		if reply.Refused != "" {
			return errors.New("did not start: " + reply.Refused)
		}
		return nil
	})
}

// stop asks all workers to stop.
func (a *attempt) stop(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	for _, s := range a.shards {
		if s.portion == nil {
			a.fleet.stopped.Go(func() { // who does not hear it stops when the next lease does not name the attempt
				for range 3 {
					if a.fleet.ask(ctx, s.worker, stopRequest, stop{s.id}, new(answer)) == nil {
						return
					}
				}
			})
		}
	}
}

// follow waits until all shards are done, or nothing more can be expected of those that are not. When a worker fails or ctx is done, the
// others are asked to stop, and have a moment to say what they have sent. An error is that of a phase that no worker can run.
func (a *attempt) follow(ctx context.Context, lasts time.Duration, done func(*shardState) bool, late string) error {
	deadline := time.After(lasts)
	tick := time.NewTicker(helloEvery / 5)
	defer tick.Stop()
	var stopped <-chan time.Time
	ended := ctx.Done()
	for {
		if (a.anyFailed() || ctx.Err() != nil) && stopped == nil {
			a.stop(ctx)
			stopped, ended = time.After(stoppedFor), nil
		}
		// Before the beginning nothing was sent that would have to be waited for.
		if stopped != nil && a.began.IsZero() || !a.expectsMore(done) {
			return nil
		}
		select {
		case event := <-a.events:
			if err := a.take(event); err != nil {
				return err
			}
		case <-tick.C:
			a.fail(done, a.missing)
			a.tell()
		case <-deadline:
			a.fail(done, func(*shardState) string { return late })
		case <-stopped:
			a.fail(done, func(*shardState) string {
				return "did not stop within " + stoppedFor.String() + " after the coordinator asked it to"
			})
			return nil
		case <-ended: // the top of the loop stops the workers
		}
	}
}

func (a *attempt) anyFailed() bool {
	return slices.ContainsFunc(a.shards, func(s *shardState) bool { return s.failed != "" })
}

// expectsMore reports whether a worker is still to be heard of: one that is not done, or that has failed and may say what it has sent.
func (a *attempt) expectsMore(done func(*shardState) bool) bool {
	return slices.ContainsFunc(a.shards, func(s *shardState) bool {
		if s.failed == "" {
			return !done(s)
		}
		return s.portion == nil && !a.began.IsZero() && a.fleet.heardLately(s.worker)
	})
}

// fail marks those that are not done as failed, where there is a reason.
func (a *attempt) fail(done func(*shardState) bool, why func(*shardState) string) {
	for _, s := range a.shards {
		if s.failed == "" && !done(s) {
			s.failed = why(s)
		}
	}
}

// idleFor is how long a portion may take after its worker has said that it has nothing to do: it is sent before.
const idleFor = 3 * time.Second

// missing says why nothing more is to be expected of a worker, "" when something is.
func (a *attempt) missing(s *shardState) string {
	if !a.fleet.heardLately(s.worker) {
		s.gone = a.fleet.conn.IsConnected()
		return a.fleet.silence()
	}
	if a.began.IsZero() || time.Since(a.began) < idleFor || a.fleet.member(s.worker).Shard == s.id {
		s.idle = time.Time{}
		return ""
	}
	if s.idle.IsZero() {
		s.idle = time.Now()
	}
	if time.Since(s.idle) > idleFor {
		return "finished its share of the load, but the result was lost in transit"
	}
	return ""
}

// silence says why nothing is heard of a worker.
func (f *Fleet) silence() string {
	if !f.conn.IsConnected() {
		return "cannot be reached: the connection to the NATS server was lost"
	}
	return "sent nothing for " + lostAfter.String()
}

func (f *Fleet) heardLately(worker string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.members[worker]
	return m != nil && time.Since(m.heard) < lostAfter
}

// take takes note of what was heard of a worker.
func (a *attempt) take(event any) error {
	switch e := event.(type) {
	case ready:
		s := a.shard(e.Shard)
		switch {
		case s == nil:
		case e.Invalid:
			return fmt.Errorf("%w: worker %s: %s", load.ErrInvalid, e.Worker, e.Refused)
		case e.Refused != "":
			s.failed, s.gone = "cannot run its share of the load: "+e.Refused, true
		default:
			s.ready = true
		}
	case news:
		if s := a.shard(e.Shard); s != nil {
			s.news = e.Progress
			if e.SoFar != nil {
				s.soFar = e.SoFar
			}
		}
	case *portion:
		s := a.shard(e.Shard)
		if s == nil || s.portion != nil {
			return nil // one that came twice, or of an attempt that was given up
		}
		s.portion = e
		switch {
		case e.Ended == "" || e.Stopped || s.failed != "":
		case e.Refused && e.Portion.Empty():
			s.failed, s.gone = "cannot run its share of the load: "+e.Ended, true
		default:
			s.failed, s.gone = "stopped early: "+e.Ended, e.Refused
		}
	}
	return nil
}

func (a *attempt) shard(id string) *shardState {
	for _, s := range a.shards {
		if s.id == id {
			return s
		}
	}
	return nil
}

// pass passes an event to the attempt that runs. It reports whether there was room for it, or nobody wants it.
func (f *Fleet) pass(event any) bool {
	f.mu.Lock()
	a := f.current
	f.mu.Unlock()
	if a == nil {
		return true
	}
	select {
	case a.events <- event:
		return true
	default:
		return false
	}
}

func (f *Fleet) heardReady(message *nats.Msg) {
	var r ready
	if f.sealer.open(message.Subject, message.Data, &r) == nil {
		f.pass(r)
	}
}

func (f *Fleet) heardNews(message *nats.Msg) {
	var n news
	err := f.sealer.open(message.Subject, message.Data, &n)
	if err == nil && n.Blob != "" {
		err = f.load(message.Subject, n.Blob, &n)
	}
	if err == nil {
		f.pass(n)
	}
}

// heardPortion takes a portion from the stream.
func (f *Fleet) heardPortion(message jetstream.Msg) {
	var p portion
	err := f.sealer.open(message.Subject(), message.Data(), &p)
	if err == nil && p.Blob != "" {
		err = f.load(message.Subject(), p.Blob, &p)
	}
	if err != nil {
		f.show("cannot read the results of a worker: " + err.Error())
	} else if !f.pass(&p) {
		_ = message.NakWithDelay(fetchAgain) // it comes again
		return
	}
	_ = message.Ack() // one that is not acknowledged comes again, and is known
}

// blobFor bounds how long a stored message takes to load.
const blobFor = 30 * time.Second

// load loads a stored message of a subject, and drops it.
func (f *Fleet) load(subject, name string, value any) error {
	ctx, cancel := context.WithTimeout(context.Background(), blobFor)
	defer cancel()
	message, err := f.blobs.get(ctx, name)
	if err != nil {
		return err
	}
	defer f.blobs.drop(ctx, name)
	return f.sealer.open(subject, message, value)
}
