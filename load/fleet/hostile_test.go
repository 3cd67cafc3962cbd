//go:build !race

package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/runlog"
)

// A load that is ended after a worker was killed names it, and does not show the rest as the whole.
func TestAnEndedPhaseNamesTheWorkerThatWasLost(t *testing.T) {
	t.Parallel()
	g, a := newTarget(t), newServer(t)
	victim := process(t, processOptions{Inherited: Inherited{Access: a, Targets: []string{g.URL}, Name: "victim"}})
	process(t, processOptions{Inherited: Inherited{Access: a, Targets: []string{g.URL}}})
	f := open(t, a, 2)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(time.Second, func() { _ = victim.Process.Kill() })
	time.AfterFunc(2*time.Second, cancel)
	m, err := engineOf(t, f).Run(ctx, g.phase("soak", 200, time.Minute))
	require.ErrorIs(t, err, context.Canceled)
	assert.False(t, m.Generator.OK())
	assert.True(t, named(m.Generator.Problems, "victimx"), "%v", m.Generator.Problems)
	assert.Equal(t, uint64(12_000), m.Offered)
	quiet(t, g)
}

// A worker that does not hear that it is stopped stops when the next lease does not name its attempt.
func TestAStopIsLost(t *testing.T) {
	t.Parallel()
	g := newTarget(t)
	s := serverWith(t, &server.Options{Users: []*server.User{
		{Username: "all", Password: "pw"},
		{Username: "deaf", Password: "pw", Permissions: &server.Permissions{Subscribe: &server.SubjectPermission{Deny: []string{"gatecert.*.worker.*.stop"}}}},
	}})
	a := Access{URL: "nats://" + s.Addr().String(), User: "all", Password: "pw", Secret: "a secret of tests"}
	deaf := a
	deaf.User = "deaf"
	victim := process(t, processOptions{Inherited: Inherited{Access: a, Targets: []string{g.URL}, Name: "victim"}})
	process(t, processOptions{Inherited: Inherited{Access: deaf, Targets: []string{g.URL}, Name: "deaf"}})
	f := open(t, a, 2)
	p := g.phase("steady", 200, 20*time.Second)
	e := load.NewEngine(load.Options{Generators: f.For(Setup{}), Caps: load.Caps{Requests: p.Requests(), Rate: 1000, Duration: time.Hour, Connections: 64}})
	t.Cleanup(e.Close)
	time.AfterFunc(time.Second, func() { _ = victim.Process.Kill() })
	m, err := e.Run(t.Context(), p)
	require.NoError(t, err)
	assert.False(t, m.Generator.OK())
	time.Sleep(leaseFor)
	quiet(t, g)
}

// A rerun goes beyond neither the requests nor the time that the caps allow, and says how many requests the attempt before had sent.
func TestARerunKeepsTheCaps(t *testing.T) {
	t.Parallel()
	g, a := newTarget(t), newServer(t)
	victim := process(t, processOptions{Inherited: Inherited{Access: a, Targets: []string{g.URL}, Name: "victim"}})
	process(t, processOptions{Inherited: Inherited{Access: a, Targets: []string{g.URL}}})
	f := open(t, a, 2)
	p := g.phase("steady", 100, 2*time.Second)
	e := load.NewEngine(load.Options{Generators: f.For(Setup{}), Caps: load.Caps{Requests: 40_000, Rate: 1000, Duration: p.For, Connections: 64}})
	t.Cleanup(e.Close)
	time.AfterFunc(time.Second, func() { _ = victim.Process.Kill() })
	m, err := e.Run(t.Context(), p)
	require.NoError(t, err)
	assert.False(t, m.Generator.OK(), "there was no time for another attempt")
	assert.Empty(t, m.Reruns)
	assert.LessOrEqual(t, g.requests.Load(), int64(200))

	victim = process(t, processOptions{Inherited: Inherited{Access: a, Targets: []string{g.URL}, Name: "victim"}})
	require.Eventually(t, func() bool { got, _ := f.recruit(t.Context()); return len(got) == 2 }, 10*time.Second, 50*time.Millisecond)
	more := load.NewEngine(load.Options{Generators: f.For(Setup{}), Caps: load.HardCaps()})
	t.Cleanup(more.Close)
	time.AfterFunc(time.Second, func() { _ = victim.Process.Kill() })
	m, err = more.Run(t.Context(), p)
	require.NoError(t, err)
	assert.True(t, m.Generator.OK(), m.Generator.Problems)
	require.Len(t, m.Reruns, 1)
	assert.Regexp(t, `worker victimx.*; the failed attempt sent up to \d+ requests`, m.Reruns[0])
	assert.Len(t, f.Reruns(), 1)
}

// A call ends with the session that it is made for.
func TestASingleCallEndsWithItsCoordinator(t *testing.T) {
	t.Parallel()
	requests := atomic.Int64{}
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		select {
		case <-r.Context().Done():
		case <-time.After(4 * time.Second):
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, goodChat)
	}))
	t.Cleanup(gateway.Close)
	a := newServer(t)
	join(t, 1, WorkerOptions{Access: a, Targets: []string{gateway.URL}})
	f, err := Open(t.Context(), Config{Access: a, Workers: 1})
	require.NoError(t, err)
	call := exchange.Call{Surface: dialect.Chat, BaseURL: gateway.URL, Model: "m", Prompt: "hi"}
	call.First = &exchange.Call{Surface: dialect.Chat, BaseURL: gateway.URL, Model: "m", Prompt: "hi"}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = f.Call(context.WithoutCancel(t.Context()), f.Workers()[0], Setup{Limits: exchange.Limits{Total: 20 * time.Second}}, call)
	}()
	require.Eventually(t, func() bool { return requests.Load() == 1 }, 5*time.Second, 10*time.Millisecond)
	require.NoError(t, f.Close(t.Context()))
	time.Sleep(4500 * time.Millisecond)
	assert.Equal(t, int64(1), requests.Load(), "the second request came after the coordinator had gone")
	<-done
}

// In a closed loop each worker has the whole mix: otherwise the faster kind would be sent more often.
func TestAClosedLoopKeepsItsMix(t *testing.T) {
	var fast, slow atomic.Int64
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), "slow") {
			slow.Add(1)
			time.Sleep(30 * time.Millisecond)
		} else {
			fast.Add(1)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, goodChat)
	}))
	t.Cleanup(gateway.Close)
	request := func(prompt string) load.Request {
		return load.Request{Name: prompt, Call: exchange.Call{Surface: dialect.Chat, BaseURL: gateway.URL, Key: "sk-caller-0123456789", Model: "m", Prompt: prompt}}
	}
	a := newServer(t)
	join(t, 2, WorkerOptions{Access: a, Targets: []string{gateway.URL}})
	m, err := engineOf(t, open(t, a, 2)).Run(t.Context(), load.Phase{
		Name: "4 at a time", Closed: true, Rate: 1000, For: time.Second, Connections: 4, Generator: lenient(), Mix: []load.Request{request("fast"), request("slow")},
	})
	require.NoError(t, err)
	assert.InDelta(t, float64(fast.Load()), float64(slow.Load()), 4)
	assert.InDelta(t, float64(m.Of(0, runlog.Admitted).Count), float64(m.Of(1, runlog.Admitted).Count), 4)
}

func TestTargetsAreCheckedAsTheyAreSent(t *testing.T) {
	a, err := newAllowed([]string{"https://gateway.example/tenant-a"})
	require.NoError(t, err)
	call := exchange.Call{Surface: dialect.Chat, BaseURL: "https://gateway.example/tenant-a", Model: "m"}
	require.NoError(t, a.checkCall(call))
	for name, change := range map[string]func(*exchange.Call){
		"a path upwards":          func(c *exchange.Call) { c.Path = "/../admin/delete-everything" },
		"an encoded path upwards": func(c *exchange.Call) { c.Path = "/%2e%2e/admin" },
		"an encoding of that":     func(c *exchange.Call) { c.Path = "/%252e%252e/admin" },
		"another host":            func(c *exchange.Call) { c.Header = map[string]string{"Host": "victim.example"} },
		"the call before": func(c *exchange.Call) {
			c.First = &exchange.Call{Surface: dialect.Chat, BaseURL: "https://other.example"}
		},
		"the target's neighbour": func(c *exchange.Call) { c.BaseURL = "https://gateway.example/tenant-b" },
	} {
		other := call
		change(&other)
		assert.ErrorIs(t, a.checkCall(other), ErrTarget, name)
	}
	call.Header = map[string]string{"Host": "GATEWAY.example"}
	assert.NoError(t, a.checkCall(call), "its own host")
}

// Who does not know the secret can neither answer for a worker, nor repeat what a worker or a coordinator has said.
func TestRepetitionsAreIgnored(t *testing.T) {
	a := newServer(t)
	stranger, err := a.connect("stranger")
	require.NoError(t, err)
	t.Cleanup(stranger.Close)
	_, err = stranger.Subscribe("gatecert.default.worker.victim.*", func(m *nats.Msg) { _ = m.Respond(m.Data) })
	require.NoError(t, err)
	require.NoError(t, stranger.Flush())
	join(t, 1, WorkerOptions{Access: a, Targets: []string{"http://127.0.0.1:1"}})
	f := open(t, a, 1)
	for _, what := range []string{clockRequest, offerRequest, startRequest} {
		assert.ErrorIs(t, f.ask(t.Context(), "victim", what, struct{}{}, new(json.RawMessage)), ErrSeal, what)
	}

	s := &session{worker: &worker{clock: newClock(0)}}
	now := s.clock.now()
	s.extend(lease{Made: now, Until: now + int64(time.Second)})
	heard := s.lastLease()
	time.Sleep(10 * time.Millisecond)
	s.extend(lease{Made: now, Until: now + int64(time.Second)})
	assert.Equal(t, heard, s.lastLease(), "a lease that is repeated is not heard")

	repeated := &Fleet{members: map[string]*member{}, sealer: f.sealer, subjects: f.subjects}
	said, err := f.sealer.seal(f.subjects.hello(), hello{Worker: "dead", Sent: 5})
	require.NoError(t, err)
	repeated.hear(&nats.Msg{Subject: f.subjects.hello(), Data: said})
	first := repeated.members["dead"].heard
	time.Sleep(time.Millisecond)
	repeated.hear(&nats.Msg{Subject: f.subjects.hello(), Data: said})
	assert.Equal(t, first, repeated.members["dead"].heard, "nor a hello")
}

func TestPasswordsAreNotQuoted(t *testing.T) {
	for _, url := range []string{"nats://me:hunter2@nats.example:port", "http://me:hunter2@nats.example:4222", "me:hunter2@nats.example:4222", "nats://nats.example:4222,nats://me:hunter2@x:1"} {
		err := Access{URL: url, Secret: "x"}.Check()
		require.ErrorIs(t, err, ErrAccess)
		assert.NotContains(t, err.Error(), "hunter2")
	}
	_, err := newAllowed([]string{"https://me:hunter2@gateway.example"})
	require.ErrorIs(t, err, ErrAllow)
	assert.NotContains(t, err.Error(), "hunter2")
}

// What was acknowledged takes no memory at the server: a long search has hundreds of phases.
func TestTheServerForgetsWhatIsDone(t *testing.T) {
	g, a := newTarget(t), newServer(t)
	join(t, 2, WorkerOptions{Access: a, Targets: []string{g.URL}})
	f := open(t, a, 2)
	e := engineOf(t, f)
	p := g.phase("large", 50, 100*time.Millisecond)
	x := uint32(1)
	noise := make([]byte, 1<<20)
	for i := range noise {
		x = x*1664525 + 1013904223
		noise[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[x>>26]
	}
	p.Mix[0].Call.Prompt = string(noise)
	for range 3 {
		_, err := e.Run(t.Context(), p)
		require.NoError(t, err)
	}
	assert.Eventually(t, func() bool {
		stream, err := f.js.Stream(t.Context(), f.subjects.stream(f.session))
		require.NoError(t, err)
		info, err := stream.Info(t.Context())
		require.NoError(t, err)
		store, err := f.js.ObjectStore(t.Context(), f.subjects.bucket(f.session))
		require.NoError(t, err)
		status, err := store.Status(t.Context())
		require.NoError(t, err)
		return info.State.Msgs == 0 && status.Size() < 64<<10
	}, 5*time.Second, 50*time.Millisecond)
}

// joined merges portions that were read from JSON, of workers on machines.
func joined(t *testing.T, p load.Phase, text string, machines ...string) load.Measurement {
	t.Helper()
	f := &Fleet{members: map[string]*member{}, config: Config{Skew: time.Second}}
	a := &attempt{fleet: f, phase: p, began: time.Now()}
	for i, machine := range machines {
		var part load.Portion
		require.NoError(t, json.Unmarshal([]byte(text), &part))
		name := fmt.Sprint("w", i)
		f.members[name] = &member{hello: hello{Worker: name, Host: machine, Machine: machine}}
		a.shards = append(a.shards, &shardState{worker: name, portion: &portion{Worker: name, Portion: part}})
	}
	m, err := a.merge()
	require.NoError(t, err)
	return m
}

func TestTheProcessorTimeOfAMachineIsAddedUp(t *testing.T) {
	p := newTarget(t).phase("x", 10, time.Second)
	p.Generator = load.GeneratorLimits{CPU: 0.9}
	const text = `{"Requests":["chat"],"Sent":10,"Offered":10,"Generator":{"CPU":0.48,"Cores":4},"Course":{}}`
	apart := joined(t, p, text, "m1", "m2")
	assert.True(t, apart.Generator.OK(), apart.Generator.Problems)
	assert.InDelta(t, 0.48, apart.Generator.CPU, 1e-9)
	assert.Equal(t, 8, apart.Generator.Cores)
	together := joined(t, p, text, "m1", "m1")
	assert.Equal(t, []string{"the workers on m1 used 96 % of the CPU time of that machine's 4 cores (the limit is 90 %)"}, together.Generator.Problems)
	assert.InDelta(t, 0.96, together.Generator.CPU, 1e-9)
}

// Two requests of any phase may be late, not two of each worker.
func TestTheLateRequestsOfAllWorkersAreAddedUp(t *testing.T) {
	p := newTarget(t).phase("x", 640, time.Second)
	p.Generator = load.GeneratorLimits{}
	m := joined(t, p, `{"Requests":["chat"],"Sent":10,"Offered":10,"Generator":{"Late":2,"CPU":0.01,"Cores":64},"Course":{}}`, make([]string, 64)...)
	require.NotEmpty(t, m.Generator.Problems)
	assert.Contains(t, m.Generator.Problems[0], "the workers sent 128 of ")
}
