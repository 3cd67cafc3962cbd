package load

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/reports/runlog"
)

const (
	goodChat   = `{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}`
	goodStream = "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"},\"finish_reason\":null}]}\n\n" +
		"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"
	good429 = `{"error":{"message":"slow down","type":"rate_limit_error","param":null,"code":null}}`
	good503 = `{"error":{"message":"no channel","type":"server_error","param":null,"code":"get_channel_failed"}}`
)

func testRequest(tb testing.TB, s dialect.Surface, expect contract.Case) *wireRequest {
	tb.Helper()
	r, err := newWireRequest(Request{Name: "p", Expect: expect, Call: exchange.Call{
		Surface: s, BaseURL: "http://127.0.0.1:1", Key: "sk-caller-0123456789", Model: "m", Prompt: "hi " + TokenPlaceholder,
	}}, []redact.Secret{{What: "upstream key", Value: "sk-upstream-0123456789"}}, nil)
	require.NoError(tb, err)
	return r
}

func responseOf(status int, fields, body string) response {
	return response{status: status, header: []byte(fields), body: []byte(body)}
}

const (
	jsonField   = "Content-Type: application/json\r\n"
	streamField = "Content-Type: text/event-stream\r\n"
)

func TestClassifyResponse(t *testing.T) {
	cut := func(a response, err error) response {
		a.transferErr = err
		return a
	}
	for _, row := range []struct {
		sentence string
		surface  dialect.Surface
		response response
		outcome  runlog.Outcome
		findings []string
	}{
		{"a success", dialect.Chat, responseOf(200, jsonField, goodChat), runlog.Admitted, nil},
		{"a complete stream", dialect.ChatStream, responseOf(200, streamField, goodStream), runlog.Admitted, nil},
		{"a complete stream without a space after data:", dialect.ChatStream, responseOf(200, streamField, strings.ReplaceAll(goodStream, "data: ", "data:")), runlog.Admitted, nil},
		{"a complete 429", dialect.Chat, responseOf(429, jsonField+"Retry-After: 2\r\n", good429), runlog.Refused, nil},
		{"a 429 without Retry-After", dialect.Chat, responseOf(429, jsonField, good429), runlog.Refused, []string{"SHOULD retry-after"}},
		{"a 429 with a word in Retry-After", dialect.Chat, responseOf(429, jsonField+"Retry-After: soon\r\n", good429), runlog.Refused, []string{"SHOULD retry-after"}},
		{"an empty 429", dialect.Chat, responseOf(429, "Retry-After: 2\r\n", ""), runlog.Refused, []string{"MUST content-type", "MUST envelope"}},
		{"a 429 that ends early", dialect.Chat, cut(responseOf(429, jsonField+"Retry-After: 2\r\n", good429), io.ErrUnexpectedEOF), runlog.Refused, []string{"MUST whole"}},
		{"a 429 that stalls keeps its status", dialect.Chat, cut(responseOf(429, jsonField+"Retry-After: 2\r\n", good429), os.ErrDeadlineExceeded), runlog.Refused, []string{"MUST whole"}},
		{"a 503 with a code", dialect.Chat, responseOf(503, jsonField, good503), runlog.Error5xx, nil},
		{"a 502 page", dialect.Chat, responseOf(502, "Content-Type: text/html\r\n", "<html>"), runlog.Error5xx, []string{"MUST content-type", "MUST envelope"}},
		{"a 500 that shows SQL", dialect.Chat, responseOf(500, jsonField, strings.Replace(good503, "no channel", "SELECT a FROM b", 1)), runlog.Error5xx, []string{"MUST secrecy"}},
		{"a 500 that shows the upstream's key", dialect.Chat, responseOf(500, jsonField, strings.Replace(good503, "no channel", "sk-upstream-0123456789", 1)), runlog.Error5xx, []string{"MUST secrecy"}},
		{"a 500 that shows the caller's key in a field", dialect.Chat, responseOf(500, jsonField+"X-Debug: sk-caller-0123456789\r\n", good503), runlog.Error5xx, []string{"MUST secrecy"}},
		{"a 408 with a complete error object", dialect.Chat, responseOf(408, jsonField, strings.Replace(good503, "server_error", "timeout_error", 1)), runlog.Error4xx, nil},
		{"a 408 that blames the server", dialect.Chat, responseOf(408, jsonField, good503), runlog.Error4xx, []string{"SHOULD consistent"}},
		{"a 200 with an error", dialect.Chat, responseOf(200, jsonField, good503), runlog.Wrong, []string{"MUST not-success"}},
		{"a 200 with a page", dialect.Chat, responseOf(200, "Content-Type: text/html\r\n", "<html>"), runlog.Wrong, []string{"MUST not-success", "MUST content-type", "MUST envelope"}},
		{"a redirect", dialect.Chat, responseOf(302, "Location: /x\r\n", ""), runlog.Wrong, []string{"MUST not-success", "MUST content-type", "MUST envelope"}},
		{"a 200 that ends early", dialect.Chat, cut(responseOf(200, jsonField, goodChat[:20]), io.ErrUnexpectedEOF), runlog.TransportError, []string{"MUST not-success", "MUST whole", "MUST envelope"}},
		{"a 200 that stalls", dialect.Chat, cut(responseOf(200, jsonField, goodChat[:20]), os.ErrDeadlineExceeded), runlog.Timeout, nil},
		{"a stream with a conformant error event", dialect.ChatStream, responseOf(200, streamField, goodStream[:69]+"data: "+good503+"\n\n"), runlog.Error5xx, nil},
		{"a stream that ends early", dialect.ChatStream, cut(responseOf(200, streamField, goodStream[:79]), io.ErrUnexpectedEOF), runlog.TransportError, []string{"SHOULD stream-error"}},
		{"a stream whose only end is [DONE]", dialect.ChatStream, responseOf(200, streamField, strings.ReplaceAll(goodStream, `"stop"`, `null`)), runlog.Admitted, nil},
		{"a stream that ends without an ending event", dialect.ChatStream, responseOf(200, streamField, "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n"), runlog.Wrong, []string{"MUST stream-end"}},
		{"an error event and [DONE] after it", dialect.ChatStream, responseOf(200, streamField, "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\ndata: "+good503+"\n\ndata: [DONE]\n\n"), runlog.Wrong, []string{"MUST stream-end"}},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			c, r := newClassifier(), testRequest(t, row.surface, contract.Case{})
			first := c.response(r, row.response)
			assert.Equal(t, row.outcome, first.outcome)
			assert.Equal(t, row.findings, short(first.findings))
			assert.Equal(t, len(row.findings) > 0, first.evidence != nil, "evidence where something is violated")
			assert.Equal(t, first, c.response(r, row.response), "the second time it is the same")
		})
	}
}

func short(findings []contract.Finding) []string {
	var out []string
	for _, f := range findings {
		out = append(out, string(f.Level)+" "+string(f.Requirement))
	}
	return out
}

func TestClassifyByTheExpectedCase(t *testing.T) {
	expect := contract.Case{Row: "code:channel:response_time_exceeded", Circumstance: "slow-upstream", Surface: dialect.Chat, Variant: "no-answer"}
	c, r := newClassifier(), testRequest(t, dialect.Chat, expect)

	right := strings.Replace(good503, "get_channel_failed", "channel:response_time_exceeded", 1)
	got := c.response(r, responseOf(504, jsonField, right))
	assert.Equal(t, runlog.Error5xx, got.outcome)
	assert.Empty(t, got.findings)

	assert.Equal(t, []string{"MUST code"}, short(c.response(r, responseOf(504, jsonField, good503)).findings))
	assert.Equal(t, []string{"MUST status-class", "SHOULD consistent"}, short(c.response(r, responseOf(400, jsonField, right)).findings))
	success := c.response(r, responseOf(200, jsonField, goodChat))
	assert.Equal(t, runlog.Admitted, success.outcome)
	assert.Equal(t, []string{"MUST not-success"}, short(success.findings))
	late := noResponse(r, os.ErrDeadlineExceeded)
	assert.Equal(t, runlog.Timeout, late.outcome)
	assert.Equal(t, []string{"MUST answered"}, short(late.findings))
}

func TestClassifyNoResponse(t *testing.T) {
	for _, row := range []struct {
		sentence string
		err      error
		outcome  runlog.Outcome
		findings []string
	}{
		{"no head within our timeout", os.ErrDeadlineExceeded, runlog.Timeout, nil},
		{"no descriptors left", &dialError{syscall.EMFILE}, runlog.LocalError, nil},
		{"no ports left", &dialError{syscall.EADDRNOTAVAIL}, runlog.LocalError, nil},
		{"nobody listens", &dialError{syscall.ECONNREFUSED}, runlog.TransportError, []string{"MUST answered"}},
		{"closed without a response", io.EOF, runlog.TransportError, []string{"MUST answered"}},
		{"reset", syscall.ECONNRESET, runlog.TransportError, []string{"MUST answered"}},
		{"no HTTP", errNotHTTP, runlog.TransportError, []string{"MUST answered"}},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			got := noResponse(testRequest(t, dialect.Chat, contract.Case{}), row.err)
			assert.Equal(t, row.outcome, got.outcome)
			assert.Equal(t, row.findings, short(got.findings))
		})
	}
}

// What differs from response to response and is not judged must not cost a judgement each.
func TestClassifierRemembers(t *testing.T) {
	c, r := newClassifier(), testRequest(t, dialect.Chat, contract.Case{})
	for i, id := range []string{"req_aaaaaaaa", "req_bbbbbbbb", "req_cccccccc"} {
		body := strings.Replace(good429, "slow down", "slow down (request id: "+id+")", 1)
		seconds := string(rune('1' + i))
		got := c.response(r, responseOf(429, jsonField+"X-Request-Id: "+id+"\r\nRetry-After: "+seconds+"\r\nX-Ratelimit-Reset: "+id+"\r\n", body))
		assert.Equal(t, runlog.Refused, got.outcome)
	}
	assert.Len(t, c.memo, 1)

	for _, other := range []response{
		responseOf(429, jsonField, good429),
		responseOf(429, jsonField+"Retry-After: 86401\r\n", good429),
		responseOf(429, jsonField+"Retry-After: soon\r\n", good429),
		responseOf(429, jsonField+"Retry-After: \r\n", good429),
		responseOf(429, "Content-Type: text/plain\r\nRetry-After: 1\r\n", good429),
		responseOf(503, jsonField+"Retry-After: 1\r\n", good429),
	} {
		before := len(c.memo)
		c.response(r, other)
		assert.Len(t, c.memo, before+1, "what is judged makes a difference: %s", other.header)
	}
}

func TestEvidenceShowsNoSecret(t *testing.T) {
	got := newClassifier().response(testRequest(t, dialect.Chat, contract.Case{}),
		responseOf(500, jsonField, strings.Replace(good503, "no channel", "sk-upstream-0123456789", 1)))
	require.NotNil(t, got.evidence)
	assert.Contains(t, string(got.evidence.Body), "[upstream key]")
	assert.NotContains(t, string(got.evidence.Body), "sk-upstream")
	assert.NotContains(t, got.evidence.Sent.Curl, "sk-caller")
}

func isSuccess(s dialect.Surface, r response) bool {
	resp := &http.Response{StatusCode: r.status, Header: parseHeader(r.header), Body: io.NopCloser(strings.NewReader(string(r.body)))}
	ok, _ := contract.IsSuccess(s, exchange.Observe(resp, contract.Sent{}, exchange.Limits{}, redact.New()))
	return ok
}

func TestMostSuccessesAreCertain(t *testing.T) {
	for s, body := range map[dialect.Surface]string{
		dialect.Chat:            goodChat,
		dialect.Completions:     `{"choices":[{"text":"hi"}]}`,
		dialect.Responses:       `{"error":null,"output":[{"type":"message"}]}`,
		dialect.Messages:        `{ "type" : "message" , "content" : [ {"type":"text","text":"a \"quoted\\\" ] } word"} ] }`,
		dialect.GenerateContent: `{"candidates":[{"content":{}}]}`,
		dialect.Embeddings:      `{"data":[{"embedding":[0.1]}]}`,
		dialect.Images:          `{"data":[{"b64_json":"` + strings.Repeat("A", 2<<20) + `"}]}`,
		dialect.Rerank:          `{"results":[{"index":0,"relevance_score":1}]}`,
	} {
		assert.True(t, isCertainSuccess(s, responseOf(200, jsonField, body)), "%s", s)
	}
	const audioField = "Content-Type: audio/mpeg\r\n"
	speech := responseOf(200, audioField, "\xff\xfb\x10\xc4\x00")
	assert.True(t, isCertainSuccess(dialect.Speech, speech))
	assert.True(t, isSuccess(dialect.Speech, speech))
	for name, a := range map[string]response{
		"an error under audio/mpeg": responseOf(200, audioField, `{"error":{"message":"no"}}`),
		"nothing":                   responseOf(200, audioField, ""),
		"audio under JSON":          responseOf(200, jsonField, "\xff\xfb\x10\xc4\x00"),
	} {
		assert.False(t, isCertainSuccess(dialect.Speech, a), name)
	}
	for s, body := range map[dialect.Surface]string{
		dialect.ChatStream:      goodStream,
		dialect.ResponsesStream: "event: response.completed\ndata: {\"type\":\"response.completed\"}\n\n",
		dialect.MessagesStream:  "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
		dialect.GenerateStream:  "data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\n\n",
	} {
		a := responseOf(200, streamField, body)
		assert.True(t, isCertainSuccess(s, a), "%s", s)
		assert.True(t, isSuccess(s, a), "%s", s)
	}
}

func FuzzIsCertainSuccess(f *testing.F) {
	for _, body := range []string{goodChat, `{"choices":[]}`, `{"choices":[1],"error":{}}`, `{"choices":[1],"choices":3}`, `{"a":"\\\"","choices":[ ]}`, `{"\u0065rror":1,"choices":[1]}`} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		a := responseOf(200, jsonField, body)
		if isCertainSuccess(dialect.Chat, a) {
			require.True(t, isSuccess(dialect.Chat, a), "what the fast check accepts, the full one accepts")
		}
	})
}

func TestTransferErrorText(t *testing.T) {
	assert.Equal(t, "connection reset by peer", transferErrorText(errors.New("read tcp 127.0.0.1:1->127.0.0.1:2: connection reset by peer")))
}
