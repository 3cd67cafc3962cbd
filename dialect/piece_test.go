package dialect_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
)

func TestPieceMarks(t *testing.T) {
	for _, row := range []struct {
		sentence string
		surface  dialect.Surface
		data     string
		want     string
	}{
		{"OpenAI's own spelling", dialect.ChatStream, `{"id":"a","choices":[{"index":0,"delta":{"content":"hi"},"logprobs":null,"finish_reason":null}]}`, "hi"},
		{"with spaces, as Python writes it", dialect.ChatStream, `{"choices": [{"delta": {"role": "assistant", "content": " hi"}}]}`, " hi"},
		{"the role alone", dialect.ChatStream, `{"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}`, ""},
		{"null content before what the model thinks", dialect.ChatStream, `{"choices":[{"delta":{"content":null,"reasoning_content":"hm"}}]}`, "hm"},
		{"arguments of a tool", dialect.ChatStream, `{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]}}]}`, `{\"a\"`},
		{"the usage", dialect.ChatStream, `{"choices":[],"usage":{"completion_tokens":3}}`, ""},
		{"the finish", dialect.ChatStream, `{"choices":[{"delta":{},"finish_reason":"stop"}]}`, ""},
		{"a text that looks like a member", dialect.ChatStream, `{"choices":[{"delta":{"content":"\"content\":\"x\""}}]}`, `\"content\":\"x\"`},
		{"content outside the delta", dialect.ChatStream, `{"content":"no","choices":[]}`, ""},
		{"a string without an end", dialect.ChatStream, `{"choices":[{"delta":{"content":"hi\"`, ""},
		{"Anthropic's text", dialect.MessagesStream, `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}`, "hi"},
		{"Anthropic's first event", dialect.MessagesStream, `{"type":"message_start","message":{"content":[],"usage":{"output_tokens":1}}}`, ""},
		{"Anthropic's block", dialect.MessagesStream, `{"type":"content_block_start","content_block":{"type":"text","text":""}}`, ""},
		{"Anthropic's finish", dialect.MessagesStream, `{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}`, ""},
		{"the Responses API", dialect.ResponsesStream, `{"delta":"hi","logprobs":[],"type":"response.output_text.delta"}`, "hi"},
		{"the Responses API's end of a text", dialect.ResponsesStream, `{"type":"response.output_text.done","text":"hi"}`, ""},
		{"Gemini", dialect.GenerateStream, `{"candidates":[{"content":{"parts":[{"text":"hi"}]}}],"usageMetadata":{}}`, "hi"},
		{"Gemini's empty finish", dialect.GenerateStream, `{"candidates":[{"content":{"role":"model"},"finishReason":"STOP"}]}`, ""},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			marks, ok := row.surface.PieceMarks()
			require.True(t, ok)
			piece, ok := marks.In([]byte(row.data))
			assert.Equal(t, row.want != "", ok)
			assert.Equal(t, row.want, string(piece))
		})
	}
	_, ok := dialect.Chat.PieceMarks()
	assert.False(t, ok, "it does not stream")
}

// Every event of a healthy stream adds to the answer exactly where a strict reader says that it has content.
func TestPieceMarksAgreeWithClassify(t *testing.T) {
	for _, surface := range dialect.Surfaces() {
		op, streams := surface.Operation().(dialect.StreamingOperation)
		marks, ok := surface.PieceMarks()
		if !streams || !ok {
			continue
		}
		words := dialect.HealthyText(4)
		stream := op.Stream(dialect.Answer{Model: "m", ID: "1", Pieces: words, End: dialect.End{CompletionTokens: 4, PromptTokens: 2}})
		var found []string
		for _, e := range stream.Events {
			if piece, ok := marks.In(e.Data); ok {
				found = append(found, dialect.Unescape(piece))
			}
		}
		assert.Equal(t, words, found, surface)
		var body []byte
		for _, e := range stream.Events {
			body = append(body, e.Bytes()...)
		}
		usage, ok := surface.UsageIn(body)
		if surface == dialect.ChatStream {
			assert.False(t, ok, "OpenAI's chat streams have it on request")
			continue
		}
		assert.True(t, ok, surface)
		assert.Equal(t, dialect.Usage{Input: 2, Output: 4}, usage, surface)
	}
}

func TestUsageIn(t *testing.T) {
	for _, row := range []struct {
		sentence string
		surface  dialect.Surface
		body     string
		want     dialect.Usage
		ok       bool
	}{
		{"a whole answer", dialect.Chat, `{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens": 12,"total_tokens":19}}`, dialect.Usage{Input: 7, Output: 12}, true},
		{"the last one counts", dialect.MessagesStream, `{"usage":{"input_tokens":5,"output_tokens":1}}{"usage":{"output_tokens":40}}`, dialect.Usage{Input: 5, Output: 40}, true},
		{"null is not a number", dialect.Chat, `{"usage":{"completion_tokens":null}}`, dialect.Usage{}, false},
		{"nor is a text that names it", dialect.Chat, `{"content":"\"completion_tokens\":5"}`, dialect.Usage{}, false},
		{"a number beyond belief", dialect.Chat, `{"completion_tokens":99999999999999999999}`, dialect.Usage{}, false},
		{"what Gemini thinks", dialect.GenerateContent, `{"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2,"thoughtsTokenCount":3}}`, dialect.Usage{Input: 1, Output: 5}, true},
		{"an endpoint without tokens", dialect.Images, `{"usage":{"completion_tokens":5}}`, dialect.Usage{}, false},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			got, ok := row.surface.UsageIn([]byte(row.body))
			assert.Equal(t, row.ok, ok)
			assert.Equal(t, row.want, got)
		})
	}
}

func TestUnescape(t *testing.T) {
	assert.Equal(t, "plain", dialect.Unescape([]byte("plain")))
	assert.Equal(t, "a\"\n€", dialect.Unescape([]byte(`a\"\n\u20ac`)))
	assert.Empty(t, dialect.Unescape([]byte(`\x`)))
}
