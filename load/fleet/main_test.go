package fleet

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/internal/leanserver"
	"github.com/gatecert/gatecert/load"
)

// workerVariable makes the test binary a worker, whose options it has as JSON.
const workerVariable = "GATECERT_FLEET_TEST_WORKER"

// processOptions are those of a worker in a process of its own.
type processOptions struct {
	Inherited

	ClockAhead time.Duration
	Version    string
}

func TestMain(m *testing.M) {
	if text := os.Getenv(workerVariable); text != "" {
		os.Exit(beWorker(text))
	}
	if text := os.Getenv(coordinatorVariable); text != "" {
		os.Exit(beCoordinator(text))
	}
	if mode := os.Getenv(leanVariable); mode != "" {
		if err := leanserver.Serve(mode, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if port := os.Getenv(serverVariable); port != "" {
		os.Exit(beServer(port))
	}
	goleak.VerifyTestMain(m)
}

func beWorker(text string) int {
	var p processOptions
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	o := WorkerOptions{Access: p.Access, Fleet: p.Fleet, Name: p.Name, Targets: p.Targets, clockAhead: p.ClockAhead}
	if p.Version != "" {
		o.build = &build{p.Version, thisBuild().Contract}
	}
	o.Show = func(sentence string) { fmt.Println(sentence) }
	if err := Join(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// process starts a worker in a process of its own, and ends it with the test.
func process(t *testing.T, p processOptions) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(p)
	require.NoError(t, err)
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), workerVariable+"="+string(text))
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	go func() { _, _ = io.Copy(io.Discard, bufio.NewReader(out)) }()
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGCONT)
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	return c
}

// goodChat is a success.
const goodChat = `{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant",` +
	`"content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`

// target is a gateway that counts its requests.
type target struct {
	*httptest.Server

	requests atomic.Int64
	// last is when the last request came, in nanoseconds.
	last atomic.Int64
}

func newTarget(t *testing.T) *target {
	t.Helper()
	g := &target{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.requests.Add(1)
		g.last.Store(time.Now().UnixNano())
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, goodChat)
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *target) phase(name string, rate float64, lasts time.Duration) load.Phase {
	return load.Phase{Name: name, Rate: rate, For: lasts, Timeout: 5 * time.Second, Generator: lenient(), Mix: []load.Request{{
		Name: "chat", Call: exchange.Call{Surface: dialect.Chat, BaseURL: g.URL, Key: "sk-caller-0123456789", Model: "m", Prompt: "hi " + load.TokenPlaceholder},
	}}}
}

// lenient limits keep the lag of a busy machine out of tests that are not about it.
func lenient() load.GeneratorLimits {
	return load.GeneratorLimits{Missed: 0.99, Lag: time.Minute, LateShare: 1, CPU: 100}
}

func newServer(t *testing.T) Access {
	t.Helper()
	s, err := StartServer()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close(context.Background())) })
	a := s.Access
	a.Secret = "a secret of tests"
	return a
}

// join starts workers in this process.
func join(t *testing.T, n int, o WorkerOptions) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, n)
	for range n {
		go func() { ended <- Join(ctx, o) }()
	}
	t.Cleanup(func() {
		stop()
		for range n {
			require.NoError(t, <-ended)
		}
	})
}

func open(t *testing.T, a Access, n int) *Fleet {
	t.Helper()
	f, err := Open(t.Context(), Config{Access: a, Workers: n, Show: func(s string) { t.Log(s) }, Skew: time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close(context.Background())) })
	return f
}

func engineOf(t *testing.T, f *Fleet) *load.Engine {
	t.Helper()
	e := load.NewEngine(load.Options{Generators: f.For(Setup{}), Caps: load.HardCaps()})
	t.Cleanup(e.Close)
	return e
}
