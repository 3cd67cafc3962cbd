//go:build !race

package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/load"
)

// whole asserts that a measurement is one of all requests of the phase, or says that it is not, with the name of a worker.
func whole(t *testing.T, p load.Phase, m load.Measurement, workers []string) {
	t.Helper()
	if m.Generator.OK() {
		assert.Equal(t, p.Requests(), m.Sent, "a smaller load is not reported as the whole")
		return
	}
	assert.Condition(t, func() bool {
		return slices.ContainsFunc(workers, func(w string) bool { return named(m.Generator.Problems, w) })
	}, "no worker is named: %v", m.Generator.Problems)
}

// quiet asserts that nothing comes any more.
func quiet(t *testing.T, g *target) {
	t.Helper()
	at := g.requests.Load()
	time.Sleep(500 * time.Millisecond)
	assert.Equal(t, at, g.requests.Load(), "requests after the end")
}

// moments is how many moments a worker is killed at. make accept-fleet takes 30.
func moments() int {
	if n, err := strconv.Atoi(os.Getenv("GATECERT_RUNS")); err == nil && os.Getenv("GATECERT_ACCEPTANCE") != "" {
		return n
	}
	return 2
}

func TestAWorkerIsKilled(t *testing.T) {
	for n := range moments() {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			g, a := newTarget(t), newServer(t)
			victim := process(t, processOptions{Inherited: Inherited{Access: a, Targets: []string{g.URL}, Name: "victim"}})
			for range 2 {
				process(t, processOptions{Inherited: Inherited{Access: a, Targets: []string{g.URL}}})
			}
			f := open(t, a, 3)
			workers := f.Workers()
			e := engineOf(t, f)
			p := g.phase("steady", 200, time.Second)
			moment := time.Duration(rand.Int64N(int64(1500 * time.Millisecond)))
			killed := time.AfterFunc(moment, func() { _ = victim.Process.Kill() })
			defer killed.Stop()
			m, err := e.Run(t.Context(), p)
			require.NoError(t, err, "killed after %s", moment)
			whole(t, p, m, workers)
			if len(m.Reruns) > 0 {
				assert.Contains(t, m.Reruns[0], "worker victimx", "killed after %s", moment)
				assert.Len(t, m.Workers, 2)
			}
			quiet(t, g)
			sent := g.requests.Load()
			assert.GreaterOrEqual(t, sent, int64(m.Sent))
			if len(m.Reruns) == 0 {
				assert.Equal(t, int64(m.Sent), sent)
			}
		})
	}
}

func TestAWorkerIsStopped(t *testing.T) {
	t.Parallel()
	g, a := newTarget(t), newServer(t)
	victim := process(t, processOptions{Inherited: Inherited{Access: a, Targets: []string{g.URL}, Name: "victim"}})
	process(t, processOptions{Inherited: Inherited{Access: a, Targets: []string{g.URL}}})
	f := open(t, a, 2)
	workers := f.Workers()
	p := g.phase("steady", 200, 2*time.Second)
	p.Generator = load.GeneratorLimits{CPU: 100}
	stopping := time.AfterFunc(800*time.Millisecond, func() {
		_ = victim.Process.Signal(syscall.SIGSTOP)
		time.Sleep(3 * time.Second)
		_ = victim.Process.Signal(syscall.SIGCONT)
	})
	defer stopping.Stop()
	m, err := engineOf(t, f).Run(t.Context(), p)
	require.NoError(t, err)
	whole(t, p, m, workers)
	assert.True(t, named(append(m.Generator.Problems, m.Reruns...), "victimx"), "%v %v", m.Generator.Problems, m.Reruns)
	time.Sleep(3 * time.Second) // it may have come back meanwhile
	quiet(t, g)
}

func TestTheCoordinatorIsKilled(t *testing.T) {
	t.Parallel()
	g, port := newTarget(t), freePort(t)
	spawn(t, serverVariable, strconv.Itoa(port))
	a := Access{URL: natsURL(port), Secret: "a secret of tests"}
	join(t, 2, WorkerOptions{Access: a, Targets: []string{g.URL}})
	text, err := json.Marshal(coordinatorOptions{Access: a, Workers: 2, URL: g.URL, Rate: 200, For: time.Minute})
	require.NoError(t, err)
	coordinator := spawn(t, coordinatorVariable, string(text))
	require.Eventually(t, func() bool { return g.requests.Load() > 100 }, 10*time.Second, 10*time.Millisecond)
	kill(t, coordinator)
	at := time.Now()
	time.Sleep(5 * time.Second)
	assert.Less(t, time.Unix(0, g.last.Load()).Sub(at), 3*time.Second, "they stop by themselves")
	quiet(t, g)
}

func TestTheServerIsRestarted(t *testing.T) {
	t.Parallel()
	g, port := newTarget(t), freePort(t)
	first := spawn(t, serverVariable, strconv.Itoa(port))
	a := Access{URL: natsURL(port), Secret: "a secret of tests"}
	join(t, 2, WorkerOptions{Access: a, Targets: []string{g.URL}})
	f := open(t, a, 2)
	workers := f.Workers()
	p := g.phase("steady", 100, 3*time.Second)
	restarted := make(chan struct{})
	go func() {
		defer close(restarted)
		time.Sleep(1200 * time.Millisecond)
		kill(t, first)
		time.Sleep(time.Second)
		spawn(t, serverVariable, strconv.Itoa(port))
	}()
	m, err := engineOf(t, f).Run(t.Context(), p)
	<-restarted
	require.NoError(t, err)
	whole(t, p, m, workers)
	quiet(t, g)
}

// A shard that comes twice is run once, and its portion is counted once.
func TestAMessageComesTwice(t *testing.T) {
	t.Parallel()
	g, a := newTarget(t), newServer(t)
	join(t, 2, WorkerOptions{Access: a, Targets: []string{g.URL}})
	f := open(t, a, 2)
	// A stranger with the secret copies every message of the session's stream.
	copier, err := a.connect("copier")
	require.NoError(t, err)
	defer copier.Close()
	var copied atomic.Int64
	_, err = copier.Subscribe(f.subjects.of(f.session, "*.*"), func(m *nats.Msg) {
		if m.Header.Get(nats.MsgIdHdr) != "" { // not a copy
			copied.Add(1)
			_ = copier.Publish(m.Subject, m.Data)
		}
	})
	require.NoError(t, err)
	require.NoError(t, copier.Flush())
	e := engineOf(t, f)
	for n := range 2 {
		p := g.phase(fmt.Sprint("phase ", n), 200, 500*time.Millisecond)
		m, err := e.Run(t.Context(), p)
		require.NoError(t, err)
		assert.True(t, m.Generator.OK(), m.Generator.Problems)
		assert.Equal(t, uint64(100), m.Sent)
		assert.Empty(t, m.Reruns)
	}
	quiet(t, g)
	assert.Equal(t, int64(200), g.requests.Load())
	assert.GreaterOrEqual(t, copied.Load(), int64(4))
}

// A shard that comes after its deadline is not run.
func TestAMessageComesLate(t *testing.T) {
	g, a := newTarget(t), newServer(t)
	join(t, 1, WorkerOptions{Access: a, Targets: []string{g.URL}})
	f := open(t, a, 1)
	p := g.phase("late", 100, time.Second)
	got := make(chan any, 10)
	f.mu.Lock()
	f.current = &attempt{events: got}
	f.mu.Unlock()
	sealed, err := f.sealer.seal(f.subjects.of(f.session, "order"), order{Phase: p})
	require.NoError(t, err)
	require.NoError(t, f.send(t.Context(), f.Workers()[0], shard{ID: "late", Order: sealed, Deadline: f.clock.now() - int64(time.Second)}))
	for event := range got {
		if p, ok := event.(*portion); ok {
			assert.Equal(t, errLate.Error(), p.Ended)
			break
		}
	}
	assert.Zero(t, g.requests.Load())
}

func TestAClockIsWrong(t *testing.T) {
	t.Parallel()
	g, a := newTarget(t), newServer(t)
	process(t, processOptions{Inherited: Inherited{Access: a, Targets: []string{g.URL}, Name: "ahead"}, ClockAhead: 5 * time.Second})
	process(t, processOptions{Inherited: Inherited{Access: a, Targets: []string{g.URL}, Name: "behind"}, ClockAhead: -5 * time.Second})
	f := open(t, a, 2)
	p := g.phase("steady", 200, time.Second)
	m, err := engineOf(t, f).Run(t.Context(), p)
	require.NoError(t, err)
	assert.True(t, m.Generator.OK(), m.Generator.Problems)
	assert.Equal(t, uint64(200), m.Sent)
	require.Len(t, m.Workers, 2)
	assert.InDelta(t, 5, m.Workers[0].Offset.Seconds(), 0.1)
	assert.InDelta(t, -5, m.Workers[1].Offset.Seconds(), 0.1)
	assert.Less(t, m.Elapsed, 3*time.Second)
}

func TestAWorkerIsOfAnotherVersion(t *testing.T) {
	t.Parallel()
	g, a := newTarget(t), newServer(t)
	process(t, processOptions{Inherited: Inherited{Access: a, Targets: []string{g.URL}, Name: "old"}, Version: "gatecert 0.0.1"})
	_, err := Open(t.Context(), Config{Access: a, Workers: 1, Wait: 2 * time.Second})
	require.ErrorIs(t, err, ErrWorkers)
	assert.ErrorContains(t, err, "worker oldx")
	assert.ErrorContains(t, err, "it runs gatecert 0.0.1 instead of gatecert ")
}

func TestAWorkerRefusesOtherTargets(t *testing.T) {
	g, other, a := newTarget(t), newTarget(t), newServer(t)
	join(t, 1, WorkerOptions{Access: a, Targets: []string{other.URL}})
	f := open(t, a, 1)
	m, err := engineOf(t, f).Run(t.Context(), g.phase("steady", 100, time.Second))
	require.NoError(t, err)
	assert.Zero(t, m.Sent)
	require.NotEmpty(t, m.Generator.Problems)
	assert.Contains(t, m.Generator.Problems[0], "this worker is not allowed to send to this target (--allow-target)")
	assert.Zero(t, g.requests.Load())
}

// A worker that may not send to the targets of a load does not join it, and says where it may send to.
func TestAWorkerIsForOtherTargets(t *testing.T) {
	t.Parallel()
	a := newServer(t)
	join(t, 1, WorkerOptions{Access: a, Targets: []string{"http://127.0.0.1:1"}})
	_, err := Open(t.Context(), Config{Access: a, Workers: 1, Wait: time.Second, Targets: []string{"http://127.0.0.1:2"}})
	require.ErrorIs(t, err, ErrWorkers)
	assert.ErrorContains(t, err, "the worker may send only to http://127.0.0.1:1 (--allow-target), but the load goes to http://127.0.0.1:2")
}

func TestAWorkerHasAnotherSecret(t *testing.T) {
	t.Parallel()
	g, a := newTarget(t), newServer(t)
	wrong := a
	wrong.Secret = "another secret"
	join(t, 1, WorkerOptions{Access: wrong, Targets: []string{g.URL}})
	_, err := Open(t.Context(), Config{Access: a, Workers: 1, Wait: time.Second})
	require.ErrorIs(t, err, ErrWorkers)
	assert.ErrorContains(t, err, "it was encrypted with a different secret")
}

// A load that is ended by its caller says how much was sent.
func TestThePhaseIsEnded(t *testing.T) {
	t.Parallel()
	g, a := newTarget(t), newServer(t)
	join(t, 2, WorkerOptions{Access: a, Targets: []string{g.URL}})
	f := open(t, a, 2)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(time.Second, cancel)
	m, err := engineOf(t, f).Run(ctx, g.phase("long", 100, time.Minute))
	require.ErrorIs(t, err, context.Canceled)
	quiet(t, g)
	assert.Equal(t, g.requests.Load(), int64(m.Sent))
}

func TestAccess(t *testing.T) {
	for url, want := range map[string]error{
		"nats://127.0.0.1:4222": nil, "tls://nats.example:4222": nil, "nats://nats.example:4222": ErrPlain, "http://x": ErrAccess, "nats://me:pw@127.0.0.1:4222": ErrAccess,
		"nats://127.0.0.1:4222,nats://nats.example:4222": ErrPlain,
	} {
		err := Access{URL: url}.Check()
		if want == nil {
			assert.NoError(t, err, url)
		} else {
			assert.ErrorIs(t, err, want, url)
		}
	}
	assert.NoError(t, Access{URL: "nats://nats.example:4222", Secret: "x"}.Check())
}

func TestAllowed(t *testing.T) {
	a, err := newAllowed([]string{"https://gateway.example/base", "http://127.0.0.1:3000"})
	require.NoError(t, err)
	for url, want := range map[string]bool{
		"https://gateway.example/base": true, "https://GATEWAY.example:443/base/v2": true, "https://gateway.example/basement": false,
		"https://gateway.example": false, "http://gateway.example/base": false, "https://gateway.example.evil/base": false,
		"http://127.0.0.1:3000": true, "http://127.0.0.1:30001": false, "https://gateway.example/base/../other": false, "::": false,
	} {
		assert.Equal(t, want, a.allows(url), url)
	}
	_, err = newAllowed([]string{"gateway.example"})
	assert.ErrorIs(t, err, ErrAllow)
}

// Nobody who listens at the server reads a key: not in a subject, and not in a message.
func TestKeysDoNotTravelInTheOpen(t *testing.T) {
	g, a := newTarget(t), newServer(t)
	listener, err := a.connect("listener")
	require.NoError(t, err)
	defer listener.Close()
	var heard [][]byte
	done := make(chan struct{})
	sub, err := listener.SubscribeSync(">")
	require.NoError(t, err)
	go func() {
		defer close(done)
		for {
			m, err := sub.NextMsg(time.Minute)
			if err != nil {
				return
			}
			heard = append(heard, []byte(m.Subject), m.Data)
		}
	}()
	join(t, 1, WorkerOptions{Access: a, Targets: []string{g.URL}})
	f := open(t, a, 1)
	_, err = engineOf(t, f).Run(t.Context(), g.phase("steady", 100, 300*time.Millisecond))
	require.NoError(t, err)
	listener.Close()
	<-done
	assert.Greater(t, len(heard), 20)
	for _, text := range heard {
		assert.NotContains(t, string(text), "sk-caller-0123456789")
		if len(text) > 0 && text[0] == plainMessage {
			assert.Fail(t, "a message that is not sealed")
		}
	}
}

// A worker makes a single call, and its instants are by this machine's clock.
func TestASingleCall(t *testing.T) {
	g, a := newTarget(t), newServer(t)
	process(t, processOptions{Inherited: Inherited{Access: a, Targets: []string{g.URL}}, ClockAhead: time.Hour})
	f := open(t, a, 1)
	before := time.Now()
	made, err := f.Calls(Setup{})(t.Context(), g.phase("", 1, time.Second).Mix[0].Call)
	require.NoError(t, err)
	assert.Equal(t, 200, made.Observation.Status)
	assert.WithinRange(t, made.Began, before.Add(-made.Within), time.Now())
	assert.WithinRange(t, made.Ended, made.Began, time.Now().Add(made.Within))
	assert.Less(t, made.Within, time.Second)
	other := newTarget(t)
	_, err = f.Calls(Setup{})(t.Context(), other.phase("", 1, time.Second).Mix[0].Call)
	assert.ErrorContains(t, err, ErrTarget.Error())
}
