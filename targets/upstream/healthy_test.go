package upstream

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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

func TestResponsesStreamOrder(t *testing.T) {
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

func TestGeminiStreamIsAnArrayByDefault(t *testing.T) {
	got := newBench(t, Options{}).ask(endpointNamed(t, "gemini-array"), "Good morning")
	assert.Equal(t, "application/json; charset=UTF-8", got.header.Get("Content-Type"))
	var elements []map[string]any
	require.NoError(t, json.Unmarshal([]byte(got.body), &elements))
	assert.Len(t, elements, 3)
	assert.Equal(t, 2, strings.Count(got.body, ",\r\n"))
}

func TestUsageIsStreamedOnRequest(t *testing.T) {
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
