package fleet

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/gatecert/gatecert/internal/wait"
	"github.com/gatecert/gatecert/reports/plain"
)

var (
	// ErrWorkers is returned if fewer workers than requested have joined in time. Its text names the workers that were refused and the reasons.
	ErrWorkers = errors.New("not enough workers")
	// ErrLost is returned if no worker or no NATS server is left, or if a worker that should make a call does not respond.
	ErrLost = errors.New("lost workers")
)

// Config configures a [Fleet].
type Config struct {
	Access Access
	// Name distinguishes fleets that use the same server: letters, digits, - and _, at most 32. Default "default".
	Name string
	// Workers is the number of workers in the fleet, 1 to 10,000. Wait is how long to wait for them. Default
	// 30 s.
	Workers int
	Wait    time.Duration
	// Targets are the URLs that receive the load. A worker that is not allowed to send to one of them does not join.
	Targets []string
	// Skew is how long after the agreed start time a worker may begin, including the uncertainty of its clock. If a worker begins later, the phase is
	// inconclusive. Default 25 ms, which is how late any request may be sent.
	Skew time.Duration
	// ShowWorkers shows a line for each worker every two seconds while a phase runs.
	ShowWorkers bool
	// Show, when not nil, is called with sentences about workers that come and go. It is called by several goroutines, one at a time.
	Show func(sentence string)
}

// Fleet is a group of workers that run phases together. One phase runs at a time.
type Fleet struct {
	config   Config
	subjects subjects
	sealer   sealer
	clock    clock
	session  string
	conn     *nats.Conn
	js       jetstream.JetStream
	blobs    blobs
	stop     context.CancelFunc
	stopped  sync.WaitGroup
	// consumers are those that the stream has. Only who begins phases uses it.
	consumers map[string]bool

	mu      sync.Mutex
	members map[string]*member
	current *attempt // nil between two
	phases  int
	reruns  []string
	shown   sync.Mutex
}

// member is a worker that was heard of.
type member struct {
	hello
	heard time.Time
	// offset is that of its clock, measured then.
	offset   Offset
	measured time.Time
	// mine says that it has accepted an offer.
	mine    bool
	refused string
}

// Open connects to the server and waits until enough workers have joined. Close the fleet after use.
//
// It returns [ErrConfig], [ErrAccess], [ErrPlain], [ErrWorkers], and the context's cause.
func Open(ctx context.Context, c Config) (*Fleet, error) {
	c.Name, c.Wait, c.Skew = cmp.Or(c.Name, "default"), cmp.Or(c.Wait, 30*time.Second), cmp.Or(c.Skew, 25*time.Millisecond)
	if err := checkName(c.Name); err != nil {
		return nil, err
	}
	if c.Workers < 1 || c.Workers > 10_000 {
		return nil, fmt.Errorf("%w: %d workers: a fleet must have 1 to 10,000 workers", ErrConfig, c.Workers)
	}
	sealer, err := newSealer(c.Access.Secret)
	if err != nil {
		return nil, err
	}
	conn, err := c.Access.connect("gatecert coordinator")
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	f := &Fleet{
		config: c, subjects: subjects{c.Name}, sealer: sealer, clock: newClock(0), session: strings.ToLower(rand.Text()[:12]), conn: conn,
		stop: stop, members: map[string]*member{},
	}
	if f.js, err = jetstream.New(conn); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", ErrAccess, err), f.Close(ctx))
	}
	f.blobs = blobs{f.js, f.subjects.bucket(f.session)}
	if err := f.begin(ctx, running); err != nil {
		return nil, errors.Join(err, f.Close(ctx))
	}
	return f, nil
}

// begin subscribes, makes the session's stream, and waits for the workers.
func (f *Fleet) begin(ctx, running context.Context) error {
	for subject, handle := range map[string]func(*nats.Msg){
		f.subjects.hello(): f.hear, f.subjects.of(f.session, "ready"): f.heardReady, f.subjects.of(f.session, "news"): f.heardNews,
	} {
		if _, err := f.conn.Subscribe(subject, handle); err != nil {
			return fmt.Errorf("%w: %w", ErrAccess, err)
		}
	}
	if err := f.ensure(ctx); err != nil {
		return err
	}
	f.stopped.Go(func() { f.extendLeases(running) })
	f.stopped.Go(func() {
		consume(running, f.js, f.subjects.stream(f.session), coordinatorConsumer, portionsAtOnce, f.heardPortion)
	})
	deadline := time.Now().Add(f.config.Wait)
	for {
		got, err := f.recruit(ctx)
		if err != nil {
			return err
		}
		if len(got) == f.config.Workers {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%w: only %d of %s joined fleet %s within %s%s", ErrWorkers, len(got), plain.Count(f.config.Workers, "worker"), f.config.Name, f.config.Wait, f.refusals())
		}
		if err := wait.For(ctx, helloEvery/5); err != nil {
			return err
		}
	}
}

// coordinatorConsumer is the name of the consumer of portions. No worker has it: their names end in random characters.
const coordinatorConsumer = "coordinator"

// portionsAtOnce is how many portions are fetched in one go.
const portionsAtOnce = 64

// ensure makes the stream of the session where it does not exist, or not any more: a server that was restarted has forgotten it.
func (f *Fleet) ensure(ctx context.Context) error {
	_, err := f.js.Stream(ctx, f.subjects.stream(f.session))
	if err == nil {
		return nil
	}
	if errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrJetStreamNotEnabled) {
		return fmt.Errorf("%w: JetStream is not enabled on the NATS server: start it with nats-server -js", ErrAccess)
	}
	if !errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("%w: look up the JetStream stream: %w", ErrAccess, err)
	}
	f.consumers = map[string]bool{}
	_, err = f.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: f.subjects.stream(f.session), Storage: jetstream.MemoryStorage, MaxAge: 24 * time.Hour, Duplicates: 2 * time.Minute,
		Retention: jetstream.WorkQueuePolicy, // what was acknowledged takes no memory
		Subjects:  []string{f.subjects.of(f.session, "shard.*"), f.subjects.of(f.session, "portion.*")},
	})
	if err != nil {
		return fmt.Errorf("%w: create a JetStream stream: %w", ErrAccess, err)
	}
	return f.consumer(ctx, coordinatorConsumer, "portion.*")
}

// consumer makes a consumer where it does not exist. A message that is not acknowledged within ten seconds comes again.
func (f *Fleet) consumer(ctx context.Context, name, of string) error {
	if f.consumers[name] {
		return nil
	}
	_, err := f.js.CreateOrUpdateConsumer(ctx, f.subjects.stream(f.session), jetstream.ConsumerConfig{
		Name: name, Durable: name, FilterSubject: f.subjects.of(f.session, of), AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait,
	})
	if err != nil {
		return fmt.Errorf("%w: create a JetStream consumer: %w", ErrAccess, err)
	}
	f.consumers[name] = true
	return nil
}

// maxMembers bounds how many workers are remembered: without a secret anybody may say hello.
const maxMembers = 20_000

// hear takes note of a worker's hello.
func (f *Fleet) hear(message *nats.Msg) {
	var h hello
	if err := f.sealer.open(message.Subject, message.Data, &h); err != nil {
		f.note("?", "ignoring a worker of fleet "+f.config.Name+": "+err.Error())
		return
	}
	if !validName.MatchString(h.Worker) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.members[h.Worker]
	if m == nil {
		if len(f.members) >= maxMembers {
			return
		}
		m = &member{}
		f.members[h.Worker] = m
	}
	if h.Sent <= m.Sent {
		return // somebody repeats it
	}
	m.hello, m.heard = h, time.Now()
	m.mine = m.mine && h.Session == f.session
}

// note keeps why a worker was refused, and shows it once.
func (f *Fleet) note(worker, why string) {
	f.mu.Lock()
	m := f.members[worker]
	if m == nil {
		m = &member{}
		f.members[worker] = m
	}
	known := m.refused == why
	m.refused = why
	f.mu.Unlock()
	if !known {
		f.show(why)
	}
}

func (f *Fleet) show(sentence string) {
	if f.config.Show != nil {
		f.shown.Lock()
		defer f.shown.Unlock()
		f.config.Show(sentence)
	}
}

func (f *Fleet) refusals() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, m := range f.members {
		if m.refused != "" {
			all = append(all, m.refused)
		}
	}
	busy := 0
	for _, m := range f.members {
		if m.Session != "" && m.Session != f.session && time.Since(m.heard) < lostAfter {
			busy++
		}
	}
	if busy > 0 {
		all = append(all, fmt.Sprintf("another coordinator is using %s (if that coordinator went down, its workers become available after %s)", plain.Count(busy, "worker"), orphanedAfter))
	}
	slices.Sort(all)
	if len(all) == 0 {
		return ": start workers with gatecert worker --join URL --allow-target URL"
	}
	return "; " + strings.Join(slices.Compact(all), "; ")
}

// recruit offers the session to workers that are free, as far as more are needed, and returns those that work for it, by name.
func (f *Fleet) recruit(ctx context.Context) ([]string, error) {
	mine, free := f.present()
	for _, worker := range mine { // a server that was restarted has forgotten them
		if err := f.consumer(ctx, worker, "shard."+worker); err != nil {
			return nil, err
		}
	}
	free = free[:min(len(free), max(f.config.Workers-len(mine), 0))]
	joined := make([]bool, len(free))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, h := range free {
		group.Go(func() error {
			joined[i] = f.offer(ctx, h)
			return nil
		})
	}
	_ = group.Wait() // no function fails
	for i, h := range free {
		if !joined[i] {
			continue
		}
		if err := f.consumer(ctx, h.Worker, "shard."+h.Worker); err != nil {
			return nil, err
		}
		mine = append(mine, h.Worker)
		f.show(fmt.Sprintf("worker %s joined (%d of %d)", h.Worker, len(mine), f.config.Workers))
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	slices.Sort(mine)
	return mine, nil
}

// atOnce is how many workers are asked at the same time.
const atOnce = 64

// offer offers the session to a worker, and reports whether it has joined.
func (f *Fleet) offer(ctx context.Context, h hello) bool {
	if differs := h.Build.differs(thisBuild()); differs != "" {
		f.note(h.Worker, "worker "+h.Worker+" was rejected: "+differs)
		return false
	}
	offset, err := f.measureClock(ctx, h.Worker)
	if err != nil {
		return false // it has gone again
	}
	var a answer
	if err := f.ask(ctx, h.Worker, offerRequest, offer{Session: f.session, Build: thisBuild(), Ahead: offset.Ahead, Lease: f.newLease(), Targets: f.config.Targets}, &a); err != nil {
		return false
	}
	if a.Refused != "" {
		f.note(h.Worker, "worker "+h.Worker+" refused to join: "+a.Refused)
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.members[h.Worker]
	m.mine, m.Session, m.refused = true, f.session, ""
	return true
}

// present returns the workers of this session and those that are free, among those that were heard lately.
func (f *Fleet) present() (mine []string, free []hello) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(f.members)) {
		switch m := f.members[name]; {
		case time.Since(m.heard) > lostAfter:
		case m.mine:
			mine = append(mine, name)
		case m.Session == "":
			free = append(free, m.hello)
		}
	}
	return mine, free
}

// newLease returns a lease from now on.
func (f *Fleet) newLease() lease {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.clock.now()
	l := lease{Made: now, Until: now + int64(leaseFor)}
	if f.current != nil {
		l.Attempt = f.current.id
	}
	return l
}

// extendLeases extends the leases of all workers until ctx is done.
func (f *Fleet) extendLeases(ctx context.Context) {
	subject := f.subjects.of(f.session, "lease")
	read := time.Now()
	for {
		if time.Since(read) > clocksEvery {
			read = time.Now()
			f.stopped.Go(func() { f.correctClocks(ctx) })
		}
		message, err := f.sealer.seal(subject, f.newLease())
		if err == nil {
			_ = f.conn.Publish(subject, message) // fails while the connection is lost: the leases then end
		}
		if wait.For(ctx, leaseEvery) != nil {
			return
		}
	}
}

// clocksEvery is how often the workers' clocks are measured anew while a phase runs: one that is off by 100 millionths drifts by 6 ms.
const clocksEvery = time.Minute

// correctClocks measures the workers' clocks and tells the workers, whose leases go by them.
func (f *Fleet) correctClocks(ctx context.Context) {
	mine, _ := f.present()
	for _, worker := range mine {
		offset, err := f.measureClock(ctx, worker)
		if err != nil {
			continue // it is lost, or will be found to be
		}
		_ = f.ask(ctx, worker, offerRequest, offer{Session: f.session, Build: thisBuild(), Ahead: offset.Ahead, Lease: f.newLease()}, new(answer)) // the next minute corrects it
	}
}

// closeWithin bounds how long it takes to say goodbye.
const closeWithin = 3 * time.Second

// Close releases the workers and closes the connection.
func (f *Fleet) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
	defer cancel()
	mine, _ := f.present()
	var group sync.WaitGroup
	for _, worker := range mine {
		group.Go(func() {
			_ = f.ask(ctx, worker, offerRequest, offer{Session: f.session, Build: thisBuild(), Release: true}, new(answer))
		})
	}
	group.Wait()
	f.stop()
	f.stopped.Wait()
	if f.js != nil && f.conn.IsConnected() {
		_ = f.js.DeleteStream(ctx, f.subjects.stream(f.session)) // it ends by itself within a day
		f.blobs.remove(ctx)
	}
	f.conn.Close()
	return nil
}

// Reruns lists the phases that were run again, with the reasons.
func (f *Fleet) Reruns() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.reruns)
}

// Workers returns the names of the workers that are present.
func (f *Fleet) Workers() []string {
	mine, _ := f.present()
	return mine
}
