package load

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange"
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

func part(url string) Part {
	return Part{Name: "chat", Call: exchange.Call{Surface: contract.Chat, BaseURL: url, Key: "sk-caller-0123456789", Model: "m", Prompt: "hi"}}
}

// lenient bounds keep a busy machine's lag out of tests that are not about it.
func lenient() Bounds { return Bounds{Missed: 0.99, Lag: time.Minute, CPU: 100} }

func TestFireConstant(t *testing.T) {
	var bodies sync.Map
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies.Store(string(body), r.Header.Clone())
		ok(w, r)
	})
	p := part(s.URL)
	p.Call.Prompt = "hi " + TokenMark
	var seen []Shot
	m, err := newEngine(t, Caps{}).Fire(t.Context(), Stage{
		Name: "steady", Parts: []Part{p}, Schedule: Constant{Rate: 100, For: 500 * ms}, Bounds: lenient(), Keep: 20,
		Observe: func(s Shot) { seen = append(seen, s) },
	})
	require.NoError(t, err)

	assert.Equal(t, contract.Pass, m.Verdict())
	assert.Equal(t, uint64(50), m.Offered)
	assert.Equal(t, uint64(50), m.Sent)
	assert.Equal(t, uint64(50), m.Count(Admitted))
	assert.Equal(t, uint64(50*len(goodChat)), m.BytesIn)
	assert.Zero(t, m.ErrorShare())
	assert.GreaterOrEqual(t, m.Sending, 490*ms)
	assert.LessOrEqual(t, m.SendRate(), 100.0)
	assert.Empty(t, m.Breaches)
	assert.Len(t, m.Shots, 20)
	assert.Equal(t, uint64(30), m.Unkept)
	assert.Positive(t, m.Fresh)
	times := m.Of(AllParts, Admitted)
	assert.Equal(t, uint64(50), times.Service.Count())
	assert.Equal(t, uint64(50), times.FirstByte.Count())
	assert.Zero(t, times.FirstEvent.Count())
	assert.LessOrEqual(t, times.Service.Quantile(0.5), times.Response.Quantile(0.5))

	require.Len(t, seen, 50)
	slices.SortFunc(seen, func(a, b Shot) int { return int(a.Seq) - int(b.Seq) })
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
	m, err := newEngine(t, Caps{}).Fire(t.Context(), Stage{
		Parts: []Part{flood, victim}, Schedule: Constant{Rate: 200, For: 200 * ms}, Bounds: lenient(), Keep: 100,
	})
	require.NoError(t, err)
	assert.Equal(t, uint64(30), m.Of(0, Refused).Count)
	assert.Equal(t, uint64(10), m.Of(1, Admitted).Count)
	assert.Zero(t, m.Of(1, Refused).Count)
	assert.InDelta(t, 0.75, m.ErrorShare(), 0)
	assert.Equal(t, contract.Pass, m.Verdict(), "refusals break no obligation by being there")
	for _, shot := range m.Shots {
		seconds, given := shot.RetryAfter()
		assert.Equal(t, shot.Part == 0, given)
		assert.Equal(t, map[int]int{0: 1, 1: 0}[shot.Part], seconds)
	}
}

func TestOrderIsEven(t *testing.T) {
	assert.Equal(t, []int{0, 0, 1, 0}, Stage{Parts: []Part{{Weight: 3}, {}}}.order())
	assert.Equal(t, []int{0, 1, 2}, Stage{Parts: []Part{{}, {}, {}}}.order())
}

func TestFireFindsBreaches(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) })
	m, err := newEngine(t, Caps{}).Fire(t.Context(), Stage{Parts: []Part{part(s.URL)}, Schedule: Burst{Size: 10}, Bounds: lenient()})
	require.NoError(t, err)
	assert.Equal(t, contract.Fail, m.Verdict())
	var words []string
	for _, b := range m.Breaches {
		assert.Equal(t, uint64(10), b.Count, "every answer is judged, not only the first")
		assert.Equal(t, "chat", b.Part)
		require.NotNil(t, b.Evidence)
		assert.Equal(t, 429, b.Evidence.Status)
		words = append(words, string(b.Finding.Obligation))
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
	p.Call.Surface = contract.ChatStream
	m, err := newEngine(t, Caps{}).Fire(t.Context(), Stage{Parts: []Part{p}, Schedule: Burst{Size: 5}, Bounds: lenient(), Keep: 5})
	require.NoError(t, err)
	require.Equal(t, uint64(5), m.Count(Admitted))
	for _, shot := range m.Shots {
		assert.GreaterOrEqual(t, shot.FirstEvent, shot.FirstByte)
		assert.GreaterOrEqual(t, shot.End-shot.FirstEvent, 10*ms, "the first event came before the end")
	}
	assert.Equal(t, uint64(5), m.Of(0, Admitted).FirstEvent.Count())
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
	m, err := newEngine(t, Caps{}).Fire(t.Context(), Stage{
		Parts: []Part{part(s.URL)}, Schedule: Burst{Size: 20}, Connections: 20, Warm: true, Bounds: lenient(),
	})
	require.NoError(t, err)
	assert.Equal(t, uint64(20), m.Count(Admitted))
	assert.Equal(t, int64(20), most.Load())
	assert.Zero(t, m.Fresh, "the connections were open before the burst")
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
	m, err := newEngine(t, Caps{}).Fire(t.Context(), Stage{
		Parts: []Part{part(s.URL)}, Schedule: Burst{Size: 40}, Connections: 4, Bounds: lenient(),
	})
	require.NoError(t, err)
	assert.Equal(t, uint64(40), m.Count(Admitted))
	assert.LessOrEqual(t, most.Load(), int64(4))
	assert.GreaterOrEqual(t, m.Waited, uint64(30), "who waits for a connection waits for the gateway, not for us")
	times := m.Of(AllParts, Admitted)
	assert.Greater(t, times.Response.Max(), 2*times.Service.Quantile(0.5), "and the response time tells it")
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
	m, err := newEngine(t, Caps{}).Fire(t.Context(), Stage{
		Parts: []Part{part(s.URL)}, Schedule: Constant{Rate: 200, For: 300 * ms}, Connections: 8, Timeout: 2 * time.Second,
		Observe: func(Shot) { most = max(most, runtime.NumGoroutine()-before) },
	})
	require.NoError(t, err)
	assert.Equal(t, uint64(60), m.Offered)
	assert.Equal(t, uint64(8), m.Sent)
	assert.Equal(t, uint64(8), m.Count(Timeout))
	assert.GreaterOrEqual(t, m.Waited, uint64(51))
	assert.Empty(t, m.Breaches, "our patience is no limit of the contract")
	assert.Less(t, most, 60)
	for _, reason := range m.Fitness.Reasons {
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
	m, err := newEngine(t, Caps{Time: time.Hour}).Fire(ctx, Stage{
		Parts: []Part{part(s.URL)}, Schedule: Constant{Rate: 30, For: 10 * time.Minute}, Connections: 4,
	})
	require.ErrorIs(t, err, cause)
	assert.Less(t, time.Since(began), 30*time.Second, "not after ten minutes, and not after the timeout")
	assert.GreaterOrEqual(t, m.Sent, uint64(2))
	assert.Equal(t, m.Sent, m.Count(Abandoned), "what was cut short says nothing about the gateway")
	assert.Equal(t, m.Sent, m.Offered)
	assert.Zero(t, m.ErrorShare())
}

func TestCancelledBetweenTwoShots(t *testing.T) {
	s := serve(t, ok)
	ctx, cancel := context.WithCancel(t.Context())
	m, err := newEngine(t, Caps{Time: time.Hour}).Fire(ctx, Stage{
		Parts: []Part{part(s.URL)}, Schedule: Constant{Rate: 0.01, For: 10 * time.Minute}, Observe: func(Shot) { cancel() },
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, uint64(1), m.Count(Admitted))
}

func TestStaleConnectionsAreTriedOnceMore(t *testing.T) {
	s := serve(t, ok)
	e := newEngine(t, Caps{})
	stage := Stage{Parts: []Part{part(s.URL)}, Schedule: Burst{Size: 1}, Bounds: lenient(), Keep: 1}
	_, err := e.Fire(t.Context(), stage)
	require.NoError(t, err)
	s.CloseClientConnections()
	m, err := e.Fire(t.Context(), stage)
	require.NoError(t, err)
	assert.Equal(t, uint64(1), m.Count(Admitted))
	assert.Equal(t, uint64(1), m.Resent, "and it is counted")
	assert.True(t, m.Shots[0].Resent)
	assert.True(t, m.Shots[0].Fresh)
}

// rawServer answers every connection with a function.
func rawServer(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				answer(conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		serving.Wait()
	})
	return "http://" + listener.Addr().String()
}

func readRequest(conn net.Conn) bool {
	buffer := make([]byte, 4096)
	_, err := conn.Read(buffer)
	return err == nil
}

func TestFireAgainstBrokenGateways(t *testing.T) {
	write := func(text string) func(net.Conn) {
		return func(conn net.Conn) {
			if readRequest(conn) {
				_, _ = io.WriteString(conn, text)
			}
		}
	}
	for _, row := range []struct {
		sentence string
		answer   func(net.Conn)
		want     Outcome
		status   int
	}{
		{"closes without a word", func(conn net.Conn) { readRequest(conn) }, Broken, 0},
		{"resets", func(conn net.Conn) {
			readRequest(conn)
			_ = conn.(*net.TCPConn).SetLinger(0)
		}, Broken, 0},
		{"speaks another protocol", write("hello there, this is not HTTP\r\n"), Broken, 0},
		{"breaks off its answer", write("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"), Broken, 200},
		{"refuses and breaks off", write("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 500\r\n\r\n{"), Refused, 429},
		{"stalls in its answer", func(conn net.Conn) {
			write("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")(conn)
			readRequest(conn) // until we leave
		}, Timeout, 200},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			m, err := newEngine(t, Caps{}).Fire(t.Context(), Stage{
				Parts: []Part{part(rawServer(t, row.answer))}, Schedule: Burst{Size: 3}, Timeout: 500 * ms, Bounds: lenient(), Keep: 3,
			})
			require.NoError(t, err)
			assert.Equal(t, uint64(3), m.Count(row.want), "%v", m.Shots)
			assert.Zero(t, m.Resent, "a new connection is not tried again")
			for _, shot := range m.Shots {
				assert.Equal(t, row.status, shot.Status)
			}
		})
	}
}

func TestFireWhereNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	url := "http://" + listener.Addr().String()
	require.NoError(t, listener.Close())
	e := newEngine(t, Caps{})
	m, err := e.Fire(t.Context(), Stage{Parts: []Part{part(url)}, Schedule: Burst{Size: 3}, Bounds: lenient()})
	require.NoError(t, err)
	assert.Equal(t, uint64(3), m.Count(Broken))
	assert.Equal(t, contract.Fail, m.Verdict())
	_, err = e.Fire(t.Context(), Stage{Parts: []Part{part(url)}, Schedule: Burst{Size: 3}, Warm: true})
	assert.ErrorContains(t, err, "open 3 connections to "+listener.Addr().String())
}

func TestFireOverTLS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(ok))
	defer s.Close()
	e := NewEngine(Options{TLS: s.Client().Transport.(*http.Transport).TLSClientConfig})
	defer e.Close()
	m, err := e.Fire(t.Context(), Stage{Parts: []Part{part(s.URL)}, Schedule: Constant{Rate: 100, For: 100 * ms}, Bounds: lenient()})
	require.NoError(t, err)
	assert.Equal(t, uint64(10), m.Count(Admitted))

	untrusting := newEngine(t, Caps{})
	m, err = untrusting.Fire(t.Context(), Stage{Parts: []Part{part(s.URL)}, Schedule: Burst{Size: 1}, Bounds: lenient()})
	require.NoError(t, err)
	assert.Equal(t, uint64(1), m.Count(Broken), "an unknown certificate is no connection")
}

func TestClosedLoop(t *testing.T) {
	s := serve(t, ok)
	m, err := newEngine(t, Caps{}).Fire(t.Context(), Stage{
		Parts: []Part{part(s.URL)}, Schedule: Closed{Requests: 500, For: time.Minute}, Connections: 4,
	})
	require.NoError(t, err)
	assert.Equal(t, uint64(500), m.Sent)
	assert.Equal(t, uint64(500), m.Count(Admitted))
	assert.Zero(t, m.Waited)
	assert.Positive(t, m.Throughput())
	for _, reason := range m.Fitness.Reasons {
		assert.NotContains(t, reason, "cores", "a closed loop may use what there is")
	}
}

func TestWindowsTellTheCourse(t *testing.T) {
	s := serve(t, ok)
	m, err := newEngine(t, Caps{}).Fire(t.Context(), Stage{
		Parts: []Part{part(s.URL)}, Schedule: Constant{Rate: 100, For: 600 * ms}, Window: 100 * ms, Bounds: lenient(),
	})
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(m.Windows), 3)
	var sum uint64
	for i, w := range m.Windows {
		assert.Equal(t, 100*ms, w.Lasts)
		assert.Zero(t, w.At%(100*ms))
		assert.Positive(t, w.P99)
		if i > 0 {
			assert.Greater(t, w.At, m.Windows[i-1].At)
		}
		sum += w.Total()
	}
	assert.Equal(t, m.Sent, sum)
}

func TestCaps(t *testing.T) {
	s := serve(t, ok)
	e := newEngine(t, Caps{Requests: 100, Rate: 50, Time: 3 * time.Second, Connections: 8})
	stage := func(s Schedule, connections int, url string) Stage {
		return Stage{Parts: []Part{part(url)}, Schedule: s, Connections: connections, Bounds: lenient()}
	}
	for _, row := range []struct {
		sentence string
		stage    Stage
		want     string
	}{
		{"too many requests", stage(Burst{Size: 1, Times: 101, Every: 25 * ms}, 1, s.URL), "101 requests, 100 allowed"},
		{"too fast", stage(Constant{51, time.Second}, 1, s.URL), "51 requests a second, 50 allowed"},
		{"a burst counts as one second's", stage(Burst{Size: 51}, 1, s.URL), "51 requests a second, 50 allowed"},
		{"too long", stage(Constant{1, 4 * time.Second}, 1, s.URL), "4s, 3s allowed"},
		{"too many connections", stage(Burst{Size: 1}, 9, s.URL), "9 connections, 8 allowed"},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			_, err := e.Fire(t.Context(), row.stage)
			require.ErrorIs(t, err, ErrCap)
			assert.ErrorContains(t, err, row.want)
		})
	}
	_, err := e.Fire(t.Context(), stage(Closed{For: 2 * time.Second}, 8, s.URL))
	require.NoError(t, err, "a closed loop takes what is left")
	_, err = e.Fire(t.Context(), stage(Burst{Size: 1}, 1, s.URL))
	require.ErrorIs(t, err, ErrCap, "and then nothing is")
	assert.Equal(t, HardCaps().Requests, newEngine(t, Caps{Requests: math.MaxUint64}).Caps().Requests)
}

func TestUnusableStages(t *testing.T) {
	e := newEngine(t, Caps{})
	good := Stage{Parts: []Part{part("http://127.0.0.1:1")}, Schedule: Burst{Size: 1}}
	for sentence, change := range map[string]func(*Stage){
		"no schedule":              func(s *Stage) { s.Schedule = nil },
		"no parts":                 func(s *Stage) { s.Parts = nil },
		"a schedule without sense": func(s *Stage) { s.Schedule = Constant{-1, time.Second} },
		"negative connections":     func(s *Stage) { s.Connections = -1 },
		"a weight without sense":   func(s *Stage) { s.Parts[0].Weight = -1 },
		"a URL without sense":      func(s *Stage) { s.Parts[0].Call.BaseURL = "ftp://x" },
		"a fault on the wire":      func(s *Stage) { s.Parts[0].Call.Fault = exchange.ShortBody },
	} {
		t.Run(sentence, func(t *testing.T) {
			s := good
			s.Parts = slices.Clone(good.Parts)
			change(&s)
			_, err := e.Fire(t.Context(), s)
			assert.ErrorIs(t, err, ErrStage)
			_, err = e.Plan(s)
			assert.ErrorIs(t, err, ErrStage)
		})
	}
}

func TestPlan(t *testing.T) {
	e := newEngine(t, Caps{})
	p, err := e.Plan(Stage{Parts: []Part{part("http://127.0.0.1:9900"), part("https://gateway.example")}, Schedule: Constant{20, 10 * time.Second}})
	require.NoError(t, err)
	assert.Equal(t, "up to 200 requests, at most 20 a second, for 10s, on 64 connections, to 127.0.0.1:9900 and gateway.example:443", p.String())
	assert.False(t, p.Loopback())
	for host, want := range map[string]bool{"127.0.0.1:80": true, "[::1]:80": true, "localhost:80": true, "10.0.0.1:80": false, "localhost.example:80": false} {
		assert.Equal(t, want, Plan{Hosts: []string{host}}.Loopback(), host)
	}
	both := p.And(p).Times(2)
	assert.Equal(t, uint64(800), both.Requests)
	assert.Equal(t, 40*time.Second, both.Time)
	assert.InDelta(t, 20, both.Rate, 0)
}

// vegeta's own client leaves 1,278 goroutines and 852 descriptors behind after 20 attacks.
func TestTwentyStagesLeaveNothingBehind(t *testing.T) {
	s := serve(t, ok)
	descriptors := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("the descriptors cannot be counted here")
		}
		return len(entries)
	}
	e := NewEngine(Options{})
	goroutines, open := goleak.IgnoreCurrent(), descriptors()
	for range 20 {
		_, err := e.Fire(t.Context(), Stage{Parts: []Part{part(s.URL)}, Schedule: Burst{Size: 30}, Connections: 16, Bounds: lenient()})
		require.NoError(t, err)
	}
	assert.LessOrEqual(t, descriptors()-open, 2*16, "stages share their connections; both ends are counted here")
	e.Close()
	s.CloseClientConnections()
	assert.Eventually(t, func() bool { return descriptors() <= open }, 10*time.Second, 10*ms)
	goleak.VerifyNone(t, goroutines)
}

// The tally is what grows with the results, if anything does.
func TestAMillionResultsFitInFortyMegabytes(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	before := heap()
	m := Measurement{Parts: []string{"a"}, tallies: map[tallyKey]*Tally{}}
	tally := newTally(&m, Stage{Keep: 1000}.withDefaults(), time.Hour)
	findings := []contract.Finding{{Obligation: contract.RetryAfter, Severity: contract.Should, Want: "a", Got: "b"}}
	outcomes := Outcomes()
	for i := range 1_000_000 {
		at := time.Duration(i) * ms
		tally.add(result{Shot: Shot{
			Seq: uint64(i), Due: at, Sent: at, FirstByte: at + ms, End: at + time.Duration(i%977)*ms,
			Outcome: outcomes[i%len(outcomes)], Findings: findings,
		}, entered: at})
	}
	tally.close()
	assert.Equal(t, uint64(1_000_000), m.Sent)
	assert.Less(t, heap()-before, uint64(10<<20), "the whole engine has 40 MB")
	assert.LessOrEqual(t, len(m.Windows), maxWindows+1)
	runtime.KeepAlive(m)
}
