package fleet

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/load"
)

// session is the work for one coordinator.
type session struct {
	*worker

	id      string
	ctx     context.Context //nolint:containedctx // it ends with the session
	stop    context.CancelCauseFunc
	lease   load.Lease
	running sync.WaitGroup
	blobs   blobs

	mu      sync.Mutex
	ahead   time.Duration // of this worker's clock
	heard   time.Time     // when the last lease came
	leased  int64         // when that was made
	shard   *runningShard
	done    []portion // the last ones, the latest at the end
	engines map[[32]byte]*load.Engine
	clients map[[32]byte]*exchange.Client
	// calls are the ids of single calls.
	calls map[string]bool
	// calling is how many of them are in flight.
	calling int
}

// mostSetups bounds the targets of a session: a comparison has two.
const mostSetups = 16

var errSetups = fmt.Errorf("a worker accepts at most %d targets from a coordinator", mostSetups)

// doneKept is how many portions are kept, for shards that come again.
const doneKept = 4

func newSession(ctx context.Context, w *worker, o offer) *session {
	s := &session{
		worker: w, id: o.Session, ahead: o.Ahead, heard: time.Now(), engines: map[[32]byte]*load.Engine{}, clients: map[[32]byte]*exchange.Client{}, calls: map[string]bool{},
	}
	s.blobs = blobs{w.js, w.subjects.bucket(o.Session)}
	s.ctx, s.stop = context.WithCancelCause(ctx)
	return s
}

func (s *session) setAhead(ahead time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead = ahead
}

// extend extends the lease, to an instant of the coordinator's clock. A lease that is not newer than the last is somebody's repetition. A
// shard of an attempt that the lease does not name was given up: the worker has missed it.
func (s *session) extend(l lease) {
	s.mu.Lock()
	if l.Made <= s.leased {
		s.mu.Unlock()
		return
	}
	s.leased, s.heard = l.Made, time.Now()
	ahead := s.ahead
	if r := s.shard; r != nil && l.Made > r.made && l.Attempt != r.attempt {
		r.stop(errStopped)
	}
	s.mu.Unlock()
	// A coordinator cannot lend more than the usual time, whatever it says.
	until := min(l.Until+int64(ahead), s.clock.now()+int64(leaseFor))
	s.lease.Extend(s.clock.instant(until))
}

// shardID is the shard that is prepared or run, "" for none.
func (s *session) shardID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shard == nil {
		return ""
	}
	return s.shard.id
}

func (s *session) lastLease() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard
}

// work runs the shards of the session.
func (s *session) work() {
	consume(s.ctx, s.js, s.subjects.stream(s.id), s.worker.id, 1, s.take)
}

// close closes the connections to the targets.
func (s *session) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.engines {
		e.Close()
	}
	for _, c := range s.clients {
		c.Close()
	}
}

// take runs a shard, unless it was run before: then its portion is sent again.
func (s *session) take(message jetstream.Msg) {
	var todo shard
	var what order
	err := s.sealer.open(message.Subject(), message.Data(), &todo)
	if err == nil && todo.Blob != "" {
		todo.Order, err = s.blobs.get(s.ctx, todo.Blob)
	}
	if err == nil {
		err = s.sealer.open(s.subjects.of(s.id, "order"), todo.Order, &what)
	}
	if err != nil {
		s.show("cannot read the instructions for a share of the load: " + err.Error())
		_ = message.Ack() // the coordinator gives the phase up
		return
	}
	held := make(chan struct{})
	go keep(message, held)
	defer close(held)
	result, known := s.known(todo.ID)
	if !known {
		result = s.run(todo, what)
		s.mu.Lock()
		s.done = append(s.done, result)
		s.done = s.done[max(0, len(s.done)-doneKept):]
		s.mu.Unlock()
	}
	if s.publish(result) == nil {
		_ = message.Ack() // otherwise it comes again, and its portion is sent again
	}
	s.mu.Lock()
	s.shard = nil // now it has nothing to do
	s.mu.Unlock()
}

// keep tells the server that a message is being worked on, until done is closed.
func keep(message jetstream.Msg, done <-chan struct{}) {
	tick := time.NewTicker(ackWait / 4)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			_ = message.InProgress() // a message that comes again is known
		}
	}
}

func (s *session) known(shard string) (portion, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.done {
		if p.Shard == shard {
			return p, true
		}
	}
	return portion{}, false
}

// publish sends a portion. The server drops it when it has it already.
func (s *session) publish(p portion) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), portionFor)
	defer cancel()
	subject, name := s.subjects.of(s.id, "portion."+s.worker.id), p.Shard+".portion"
	message, err := s.blobs.fit(ctx, s.sealer, subject, name, p, portion{Worker: p.Worker, Shard: p.Shard, Blob: name})
	if err != nil {
		return err
	}
	_, err = s.js.Publish(ctx, subject, message, jetstream.WithMsgID(name))
	return err
}

// key is the same for equal setups.
func (s Setup) key() [32]byte {
	text, _ := json.Marshal(s) //nolint:musttag // it is only compared, and nothing in it can fail
	return sha256.Sum256(text)
}

// options are those of an engine for the setup.
func (w *worker) optionsFor(setup Setup) (load.Options, error) {
	o := load.Options{Caps: load.HardCaps(), Secrets: setup.Secrets, Codes: setup.Codes, Source: w.options.Source}
	if setup.CountTokens {
		o.CountTokens = w.options.CountTokens
	}
	roots, err := setup.roots()
	if roots != nil {
		o.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return o, err
}

func (s Setup) roots() (*x509.CertPool, error) {
	if len(s.Roots) == 0 {
		return nil, nil //nolint:nilnil // the system's
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(s.Roots) {
		return nil, errors.New("cannot read the target's CA certificates")
	}
	return roots, nil
}

// engine returns the engine for a setup, which keeps its connections from phase to phase.
func (s *session) engine(setup Setup) (*load.Engine, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := setup.key()
	if e := s.engines[key]; e != nil {
		return e, nil
	}
	options, err := s.optionsFor(setup)
	if err != nil {
		return nil, err
	}
	if len(s.engines) >= mostSetups {
		return nil, errSetups
	}
	s.engines[key] = load.NewEngine(options)
	return s.engines[key], nil
}

func (s *session) client(setup Setup) (*exchange.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := setup.key()
	if c := s.clients[key]; c != nil {
		return c, nil
	}
	roots, err := setup.roots()
	if err != nil {
		return nil, err
	}
	if len(s.clients) >= mostSetups {
		return nil, errSetups
	}
	strong, _ := redact.Strong(setup.Secrets)
	s.clients[key] = exchange.NewClientFrom(s.options.Source, setup.Limits, roots, strong...)
	return s.clients[key], nil
}

// Limits for single calls: in flight, and in a session.
const (
	mostCalling = 4096
	mostCalls   = 1_000_000
)

// beginCall counts a call. It refuses one that was made before.
func (s *session) beginCall(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.calls[id]:
		return errors.New("the request to make this call arrived twice, so the worker did not make the call again")
	case s.calling >= mostCalling || len(s.calls) >= mostCalls:
		return fmt.Errorf("a worker makes at most %d calls at once, and %d in total", mostCalling, mostCalls)
	}
	s.calls[id] = true
	s.calling++
	return nil
}

func (s *session) endCall() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calling--
}

// called makes a single call. It is aborted when the lease ends.
func (w *worker) called(_ context.Context, body []byte) any {
	var c call
	if unpack(body, &c) != nil {
		return nil
	}
	w.mu.Lock()
	s := w.session
	if s != nil {
		s.running.Add(1)
	}
	w.mu.Unlock()
	if s == nil {
		return called{Refused: "the worker is currently not assigned to a coordinator"}
	}
	defer s.running.Done()
	ctx, cancel := s.whileLeased(s.ctx)
	defer cancel()
	if s.lease.Ended() {
		return called{Refused: errLease.Error()}
	}
	if err := w.targets.checkCall(c.Call); err != nil {
		return called{Refused: err.Error()}
	}
	client, err := s.client(c.Setup)
	if err == nil {
		err = s.beginCall(c.ID)
	}
	if err != nil {
		return called{Refused: err.Error()}
	}
	defer s.endCall()
	out := called{Began: w.clock.now()}
	out.Observation, err = client.Do(ctx, c.Call)
	out.Ended = w.clock.now()
	if err != nil {
		return called{Refused: fmt.Sprintf("cannot make the call: %v", err)}
	}
	return out
}

// whileLeased returns a context that is done when the lease ends, with errLease as its cause. The caller cancels it.
func (s *session) whileLeased(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		tick := time.NewTicker(leaseCheck)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if s.lease.Ended() {
					cancel(errLease)
					return
				}
			}
		}
	}()
	return ctx, func() { cancel(nil) }
}
