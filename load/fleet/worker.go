package fleet

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatecert/gatecert/internal/wait"
)

// WorkerOptions configure a worker.
type WorkerOptions struct {
	Access Access
	// Fleet is the name of the fleet to join. Default "default".
	Fleet string
	// Name is the beginning of the worker's name; random characters follow. Default: the name of the machine.
	Name string
	// Targets are the URLs that the worker may send to, including all paths below them. A worker refuses a coordinator that
	// asks for other targets.
	Targets []string
	// Source is the address of this machine that requests come from. The zero value leaves the choice to the system.
	Source netip.Addr
	// Once ends the worker when its first coordinator has released it or has disappeared.
	Once bool
	// CountTokens counts the tokens of a text, for targets whose responses do not report them. If it is nil, events are counted instead.
	CountTokens func(text string) int
	// Show, if not nil, is called with descriptions of what the worker does. It must be safe for concurrent use.
	Show func(sentence string)

	// clockAhead and build are for tests: a clock that is wrong, and another version.
	clockAhead time.Duration
	build      *build
}

// worker is one that has connected.
type worker struct {
	options  WorkerOptions
	id       string
	subjects subjects
	sealer   sealer
	clock    clock
	build    build
	targets  allowed
	conn     *nats.Conn
	js       jetstream.JetStream

	mu      sync.Mutex
	session *session // nil when it works for nobody
	over    chan struct{}
}

// Join joins a fleet and works for its coordinators, one at a time, until ctx is done. It then returns nil.
//
// Join returns [ErrConfig], [ErrAccess], [ErrPlain], or, if no target is named or a target is not a URL, [ErrAllow].
func Join(ctx context.Context, o WorkerOptions) error {
	o.Fleet = cmp.Or(o.Fleet, "default")
	if o.Show == nil {
		o.Show = func(string) {}
	}
	if err := checkName(o.Fleet); err != nil {
		return err
	}
	if len(o.Targets) == 0 {
		return fmt.Errorf("%w: specify at least one target", ErrAllow)
	}
	targets, err := newAllowed(o.Targets)
	if err != nil {
		return err
	}
	sealer, err := newSealer(o.Access.Secret)
	if err != nil {
		return err
	}
	conn, err := connectPatiently(ctx, o)
	if conn == nil || err != nil {
		return err
	}
	defer conn.Close()
	w := &worker{
		options: o, id: nameOf(o.Name), subjects: subjects{o.Fleet}, sealer: sealer, clock: newClock(o.clockAhead), build: thisBuild(),
		targets: targets, conn: conn, over: make(chan struct{}, 1),
	}
	if o.build != nil {
		w.build = *o.build
	}
	if w.js, err = jetstream.New(conn); err != nil {
		return fmt.Errorf("%w: %w", ErrAccess, err)
	}
	return w.work(ctx)
}

// connectPatiently waits for a server that nobody answers for yet. It returns nil when ctx is done.
func connectPatiently(ctx context.Context, o WorkerOptions) (*nats.Conn, error) {
	for first := true; ; first = false {
		conn, err := o.Access.connect("gatecert worker", nats.DisconnectErrHandler(func(*nats.Conn, error) {
			o.Show("the connection to the NATS server was lost")
		}), nats.ReconnectHandler(func(*nats.Conn) { o.Show("the connection to the NATS server was restored") }))
		if err == nil || !errors.Is(err, nats.ErrNoServers) && !errors.Is(err, nats.ErrTimeout) {
			return conn, err
		}
		if first {
			o.Show("waiting: " + err.Error())
		}
		if wait.For(ctx, time.Second) != nil {
			return nil, nil //nolint:nilnil // it was ended before it could begin
		}
	}
}

// nameOf returns a name that no other worker has: a worker that is started again is another one.
func nameOf(name string) string {
	if name == "" {
		name, _ = os.Hostname() // "" where it has none
	}
	valid := strings.Map(func(r rune) rune {
		if r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, name)
	return strings.TrimLeft(valid[:min(len(valid), 24)], "-") + "x" + strings.ToLower(rand.Text()[:5])
}

func (w *worker) work(ctx context.Context) error {
	defer w.end("the worker was stopped")
	for what, handle := range map[string]func(context.Context, []byte) any{
		offerRequest: w.offered, clockRequest: w.readClock, startRequest: w.started, stopRequest: w.stopped, callRequest: w.called,
	} {
		_, err := w.conn.Subscribe(w.subjects.to(w.id, what), func(m *nats.Msg) {
			if what == callRequest { // several at once
				go w.answer(ctx, m, handle)
				return
			}
			w.answer(ctx, m, handle)
		})
		if err != nil {
			return fmt.Errorf("%w: %w", ErrAccess, err)
		}
	}
	if _, err := w.conn.Subscribe("gatecert."+w.options.Fleet+".session.*.lease", w.leased); err != nil {
		return fmt.Errorf("%w: %w", ErrAccess, err)
	}
	w.show(fmt.Sprintf("%s is waiting for a coordinator of fleet %s; this worker may send requests to %s", w.id, w.options.Fleet, strings.Join(w.options.Targets, " and ")))
	for {
		w.sayHello()
		select {
		case <-w.over:
			if w.options.Once {
				return nil
			}
		default:
		}
		w.endOrphan()
		if w.conn.IsClosed() {
			return fmt.Errorf("%w: the server at %s closed the connection: %w", ErrAccess, w.options.Access.URL, w.conn.LastError())
		}
		if wait.For(ctx, helloEvery) != nil {
			return nil
		}
	}
}

// machine is the same for all workers on a machine, in containers too, and unlike that of any other; the name of the machine where there is no
// such thing.
func machine() string {
	if id, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		return strings.TrimSpace(string(id))
	}
	name, _ := os.Hostname()
	return name
}

func (w *worker) sayHello() {
	w.mu.Lock()
	h := hello{Worker: w.id, Sent: w.clock.now(), Build: w.build, Cores: runtime.GOMAXPROCS(0), Machine: machine()}
	if w.session != nil {
		h.Session, h.Shard = w.session.id, w.session.shardID()
	}
	w.mu.Unlock()
	h.Host, _ = os.Hostname()
	if w.options.Source.IsValid() {
		h.Source = w.options.Source.String()
	}
	if message, err := w.sealer.seal(w.subjects.hello(), h); err == nil {
		_ = w.conn.Publish(w.subjects.hello(), message) // it is said again
	}
}

// answer answers a request. One that cannot be read gets no answer.
func (w *worker) answer(ctx context.Context, m *nats.Msg, handle func(context.Context, []byte) any) {
	var a asked
	if w.sealer.open(m.Subject, m.Data, &a) != nil {
		return
	}
	with := handle(ctx, a.Body)
	if with == nil {
		return
	}
	message, err := w.sealer.seal(replyTo(m.Subject, a.Nonce), with)
	if most := w.conn.MaxPayload(); err == nil && int64(len(message)) > most {
		// Only the answer to a single call can be so large.
		message, err = w.sealer.seal(replyTo(m.Subject, a.Nonce),
			called{Refused: fmt.Sprintf("the response is %d kB long, but the NATS server accepts at most %d kB (max_payload)", len(message)>>10, most>>10)})
	}
	if err == nil {
		_ = m.Respond(message) // who asked will miss it
	}
}

func (w *worker) readClock(context.Context, []byte) any { return reading{w.clock.now()} }

// offered takes an offer, or says why not.
func (w *worker) offered(ctx context.Context, body []byte) any {
	var o offer
	if unpack(body, &o) != nil {
		return nil
	}
	current, differs, missing := w.current(), o.Build.differs(w.build), w.targets.missing(o.Targets)
	switch {
	case o.Release && current != nil && current.id == o.Session:
		w.end("the coordinator released the worker")
		w.sayHello()
		return answer{}
	case o.Release:
		return answer{}
	case differs != "":
		return answer{"the coordinator is incompatible: " + differs}
	case !validName.MatchString(o.Session):
		return answer{"the session name is not valid"}
	case missing != "":
		return answer{fmt.Sprintf("the worker may send only to %s (--allow-target), but the load goes to %s", strings.Join(w.options.Targets, " and "), missing)}
	case current != nil && current.id != o.Session:
		return answer{"the worker is already assigned to another coordinator"}
	case current != nil:
		current.setAhead(o.Ahead)
		current.extend(o.Lease)
		return answer{}
	}
	s := newSession(ctx, w, o)
	s.extend(o.Lease)
	w.mu.Lock()
	w.session = s
	w.mu.Unlock()
	s.running.Go(s.work)
	w.show("the worker is now assigned to a coordinator")
	return answer{}
}

// current is the session that the worker works for, nil for none.
func (w *worker) current() *session {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.session
}

// leased extends the lease.
func (w *worker) leased(m *nats.Msg) {
	s := w.current()
	if s == nil || m.Subject != w.subjects.of(s.id, "lease") {
		return
	}
	var l lease
	if w.sealer.open(m.Subject, m.Data, &l) == nil {
		s.extend(l)
	}
}

// orphanedAfter is how long a worker without a lease waits for its coordinator, whose server may be restarted.
const orphanedAfter = 15 * time.Second

// endOrphan ends a session whose coordinator has not been heard for long.
func (w *worker) endOrphan() {
	s := w.current()
	if s != nil && time.Since(s.lastLease()) > orphanedAfter {
		w.end("the coordinator no longer responds")
	}
}

// end ends the session, if there is one, and waits until nothing of it runs.
func (w *worker) end(why string) {
	w.mu.Lock()
	s := w.session
	w.session = nil
	w.mu.Unlock()
	if s == nil {
		return
	}
	s.lease.Revoke()
	s.stop(errors.New(why))
	s.running.Wait()
	s.close()
	w.show(why)
	select {
	case w.over <- struct{}{}:
	default:
	}
}

func (w *worker) show(sentence string) {
	w.options.Show(sentence)
}
