package upstream

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
)

func TestStatusHasTheProtocolsError(t *testing.T) {
	kinds := map[dialect.Dialect]map[int]string{
		dialect.OpenAI: {400: "invalid_request_error", 401: "invalid_request_error", 403: "invalid_request_error", 404: "invalid_request_error",
			409: "invalid_request_error", 429: "requests", 500: "server_error", 503: "server_error", 529: "server_error"},
		dialect.Anthropic: {400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error", 404: "not_found_error",
			413: "request_too_large", 429: "rate_limit_error", 500: "api_error", 504: "timeout_error", 529: "overloaded_error"},
		dialect.Gemini: {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ABORTED",
			429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 501: "UNIMPLEMENTED", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"},
	}
	onEach(t, every, func(t *testing.T, b bench, e endpoint) {
		for status, kind := range kinds[e.dialect] {
			got := b.ask(e, fmt.Sprintf("[[gatecert status=%d token=%s-%d]]", status, e.name, status))
			assert.Equal(t, status, got.status)
			assert.Equal(t, e.jsonType(), got.header.Get("Content-Type"))
			failure := errorIn(t, got.body)
			field := map[bool]string{true: "status", false: "type"}[e.dialect == dialect.Gemini]
			assert.Equal(t, kind, failure[field], status)
			assert.NotEmpty(t, failure["message"])
			assert.Equal(t, status, b.seen(fmt.Sprintf("%s-%d", e.name, status)).Status)
		}
	})
}

func TestErrorFieldsCanBeReplaced(t *testing.T) {
	const directive = "[[gatecert status=429 code=a%3A+b type=t message=m+%1B]]"
	want := map[dialect.Dialect]string{
		dialect.OpenAI:    `{"error":{"code":"a: b","message":"m \u001b","param":null,"type":"t"}}`,
		dialect.Anthropic: `{"error":{"code":"a: b","message":"m \u001b","type":"t"},"type":"error"}`,
		dialect.Gemini: `{"error":{"code":429,"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"googleapis.com",` +
			`"metadata":{"service":"generativelanguage.googleapis.com"},"reason":"a: b"}],"message":"m \u001b","status":"t"}}`,
	}
	onEach(t, every, func(t *testing.T, b bench, e endpoint) {
		assert.Equal(t, want[e.dialect], b.ask(e, directive).body)
		assert.EqualValues(t, 1305, errorIn(t, b.ask(e, "[[gatecert status=500 code-number=1305]]").body)["code"])
	})
}

func TestUnusableSuccesses(t *testing.T) {
	errors := map[dialect.Dialect]string{
		dialect.OpenAI:    `{"error":{"code":null,"message":"The server had an error while processing your request.","param":null,"type":"server_error"}}`,
		dialect.Anthropic: `{"error":{"message":"Internal server error","type":"api_error"},"type":"error"}`,
		dialect.Gemini:    `{"error":{"code":500,"message":"An internal error has occurred.","status":"INTERNAL"}}`,
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

func TestOtherSuccessStatuses(t *testing.T) {
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
		case e.dialect == dialect.OpenAI:
			assert.Equal(t, http.StatusBadRequest, got.status)
			assert.Equal(t, `{"error":{"code":"content_filter","message":"The prompt was rejected because it violates the content policy.","param":null,"type":"invalid_request_error"}}`, got.body)
		case strings.Contains(e.name, "mbed"):
			assert.Equal(t, http.StatusBadRequest, got.status)
			assert.Equal(t, `{"error":{"code":400,"message":"The content was blocked for SAFETY.","status":"INVALID_ARGUMENT"}}`, got.body)
		case e.dialect == dialect.Anthropic:
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

func TestHeaderFields(t *testing.T) {
	onEach(t, every, func(t *testing.T, b bench, e endpoint) {
		got := b.ask(e, "[[gatecert status=429 retry-after=30 header=X-A:one header=X-A:two+%26+three header=content-type:text%2Fodd]]")
		assert.Equal(t, []string{"30"}, got.header.Values("Retry-After"))
		assert.Equal(t, []string{"one", "two & three"}, got.header.Values("X-A"))
		assert.Equal(t, []string{"text/odd"}, got.header.Values("Content-Type"), "replaced, not added to")
	})
}

func TestNoResponse(t *testing.T) {
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
		assert.NoError(t, got.err, "the transfer itself is complete")
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

func TestDisconnectEndsADelay(t *testing.T) {
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

// A client that is gone in mid-request is seen too, under the token that had already arrived.
func TestIncompleteRequest(t *testing.T) {
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
