package exchange

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// tap serves connections that hand over the first size bytes, or all until the writing side is closed when size is 0,
// and then answer 400.
func tap(t *testing.T, size int) (string, <-chan string) {
	got := make(chan string, 1)
	return listen(t, func(conn net.Conn) {
		var read []byte
		if size == 0 {
			read, _ = io.ReadAll(conn)
		} else {
			read = make([]byte, size)
			n, _ := io.ReadFull(conn, read)
			read = read[:n]
		}
		got <- string(read)
		io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}")
	}), got
}

func TestEachFaultOnTheWire(t *testing.T) {
	const (
		body  = `{"input":"hi é","model":"m"}` // 29 bytes
		start = "POST /v1/embeddings HTTP/1.1\r\nHost: gateway.test\r\n"
		agent = "User-Agent: gatecert\r\n"
		json  = "Content-Type: application/json\r\n"
	)
	for fault, want := range map[Fault]string{
		NoFault:    start + agent + "Content-Length: 29\r\n" + json + "\r\n" + body,
		BrokenGzip: start + agent + "Content-Length: 26\r\nContent-Encoding: gzip\r\n" + json + "\r\n" + string(halfGzip([]byte(body))),
		CutJSON:    start + agent + "Content-Length: 28\r\n" + json + "\r\n" + body[:28],
		NotJSON:    start + agent + "Content-Length: 15\r\n" + json + "\r\nnot JSON: hi é",
		TextAfter:  start + agent + "Content-Length: 39\r\n" + json + "\r\n" + body + " and so on",
		FormBody: start + agent + "Content-Length: 24\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n" +
			"model=m&prompt=hi+%C3%A9",
		ShortBody: start + "Content-Length: 29\r\n" + json + agent + "\r\n" + body[:14],
		Oversize:  start + "Content-Length: 40\r\n" + json + agent + "\r\n" + `{"input":"hi éxxxxxxxxxxx","model":"m"}`,
	} {
		t.Run("fault "+string(fault), func(t *testing.T) {
			size := len(want)
			if fault == ShortBody {
				size = 0
			}
			base, got := tap(t, size)
			observation := observe(t, client(t, Limits{}), Call{
				Surface: dialect.Embeddings, BaseURL: base, Model: "m", Prompt: "hi é", Fault: fault, OversizeBytes: 40,
				Header: map[string]string{"Host": "gateway.test"},
			})
			require.Nil(t, observation.Failure)
			assert.Equal(t, want, <-got)
			assert.Equal(t, 400, observation.Status)
			assert.Equal(t, "{}", string(observation.Body))
			assert.Equal(t, string(fault), observation.Sent.Fault)
			_, sent, _ := strings.Cut(want, "\r\n\r\n")
			assert.Equal(t, sent, string(observation.Sent.Body))
			assert.Equal(t, int64(len(sent)), observation.Sent.BodySize)
			assert.Positive(t, observation.Timing.FirstByte)
			assert.GreaterOrEqual(t, observation.Timing.End, observation.Timing.FirstByte)
		})
	}
}

func TestEveryFaultIsTested(t *testing.T) {
	assert.Len(t, Faults(), 9, "two of them are those of a form")
	assert.NotContains(t, Faults(), NoFault)
}

func TestAnOversizeBodyMayBeAnsweredBeforeItIsRead(t *testing.T) {
	base := listen(t, func(conn net.Conn) {
		conn.Read(make([]byte, 100))
		io.WriteString(conn, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\n{}")
		// Closing with bytes unread resets the connection, while the caller is still writing.
	})
	observation := observe(t, client(t, Limits{Capture: 1000}), Call{
		BaseURL: base, Prompt: "hi", Fault: Oversize, OversizeBytes: 64 << 20,
	})
	require.Nil(t, observation.Failure)
	assert.Equal(t, 413, observation.Status)
	assert.Equal(t, "{}", string(observation.Body))
	assert.Len(t, observation.Sent.Body, 1000)
	assert.Equal(t, int64(64<<20), observation.Sent.BodySize)
	assert.Equal(t, []string{"67108864"}, observation.Sent.Header["Content-Length"])
}

func TestARawRequestKeepsToTheLimits(t *testing.T) {
	for sentence, row := range map[string]struct {
		answer string
		want   contract.Failure
	}{
		"no answer": {"", contract.Failure{Kind: contract.TimedOut, Detail: "no response header within 100ms"}},
		"interim answers without end": {
			strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", maxHead/30),
			contract.Failure{Kind: contract.Protocol, Detail: "the response header is longer than 262144 bytes"},
		},
		"a head without end": {
			"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", maxHead+1),
			contract.Failure{Kind: contract.Protocol, Detail: "the response header is longer than 262144 bytes"},
		},
		"no HTTP": {
			"SSH-2.0-OpenSSH\r\n",
			contract.Failure{Kind: contract.Protocol, Detail: `malformed HTTP response "SSH-2.0-OpenSSH"`},
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			over := make(chan struct{})
			defer close(over)
			base := listen(t, func(conn net.Conn) {
				io.ReadAll(conn)
				io.WriteString(conn, row.answer)
				<-over
			})
			limits := Limits{}
			if row.want.Kind == contract.TimedOut {
				limits.Patience = 100 * time.Millisecond
			}
			observation := observe(t, client(t, limits), Call{BaseURL: base, Fault: ShortBody})
			assert.Equal(t, &row.want, observation.Failure)
			assert.Zero(t, observation.Status)
		})
	}
}

func TestARawRequestSkipsInterimAnswers(t *testing.T) {
	base := listen(t, func(conn net.Conn) {
		io.ReadAll(conn)
		io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
	})
	observation := observe(t, client(t, Limits{}), Call{BaseURL: base, Fault: ShortBody})
	assert.Equal(t, 400, observation.Status)
}

func TestARawRequestToARealServer(t *testing.T) {
	for fault, want := range map[Fault]string{ShortBody: "unexpected EOF", Oversize: "<nil>"} {
		base := serve(t, func(w http.ResponseWriter, r *http.Request) {
			_, err := io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, err)
		})
		observation := observe(t, client(t, Limits{}), Call{BaseURL: base, Fault: fault, OversizeBytes: 1 << 20})
		assert.Equal(t, want, string(observation.Body))
	}
}
