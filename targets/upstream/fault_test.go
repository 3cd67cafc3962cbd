package upstream

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

// onEach runs a test over every endpoint, streaming, not streaming or both.
func onEach(t *testing.T, which func(endpoint) bool, test func(t *testing.T, b bench, e endpoint)) {
	b := newBench(t, Options{})
	for _, e := range endpoints() {
		if which(e) {
			t.Run(e.name, func(t *testing.T) {
				b.t = t
				test(t, b, e)
			})
		}
	}
}

func every(endpoint) bool      { return true }
func streamed(e endpoint) bool { return e.stream }
func whole(e endpoint) bool    { return !e.stream }
func (e endpoint) array() bool { return e.newEvent != "\n\n" }
func (e endpoint) jsonType() string {
	return map[bool]string{true: "application/json; charset=UTF-8", false: "application/json"}[e.dialect == contract.Gemini]
}
func (e endpoint) split(s string) int { return strings.Count(s, e.newEvent) }

// fragment is what n events look like on the wire, taken from a healthy stream with the same ids and times taken out.
func (e endpoint) fragment(healthy string, n int) string {
	if n == 0 {
		return ""
	}
	events := strings.SplitAfterN(healthy, e.newEvent, n+1)
	text := strings.Join(events[:n], "")
	if e.array() {
		text = strings.TrimSuffix(strings.TrimSuffix(text, e.newEvent), "]")
	}
	return text
}

var particulars = regexp.MustCompile(`gc0[0-9a-f]*|"(created|created_at|prompt_tokens|input_tokens|total_tokens|promptTokenCount|totalTokenCount)":\d+`)

// anonymous takes out what differs between two answers of one upstream: times, ids, and the counts of the prompt.
func anonymous(body string) string { return particulars.ReplaceAllString(body, "$1") }

func TestStatusWithTheProtocolsOwnError(t *testing.T) {
	kinds := map[contract.Dialect]map[int]string{
		contract.OpenAI: {400: "invalid_request_error", 401: "invalid_request_error", 403: "invalid_request_error", 404: "invalid_request_error",
			409: "invalid_request_error", 429: "requests", 500: "server_error", 503: "server_error", 529: "server_error"},
		contract.Anthropic: {400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error", 404: "not_found_error",
			413: "request_too_large", 429: "rate_limit_error", 500: "api_error", 504: "timeout_error", 529: "overloaded_error"},
		contract.Gemini: {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ABORTED",
			429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 501: "UNIMPLEMENTED", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"},
	}
	onEach(t, every, func(t *testing.T, b bench, e endpoint) {
		for status, kind := range kinds[e.dialect] {
			got := b.ask(e, fmt.Sprintf("[[gatecert status=%d token=%s-%d]]", status, e.name, status))
			assert.Equal(t, status, got.status)
			assert.Equal(t, e.jsonType(), got.header.Get("Content-Type"))
			failure := errorIn(t, got.body)
			field := map[bool]string{true: "status", false: "type"}[e.dialect == contract.Gemini]
			assert.Equal(t, kind, failure[field], status)
			assert.NotEmpty(t, failure["message"])
			assert.Equal(t, status, b.seen(fmt.Sprintf("%s-%d", e.name, status)).Status)
		}
	})
}

func TestTheErrorsFieldsCanBeReplaced(t *testing.T) {
	const directive = "[[gatecert status=429 code=a%3A+b type=t message=m+%1B]]"
	want := map[contract.Dialect]string{
		contract.OpenAI:    `{"error":{"code":"a: b","message":"m \u001b","param":null,"type":"t"}}`,
		contract.Anthropic: `{"error":{"code":"a: b","message":"m \u001b","type":"t"},"type":"error"}`,
		contract.Gemini: `{"error":{"code":429,"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"googleapis.com",` +
			`"metadata":{"service":"generativelanguage.googleapis.com"},"reason":"a: b"}],"message":"m \u001b","status":"t"}}`,
	}
	onEach(t, every, func(t *testing.T, b bench, e endpoint) {
		assert.Equal(t, want[e.dialect], b.ask(e, directive).body)
	})
}

func TestSuccessesThatAreNone(t *testing.T) {
	errors := map[contract.Dialect]string{
		contract.OpenAI:    `{"error":{"code":null,"message":"The server had an error while processing your request.","param":null,"type":"server_error"}}`,
		contract.Anthropic: `{"error":{"message":"Internal server error","type":"api_error"},"type":"error"}`,
		contract.Gemini:    `{"error":{"code":500,"message":"An internal error has occurred.","status":"INTERNAL"}}`,
	}
	onEach(t, every, func(t *testing.T, b bench, e endpoint) {
		for _, row := range []struct {
			words, contentType, body string
			status                   int
		}{
			{"body=error", e.jsonType(), errors[e.dialect], 200},
			{"body=foreign", e.jsonType(), `{"detail":"This is not what you are looking for."}`, 200},
			{"status=418 body=foreign", e.jsonType(), `{"detail":"This is not what you are looking for."}`, 418},
			{"body=html", "text/html; charset=utf-8", "<!DOCTYPE html>\n<html><head><title>200 OK</title></head><body><h1>200 OK</h1></body></html>\n", 200},
			{"status=599 body=html", "text/html; charset=utf-8", "<!DOCTYPE html>\n<html><head><title>599</title></head><body><h1>599</h1></body></html>\n", 599},
			{"status=502 body=text", "text/plain; charset=utf-8", "upstream connect error or disconnect before headers\n", 502},
			{"body=empty", e.jsonType(), "", 200},
			{"status=500 body=empty", e.jsonType(), "", 500},
			{"body=null", e.jsonType(), "null", 200},
			{"status=302 header=Location:%2Felsewhere", e.jsonType(), "", 302},
			{"status=204", e.jsonType(), "", 204},
			{"status=304 body=empty", "", "", 304}, // whose Content-Type net/http takes away,
		} {
			got := b.ask(e, "[[gatecert "+row.words+"]]")
			assert.Equal(t, row.status, got.status, row.words)
			assert.Equal(t, row.contentType, got.header.Get("Content-Type"), row.words)
			assert.Equal(t, row.body, got.body, row.words)
			assert.NoError(t, got.err, row.words)
		}
		got := b.ask(e, "[[gatecert body=broken-json]]")
		assert.Equal(t, http.StatusOK, got.status)
		assert.NoError(t, got.err)
		assert.Equal(t, fmt.Sprint(len(got.body)), got.header.Get("Content-Length"))
		assert.True(t, strings.HasPrefix(got.body, `{"`) && !json.Valid([]byte(got.body)), got.body)
	})
}

func TestOtherSuccessesAreAnswers(t *testing.T) {
	onEach(t, every, func(t *testing.T, b bench, e endpoint) {
		got := b.ask(e, "[[gatecert status=201]]")
		assert.Equal(t, http.StatusCreated, got.status)
		assert.Equal(t, anonymous(b.ask(e, "[[gatecert]]").body), anonymous(got.body))
	})
}

func TestNoChoices(t *testing.T) {
	want := map[string]string{
		"chat":               `"choices":[],"created"`,
		"completions":        `"choices":[],"created"`,
		"responses":          `"output":[],`,
		"embeddings":         `"data":[],`,
		"messages":           `"content":[],"id"`,
		"gemini":             `"candidates":[],`,
		"embedContent":       `{"embedding":{"values":[]}}`,
		"batchEmbedContents": `{"embeddings":[]}`,
		"chat-stream":        `"delta":{},"finish_reason":"stop"`,
		"completions-stream": `"finish_reason":"stop","index":0,"logprobs":null,"text":""`,
		"responses-stream":   `"output":[],`,
		"messages-stream":    `"delta":{"stop_reason":"end_turn","stop_sequence":null}`,
		"gemini-stream":      `"candidates":[{"content":{"role":"model"},"finishReason":"STOP","index":0}]`,
		"gemini-array":       `[{"candidates":[{"content":{"role":"model"},"finishReason":"STOP","index":0}]`,
	}
	onEach(t, every, func(t *testing.T, b bench, e endpoint) {
		got := b.ask(e, "[[gatecert no-choices]]")
		assert.Equal(t, http.StatusOK, got.status)
		assert.Contains(t, got.body, want[e.name])
		assert.NotContains(t, got.body, "well")
	})
}

func TestRefusals(t *testing.T) {
	onEach(t, every, func(t *testing.T, b bench, e endpoint) {
		got := b.ask(e, "[[gatecert refuse]]")
		assert.NotContains(t, got.body, "well")
		switch {
		case e.dialect == contract.OpenAI:
			assert.Equal(t, http.StatusBadRequest, got.status)
			assert.Equal(t, `{"error":{"code":"content_filter","message":"The prompt was refused by the content policy.","param":null,"type":"invalid_request_error"}}`, got.body)
		case strings.Contains(e.name, "mbed"):
			assert.Equal(t, http.StatusBadRequest, got.status)
			assert.Equal(t, `{"error":{"code":400,"message":"The content was blocked for SAFETY.","status":"INVALID_ARGUMENT"}}`, got.body)
		case e.dialect == contract.Anthropic:
			assert.Equal(t, http.StatusOK, got.status)
			assert.Contains(t, got.body, `"stop_reason":"refusal"`)
			assert.Contains(t, got.body, `"content":[]`)
		default:
			assert.Equal(t, http.StatusOK, got.status)
			assert.Contains(t, got.body, `"promptFeedback":{"blockReason":"SAFETY"`)
			assert.NotContains(t, got.body, "candidates\"")
			assert.Zero(t, e.stream && e.split(got.body) > 1, "one event")
		}
	})
}

func TestFieldsOfTheHead(t *testing.T) {
	onEach(t, every, func(t *testing.T, b bench, e endpoint) {
		got := b.ask(e, "[[gatecert status=429 retry-after=30 header=X-A:one header=X-A:two+%26+three header=content-type:text%2Fodd]]")
		assert.Equal(t, []string{"30"}, got.header.Values("Retry-After"))
		assert.Equal(t, []string{"one", "two & three"}, got.header.Values("X-A"))
		assert.Equal(t, []string{"text/odd"}, got.header.Values("Content-Type"), "replaced, not added to")
	})
}

func TestNoAnswerAtAll(t *testing.T) {
	onEach(t, every, func(t *testing.T, b bench, e endpoint) {
		b.client.CloseIdleConnections() // the transport would try a used connection again
		for ending, want := range map[string]error{"reset": syscall.ECONNRESET, "close": io.EOF} {
			_, err := b.send(b.request(context.Background(), http.MethodPost, e.path, fmt.Sprintf(e.body, "[[gatecert token="+ending+e.name+" "+ending+"]]")))
			assert.ErrorIs(t, err, want, ending)
			a := b.seen(ending + e.name)
			assert.Zero(t, a.Status)
			assert.False(t, a.Cancelled, "the upstream broke it off itself")
		}
	})
}

func TestTruncatedBodies(t *testing.T) {
	onEach(t, every, func(t *testing.T, b bench, e endpoint) {
		full := anonymous(b.ask(e, "[[gatecert chunks=3 token=full]]").body)
		for _, how := range []string{"length", "chunk"} {
			got := b.ask(e, "[[gatecert truncate="+how+" token="+how+e.name+"]]")
			assert.Equal(t, http.StatusOK, got.status)
			assert.ErrorIs(t, got.err, io.ErrUnexpectedEOF)
			assert.Equal(t, how == "length", got.header.Get("Content-Length") != "")
			assert.NotEmpty(t, got.body)
			assert.Less(t, len(anonymous(got.body)), len(full))
			assert.False(t, b.seen(how+e.name).Cancelled)
		}
		got := b.ask(e, "[[gatecert truncate=gzip]]")
		assert.Equal(t, "gzip", got.header.Get("Content-Encoding"))
		assert.NoError(t, got.err, "the transfer itself is whole")
		reader, err := gzip.NewReader(strings.NewReader(got.body))
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, reader)
		assert.ErrorIs(t, err, io.ErrUnexpectedEOF)

		got = b.ask(e, "[[gatecert status=503 body=html truncate=length]]")
		assert.Equal(t, http.StatusServiceUnavailable, got.status)
		assert.ErrorIs(t, got.err, io.ErrUnexpectedEOF)
		assert.True(t, strings.HasPrefix(got.body, "<!DOCTYPE html>\n<html>"))
	})
}

// patience ends the calls that would otherwise never end. The upstream must be seen to have got so far.
func (b bench) giveUpOn(e endpoint, directive string, sofar int) (head *http.Response, body string) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if sofar < 0 {
		token := directive[strings.Index(directive, "token=")+6:]
		token, _, _ = strings.Cut(strings.TrimSuffix(token, "]]"), " ")
		go func() {
			defer cancel()
			assert.Eventually(b.t, func() bool { return b.isOpen(token) }, 10*time.Second, time.Millisecond)
		}()
	}
	resp, err := b.client.Do(b.request(ctx, http.MethodPost, e.path, fmt.Sprintf(e.body, directive)))
	if sofar < 0 {
		require.ErrorIs(b.t, err, context.Canceled)
		return nil, ""
	}
	require.NoError(b.t, err)
	defer resp.Body.Close()
	start := make([]byte, sofar)
	_, err = io.ReadFull(resp.Body, start)
	require.NoError(b.t, err)
	return resp, string(start)
}

func (b bench) isOpen(token string) bool {
	done, cancel := context.WithCancel(context.Background())
	cancel()
	seen, _ := b.up.Seen(done, token)
	return len(seen.Attempts) == 1 && seen.Attempts[0].Open
}

func TestHang(t *testing.T) {
	onEach(t, every, func(t *testing.T, b bench, e endpoint) {
		b.giveUpOn(e, "[[gatecert hang token=hang-"+e.name+"]]", -1)
		a := b.seen("hang-" + e.name)
		assert.True(t, a.Cancelled)
		assert.False(t, a.Open)
		assert.Zero(t, a.Status)
		assert.Positive(t, a.Duration)
	})
}

func TestDelayIsCutShortByTheOtherSide(t *testing.T) {
	onEach(t, every, func(t *testing.T, b bench, e endpoint) {
		b.giveUpOn(e, "[[gatecert delay=10m token=delay-"+e.name+"]]", -1)
		assert.True(t, b.seen("delay-"+e.name).Cancelled)
	})
}

func TestStall(t *testing.T) {
	onEach(t, every, func(t *testing.T, b bench, e endpoint) {
		full := b.ask(e, "[[gatecert]]").body
		want := len(full) / 2
		if e.stream {
			want = len(e.fragment(full, (e.events+1)/2))
		}
		head, body := b.giveUpOn(e, "[[gatecert stall token=stall-"+e.name+"]]", want)
		assert.Equal(t, http.StatusOK, head.StatusCode)
		assert.Equal(t, anonymous(full)[:len(anonymous(body))], anonymous(body))
		a := b.seen("stall-" + e.name)
		assert.True(t, a.Cancelled)
		assert.Equal(t, http.StatusOK, a.Status)
	})
}

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
			assert.Equal(t, "gatecert upstream: directive refused: no-done, and the stream has no end marker", errorIn(t, got.body)["message"])
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

func TestTheFormOfTheStream(t *testing.T) {
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

func TestTheGapIsBetweenEvents(t *testing.T) {
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

func TestEventWordsNeedAStream(t *testing.T) {
	onEach(t, whole, func(t *testing.T, b bench, e endpoint) {
		for _, words := range []string{"stall-after=1", "cut-after=1", "end-after=1", "error-after=1", "no-done", "broken-event=1", "empty-stream"} {
			got := b.ask(e, "[[gatecert "+words+"]]")
			assert.Equal(t, statusRefused, got.status, words)
			assert.Equal(t, "gatecert upstream: directive refused: it is about stream events, and the request wants no stream", errorIn(t, got.body)["message"])
		}
	})
}

func TestEventsThatTheStreamNeverReaches(t *testing.T) {
	onEach(t, streamed, func(t *testing.T, b bench, e endpoint) {
		for words, why := range map[string]string{
			fmt.Sprintf("stall-after=%d", e.events):        fmt.Sprintf("stall-after=%d, and the stream has %d events", e.events, e.events),
			fmt.Sprintf("cut-after=%d", e.events):          fmt.Sprintf("cut-after=%d, and the stream has %d events", e.events, e.events),
			fmt.Sprintf("end-after=%d", e.finish+1):        fmt.Sprintf("end-after=%d, and the stream finishes with event %d", e.finish+1, e.finish+1),
			fmt.Sprintf("error-after=%d", e.finish+1):      fmt.Sprintf("error-after=%d, and the stream finishes with event %d", e.finish+1, e.finish+1),
			fmt.Sprintf("broken-event=%d", e.events+1):     fmt.Sprintf("broken-event=%d, and %d events are sent", e.events+1, e.events),
			fmt.Sprintf("stall broken-event=%d", e.events): fmt.Sprintf("broken-event=%d, and %d events are sent", e.events, (e.events+1)/2),
		} {
			got := b.ask(e, "[[gatecert "+words+"]]")
			assert.Equal(t, statusRefused, got.status, words)
			assert.Equal(t, "gatecert upstream: directive refused: "+why, errorIn(t, got.body)["message"])
		}
	})
}

// A client that is gone in mid-request is seen too, under the token that had already arrived.
func TestARequestThatNeverArrivesWhole(t *testing.T) {
	b := newBench(t, Options{})
	conn, err := net.Dial("tcp", b.server.Addr())
	require.NoError(t, err)
	_, err = io.WriteString(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"a\":\"[[gatecert token=short]]")
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	rest, err := io.ReadAll(conn)
	require.NoError(t, err)
	assert.Empty(t, rest)
	require.NoError(t, conn.Close())
	assert.Eventually(t, func() bool {
		seen, _ := b.up.Seen(context.Background(), "short")
		return len(seen.Attempts) == 1 && seen.Attempts[0].Cancelled && seen.Attempts[0].Status == 0
	}, 10*time.Second, time.Millisecond)
}

func TestTheBytesOfACutStream(t *testing.T) {
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

func TestManyAtOnce(t *testing.T) {
	b := newBench(t, Options{})
	const callers = 16
	failures := make(chan error, callers)
	for i := range callers {
		go func() {
			var errs []error
			for j, e := range endpoints() {
				token := fmt.Sprintf("many-%d-%d", i, j)
				words := []string{"", " status=503", " body=html", " refuse"}[(i+j)%4]
				_, err := b.send(b.request(context.Background(), http.MethodPost, e.path, fmt.Sprintf(e.body, "[[gatecert token="+token+words+"]]")))
				seen, _ := b.up.Seen(context.Background(), token)
				if err == nil && len(seen.Attempts) != 1 {
					err = fmt.Errorf("%s: %d attempts", token, len(seen.Attempts))
				}
				errs = append(errs, err)
			}
			failures <- errors.Join(errs...)
		}()
	}
	for range callers {
		assert.NoError(t, <-failures)
	}
}
