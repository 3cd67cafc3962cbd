package load

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/reports/runlog"
)

func newEngine(t *testing.T, caps Caps) *Engine {
	t.Helper()
	e := NewEngine(Options{Caps: caps})
	t.Cleanup(e.Close)
	return e
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func ok(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, goodChat)
}

func refuse(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(http.StatusTooManyRequests)
	_, _ = io.WriteString(w, good429)
}

func chatRequest(url string) Request {
	return Request{Name: "chat", Call: exchange.Call{Surface: dialect.Chat, BaseURL: url, Key: "sk-caller-0123456789", Model: "m", Prompt: "hi"}}
}

// lenient limits keep the lag of a busy machine out of tests that are not about it.
func lenient() GeneratorLimits { return GeneratorLimits{Missed: 0.99, Lag: time.Minute, CPU: 100} }

func TestRunConstant(t *testing.T) {
	var bodies sync.Map
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies.Store(string(body), r.Header.Clone())
		ok(w, r)
	})
	p := chatRequest(s.URL)
	p.Call.Prompt = "hi " + TokenPlaceholder
	m, err := newEngine(t, Caps{}).Run(t.Context(), Phase{
		Name: "steady", Mix: []Request{p}, Rate: 100, For: 500 * ms, Generator: lenient(), Keep: 50,
	})
	require.NoError(t, err)

	assert.Equal(t, contract.Pass, m.Verdict())
	assert.Equal(t, uint64(50), m.Offered)
	assert.Equal(t, uint64(50), m.Sent)
	assert.Equal(t, uint64(50), m.Count(runlog.Admitted))
	assert.Zero(t, m.ErrorRate())
	assert.Empty(t, m.Violations)
	times := m.Of(AllRequests, runlog.Admitted)
	assert.Equal(t, uint64(50), times.ServiceTime.Count())
	assert.Equal(t, uint64(50), times.TTFB.Count())
	assert.Zero(t, times.TTFT.Count())
	assert.LessOrEqual(t, times.ServiceTime.Quantile(0.5), times.Latency.Quantile(0.5))

	require.Len(t, m.Results, 50)
	slices.SortFunc(m.Results, func(a, b Result) int { return int(a.Seq) - int(b.Seq) })
	for i, result := range m.Results {
		assert.Equal(t, len(goodChat), result.Bytes)
		assert.Equal(t, uint64(i), result.Seq)
		assert.Equal(t, time.Duration(i)*10*ms, result.Due)
		assert.GreaterOrEqual(t, result.Sent, result.Due, "never early")
		assert.GreaterOrEqual(t, result.FirstByte, result.Sent)
		assert.GreaterOrEqual(t, result.End, result.FirstByte)
		header, sent := bodies.Load(`{"max_tokens":16,"messages":[{"content":"hi ` + result.Token() + `","role":"user"}],"model":"m"}`)
		require.True(t, sent, "the token of result %d was sent", i)
		for name := range header.(http.Header) {
			assert.NotContains(t, strings.ToLower(name), "vegeta")
		}
	}
}

// An image in base64 has megabytes, an answer on chat never has.
func TestRunReadsLargeAnswers(t *testing.T) {
	image := `{"data":[{"b64_json":"` + strings.Repeat("A", 3<<20) + `"}],"choices":[{}]}`
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, image)
	})
	for surface, want := range map[dialect.Surface]runlog.Outcome{dialect.Images: runlog.Admitted, dialect.Chat: runlog.TransportError} {
		request := Request{Name: string(surface), Call: exchange.Call{Surface: surface, BaseURL: s.URL, Key: "sk-mine-12345678", Model: "m"}}
		m, err := newEngine(t, Caps{}).Run(t.Context(), Phase{Name: "large", Mix: []Request{request}, Rate: 10, For: 200 * ms, Generator: lenient()})
		require.NoError(t, err)
		assert.Equal(t, uint64(2), m.Count(want), "%s", surface)
	}
}

func TestRunMixesParts(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer sk-flood-0123456789" {
			refuse(w, r)
			return
		}
		ok(w, r)
	})
	flood, victim := chatRequest(s.URL), chatRequest(s.URL)
	flood.Name, flood.Weight, flood.Call.Key = "flood", 3, "sk-flood-0123456789"
	victim.Name = "victim"
	m, err := newEngine(t, Caps{}).Run(t.Context(), Phase{
		Mix: []Request{flood, victim}, Rate: 200, For: 200 * ms, Generator: lenient(), Keep: 15,
	})
	require.NoError(t, err)
	assert.Equal(t, uint64(30), m.Of(0, runlog.Refused).Count)
	assert.Equal(t, uint64(10), m.Of(1, runlog.Admitted).Count)
	assert.Zero(t, m.Of(1, runlog.Refused).Count)
	assert.InDelta(t, 0.75, m.ErrorRate(), 0)
	assert.Equal(t, contract.Pass, m.Verdict(), "refusals as such violate nothing")
	assert.Len(t, m.Results, 15)
	assert.Equal(t, uint64(25), m.NotKept)
}

func TestTurnsAreEven(t *testing.T) {
	assert.Equal(t, []int{0, 0, 1, 0}, Phase{Mix: []Request{{Weight: 3}, {}}}.turns())
	assert.Equal(t, []int{0, 1, 2}, Phase{Mix: []Request{{}, {}, {}}}.turns())
}

func TestRunFindsViolations(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) })
	m, err := newEngine(t, Caps{}).Run(t.Context(), Phase{Mix: []Request{chatRequest(s.URL)}, Rate: 200, For: 50 * ms, Generator: lenient()})
	require.NoError(t, err)
	assert.Equal(t, contract.Fail, m.Verdict())
	var words []string
	for _, b := range m.Violations {
		assert.Equal(t, uint64(10), b.Count, "every response is judged, not only the first")
		assert.Equal(t, "chat", b.Request)
		require.NotNil(t, b.Evidence)
		assert.Equal(t, 429, b.Evidence.Status)
		words = append(words, string(b.Finding.Requirement))
	}
	assert.ElementsMatch(t, []string{"content-type", "envelope", "retry-after"}, words)
}

func TestRunStreams(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		first, rest, _ := strings.Cut(goodStream, "\n\n")
		_, _ = io.WriteString(w, first+"\n\n")
		w.(http.Flusher).Flush()
		time.Sleep(200 * ms) // a busy machine takes a while until it has read the first
		_, _ = io.WriteString(w, rest)
	})
	p := chatRequest(s.URL)
	p.Call.Surface = dialect.ChatStream
	m, err := newEngine(t, Caps{}).Run(t.Context(), Phase{Mix: []Request{p}, Rate: 200, For: 25 * ms, Generator: lenient(), Keep: 5})
	require.NoError(t, err)
	require.Equal(t, uint64(5), m.Count(runlog.Admitted))
	for _, result := range m.Results {
		assert.GreaterOrEqual(t, result.FirstEvent, result.FirstByte)
		assert.GreaterOrEqual(t, result.End-result.FirstEvent, 10*ms, "the first event came before the end")
	}
	assert.Equal(t, uint64(5), m.Of(0, runlog.Admitted).TTFT.Count())
}

func TestRequestsAreConcurrent(t *testing.T) {
	var under, most atomic.Int64
	var all sync.WaitGroup
	all.Add(20)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n := under.Add(1); n > most.Load() {
			most.Store(n)
		}
		all.Done()
		all.Wait() // no response before all requests are there
		under.Add(-1)
		ok(w, r)
	})
	m, err := newEngine(t, Caps{}).Run(t.Context(), Phase{
		Mix: []Request{chatRequest(s.URL)}, Rate: 200, For: 100 * ms, Connections: 20, Generator: lenient(),
	})
	require.NoError(t, err)
	assert.Equal(t, uint64(20), m.Count(runlog.Admitted))
	assert.Equal(t, int64(20), most.Load())
}

func TestConnectionsBoundTheRequestsInFlight(t *testing.T) {
	var under, most atomic.Int64
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n := under.Add(1); n > most.Load() {
			most.Store(n)
		}
		time.Sleep(5 * ms)
		under.Add(-1)
		ok(w, r)
	})
	m, err := newEngine(t, HardCaps()).Run(t.Context(), Phase{
		Mix: []Request{chatRequest(s.URL)}, Rate: 40_000, For: ms, Connections: 4, Generator: lenient(),
	})
	require.NoError(t, err)
	assert.Equal(t, uint64(40), m.Count(runlog.Admitted))
	assert.LessOrEqual(t, most.Load(), int64(4))
	assert.GreaterOrEqual(t, m.Waited, uint64(30), "a request that waits for a connection waits for the gateway")
	times := m.Of(AllRequests, runlog.Admitted)
	assert.Greater(t, times.Latency.Max(), 2*times.ServiceTime.Quantile(0.5), "and the wait is part of its latency")
	assert.LessOrEqual(t, m.Generator.Lag.Count(), uint64(10))
}

// A gateway that hangs takes all workers. vegeta by itself would wait for it without a bound, or start thousands more.
func TestRunAgainstAHangingGateway(t *testing.T) {
	simulate(t, hang, func(t *testing.T, e *Engine, url string) {
		began, before := time.Now(), runtime.NumGoroutine()
		var most int
		m, err := e.Run(t.Context(), Phase{
			Mix: []Request{chatRequest(url)}, Rate: 200, For: 300 * ms, Connections: 8, Timeout: time.Minute,
			Generator: GeneratorLimits{CPU: 100},
			Progress:  func(Progress) { most = max(most, runtime.NumGoroutine()-before) },
		})
		require.NoError(t, err)
		assert.Equal(t, time.Minute+35*ms, time.Since(began), "the eighth request and its timeout")
		assert.Equal(t, uint64(60), m.Offered)
		assert.Equal(t, uint64(8), m.Sent)
		assert.Equal(t, uint64(8), m.Count(runlog.Timeout))
		assert.Equal(t, uint64(52), m.Waited)
		assert.Empty(t, m.Violations, "our timeout is not a limit of the contract")
		assert.Positive(t, most)
		assert.Less(t, most, 60)
		assert.True(t, m.Generator.OK(), "the gateway is why the others were not sent: %v", m.Generator.Problems)
	})
}

func TestRunCancelled(t *testing.T) {
	entered := make(chan struct{}, 100)
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		entered <- struct{}{}
		<-r.Context().Done()
	})
	cause := errors.New("the user left")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-entered
		<-entered
		cancel(cause)
	}()
	began := time.Now()
	m, err := newEngine(t, Caps{Duration: time.Hour}).Run(ctx, Phase{
		Mix: []Request{chatRequest(s.URL)}, Rate: 30, For: 10 * time.Minute, Connections: 4,
	})
	require.ErrorIs(t, err, cause)
	assert.Less(t, time.Since(began), 30*time.Second, "neither after ten minutes nor after the timeout")
	assert.GreaterOrEqual(t, m.Sent, uint64(2))
	assert.Equal(t, m.Sent, m.Count(runlog.Abandoned), "an aborted request says nothing about the gateway")
	assert.Equal(t, m.Sent, m.Offered)
	assert.Zero(t, m.ErrorRate())
}

func TestCancelledBetweenTwoRequests(t *testing.T) {
	s := serve(t, ok)
	ctx, cancel := context.WithCancel(t.Context())
	m, err := newEngine(t, Caps{Duration: time.Hour}).Run(ctx, Phase{
		Mix: []Request{chatRequest(s.URL)}, Rate: 0.01, For: 10 * time.Minute, Progress: func(Progress) { cancel() },
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, uint64(1), m.Count(runlog.Admitted))
}

func TestRequestsOnStaleConnectionsAreSentAgain(t *testing.T) {
	s := serve(t, ok)
	e := newEngine(t, Caps{})
	phase := Phase{Mix: []Request{chatRequest(s.URL)}, Rate: 200, For: 5 * ms, Generator: lenient(), Keep: 1}
	_, err := e.Run(t.Context(), phase)
	require.NoError(t, err)
	s.CloseClientConnections()
	m, err := e.Run(t.Context(), phase)
	require.NoError(t, err)
	assert.Equal(t, uint64(1), m.Count(runlog.Admitted))
	assert.True(t, m.Results[0].Resent)
}

func TestRunOverTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(ok))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it logs clients that do not trust it
	s.StartTLS()
	defer s.Close()
	e := NewEngine(Options{TLS: s.Client().Transport.(*http.Transport).TLSClientConfig})
	defer e.Close()
	m, err := e.Run(t.Context(), Phase{Mix: []Request{chatRequest(s.URL)}, Rate: 100, For: 100 * ms, Generator: lenient()})
	require.NoError(t, err)
	assert.Equal(t, uint64(10), m.Count(runlog.Admitted))

	untrusting := newEngine(t, Caps{})
	m, err = untrusting.Run(t.Context(), Phase{Mix: []Request{chatRequest(s.URL)}, Rate: 200, For: 5 * ms, Generator: lenient()})
	require.NoError(t, err)
	assert.Equal(t, uint64(1), m.Count(runlog.TransportError), "an unknown certificate makes no connection")
}

func TestWindows(t *testing.T) {
	slow := func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(ms)
		ok(w, r)
	}
	simulate(t, slow, func(t *testing.T, e *Engine, url string) {
		m, err := e.Run(t.Context(), Phase{
			Mix: []Request{chatRequest(url)}, Rate: 100, For: 600 * ms, Window: 100 * ms, Generator: lenient(),
		})
		require.NoError(t, err)
		require.Len(t, m.Windows, 6)
		for i, w := range m.Windows {
			assert.Equal(t, 100*ms, w.Length)
			assert.Equal(t, time.Duration(i)*100*ms, w.Start)
			assert.Equal(t, uint64(10), w.Total())
			assert.InDelta(t, ms, w.P50, float64(ms)/100)
			assert.InDelta(t, ms, w.P99, float64(ms)/100)
		}
	})
}

// Each variant is sent about equally often, in a mix too, and each with a token of its own.
func TestVariantsOfARequest(t *testing.T) {
	var mu sync.Mutex
	seen, tokens := map[string]int{}, map[string]bool{}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		text := string(body)
		mu.Lock()
		for _, name := range []string{"one", "two", "three", "four"} {
			if strings.Contains(text, "variant "+name) {
				seen[name]++
			}
		}
		tokens[text] = true
		mu.Unlock()
		ok(w, r)
	})
	request := chatRequest(s.URL)
	for _, name := range []string{"one", "two", "three", "four"} {
		call := request.Call
		call.Prompt = TokenPlaceholder + " variant " + name
		request.Variants = append(request.Variants, call)
	}
	other := chatRequest(s.URL)
	other.Name = "other"
	e := newEngine(t, Caps{})
	m, err := e.Run(t.Context(), Phase{Mix: []Request{request, other}, Rate: 200, For: time.Second, Generator: lenient()})
	require.NoError(t, err)
	assert.Equal(t, uint64(200), m.Count(runlog.Admitted))
	assert.Len(t, seen, 4)
	for name, n := range seen {
		assert.InDelta(t, 25, n, 12, name)
	}
	assert.GreaterOrEqual(t, len(tokens), 100, "each is unique")

	elsewhere := request.Call
	elsewhere.BaseURL = "http://127.0.0.1:1"
	request.Variants = append(request.Variants, elsewhere)
	_, err = e.Plan(Phase{Mix: []Request{request}, Rate: 1, For: time.Second})
	assert.ErrorIs(t, err, ErrInvalid, "a variant goes elsewhere")
}
