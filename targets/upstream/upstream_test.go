package upstream

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatecert/gatecert/contract"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// endpoint is one way of asking, with what is particular to its streams.
type endpoint struct {
	name     string
	dialect  contract.Dialect
	path     string
	body     string // %s is the prompt
	stream   bool
	events   int // in a healthy stream of three deltas
	finish   int // those before the finish
	marker   bool
	newEvent string // what ends an event, or begins the next
}

func endpoints() []endpoint {
	const sse = "\n\n"
	return []endpoint{
		{name: "chat", dialect: contract.OpenAI, path: "/v1/chat/completions", body: `{"model":"m","messages":[{"role":"user","content":"%s"}]}`},
		{name: "completions", dialect: contract.OpenAI, path: "/v1/completions", body: `{"model":"m","prompt":"%s"}`},
		{name: "responses", dialect: contract.OpenAI, path: "/v1/responses", body: `{"model":"m","input":"%s"}`},
		{name: "embeddings", dialect: contract.OpenAI, path: "/v1/embeddings", body: `{"model":"m","input":["%s","b"]}`},
		{name: "messages", dialect: contract.Anthropic, path: "/v1/messages", body: `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"%s"}]}`},
		{name: "gemini", dialect: contract.Gemini, path: "/v1beta/models/m:generateContent", body: `{"contents":[{"parts":[{"text":"%s"}]}]}`},
		{name: "embedContent", dialect: contract.Gemini, path: "/v1beta/models/m:embedContent", body: `{"content":{"parts":[{"text":"%s"}]}}`},
		{name: "batchEmbedContents", dialect: contract.Gemini, path: "/v1beta/models/m:batchEmbedContents", body: `{"requests":[{"content":{"parts":[{"text":"%s"}]}}]}`},

		{name: "chat-stream", dialect: contract.OpenAI, path: "/v1/chat/completions", stream: true, events: 6, finish: 4, marker: true, newEvent: sse,
			body: `{"model":"m","stream":true,"messages":[{"role":"user","content":"%s"}]}`},
		{name: "completions-stream", dialect: contract.OpenAI, path: "/v1/completions", stream: true, events: 5, finish: 3, marker: true, newEvent: sse,
			body: `{"model":"m","stream":true,"prompt":"%s"}`},
		{name: "responses-stream", dialect: contract.OpenAI, path: "/v1/responses", stream: true, events: 11, finish: 10, newEvent: sse,
			body: `{"model":"m","stream":true,"input":"%s"}`},
		{name: "messages-stream", dialect: contract.Anthropic, path: "/v1/messages", stream: true, events: 9, finish: 7, marker: true, newEvent: sse,
			body: `{"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"%s"}]}`},
		{name: "gemini-stream", dialect: contract.Gemini, path: "/v1beta/models/m:streamGenerateContent?alt=sse", stream: true, events: 3, finish: 2, newEvent: sse,
			body: `{"contents":[{"parts":[{"text":"%s"}]}]}`},
		{name: "gemini-array", dialect: contract.Gemini, path: "/v1beta/models/m:streamGenerateContent", stream: true, events: 3, finish: 2, newEvent: ",\r\n",
			body: `{"contents":[{"parts":[{"text":"%s"}]}]}`},
	}
}

func endpointNamed(t testing.TB, name string) endpoint {
	t.Helper()
	for _, e := range endpoints() {
		if e.name == name {
			return e
		}
	}
	require.FailNow(t, "no such endpoint", name)
	return endpoint{}
}

// bench is an upstream that listens, and a plain client.
type bench struct {
	t      testing.TB
	server *Server
	up     *Upstream
	client *http.Client
}

func newBench(t testing.TB, o Options) bench {
	t.Helper()
	up := New(o)
	server, err := Listen(context.Background(), "127.0.0.1:0", up)
	require.NoError(t, err)
	client := &http.Client{
		Transport:     &http.Transport{DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		require.NoError(t, server.Close())
		assert.Zero(t, up.Connections())
	})
	return bench{t, server, up, client}
}

// received is an answer, and how its body ended.
type received struct {
	status int
	header http.Header
	body   string
	err    error // the read error of the body
}

func (b bench) request(ctx context.Context, method, path, body string) *http.Request {
	b.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, b.server.URL()+path, strings.NewReader(body))
	require.NoError(b.t, err)
	req.Header.Set("Content-Type", "application/json")
	switch {
	case strings.HasSuffix(path, "/messages"):
		req.Header.Set("X-Api-Key", "secret")
	case strings.Contains(path, "/v1beta/"):
		req.Header.Set("X-Goog-Api-Key", "secret")
	default:
		req.Header.Set("Authorization", "Bearer secret")
	}
	return req
}

func (b bench) send(req *http.Request) (received, error) {
	resp, err := b.client.Do(req)
	if err != nil {
		return received{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return received{resp.StatusCode, resp.Header, string(body), err}, nil
}

func (b bench) post(path, body string) received {
	b.t.Helper()
	got, err := b.send(b.request(context.Background(), http.MethodPost, path, body))
	require.NoError(b.t, err)
	return got
}

// ask sends a directive over an endpoint.
func (b bench) ask(e endpoint, directive string) received {
	b.t.Helper()
	return b.post(e.path, fmt.Sprintf(e.body, directive))
}

// seen returns the only attempt of a token.
func (b bench) seen(token string) contract.Attempt {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	seen, err := b.up.Seen(ctx, token)
	require.NoError(b.t, err)
	require.Len(b.t, seen.Attempts, 1, token)
	return seen.Attempts[0]
}

var instants = regexp.MustCompile(`"(created|created_at)":\d{10}`)

// timeless replaces the one thing in an answer that changes.
func timeless(body string) string { return instants.ReplaceAllString(body, `"$1":0`) }

func TestHealthyAnswers(t *testing.T) {
	for _, row := range []struct{ endpoint, contentType, want string }{
		{"chat", "application/json", `{"choices":[{"finish_reason":"stop","index":0,"logprobs":null,"message":{"content":"All is well.","refusal":null,"role":"assistant"}}],` +
			`"created":0,"id":"chatcmpl-gc0000000000000001","model":"m","object":"chat.completion","usage":{"completion_tokens":3,"prompt_tokens":2,"total_tokens":5}}`},
		{"completions", "application/json", `{"choices":[{"finish_reason":"stop","index":0,"logprobs":null,"text":"All is well."}],` +
			`"created":0,"id":"cmpl-gc0000000000000001","model":"m","object":"text_completion","usage":{"completion_tokens":3,"prompt_tokens":2,"total_tokens":5}}`},
		{"responses", "application/json", `{"created_at":0,"error":null,"id":"resp_gc0000000000000001","incomplete_details":null,"instructions":null,"metadata":{},"model":"m","object":"response",` +
			`"output":[{"content":[{"annotations":[],"logprobs":[],"text":"All is well.","type":"output_text"}],"id":"msg_gc0000000000000001","role":"assistant","status":"completed","type":"message"}],` +
			`"parallel_tool_calls":true,"status":"completed","tool_choice":"auto","tools":[],` +
			`"usage":{"input_tokens":2,"input_tokens_details":{"cached_tokens":0},"output_tokens":3,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":5}}`},
		{"embeddings", "application/json", `{"data":[{"embedding":[1,0,0,0,0,0,0,0],"index":0,"object":"embedding"},{"embedding":[0,1,0,0,0,0,0,0],"index":1,"object":"embedding"}],` +
			`"model":"m","object":"list","usage":{"prompt_tokens":3,"total_tokens":3}}`},
		{"messages", "application/json", `{"content":[{"text":"All is well.","type":"text"}],"id":"msg_gc0000000000000001","model":"m","role":"assistant","stop_reason":"end_turn","stop_sequence":null,"type":"message",` +
			`"usage":{"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"input_tokens":2,"output_tokens":3}}`},
		{"gemini", "application/json; charset=UTF-8", `{"candidates":[{"content":{"parts":[{"text":"All is well."}],"role":"model"},"finishReason":"STOP","index":0}],"modelVersion":"m","responseId":"gc0000000000000001",` +
			`"usageMetadata":{"candidatesTokenCount":3,"promptTokenCount":2,"totalTokenCount":5}}`},
		{"embedContent", "application/json; charset=UTF-8", `{"embedding":{"values":[1,0,0,0,0,0,0,0]}}`},
		{"batchEmbedContents", "application/json; charset=UTF-8", `{"embeddings":[{"values":[1,0,0,0,0,0,0,0]}]}`},
	} {
		t.Run(row.endpoint, func(t *testing.T) {
			got := newBench(t, Options{}).ask(endpointNamed(t, row.endpoint), "Good morning")
			assert.Equal(t, http.StatusOK, got.status)
			assert.Equal(t, row.contentType, got.header.Get("Content-Type"))
			assert.Equal(t, row.want, timeless(got.body))
			assert.NoError(t, got.err)
		})
	}
}

func TestHealthyStreams(t *testing.T) {
	for _, row := range []struct {
		endpoint, contentType string
		want                  []string
	}{
		{"chat-stream", "text/event-stream; charset=utf-8", []string{
			`data: {"choices":[{"delta":{"content":"","role":"assistant"},"finish_reason":null,"index":0,"logprobs":null}],"created":0,"id":"chatcmpl-gc0000000000000001","model":"m","object":"chat.completion.chunk"}`,
			`data: {"choices":[{"delta":{"content":"All"},"finish_reason":null,"index":0,"logprobs":null}],"created":0,"id":"chatcmpl-gc0000000000000001","model":"m","object":"chat.completion.chunk"}`,
			`data: {"choices":[{"delta":{"content":" is"},"finish_reason":null,"index":0,"logprobs":null}],"created":0,"id":"chatcmpl-gc0000000000000001","model":"m","object":"chat.completion.chunk"}`,
			`data: {"choices":[{"delta":{"content":" well."},"finish_reason":null,"index":0,"logprobs":null}],"created":0,"id":"chatcmpl-gc0000000000000001","model":"m","object":"chat.completion.chunk"}`,
			`data: {"choices":[{"delta":{},"finish_reason":"stop","index":0,"logprobs":null}],"created":0,"id":"chatcmpl-gc0000000000000001","model":"m","object":"chat.completion.chunk"}`,
			`data: [DONE]`, ``}},
		{"completions-stream", "text/event-stream; charset=utf-8", []string{
			`data: {"choices":[{"finish_reason":null,"index":0,"logprobs":null,"text":"All"}],"created":0,"id":"cmpl-gc0000000000000001","model":"m","object":"text_completion"}`,
			`data: {"choices":[{"finish_reason":null,"index":0,"logprobs":null,"text":" is"}],"created":0,"id":"cmpl-gc0000000000000001","model":"m","object":"text_completion"}`,
			`data: {"choices":[{"finish_reason":null,"index":0,"logprobs":null,"text":" well."}],"created":0,"id":"cmpl-gc0000000000000001","model":"m","object":"text_completion"}`,
			`data: {"choices":[{"finish_reason":"stop","index":0,"logprobs":null,"text":""}],"created":0,"id":"cmpl-gc0000000000000001","model":"m","object":"text_completion"}`,
			`data: [DONE]`, ``}},
		{"messages-stream", "text/event-stream; charset=utf-8", []string{
			"event: message_start\n" + `data: {"message":{"content":[],"id":"msg_gc0000000000000001","model":"m","role":"assistant","stop_reason":null,"stop_sequence":null,"type":"message",` +
				`"usage":{"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"input_tokens":2,"output_tokens":0}},"type":"message_start"}`,
			"event: content_block_start\n" + `data: {"content_block":{"text":"","type":"text"},"index":0,"type":"content_block_start"}`,
			"event: ping\n" + `data: {"type":"ping"}`,
			"event: content_block_delta\n" + `data: {"delta":{"text":"All","type":"text_delta"},"index":0,"type":"content_block_delta"}`,
			"event: content_block_delta\n" + `data: {"delta":{"text":" is","type":"text_delta"},"index":0,"type":"content_block_delta"}`,
			"event: content_block_delta\n" + `data: {"delta":{"text":" well.","type":"text_delta"},"index":0,"type":"content_block_delta"}`,
			"event: content_block_stop\n" + `data: {"index":0,"type":"content_block_stop"}`,
			"event: message_delta\n" + `data: {"delta":{"stop_reason":"end_turn","stop_sequence":null},"type":"message_delta","usage":{"output_tokens":3}}`,
			"event: message_stop\n" + `data: {"type":"message_stop"}`, ``}},
		{"gemini-stream", "text/event-stream", []string{
			`data: {"candidates":[{"content":{"parts":[{"text":"All"}],"role":"model"},"index":0}],"modelVersion":"m","responseId":"gc0000000000000001","usageMetadata":{"candidatesTokenCount":1,"promptTokenCount":2,"totalTokenCount":3}}`,
			`data: {"candidates":[{"content":{"parts":[{"text":" is"}],"role":"model"},"index":0}],"modelVersion":"m","responseId":"gc0000000000000001","usageMetadata":{"candidatesTokenCount":2,"promptTokenCount":2,"totalTokenCount":4}}`,
			`data: {"candidates":[{"content":{"parts":[{"text":" well."}],"role":"model"},"finishReason":"STOP","index":0}],"modelVersion":"m","responseId":"gc0000000000000001","usageMetadata":{"candidatesTokenCount":3,"promptTokenCount":2,"totalTokenCount":5}}`,
			``}},
	} {
		t.Run(row.endpoint, func(t *testing.T) {
			got := newBench(t, Options{}).ask(endpointNamed(t, row.endpoint), "Good morning")
			assert.Equal(t, http.StatusOK, got.status)
			assert.Equal(t, row.contentType, got.header.Get("Content-Type"))
			assert.Equal(t, row.want, strings.Split(timeless(got.body), "\n\n"))
			assert.NoError(t, got.err)
		})
	}
}

func TestTheResponsesStreamHasItsEventsInOrder(t *testing.T) {
	got := newBench(t, Options{}).ask(endpointNamed(t, "responses-stream"), "Good morning")
	var names []string
	for i, text := range strings.Split(strings.TrimSuffix(got.body, "\n\n"), "\n\n") {
		name, data, ok := strings.Cut(strings.TrimPrefix(text, "event: "), "\ndata: ")
		require.True(t, ok, text)
		var fields struct {
			Type     string         `json:"type"`
			Number   int            `json:"sequence_number"`
			Delta    string         `json:"delta"`
			Response map[string]any `json:"response"`
		}
		require.NoError(t, json.Unmarshal([]byte(data), &fields))
		assert.Equal(t, name, fields.Type)
		assert.Equal(t, i, fields.Number)
		if fields.Response != nil {
			name += " " + fields.Response["status"].(string)
		}
		names = append(names, name+fields.Delta)
	}
	assert.Equal(t, []string{
		"response.created in_progress", "response.in_progress in_progress", "response.output_item.added", "response.content_part.added",
		"response.output_text.deltaAll", "response.output_text.delta is", "response.output_text.delta well.",
		"response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed completed",
	}, names)
}

func TestTheGeminiStreamIsAnArrayUnlessAskedForEvents(t *testing.T) {
	got := newBench(t, Options{}).ask(endpointNamed(t, "gemini-array"), "Good morning")
	assert.Equal(t, "application/json; charset=UTF-8", got.header.Get("Content-Type"))
	var elements []map[string]any
	require.NoError(t, json.Unmarshal([]byte(got.body), &elements))
	assert.Len(t, elements, 3)
	assert.Equal(t, 2, strings.Count(got.body, ",\r\n"))
}

func TestUsageIsStreamedWhenAskedFor(t *testing.T) {
	b := newBench(t, Options{})
	for _, row := range []struct{ path, ask string }{
		{"/v1/chat/completions", `"messages":[{"role":"user","content":"Good morning"}]`},
		{"/v1/completions", `"prompt":"Good morning"`},
	} {
		got := b.post(row.path, `{"model":"m","stream":true,"stream_options":{"include_usage":true},`+row.ask+`}`)
		events := strings.Split(got.body, "\n\n")
		require.Greater(t, len(events), 3)
		assert.Contains(t, events[len(events)-3], `"choices":[]`)
		assert.Contains(t, events[len(events)-3], `"usage":{"completion_tokens":3,"prompt_tokens":2,"total_tokens":5}`)
		assert.Equal(t, "data: [DONE]", events[len(events)-2])
	}
}

func TestEmbeddingsInBase64(t *testing.T) {
	got := newBench(t, Options{}).post("/v1/embeddings", `{"model":"m","input":[1,2,3],"encoding_format":"base64"}`)
	assert.Equal(t, `{"data":[{"embedding":"AACAPwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","index":0,"object":"embedding"}],"model":"m","object":"list","usage":{"prompt_tokens":1,"total_tokens":1}}`, got.body)
}

func TestModelsAreListed(t *testing.T) {
	b := newBench(t, Options{})
	got, err := b.send(b.request(context.Background(), http.MethodGet, "/openai/v1/models", ""))
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, got.status)
	assert.Contains(t, timeless(got.body), `{"data":[{"created":0,"id":"gpt-4o-mini","object":"model","owned_by":"gatecert"},`)
}

func TestAnyBasePathWorks(t *testing.T) {
	b := newBench(t, Options{})
	for _, e := range endpoints() {
		got := b.post("/some/base"+e.path, fmt.Sprintf(e.body, "Good morning"))
		assert.Equal(t, http.StatusOK, got.status, e.path)
	}
}

func TestTheDirectiveIsFoundWhereverTheTextIs(t *testing.T) {
	b := newBench(t, Options{})
	for i, row := range []struct{ sentence, path, body string }{
		{"a text part", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:"}},{"type":"text","text":"@"}]}]}`},
		{"the system message", "/v1/chat/completions", `{"model":"m","messages":[{"role":"system","content":"@"},{"role":"user","content":"hi"}]}`},
		{"the last user message, not an earlier one", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"[[gatecert token=old]]"},{"role":"assistant","content":"[[gatecert token=said]]"},{"role":"user","content":"@"}]}`},
		{"one of many prompts", "/v1/completions", `{"model":"m","prompt":["hi","@"]}`},
		{"an input item", "/v1/responses", `{"model":"m","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"@"}]}]}`},
		{"the instructions", "/v1/responses", `{"model":"m","input":"hi","instructions":"@"}`},
		{"an embedding's text", "/v1/embeddings", `{"model":"m","input":"@"}`},
		{"Anthropic's system text", "/v1/messages", `{"model":"m","max_tokens":1,"system":[{"type":"text","text":"@"}],"messages":[{"role":"user","content":"hi"}]}`},
		{"Gemini's system instruction", "/v1beta/models/m:generateContent", `{"contents":[{"parts":[{"text":"hi"}]}],"system_instruction":{"parts":[{"text":"@"}]}}`},
		{"the last of Gemini's contents", "/v1beta/models/m:generateContent", `{"contents":[{"role":"user","parts":[{"text":"[[gatecert token=old]]"}]},{"role":"model","parts":[{"text":"hi"}]},{"role":"user","parts":[{"text":"@"}]}]}`},
		{"a field nobody reads", "/v1/chat/completions", `{"model":"m","metadata":{"note":"@"},"messages":[{"role":"user","content":"hi"}]}`},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			token := fmt.Sprintf("t%d", i)
			got := b.post(row.path, strings.ReplaceAll(row.body, "@", "[[gatecert status=418 token="+token+"]]"))
			assert.Equal(t, http.StatusTeapot, got.status)
			assert.Equal(t, http.StatusTeapot, b.seen(token).Status)
		})
	}
}

func TestRequestsARealProviderRefuses(t *testing.T) {
	b := newBench(t, Options{})
	chat := func(more string) string {
		return `{"model":"m","messages":[{"role":"user","content":"@"}]` + more + `}`
	}
	gem := "/v1beta/models/m:generateContent"
	for _, row := range []struct{ path, body, want string }{
		{"/v1/chat/completions", `{"messages":[{"role":"user","content":"@"}]}`, "Missing required parameter: 'model'."},
		{"/v1/chat/completions", `{"model":"m"}`, "Missing required parameter: 'messages'."},
		{"/v1/chat/completions", `{"model":7,"messages":[{"role":"user","content":"@"}]}`, "Invalid value for 'model': expected a non-empty string."},
		{"/v1/chat/completions", `{"model":"m","messages":[]}`, "Invalid value for 'messages': expected a non-empty array of messages with a role and a content."},
		{"/v1/chat/completions", `{"model":"m","messages":"@"}`, "Invalid value for 'messages': expected a non-empty array of messages with a role and a content."},
		{"/v1/chat/completions", `{"model":"m","messages":[{"role":"cook","content":"@"}]}`, "Invalid value for 'messages': expected a non-empty array of messages with a role and a content."},
		{"/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":{"a":"@"}}]}`, "Invalid value for 'messages': expected a non-empty array of messages with a role and a content."},
		{"/v1/chat/completions", chat(`,"temperature":2.1`), "Invalid value for 'temperature': expected a number from 0 to 2."},
		{"/v1/chat/completions", chat(`,"temperature":"hot"`), "Invalid value for 'temperature': expected a number from 0 to 2."},
		{"/v1/chat/completions", chat(`,"max_tokens":0`), "Invalid value for 'max_tokens': expected an integer of at least 1."},
		{"/v1/chat/completions", chat(`,"max_completion_tokens":1.5`), "Invalid value for 'max_completion_tokens': expected an integer of at least 1."},
		{"/v1/chat/completions", chat(`,"n":0`), "Invalid value for 'n': expected an integer of at least 1."},
		{"/v1/chat/completions", chat(`,"stream":"yes"`), "Invalid value for 'stream': expected a boolean."},
		{"/v1/chat/completions", chat(`,"stream_options":1`), "Invalid value for 'stream_options': expected an object."},
		{"/v1/chat/completions", `{"model":"m" "@"`, "We could not parse the JSON body of your request."},
		{"/v1/chat/completions", `["@"]`, "We could not parse the JSON body of your request."},
		{"/v1/completions", `{"model":"m"}`, "Missing required parameter: 'prompt'."},
		{"/v1/completions", `{"model":"m","prompt":[{"a":"@"}]}`, "Invalid value for 'prompt': expected a string or a non-empty array of strings or tokens."},
		{"/v1/responses", `{"model":"m"}`, "Missing required parameter: 'input'."},
		{"/v1/responses", `{"model":"m","input":["@"]}`, "Invalid value for 'input': expected a string or a non-empty array of items."},
		{"/v1/embeddings", `{"model":"m"}`, "Missing required parameter: 'input'."},
		{"/v1/embeddings", `{"model":"m","input":["@",7]}`, "Invalid value for 'input': expected a string or a non-empty array of strings or tokens."},
		{"/v1/messages", `{"model":"m","messages":[{"role":"user","content":"@"}]}`, "Missing required parameter: 'max_tokens'."},
		{"/v1/messages", `{"model":"m","max_tokens":9}`, "Missing required parameter: 'messages'."},
		{"/v1/messages", `{"model":"m","max_tokens":9,"messages":[{"role":"system","content":"@"}]}`, "Invalid value for 'messages': expected a non-empty array of messages with a role and a content."},
		{"/v1/messages", `{"model":"m","max_tokens":9,"temperature":1.5,"messages":[{"role":"user","content":"@"}]}`, "Invalid value for 'temperature': expected a number from 0 to 1."},
		{gem, `{}`, "Missing required parameter: 'contents'."},
		{gem, `{"contents":[{"role":"user","text":"@"}]}`, "Invalid value for 'contents': expected a non-empty array of contents with parts."},
		{gem, `{"contents":[{"parts":[{"text":"@"}]}],"generationConfig":{"temperature":3}}`, "Invalid value for 'temperature': expected a number from 0 to 2."},
		{gem, `{"contents":[{"parts":[{"text":"@"}]}],"generation_config":{"maxOutputTokens":0}}`, "Invalid value for 'maxOutputTokens': expected an integer of at least 1."},
		{"/v1beta/models/m:embedContent", `{}`, "Missing required parameter: 'content'."},
		{"/v1beta/models/m:batchEmbedContents", `{"requests":[{"text":"@"}]}`, "Invalid value for 'requests': expected a non-empty array of requests with a content."},
	} {
		token := fmt.Sprintf("v%d", len(row.body)*1000+len(row.want))
		got := b.post(row.path, strings.ReplaceAll(row.body, "@", "[[gatecert status=418 token="+token+"]]"))
		assert.Equal(t, http.StatusBadRequest, got.status, row.body)
		assert.Equal(t, row.want, errorIn(t, got.body)["message"], row.body)
		if strings.Contains(row.body, "@") {
			seen, err := b.up.Seen(context.Background(), token)
			require.NoError(t, err)
			assert.NotEmpty(t, seen.Attempts, "seen although refused: %s", row.body)
		}
	}
}

func errorIn(t testing.TB, body string) map[string]any {
	t.Helper()
	var envelope struct {
		Error map[string]any `json:"error"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &envelope), body)
	return envelope.Error
}

func TestErrorsInEachProtocolsOwnShape(t *testing.T) {
	b := newBench(t, Options{Keys: []string{"other", "secret"}})
	shapes := map[contract.Dialect]map[string]string{
		contract.OpenAI: {
			"400": `{"error":{"code":null,"message":"Missing required parameter: 'model'.","param":"model","type":"invalid_request_error"}}`,
			"401": `{"error":{"code":"invalid_api_key","message":"Incorrect API key provided.","param":null,"type":"invalid_request_error"}}`,
			"404": "{\"error\":{\"code\":\"model_not_found\",\"message\":\"The model `no-such-thing` does not exist or you do not have access to it.\",\"param\":null,\"type\":\"invalid_request_error\"}}",
			"405": `{"error":{"code":null,"message":"The method is not allowed here.","param":null,"type":"invalid_request_error"}}`,
			"421": `{"error":{"code":null,"message":"gatecert upstream: directive refused: no such word: \"nonsense\"","param":null,"type":"invalid_request_error"}}`,
		},
		contract.Anthropic: {
			"400": `{"error":{"message":"Missing required parameter: 'model'.","type":"invalid_request_error"},"type":"error"}`,
			"401": `{"error":{"message":"invalid x-api-key","type":"authentication_error"},"type":"error"}`,
			"404": `{"error":{"message":"model: no-such-thing","type":"not_found_error"},"type":"error"}`,
			"405": `{"error":{"message":"The method is not allowed here.","type":"invalid_request_error"},"type":"error"}`,
			"421": `{"error":{"message":"gatecert upstream: directive refused: no such word: \"nonsense\"","type":"invalid_request_error"},"type":"error"}`,
		},
		contract.Gemini: {
			"401": `{"error":{"code":400,"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"googleapis.com","metadata":{"service":"generativelanguage.googleapis.com"},"reason":"API_KEY_INVALID"}],"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}`,
			"404": `{"error":{"code":404,"message":"models/no-such-thing is not found or does not support this method.","status":"NOT_FOUND"}}`,
			"405": `{"error":{"code":405,"message":"The method is not allowed here.","status":"INVALID_ARGUMENT"}}`,
			"421": `{"error":{"code":421,"message":"gatecert upstream: directive refused: no such word: \"nonsense\"","status":"INVALID_ARGUMENT"}}`,
		},
	}
	for _, e := range endpoints() {
		t.Run(e.name, func(t *testing.T) {
			want := shapes[e.dialect]
			healthy := fmt.Sprintf(e.body, "hi")

			if e.dialect != contract.Gemini {
				got := b.post(e.path, strings.Replace(healthy, `"model":"m",`, "", 1))
				assert.Equal(t, http.StatusBadRequest, got.status)
				assert.Equal(t, want["400"], got.body)
			}
			for _, key := range []string{"", "wrong"} {
				req := b.request(context.Background(), http.MethodPost, e.path, healthy)
				for _, field := range []string{"Authorization", "X-Api-Key", "X-Goog-Api-Key"} {
					if req.Header.Get(field) != "" {
						req.Header.Set(field, strings.Replace(req.Header.Get(field), "secret", key, 1))
					}
				}
				got, err := b.send(req)
				require.NoError(t, err)
				assert.Equal(t, map[bool]int{true: 400, false: 401}[e.dialect == contract.Gemini], got.status)
				assert.Equal(t, want["401"], got.body)
			}
			got := b.post(strings.Replace(e.path, "/m:", "/no-such-thing:", 1), strings.Replace(healthy, `"model":"m"`, `"model":"no-such-thing"`, 1))
			assert.Equal(t, http.StatusNotFound, got.status)
			assert.Equal(t, want["404"], got.body)

			got, err := b.send(b.request(context.Background(), http.MethodPut, e.path, healthy))
			require.NoError(t, err)
			assert.Equal(t, http.StatusMethodNotAllowed, got.status)
			assert.Equal(t, "POST", got.header.Get("Allow"))
			assert.Equal(t, want["405"], got.body)

			got = b.ask(e, "[[gatecert nonsense token=r-"+e.name+"]]")
			assert.Equal(t, http.StatusMisdirectedRequest, got.status)
			assert.Equal(t, want["421"], got.body)
			assert.Equal(t, http.StatusMisdirectedRequest, b.seen("r-"+e.name).Status)
		})
	}
}

func TestUnknownPathsAnswerInTheProtocolTheySeemToSpeak(t *testing.T) {
	b := newBench(t, Options{})
	for _, row := range []struct{ path, field, want string }{
		{"/v1/nope", "Authorization", `{"error":{"code":null,"message":"There is no such path.","param":null,"type":"invalid_request_error"}}`},
		{"/v1/nope", "Anthropic-Version", `{"error":{"message":"There is no such path.","type":"not_found_error"},"type":"error"}`},
		{"/v1/nope", "X-Goog-Api-Key", `{"error":{"code":404,"message":"There is no such path.","status":"NOT_FOUND"}}`},
		{"/v1beta/models/m:dance", "Authorization", `{"error":{"code":404,"message":"There is no such path.","status":"NOT_FOUND"}}`},
	} {
		req := b.request(context.Background(), http.MethodPost, row.path, `{"x":"[[gatecert token=lost]]"}`)
		req.Header.Set(row.field, "x")
		got, err := b.send(req)
		require.NoError(t, err)
		assert.Equal(t, http.StatusNotFound, got.status)
		assert.Equal(t, row.want, got.body)
	}
	seen, err := b.up.Seen(context.Background(), "lost")
	require.NoError(t, err)
	assert.Len(t, seen.Attempts, 4)
}

func TestCredentials(t *testing.T) {
	b := newBench(t, Options{Keys: []string{"right"}})
	for _, row := range []struct {
		path, field, value string
		credential         string
	}{
		{"/v1/chat/completions", "Authorization", "bearer right", Fingerprint("right")},
		{"/v1/chat/completions", "Authorization", "Basic right", ""},
		{"/v1/messages", "X-Api-Key", "right", Fingerprint("right")},
		{"/v1/messages", "Authorization", "Bearer right", Fingerprint("right")},
		{"/v1beta/models/m:generateContent", "X-Goog-Api-Key", "wrong", Fingerprint("wrong")},
		{"/v1beta/models/m:generateContent?key=right", "X-Other", "x", Fingerprint("right")},
		{"/v1beta/models/m:generateContent", "Authorization", "Bearer right", Fingerprint("right")},
	} {
		token := fmt.Sprintf("c%d", len(row.path+row.field+row.value))
		req := b.request(context.Background(), http.MethodPost, row.path, `{"x":"[[gatecert token=`+token+`]]"}`)
		for _, field := range []string{"Authorization", "X-Api-Key", "X-Goog-Api-Key"} {
			req.Header.Del(field)
		}
		req.Header.Set(row.field, row.value)
		_, err := b.send(req)
		require.NoError(t, err)
		assert.Equal(t, row.credential, b.seen(token).Credential, row)
	}
	assert.Equal(t, "2bb80d53", Fingerprint("secret"))
	assert.Empty(t, Fingerprint(""))
}

func TestEncodedBodies(t *testing.T) {
	b := newBench(t, Options{BodyLimit: 4096})
	e := endpointNamed(t, "chat")
	pack := func(text string) string {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		_, err := w.Write([]byte(text))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		return packed.String()
	}
	healthy := fmt.Sprintf(e.body, "hi")
	for _, row := range []struct {
		sentence, encoding, body string
		status                   int
		message                  string
	}{
		{"gzip is understood", "gzip", pack(healthy), 200, ""},
		{"identity is nothing", "identity", healthy, 200, ""},
		{"a body that is no gzip", "gzip", healthy, 400, "We could not decompress the body of your request."},
		{"half a gzip body", "gzip", pack(healthy)[:30], 400, "We could not decompress the body of your request."},
		{"an encoding nobody knows", "rot13", healthy, 400, "The content encoding of your request is not supported."},
		{"a body over the limit", "", fmt.Sprintf(e.body, strings.Repeat("x", 5000)), 413, "The body is larger than 4096 bytes."},
		{"a bomb", "gzip", pack(fmt.Sprintf(e.body, strings.Repeat("x", 1<<20))), 413, "The body is larger than 4096 bytes."},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			req := b.request(context.Background(), http.MethodPost, e.path, row.body)
			if row.encoding != "" {
				req.Header.Set("Content-Encoding", row.encoding)
			}
			got, err := b.send(req)
			require.NoError(t, err)
			assert.Equal(t, row.status, got.status)
			if row.message != "" {
				assert.Equal(t, row.message, errorIn(t, got.body)["message"])
			}
		})
	}
}

// scanEvents reads n events of a stream that may never end.
func scanEvents(t testing.TB, body io.Reader, n int) []string {
	t.Helper()
	var events []string
	reader := bufio.NewReader(body)
	for text := ""; len(events) < n; {
		line, err := reader.ReadString('\n')
		require.NoError(t, err)
		if text += line; line == "\n" {
			events, text = append(events, text), ""
		}
	}
	return events
}
