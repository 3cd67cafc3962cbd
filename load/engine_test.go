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

func part(url string) Request {
	return Request{Name: "chat", Call: exchange.Call{Surface: dialect.Chat, BaseURL: url, Key: "sk-caller-0123456789", Model: "m", Prompt: "hi"}}
}

// lenient bounds keep a busy machine's lag out of tests that are not about it.
func lenient() GeneratorLimits { return GeneratorLimits{Missed: 0.99, Lag: time.Minute, CPU: 100} }

func TestFireConstant(t *testing.T) {
	var bodies sync.Map
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies.Store(string(body), r.Header.Clone())
		ok(w, r)
	})
	p := part(s.URL)
	p.Call.Prompt = "hi " + TokenPlaceholder
	var seen []Result
	m, err := newEngine(t, Caps{}).Run(t.Context(), Phase{
		Name: "steady", Mix: []Request{p}, Schedule: Constant{Rate: 100, For: 500 * ms}, Generator: lenient(), Keep: 20,
		Observe: func(s Result) { seen = append(seen, s) },
	})
	require.NoError(t, err)

	assert.Equal(t, contract.Pass, m.Verdict())
	assert.Equal(t, uint64(50), m.Offered)
	assert.Equal(t, uint64(50), m.Sent)
	assert.Equal(t, uint64(50), m.Count(runlog.Admitted))
	assert.Equal(t, uint64(50*len(goodChat)), m.BytesIn)
	assert.Zero(t, m.ErrorShare())
	assert.GreaterOrEqual(t, m.Sending, 490*ms)
	assert.LessOrEqual(t, m.SendRate(), 100.0)
	assert.Empty(t, m.Violations)
	assert.Len(t, m.Results, 20)
	assert.Equal(t, uint64(30), m.NotKept)
	assert.Positive(t, m.NewConns)
	times := m.Of(AllRequests, runlog.Admitted)
	assert.Equal(t, uint64(50), times.ServiceTime.Count())
	assert.Equal(t, uint64(50), times.TTFB.Count())
	assert.Zero(t, times.TTFT.Count())
	assert.LessOrEqual(t, times.ServiceTime.Quantile(0.5), times.Latency.Quantile(0.5))

	require.Len(t, seen, 50)
	slices.SortFunc(seen, func(a, b Result) int { return int(a.Seq) - int(b.Seq) })
	for i, shot := range seen {
		assert.Equal(t, uint64(i), shot.Seq)
		assert.Equal(t, time.Duration(i)*10*ms, shot.Due)
		assert.GreaterOrEqual(t, shot.Sent, shot.Due, "never early")
		assert.GreaterOrEqual(t, shot.FirstByte, shot.Sent)
		assert.GreaterOrEqual(t, shot.End, shot.FirstByte)
		header, sent := bodies.Load(`{"max_tokens":16,"messages":[{"content":"hi ` + shot.Token() + `","role":"user"}],"model":"m"}`)
		require.True(t, sent, "the token of shot %d was sent", i)
		for name := range header.(http.Header) {
			assert.NotContains(t, strings.ToLower(name), "vegeta")
		}
	}
}

func TestFireMixesParts(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer sk-flood-0123456789" {
			refuse(w, r)
			return
		}
		ok(w, r)
	})
	flood, victim := part(s.URL), part(s.URL)
	flood.Name, flood.Weight, flood.Call.Key = "flood", 3, "sk-flood-0123456789"
	victim.Name = "victim"
	m, err := newEngine(t, Caps{}).Run(t.Context(), Phase{
		Mix: []Request{flood, victim}, Schedule: Constant{Rate: 200, For: 200 * ms}, Generator: lenient(), Keep: 100,
	})
	require.NoError(t, err)
	assert.Equal(t, uint64(30), m.Of(0, runlog.Refused).Count)
	assert.Equal(t, uint64(10), m.Of(1, runlog.Admitted).Count)
	assert.Zero(t, m.Of(1, runlog.Refused).Count)
	assert.InDelta(t, 0.75, m.ErrorShare(), 0)
	assert.Equal(t, contract.Pass, m.Verdict(), "refusals break no obligation by being there")
	for _, shot := range m.Results {
		seconds, given := shot.RetryAfter()
		assert.Equal(t, shot.Request == 0, given)
		assert.Equal(t, map[int]int{0: 1, 1: 0}[shot.Request], seconds)
	}
}

func TestOrderIsEven(t *testing.T) {
	assert.Equal(t, []int{0, 0, 1, 0}, Phase{Mix: []Request{{Weight: 3}, {}}}.order())
	assert.Equal(t, []int{0, 1, 2}, Phase{Mix: []Request{{}, {}, {}}}.order())
}

func TestFireFindsBreaches(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) })
	m, err := newEngine(t, Caps{}).Run(t.Context(), Phase{Mix: []Request{part(s.URL)}, Schedule: Burst{Size: 10}, Generator: lenient()})
	require.NoError(t, err)
	assert.Equal(t, contract.Fail, m.Verdict())
	var words []string
	for _, b := range m.Violations {
		assert.Equal(t, uint64(10), b.Count, "every answer is judged, not only the first")
		assert.Equal(t, "chat", b.Request)
		require.NotNil(t, b.Evidence)
		assert.Equal(t, 429, b.Evidence.Status)
		words = append(words, string(b.Finding.Requirement))
	}
	assert.ElementsMatch(t, []string{"content-type", "envelope", "retry-after"}, words)
}

func TestFireStreams(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		first, rest, _ := strings.Cut(goodStream, "\n\n")
		_, _ = io.WriteString(w, first+"\n\n")
		w.(http.Flusher).Flush()
		time.Sleep(20 * ms)
		_, _ = io.WriteString(w, rest)
	})
	p := part(s.URL)
	p.Call.Surface = dialect.ChatStream
	m, err := newEngine(t, Caps{}).Run(t.Context(), Phase{Mix: []Request{p}, Schedule: Burst{Size: 5}, Generator: lenient(), Keep: 5})
	require.NoError(t, err)
	require.Equal(t, uint64(5), m.Count(runlog.Admitted))
	for _, shot := range m.Results {
		assert.GreaterOrEqual(t, shot.FirstEvent, shot.FirstByte)
		assert.GreaterOrEqual(t, shot.End-shot.FirstEvent, 10*ms, "the first event came before the end")
	}
	assert.Equal(t, uint64(5), m.Of(0, runlog.Admitted).TTFT.Count())
}

func TestBurstIsConcurrent(t *testing.T) {
	var under, most atomic.Int64
	var all sync.WaitGroup
	all.Add(20)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n := under.Add(1); n > most.Load() {
			most.Store(n)
		}
		all.Done()
		all.Wait() // nobody is answered before everybody is there
		under.Add(-1)
		ok(w, r)
	})
	m, err := newEngine(t, Caps{}).Run(t.Context(), Phase{
		Mix: []Request{part(s.URL)}, Schedule: Burst{Size: 20}, Connections: 20, Preconnect: true, Generator: lenient(),
	})
	require.NoError(t, err)
	assert.Equal(t, uint64(20), m.Count(runlog.Admitted))
	assert.Equal(t, int64(20), most.Load())
	assert.Zero(t, m.NewConns, "the connections were open before the burst")
}

func TestConnectionsBoundWhatIsUnderWay(t *testing.T) {
	var under, most atomic.Int64
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n := under.Add(1); n > most.Load() {
			most.Store(n)
		}
		time.Sleep(5 * ms)
		under.Add(-1)
		ok(w, r)
	})
	m, err := newEngine(t, Caps{}).Run(t.Context(), Phase{
		Mix: []Request{part(s.URL)}, Schedule: Burst{Size: 40}, Connections: 4, Generator: lenient(),
	})
	require.NoError(t, err)
	assert.Equal(t, uint64(40), m.Count(runlog.Admitted))
	assert.LessOrEqual(t, most.Load(), int64(4))
	assert.GreaterOrEqual(t, m.Waited, uint64(30), "who waits for a connection waits for the gateway, not for us")
	times := m.Of(AllRequests, runlog.Admitted)
	assert.Greater(t, times.Latency.Max(), 2*times.ServiceTime.Quantile(0.5), "and the response time tells it")
	assert.LessOrEqual(t, m.Lag.Count(), uint64(10))
}

// A gateway that hangs takes all workers; vegeta by itself would wait for it for ever or start thousands more.
func TestFireAgainstAHangingGateway(t *testing.T) {
	release := make(chan struct{})
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // else the server does not notice who leaves
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	before := runtime.NumGoroutine()
	var most int
	m, err := newEngine(t, Caps{}).Run(t.Context(), Phase{
		Mix: []Request{part(s.URL)}, Schedule: Constant{Rate: 200, For: 300 * ms}, Connections: 8, Timeout: 2 * time.Second,
		Observe: func(Result) { most = max(most, runtime.NumGoroutine()-before) },
	})
	require.NoError(t, err)
	assert.Equal(t, uint64(60), m.Offered)
	assert.Equal(t, uint64(8), m.Sent)
	assert.Equal(t, uint64(8), m.Count(runlog.Timeout))
	assert.GreaterOrEqual(t, m.Waited, uint64(51))
	assert.Empty(t, m.Violations, "our patience is no limit of the contract")
	assert.Less(t, most, 60)
	for _, reason := range m.Generator.Problems {
		assert.NotContains(t, reason, "not sent in time", "that they were not sent is the gateway's doing")
	}
}

func TestFireCancelled(t *testing.T) {
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
		Mix: []Request{part(s.URL)}, Schedule: Constant{Rate: 30, For: 10 * time.Minute}, Connections: 4,
	})
	require.ErrorIs(t, err, cause)
	assert.Less(t, time.Since(began), 30*time.Second, "not after ten minutes, and not after the timeout")
	assert.GreaterOrEqual(t, m.Sent, uint64(2))
	assert.Equal(t, m.Sent, m.Count(runlog.Abandoned), "what was cut short says nothing about the gateway")
	assert.Equal(t, m.Sent, m.Offered)
	assert.Zero(t, m.ErrorShare())
}

func TestCancelledBetweenTwoShots(t *testing.T) {
	s := serve(t, ok)
	ctx, cancel := context.WithCancel(t.Context())
	m, err := newEngine(t, Caps{Duration: time.Hour}).Run(ctx, Phase{
		Mix: []Request{part(s.URL)}, Schedule: Constant{Rate: 0.01, For: 10 * time.Minute}, Observe: func(Result) { cancel() },
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, uint64(1), m.Count(runlog.Admitted))
}

func TestStaleConnectionsAreTriedOnceMore(t *testing.T) {
	s := serve(t, ok)
	e := newEngine(t, Caps{})
	stage := Phase{Mix: []Request{part(s.URL)}, Schedule: Burst{Size: 1}, Generator: lenient(), Keep: 1}
	_, err := e.Run(t.Context(), stage)
	require.NoError(t, err)
	s.CloseClientConnections()
	m, err := e.Run(t.Context(), stage)
	require.NoError(t, err)
	assert.Equal(t, uint64(1), m.Count(runlog.Admitted))
	assert.Equal(t, uint64(1), m.Resent, "and it is counted")
	assert.True(t, m.Results[0].Resent)
	assert.True(t, m.Results[0].NewConn)
}

func TestFireOverTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(ok))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of callers that do not trust it
	s.StartTLS()
	defer s.Close()
	e := NewEngine(Options{TLS: s.Client().Transport.(*http.Transport).TLSClientConfig})
	defer e.Close()
	m, err := e.Run(t.Context(), Phase{Mix: []Request{part(s.URL)}, Schedule: Constant{Rate: 100, For: 100 * ms}, Generator: lenient()})
	require.NoError(t, err)
	assert.Equal(t, uint64(10), m.Count(runlog.Admitted))

	untrusting := newEngine(t, Caps{})
	m, err = untrusting.Run(t.Context(), Phase{Mix: []Request{part(s.URL)}, Schedule: Burst{Size: 1}, Generator: lenient()})
	require.NoError(t, err)
	assert.Equal(t, uint64(1), m.Count(runlog.TransportError), "an unknown certificate is no connection")
}

func TestClosedLoop(t *testing.T) {
	s := serve(t, ok)
	m, err := newEngine(t, Caps{}).Run(t.Context(), Phase{
		Mix: []Request{part(s.URL)}, Schedule: Closed{Requests: 500, For: time.Minute}, Connections: 4,
	})
	require.NoError(t, err)
	assert.Equal(t, uint64(500), m.Sent)
	assert.Equal(t, uint64(500), m.Count(runlog.Admitted))
	assert.Zero(t, m.Waited)
	assert.Positive(t, m.Throughput())
	for _, reason := range m.Generator.Problems {
		assert.NotContains(t, reason, "cores", "a closed loop may use what there is")
	}
}

func TestWindowsTellTheCourse(t *testing.T) {
	s := serve(t, ok)
	m, err := newEngine(t, Caps{}).Run(t.Context(), Phase{
		Mix: []Request{part(s.URL)}, Schedule: Constant{Rate: 100, For: 600 * ms}, Window: 100 * ms, Generator: lenient(),
	})
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(m.Windows), 3)
	var sum uint64
	for i, w := range m.Windows {
		assert.Equal(t, 100*ms, w.Length)
		assert.Zero(t, w.Start%(100*ms))
		assert.Positive(t, w.P99)
		if i > 0 {
			assert.Greater(t, w.Start, m.Windows[i-1].Start)
		}
		sum += w.Total()
	}
	assert.Equal(t, m.Sent, sum)
}
