package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStallAfterEvents(t *testing.T) {
	onEach(t, streamed, func(t *testing.T, b bench, e endpoint) {
		full := b.ask(e, "[[gatecert]]").body
		for n := range e.events {
			token := fmt.Sprintf("%s-%d", e.name, n)
			_, body := b.giveUpOn(e, fmt.Sprintf("[[gatecert stall-after=%d token=%s]]", n, token), len(e.fragment(full, n)))
			assert.Equal(t, anonymous(e.fragment(full, n)), anonymous(body))
			assert.True(t, b.seen(token).Cancelled)
		}
	})
}

func TestCutAfterEvents(t *testing.T) {
	onEach(t, streamed, func(t *testing.T, b bench, e endpoint) {
		full := b.ask(e, "[[gatecert]]").body
		for n := range e.events {
			got := b.ask(e, fmt.Sprintf("[[gatecert cut-after=%d token=%s-%d]]", n, e.name, n))
			assert.Equal(t, http.StatusOK, got.status)
			assert.ErrorIs(t, got.err, io.ErrUnexpectedEOF)
			assert.Equal(t, anonymous(e.fragment(full, n)), anonymous(got.body))
			assert.False(t, b.seen(fmt.Sprintf("%s-%d", e.name, n)).Cancelled)
		}
	})
}

func TestEndAfterEvents(t *testing.T) {
	onEach(t, streamed, func(t *testing.T, b bench, e endpoint) {
		full := b.ask(e, "[[gatecert]]").body
		for n := range e.finish + 1 {
			got := b.ask(e, fmt.Sprintf("[[gatecert end-after=%d]]", n))
			assert.NoError(t, got.err)
			want := e.fragment(full, n)
			if e.array() {
				want = map[bool]string{true: "[]", false: want + "]"}[n == 0]
			}
			assert.Equal(t, anonymous(want), anonymous(got.body))
		}
	})
}

func TestErrorAfterEvents(t *testing.T) {
	last := map[string]string{
		"chat-stream":        `data: {"error":{"code":"c","message":"The server had an error while processing your request.","param":null,"type":"server_error"}}` + "\n\n",
		"completions-stream": `data: {"error":{"code":"c","message":"The server had an error while processing your request.","param":null,"type":"server_error"}}` + "\n\n",
		"responses-stream":   "event: error\n" + `data: {"code":"c","message":"The server had an error while processing your request.","param":null,"sequence_number":%d,"type":"error"}` + "\n\n",
		"messages-stream":    "event: error\n" + `data: {"error":{"code":"c","message":"Internal server error","type":"api_error"},"type":"error"}` + "\n\n",
		"gemini-stream": `data: {"error":{"code":500,"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"googleapis.com",` +
			`"metadata":{"service":"generativelanguage.googleapis.com"},"reason":"c"}],"message":"An internal error has occurred.","status":"INTERNAL"}}` + "\n\n",
		"gemini-array": `{"error":{"code":500,"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"googleapis.com",` +
			`"metadata":{"service":"generativelanguage.googleapis.com"},"reason":"c"}],"message":"An internal error has occurred.","status":"INTERNAL"}}]`,
	}
	onEach(t, streamed, func(t *testing.T, b bench, e endpoint) {
		full := b.ask(e, "[[gatecert]]").body
		for n := range e.finish + 1 {
			got := b.ask(e, fmt.Sprintf("[[gatecert error-after=%d code=c]]", n))
			assert.NoError(t, got.err)
			before := e.fragment(full, n)
			if e.array() {
				before += map[bool]string{true: "[", false: e.newEvent}[n == 0]
			}
			assert.Equal(t, anonymous(before+strings.Replace(last[e.name], "%d", fmt.Sprint(n), 1)), anonymous(got.body))
		}
	})
}

func TestStreamsWithoutTheirEndMarker(t *testing.T) {
	onEach(t, streamed, func(t *testing.T, b bench, e endpoint) {
		full := b.ask(e, "[[gatecert]]").body
		got := b.ask(e, "[[gatecert no-done]]")
		if !e.marker {
			assert.Equal(t, statusRefused, got.status)
			assert.Equal(t, "gatecert mock upstream: directive refused: no-done does not apply: streams of this endpoint have no end marker", errorIn(t, got.body)["message"])
			return
		}
		assert.NoError(t, got.err)
		assert.Equal(t, anonymous(e.fragment(full, e.events-1)), anonymous(got.body))
	})
}

func TestEmptyStreams(t *testing.T) {
	onEach(t, streamed, func(t *testing.T, b bench, e endpoint) {
		got := b.ask(e, "[[gatecert empty-stream]]")
		assert.Equal(t, http.StatusOK, got.status)
		assert.NoError(t, got.err)
		if e.array() {
			assert.Equal(t, "[]", got.body)
			return
		}
		assert.Contains(t, got.header.Get("Content-Type"), "text/event-stream")
		assert.Empty(t, got.body)
	})
}

func TestBrokenEvents(t *testing.T) {
	onEach(t, streamed, func(t *testing.T, b bench, e endpoint) {
		full := anonymous(b.ask(e, "[[gatecert]]").body)
		for n := 1; n <= e.events; n++ {
			got := anonymous(b.ask(e, fmt.Sprintf("[[gatecert broken-event=%d]]", n)).body)
			assert.Less(t, len(got), len(full))
			assert.True(t, strings.HasPrefix(got, e.fragment(full, n-1)))
			if e.array() {
				assert.False(t, json.Valid([]byte(got)))
				continue
			}
			_, data, _ := strings.Cut(strings.Split(got, "\n\n")[n-1], "data: ")
			assert.NotEmpty(t, data)
			assert.False(t, json.Valid([]byte(data)), data)
			assert.Equal(t, e.events, e.split(got))
		}
	})
}

func TestStreamFormat(t *testing.T) {
	onEach(t, streamed, func(t *testing.T, b bench, e endpoint) {
		full := anonymous(b.ask(e, "[[gatecert]]").body)
		got := anonymous(b.ask(e, "[[gatecert crlf comments gap=1ms]]").body)
		if e.array() {
			assert.Equal(t, full, got, "an array has neither lines nor comments")
			return
		}
		var want strings.Builder
		for _, text := range strings.SplitAfter(strings.TrimSuffix(full, "\n\n"), "\n\n") {
			want.WriteString(": keep-alive\n\n" + text)
		}
		want.WriteString("\n\n")
		assert.Equal(t, strings.ReplaceAll(want.String(), "\n", "\r\n"), got)
		assert.Equal(t, e.events+4, e.split(b.ask(e, "[[gatecert chunks=7]]").body))
		assert.Equal(t, e.events-2, e.split(b.ask(e, "[[gatecert chunks=1]]").body))
	})
}

func TestGapIsBetweenEvents(t *testing.T) {
	b := newBench(t, Options{})
	e := endpointNamed(t, "chat-stream")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	resp, err := b.client.Do(b.request(ctx, http.MethodPost, e.path, fmt.Sprintf(e.body, "[[gatecert gap=10m token=gap]]")))
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Len(t, scanEvents(t, resp.Body, 1), 1, "the first event is not waited for")
	cancel()
	assert.True(t, b.seen("gap").Cancelled)
}

// The error comes when the answer has been announced, and nothing of it has been sent.
func TestErrorBeforeContent(t *testing.T) {
	announced := map[string]string{
		"chat-stream": `"role":"assistant"`, "responses-stream": "response.content_part.added", "messages-stream": "event: ping",
	}
	onEach(t, streamed, func(t *testing.T, b bench, e endpoint) {
		full, got := b.ask(e, "[[gatecert]]").body, b.ask(e, "[[gatecert error-first code=c]]")
		assert.NoError(t, got.err)
		assert.Contains(t, got.body, `"c"`, "the code of the error")
		assert.Contains(t, got.body, announced[e.name])
		assert.NotContains(t, got.body, "All")
		assert.Contains(t, full, "All")
	})
}

func TestEventWordsNeedAStream(t *testing.T) {
	onEach(t, notStreaming, func(t *testing.T, b bench, e endpoint) {
		for _, words := range []string{"stall-after=1", "cut-after=1", "end-after=1", "error-after=1", "error-first", "no-done", "broken-event=1", "empty-stream"} {
			got := b.ask(e, "[[gatecert "+words+"]]")
			assert.Equal(t, statusRefused, got.status, words)
			assert.Equal(t, "gatecert mock upstream: directive refused: the directive applies to stream events, but the request does not ask for a stream", errorIn(t, got.body)["message"])
		}
	})
}

func TestEventsBeyondTheStream(t *testing.T) {
	onEach(t, streamed, func(t *testing.T, b bench, e endpoint) {
		for words, why := range map[string]string{
			fmt.Sprintf("stall-after=%d", e.events):        fmt.Sprintf("stall-after=%d: the number must be less than %d, the number of events in the stream", e.events, e.events),
			fmt.Sprintf("cut-after=%d", e.events):          fmt.Sprintf("cut-after=%d: the number must be less than %d, the number of events in the stream", e.events, e.events),
			fmt.Sprintf("end-after=%d", e.finish+1):        fmt.Sprintf("end-after=%d: the number must be less than %d, the number of the finish event", e.finish+1, e.finish+1),
			fmt.Sprintf("error-after=%d", e.finish+1):      fmt.Sprintf("error-after=%d: the number must be less than %d, the number of the finish event", e.finish+1, e.finish+1),
			fmt.Sprintf("broken-event=%d", e.events+1):     fmt.Sprintf("broken-event=%d, but the stream ends with event %d", e.events+1, e.events),
			fmt.Sprintf("stall broken-event=%d", e.events): fmt.Sprintf("broken-event=%d, but the stream ends with event %d", e.events, (e.events+1)/2),
		} {
			got := b.ask(e, "[[gatecert "+words+"]]")
			assert.Equal(t, statusRefused, got.status, words)
			assert.Equal(t, "gatecert mock upstream: directive refused: "+why, errorIn(t, got.body)["message"])
		}
	})
}

func TestBytesOfACutStream(t *testing.T) {
	b := newBench(t, Options{})
	e := endpointNamed(t, "gemini-stream")
	conn, err := net.Dial("tcp", b.server.Addr())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, b.request(context.Background(), http.MethodPost, e.path, fmt.Sprintf(e.body, "[[gatecert cut-after=1]]")).Write(conn))
	raw, err := io.ReadAll(conn)
	require.NoError(t, err)
	head, body, ok := bytes.Cut(raw, []byte("\r\n\r\n"))
	require.True(t, ok)
	assert.Contains(t, string(head), "Transfer-Encoding: chunked")
	assert.Contains(t, string(body), "data: ")
	assert.False(t, bytes.HasSuffix(raw, []byte("0\r\n\r\n")), "no last chunk")
}
