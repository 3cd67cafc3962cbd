package exchange

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange/redact"
)

func TestNoAnswer(t *testing.T) {
	reset := func(conn net.Conn) {
		readRequest(conn)
		conn.(*net.TCPConn).SetLinger(0)
	}
	for sentence, row := range map[string]struct {
		handle func(net.Conn)
		want   contract.Failure
	}{
		"closed without a word": {
			answering(""),
			contract.Failure{Kind: contract.Closed, Detail: "the connection was closed before the first byte of a response"},
		},
		"closed before the request was read": {
			func(net.Conn) {}, contract.Failure{Kind: contract.Closed},
		},
		"reset": {reset, contract.Failure{Kind: contract.Reset, Detail: "connection reset by peer"}},
		"closed inside the head": {
			answering("HTTP/1.1 200 OK\r\nContent-Type: x"),
			contract.Failure{Kind: contract.Protocol, Detail: "the connection was closed in the middle of the response header"},
		},
		"another protocol": {
			answering("SSH-2.0-OpenSSH\r\n"),
			contract.Failure{Kind: contract.Protocol, Detail: `malformed HTTP response "SSH-2.0-OpenSSH"`},
		},
		"a header field of a megabyte": {
			answering("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n"),
			contract.Failure{Kind: contract.Protocol, Detail: "net/http: server response headers exceeded 262144 bytes; aborted"},
		},
		"a very long line that is not HTTP": {
			answering(strings.Repeat("x", 5000) + "\r\n\r\n"),
			contract.Failure{Kind: contract.Protocol, Detail: `malformed HTTP response "` + strings.Repeat("x", 400-25) + "…"},
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			observation := observe(t, client(t, Limits{}), Call{BaseURL: listen(t, row.handle), Model: "m"})
			require.NotNil(t, observation.Failure)
			if row.want.Detail == "" {
				// Whether the request was still being written decides between a close and a reset.
				assert.Contains(t, []contract.FailureKind{contract.Closed, contract.Reset}, observation.Failure.Kind)
			} else {
				assert.Equal(t, row.want, *observation.Failure)
			}
			assert.Zero(t, observation.Status)
			assert.Positive(t, observation.Timing.End)
		})
	}
}

func TestNoConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	base := "http://" + listener.Addr().String()
	listener.Close()
	for _, fault := range []Fault{NoFault, ShortBody} {
		observation := observe(t, client(t, Limits{}), Call{BaseURL: base, Fault: fault})
		require.NotNil(t, observation.Failure)
		assert.Equal(t, contract.Unreachable, observation.Failure.Kind)
		assert.Contains(t, observation.Failure.Detail, "connection refused")
		assert.Zero(t, observation.Timing.FirstByte)
	}
}

func TestPatienceEnds(t *testing.T) {
	over := make(chan struct{})
	defer close(over)
	base := listen(t, func(net.Conn) { <-over })
	for sentence, row := range map[string]struct {
		base   string
		limits Limits
		want   contract.Failure
	}{
		"before the head": {
			base, Limits{Patience: 50 * time.Millisecond},
			contract.Failure{Kind: contract.TimedOut, Detail: "no response header within 50ms"},
		},
		"with the whole call": {
			base, Limits{Total: 50 * time.Millisecond},
			contract.Failure{Kind: contract.TimedOut, Detail: "the response was not complete within 50ms"},
		},
		"before there is a connection": {
			strings.Replace(base, "http:", "https:", 1), Limits{Patience: 50 * time.Millisecond},
			contract.Failure{Kind: contract.Unreachable, Detail: "no connection: no response header within 50ms"},
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			observation := observe(t, client(t, row.limits), Call{BaseURL: row.base})
			assert.Equal(t, &row.want, observation.Failure)
		})
	}
}

func TestTheCallerGivesUp(t *testing.T) {
	for sentence, answer := range map[string]string{
		"before the head": "", "inside the body": "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegun",
	} {
		for _, fault := range []Fault{NoFault, ShortBody} {
			t.Run(sentence+" "+string(fault), func(t *testing.T) {
				over, arrived := make(chan struct{}), make(chan struct{})
				defer close(over)
				base := listen(t, func(conn net.Conn) {
					readRequest(conn)
					io.WriteString(conn, answer)
					close(arrived)
					<-over
				})
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				go func() { <-arrived; cancel() }()
				observation, err := client(t, Limits{}).Do(ctx, Call{Surface: dialect.Chat, BaseURL: base, Fault: fault})
				require.ErrorIs(t, err, context.Canceled)
				assert.Equal(t, "POST", observation.Sent.Method)
				assert.Nil(t, observation.Failure)
				assert.Empty(t, observation.TransferError)
			})
		}
	}
}

func TestBodies(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	zipped := gzipped(t, "hello")
	for sentence, row := range map[string]struct {
		answer            string
		body, cut, broken string
	}{
		"whole":                       {ok + "Content-Length: 5\r\n\r\nhello", "hello", "", ""},
		"ended by the connection":     {ok + "\r\nhello", "hello", "", ""},
		"short of its length":         {ok + "Content-Length: 9\r\n\r\nhello", "hello", "", "unexpected EOF"},
		"chunks without a last one":   {ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "hello", "", "unexpected EOF"},
		"a chunk with a broken size":  {ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n", "hello", "", "invalid byte in chunk length"},
		"gzip that nobody asked for":  {ok + "Content-Encoding: GZIP\r\n\r\n" + zipped, "hello", "", ""},
		"gzip cut short":              {ok + "Content-Encoding: x-gzip\r\n\r\n" + zipped[:len(zipped)-4], "hello", "", "unexpected EOF"},
		"gzip with a broken sum":      {ok + "Content-Encoding: gzip\r\n\r\n" + zipped[:len(zipped)-4] + "zzzz", "hello", "", "gzip: invalid checksum"},
		"gzip with a broken header":   {ok + "Content-Encoding: gzip\r\n\r\n\x1f\x8bzzzzzzzzzzz", "", "", "gzip: invalid header"},
		"gzip that is none":           {ok + "Content-Encoding: gzip\r\n\r\n{}", "{}", "", "Content-Encoding is gzip, but the body is not gzip"},
		"gzip of nothing at all":      {ok + "Content-Encoding: gzip\r\n\r\n", "", "", ""},
		"another encoding stays":      {ok + "Content-Encoding: br\r\n\r\nhello", "hello", "", ""},
		"as long as the limit":        {ok + "\r\n" + strings.Repeat("x", 100), strings.Repeat("x", 100), "", ""},
		"longer than the limit":       {ok + "\r\n" + strings.Repeat("x", 101), strings.Repeat("x", 100), "the body is longer than 100 bytes", ""},
		"longer once it was unpacked": {ok + "Content-Encoding: gzip\r\n\r\n" + gzipped(t, strings.Repeat("x", 1<<20)), strings.Repeat("x", 100), "the body is longer than 100 bytes", ""},
		"a switch to another protocol": {
			"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhello", "", "", "",
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			limits := Limits{Body: 100}
			if strings.Contains(sentence, "gzip") {
				limits = Limits{}
			}
			observation := observe(t, client(t, limits), Call{BaseURL: listen(t, answering(row.answer))})
			require.Nil(t, observation.Failure)
			assert.Equal(t, row.body, string(observation.Body))
			assert.Equal(t, int64(len(row.body)), observation.BodySize)
			assert.Equal(t, row.cut, observation.Cut)
			assert.Equal(t, row.broken, observation.TransferError)
		})
	}
}

func gzipped(t testing.TB, content string) string {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := io.WriteString(w, content)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return packed.String()
}

func TestAResetInsideTheBodyBreaksTheTransfer(t *testing.T) {
	arrived := make(chan struct{})
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: 1\n\n")
		w.(http.Flusher).Flush()
		<-arrived
		conn, _, err := w.(http.Hijacker).Hijack()
		if assert.NoError(t, err) {
			conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}
	})
	c := client(t, Limits{})
	c.transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return &firstRead{Conn: conn, done: arrived}, err
	}
	observation := observe(t, c, Call{BaseURL: base, Surface: dialect.ChatStream})
	assert.Equal(t, "connection reset by peer", observation.TransferError)
	require.NotNil(t, observation.Stream)
	assert.Len(t, observation.Stream.Events, 1)
	assert.Empty(t, observation.Stream.Violations)
}

// firstRead closes done when the first bytes were read.
type firstRead struct {
	net.Conn
	done chan struct{}
	read bool
}

func (c *firstRead) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if !c.read {
		c.read = true
		close(c.done)
	}
	return n, err
}

func TestSlowBodiesAreCut(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
	drip := func(conn net.Conn) {
		readRequest(conn)
		io.WriteString(conn, head)
		for {
			if _, err := io.WriteString(conn, ": drip\n\n"); err != nil {
				return
			}
			time.Sleep(time.Millisecond) // the pace is the test's subject
		}
	}
	over := make(chan struct{})
	defer close(over)
	stall := func(conn net.Conn) {
		readRequest(conn)
		io.WriteString(conn, head+"data: 1\n\ndata: 2")
		<-over
	}
	observation := observe(t, client(t, Limits{Total: 200 * time.Millisecond}), Call{BaseURL: listen(t, drip)})
	assert.Equal(t, "the response was not complete within 200ms", observation.Cut)
	assert.Empty(t, observation.TransferError)

	for _, fault := range []Fault{NoFault, ShortBody} {
		observation = observe(t, client(t, Limits{Idle: 50 * time.Millisecond}), Call{BaseURL: listen(t, stall), Fault: fault})
		assert.Equal(t, "no bytes arrived for 50ms", observation.Cut)
		assert.Empty(t, observation.TransferError)
		assert.Len(t, observation.Stream.Events, 1)
		assert.Equal(t, "data: 2", string(observation.Stream.Partial))
		assert.Empty(t, observation.Stream.Violations)
	}
}

func TestEndlessBodiesAreCut(t *testing.T) {
	for sentence, row := range map[string]struct {
		piece, contentType string
		surface            dialect.Surface
		limits             Limits
		cut                string
	}{
		"of bytes":  {"x", "application/json", dialect.Chat, Limits{}, "the body is longer than 4194304 bytes"},
		"of images": {"x", "application/json", dialect.Images, Limits{}, "the body is longer than 12582912 bytes"},
		"of a line": {"x", "text/event-stream", dialect.Chat, Limits{}, "event 1 is longer than 1048576 bytes"},
		"of events": {"data: x\n\n", "text/event-stream", dialect.Chat, Limits{}, "more than 10000 events"},
		"of blank lines": {
			"\n", "text/event-stream; charset=utf-8", dialect.Chat, Limits{Body: 1 << 20}, "the body is longer than 1048576 bytes",
		},
		"of one event": {"data: x\n", "text/event-stream", dialect.Chat, Limits{Event: 1000}, "event 1 is longer than 1000 bytes"},
	} {
		t.Run(sentence, func(t *testing.T) {
			piece := strings.Repeat(row.piece, 4096)
			base := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", row.contentType)
				for {
					if _, err := io.WriteString(w, piece); err != nil {
						return
					}
				}
			})
			observation := observe(t, client(t, row.limits), Call{Surface: row.surface, BaseURL: base})
			assert.Equal(t, row.cut, observation.Cut)
			assert.Equal(t, min(observation.BodySize, 64<<10), int64(len(observation.Body)))
			assert.LessOrEqual(t, observation.BodySize, int64(LargeBody))
		})
	}
}

func TestCaptureKeepsTheBeginning(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "0123456789") })
	observation := observe(t, client(t, Limits{Capture: 4}), Call{BaseURL: base, Prompt: "hi"})
	assert.Equal(t, "0123", string(observation.Body))
	assert.Equal(t, int64(10), observation.BodySize)
	assert.Empty(t, observation.Cut)
	assert.Equal(t, `{"ma`, string(observation.Sent.Body))
	assert.Greater(t, observation.Sent.BodySize, int64(4))
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	observation := observe(t, client(t, Limits{}), Call{BaseURL: base})
	assert.Equal(t, 307, observation.Status)
	assert.Equal(t, []string{"/elsewhere"}, observation.Header["Location"])
}

func TestNoConnectionIsUsedTwiceOverHTTP1(t *testing.T) {
	addresses := make(chan string, 2)
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		assert.NotContains(t, r.Header, "Connection")
		addresses <- r.RemoteAddr
	})
	c := client(t, Limits{})
	observe(t, c, Call{BaseURL: base})
	observe(t, c, Call{BaseURL: base})
	assert.NotEqual(t, <-addresses, <-addresses)
}

func TestACallMayFollowAnotherOnItsConnection(t *testing.T) {
	for name, closes := range map[string]bool{"kept": false, "closed": true} {
		t.Run(name, func(t *testing.T) {
			addresses := make(chan string, 2)
			base := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if closes {
					w.Header().Set("Connection", "close")
				}
				addresses <- r.RemoteAddr
				fmt.Fprint(w, r.URL.Path)
			})
			o := observe(t, client(t, Limits{}), Call{BaseURL: base, Path: "/second", First: &Call{BaseURL: base, Path: "/first", Surface: dialect.Chat}})
			assert.Equal(t, "/second", string(o.Body))
			first, second := <-addresses, <-addresses
			assert.Equal(t, closes, first != second)
			assert.Equal(t, !closes, o.Sent.Kept)
			assert.Equal(t, !closes, strings.HasPrefix(o.Sent.Curl, keptComment+"curl "))
		})
	}
	c := client(t, Limits{})
	_, err := c.Do(t.Context(), Call{Surface: dialect.Chat, BaseURL: "http://gateway.test", First: &Call{Surface: "nosuch"}})
	require.ErrorIs(t, err, ErrSurface)
}

func TestStreamsAreDecodedAsTheyCome(t *testing.T) {
	arrived := make(chan struct{})
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "event: a\ndata: 1\n\n")
		w.(http.Flusher).Flush()
		<-arrived
		fmt.Fprint(w, "data: 2\n\n")
	})
	c := client(t, Limits{})
	c.transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return &firstRead{Conn: conn, done: arrived}, err
	}
	observation := observe(t, c, Call{BaseURL: base, Surface: dialect.ChatStream})
	require.NotNil(t, observation.Stream)
	events := observation.Stream.Events
	require.Len(t, events, 2)
	assert.Equal(t, "a", events[0].Name)
	assert.Equal(t, "1", string(events[0].Data))
	assert.Equal(t, "2", string(events[1].Data))
	timing := observation.Timing
	assert.Equal(t, events[0].At, timing.FirstEvent)
	assert.IsNonDecreasing(t, []time.Duration{1, timing.FirstByte, events[0].At, events[1].At, timing.End})
}

func TestTLS(t *testing.T) {
	for _, row := range []struct {
		http2 bool
		fault Fault
		proto string
	}{
		{false, NoFault, "HTTP/1.1"}, {true, NoFault, "HTTP/2.0"}, {true, ShortBody, "HTTP/1.1"}, {true, Oversize, "HTTP/1.1"},
	} {
		server := tlsServer(t, row.http2, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, r.Proto)
		})
		c := trusting(t, server)
		for range 3 {
			observation := observe(t, c, Call{BaseURL: server.URL, Fault: row.fault, OversizeBytes: 1 << 20})
			require.Nil(t, observation.Failure)
			assert.Equal(t, row.proto, observation.Proto)
			assert.Equal(t, row.proto, string(observation.Body))
		}
	}
}

func tlsServer(t testing.TB, http2 bool, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = http2
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// trusting returns a client that trusts the server's certificate.
func trusting(t testing.TB, server *httptest.Server) *Client {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	c := newClient(new(net.Dialer), Limits{}, &tls.Config{RootCAs: roots})
	t.Cleanup(c.Close)
	return c
}

func TestACertificateThatNobodyTrusts(t *testing.T) {
	server := tlsServer(t, false, func(http.ResponseWriter, *http.Request) {})
	for _, fault := range []Fault{NoFault, ShortBody} {
		observation := observe(t, client(t, Limits{}), Call{BaseURL: server.URL, Fault: fault})
		require.NotNil(t, observation.Failure)
		assert.Equal(t, contract.Unreachable, observation.Failure.Kind)
		assert.Contains(t, observation.Failure.Detail, "certificate")
	}
}

func TestHTTP2StreamsThatAreReset(t *testing.T) {
	server := tlsServer(t, true, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/late" {
			io.WriteString(w, "begun")
			w.(http.Flusher).Flush()
		}
		panic(http.ErrAbortHandler)
	})
	c := trusting(t, server)
	observation := observe(t, c, Call{BaseURL: server.URL, Path: "/early"})
	assert.Equal(t, &contract.Failure{Kind: contract.Reset, Detail: "HTTP/2 stream reset with error code 2"}, observation.Failure)
	observation = observe(t, c, Call{BaseURL: server.URL, Path: "/late"})
	assert.Equal(t, "HTTP/2 stream reset with error code 2", observation.TransferError)
	assert.Equal(t, "begun", string(observation.Body))
}

func TestManyCallsAtOnce(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	c := client(t, Limits{}, redact.Secret{What: "upstream key", Value: "sk-upstream-1"})
	done := make(chan contract.Observation)
	for i := range 20 {
		go func() {
			observation, err := c.Do(context.Background(), Call{
				Surface: dialect.Chat, BaseURL: base, Key: fmt.Sprintf("sk-caller-%02d", i), Prompt: fmt.Sprintf("sk-caller-%02d", i),
			})
			assert.NoError(t, err)
			done <- observation
		}()
	}
	for range 20 {
		assert.Equal(t, []contract.Leak{{What: "caller key", Where: "body"}}, (<-done).Leaks)
	}
}

func TestAHostileGatewayCostsLittleMemory(t *testing.T) {
	bomb := gzipped(t, strings.Repeat("\x00", 16<<20))
	base := listen(t, answering("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"+bomb))
	var before, after runtime.MemStats
	c := client(t, Limits{})
	runtime.ReadMemStats(&before)
	observation := observe(t, c, Call{BaseURL: base})
	runtime.ReadMemStats(&after)
	assert.Equal(t, "the body is longer than 4194304 bytes", observation.Cut)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(32<<20))
}

func BenchmarkDo(b *testing.B) {
	base := serve(b, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"error":{"message":"no","type":"invalid_request_error","param":null,"code":"model_not_found"}}`)
	})
	c := client(b, Limits{}, redact.Secret{What: "upstream key", Value: "sk-upstream-1"}, redact.Secret{What: "upstream address", Value: "127.0.0.1:9901"})
	for b.Loop() {
		observe(b, c, Call{BaseURL: base, Key: "sk-caller-1", Model: "m", Prompt: "hi"})
	}
}
