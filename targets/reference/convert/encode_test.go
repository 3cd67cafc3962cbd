package convert_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

func TestEncodeWritesEveryTextSurfaceInEveryProtocol(t *testing.T) {
	for _, surface := range textSurfaces() {
		for _, p := range dialect.Dialects() {
			t.Run(fmt.Sprintf("%s to %s", surface, p), func(t *testing.T) {
				req := decode(t, surface, bodies[surface])
				out, err := convert.Encode(p, req, "their-model")
				require.NoError(t, err)

				// What went out is what a caller of that protocol's own surface would have said.
				back, err := convert.Decode(native(p, req.Stream), "their-model", out.Body)
				require.NoError(t, err)
				want := req
				want.Surface, want.Model, want.Inputs = native(p, req.Stream), "their-model", nil
				want.Turns = []convert.Turn{{Role: convert.User, Parts: []convert.Part{{Text: "Hello?"}}}}
				want.IncludeUsage = p == dialect.OpenAI && req.Stream
				assert.Equal(t, want, back)
			})
		}
	}
}

func TestEncodeGolden(t *testing.T) {
	plain := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}
	streamed := http.Header{"Content-Type": {"application/json"}, "Accept": {"text/event-stream"}}
	versioned := http.Header{
		"Content-Type": {"application/json"}, "Accept": {"text/event-stream"}, "Anthropic-Version": {"2023-06-01"},
	}
	for _, tc := range []struct {
		name     string
		surface  dialect.Surface
		protocol dialect.Dialect
		body     string
		path     string
		header   http.Header
		want     string
	}{
		{
			"messages to openai", dialect.Messages, dialect.OpenAI, bodies[dialect.Messages],
			"/v1/chat/completions", plain,
			`{"max_tokens":16,"messages":[{"content":"Be brief.","role":"system"},{"content":"Hello?","role":"user"}],
			"model":"m/2","stop":["END"],"temperature":0.5,"top_p":0.9}`,
		},
		{
			"an OpenAI stream tells its usage", dialect.GenerateStream, dialect.OpenAI, `{"contents":[{"parts":[{"text":"x"}]}]}`,
			"/v1/chat/completions", streamed,
			`{"messages":[{"content":"x","role":"user"}],"model":"m/2","stream":true,"stream_options":{"include_usage":true}}`,
		},
		{
			"anthropic demands a token limit", dialect.ChatStream, dialect.Anthropic,
			`{"model":"m","messages":[{"role":"user","content":"x"}],"stream":true}`, "/v1/messages", versioned,
			`{"max_tokens":4096,"messages":[{"content":"x","role":"user"}],"model":"m/2","stream":true}`,
		},
		{
			"gemini's model and method are in the path", dialect.ChatStream, dialect.Gemini,
			`{"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}],"stream":true,"seed":7}`,
			"/v1beta/models/m%2F2:streamGenerateContent?alt=sse", streamed,
			`{"contents":[{"parts":[{"text":"x"}],"role":"user"},{"parts":[{"text":"y"}],"role":"model"}],"generationConfig":{"seed":7}}`,
		},
		{
			"needs are kept for an upstream that can", dialect.GenerateContent, dialect.Gemini,
			`{"contents":[{"parts":[{"text":"x"}]}],"cachedContent":"c/1","safetySettings":[{"a":1}],
			"generationConfig":{"topK":3,"presencePenalty":1,"frequencyPenalty":-1,"responseMimeType":"application/json",
			"responseSchema":{"type":"OBJECT"},"responseJsonSchema":{"type":["object"]}}}`,
			"/v1beta/models/m%2F2:generateContent", plain,
			`{"cachedContent":"c/1","contents":[{"parts":[{"text":"x"}],"role":"user"}],"generationConfig":{"frequencyPenalty":-1,
			"presencePenalty":1,"responseJsonSchema":{"type":["object"]},"responseMimeType":"application/json",
			"responseSchema":{"type":"OBJECT"},"topK":3},"safetySettings":[{"a":1}]}`,
		},
		{
			"and in OpenAI's place for them", dialect.Responses, dialect.OpenAI,
			`{"model":"m","input":"x","reasoning":{"effort":"low"},"text":{"verbosity":"low"}}`, "/v1/chat/completions", plain,
			`{"messages":[{"content":"x","role":"user"}],"model":"m/2","reasoning_effort":"low","verbosity":"low"}`,
		},
		{
			"a late system message stays where it was", dialect.Chat, dialect.OpenAI,
			`{"model":"m","messages":[{"role":"user","content":"x"},{"role":"system","content":"late"}],"logit_bias":{"5":-100}}`,
			"/v1/chat/completions", plain,
			`{"logit_bias":{"5":-100},"messages":[{"content":"x","role":"user"},{"content":"late","role":"system"}],"model":"m/2"}`,
		},
		{
			"an image to openai", dialect.Messages, dialect.OpenAI,
			`{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":"what?"},
			{"type":"image","source":{"type":"base64","media_type":"image/png","data":"aGk="}}]}]}`, "/v1/chat/completions", plain,
			`{"max_tokens":1,"messages":[{"content":[{"text":"what?","type":"text"},
			{"image_url":{"url":"data:image/png;base64,aGk="},"type":"image_url"}],"role":"user"}],"model":"m/2"}`,
		},
		{
			"an image to gemini", dialect.Chat, dialect.Gemini,
			`{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,aGk="}}]}]}`,
			"/v1beta/models/m%2F2:generateContent", plain,
			`{"contents":[{"parts":[{"inlineData":{"data":"aGk=","mimeType":"image/png"}}],"role":"user"}]}`,
		},
		{
			"a stored image to gemini", dialect.GenerateContent, dialect.Gemini,
			`{"contents":[{"parts":[{"fileData":{"mimeType":"image/png","fileUri":"gs://b/a.png"}}]}]}`,
			"/v1beta/models/m%2F2:generateContent", plain,
			`{"contents":[{"parts":[{"fileData":{"fileUri":"gs://b/a.png","mimeType":"image/png"}}],"role":"user"}]}`,
		},
		{
			"embeddings to openai", dialect.Embeddings, dialect.OpenAI, bodies[dialect.Embeddings], "/v1/embeddings", plain,
			`{"dimensions":3,"encoding_format":"float","input":["one","two"],"model":"m/2"}`,
		},
		{
			"token ids to openai", dialect.Embeddings, dialect.OpenAI, `{"model":"m","input":[1,2]}`, "/v1/embeddings", plain,
			`{"encoding_format":"float","input":[1,2],"model":"m/2"}`,
		},
		{
			"embeddings to gemini", dialect.Embeddings, dialect.Gemini, bodies[dialect.Embeddings],
			"/v1beta/models/m%2F2:batchEmbedContents", plain,
			`{"requests":[{"content":{"parts":[{"text":"one"}]},"model":"models/m/2","outputDimensionality":3},
			{"content":{"parts":[{"text":"two"}]},"model":"models/m/2","outputDimensionality":3}]}`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out, err := convert.Encode(tc.protocol, decode(t, tc.surface, tc.body), "m/2")
			require.NoError(t, err)
			assert.Equal(t, tc.path, out.Path)
			assert.Equal(t, tc.header, out.Header)
			assert.JSONEq(t, tc.want, string(out.Body))
		})
	}
}

func TestEncodeWritesImagesForAnthropic(t *testing.T) {
	req := decode(t, dialect.Chat, `{"model":"m","messages":[{"role":"user","content":[
		{"type":"image_url","image_url":{"url":"data:image/png;base64,aGk="}},
		{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]}]}`)
	out, err := convert.Encode(dialect.Anthropic, req, "m")
	require.NoError(t, err)
	assert.Equal(t, req.Turns, decode(t, dialect.Messages, string(out.Body)).Turns)
}

// What a protocol cannot express is refused by name, and never dropped.
func TestEncodeRefusesWhatCannotBeExpressed(t *testing.T) {
	type want map[dialect.Dialect]string // "" means that it can
	none := func(what string) want {
		return want{dialect.OpenAI: what, dialect.Anthropic: what, dialect.Gemini: what}
	}
	image := func(url string) string {
		return `[{"role":"user","content":[{"type":"image_url","image_url":` + url + `}]}]`
	}
	for _, tc := range []struct {
		surface    dialect.Surface
		key, value string
		want       want
	}{
		{dialect.Chat, "n", `2`, none("n")},
		{dialect.Chat, "logprobs", `true`, none("logprobs")},
		{dialect.Chat, "tools", `[{"type":"function"}]`, none("tools")},
		{dialect.Chat, "messages", `[{"role":"assistant","tool_calls":[{}]},{"role":"tool","content":"x"}]`, none("tools")},
		{dialect.Chat, "messages", `[{"role":"user","content":[{"type":"input_audio"}]}]`, none("input_audio")},
		{dialect.Chat, "messages", `[{"role":"user","content":[{"type":"file"}]}]`, none("file")},
		{dialect.Chat, "modalities", `["text","audio"]`, none("modalities")},
		{dialect.Chat, "web_search_options", `{"x":1}`, none("web_search")},
		{dialect.Chat, "logit_bias", `{"5":1}`, want{dialect.Anthropic: "logit_bias", dialect.Gemini: "logit_bias"}},
		{dialect.ChatStream, "logit_bias", `{"5":1}`, want{dialect.Anthropic: "logit_bias", dialect.Gemini: "logit_bias"}},
		{dialect.Chat, "presence_penalty", `1`, want{dialect.Anthropic: "presence_penalty"}},
		{dialect.Chat, "frequency_penalty", `1`, want{dialect.Anthropic: "frequency_penalty"}},
		{dialect.Chat, "seed", `0`, want{dialect.Anthropic: "seed"}},
		{dialect.Chat, "response_format", `{"type":"json_object"}`, want{dialect.Anthropic: "response_format", dialect.Gemini: "response_format"}},
		{dialect.Chat, "reasoning_effort", `"low"`, want{dialect.Anthropic: "reasoning_effort", dialect.Gemini: "reasoning_effort"}},
		{dialect.Chat, "temperature", `1.5`, want{dialect.Anthropic: "a temperature above 1"}},
		{dialect.Chat, "messages", `[{"role":"user","content":"x"},{"role":"system","content":"y"}]`, want{
			dialect.Anthropic: "a system message after the first turn", dialect.Gemini: "a system message after the first turn",
		}},
		{dialect.Chat, "messages", `[{"role":"system","content":"x"}]`, want{
			dialect.Anthropic: "a conversation with no turns", dialect.Gemini: "a conversation with no turns",
		}},
		{dialect.Chat, "messages", image(`{"url":"https://x/a.png"}`), want{dialect.Gemini: "an image URL without a media type"}},
		{dialect.Chat, "messages", image(`{"url":"data:image/png;base64,aGk=","detail":"low"}`), want{
			dialect.Anthropic: "an image's detail", dialect.Gemini: "an image's detail",
		}},
		{dialect.Completions, "suffix", `"end"`, none("suffix")},
		{dialect.Completions, "echo", `true`, none("echo")},
		{dialect.Completions, "best_of", `2`, none("best_of")},
		{dialect.Completions, "logprobs", `0`, none("logprobs")},
		{dialect.Completions, "prompt", `["a","b"]`, none("more than one prompt")},
		{dialect.Completions, "prompt", `[1,2]`, none("a prompt given as token ids")},
		{dialect.Responses, "previous_response_id", `"r"`, none("previous_response_id")},
		{dialect.ResponsesStream, "previous_response_id", `"r"`, none("previous_response_id")},
		{dialect.Responses, "conversation", `"c"`, none("conversation")},
		{dialect.Responses, "background", `true`, none("background")},
		{dialect.Responses, "truncation", `"auto"`, none("truncation")},
		{dialect.Responses, "text", `{"format":{"type":"json_object"}}`, none("text_format")},
		{dialect.Responses, "input", `[{"type":"function_call_output"}]`, none("tools")},
		{dialect.Responses, "input", `[{"type":"item_reference","id":"x"}]`, none("item_reference")},
		{dialect.Responses, "input", `[{"role":"user","content":[{"type":"input_image","file_id":"x"}]}]`, none("file")},
		{dialect.Messages, "top_k", `5`, want{dialect.OpenAI: "top_k"}},
		{dialect.MessagesStream, "top_k", `5`, want{dialect.OpenAI: "top_k"}},
		{dialect.Messages, "thinking", `{"type":"enabled","budget_tokens":1024}`, none("thinking")},
		{dialect.MessagesStream, "thinking", `{"type":"adaptive"}`, none("thinking")},
		{dialect.Messages, "messages", `[{"role":"user","content":[{"type":"document"}]}]`, none("file")},
		{dialect.Messages, "messages", `[{"role":"user","content":[{"type":"tool_result"}]}]`, none("tools")},
		{dialect.Messages, "stop_sequences", `["a","b","c","d","e"]`, want{dialect.OpenAI: "more than 4 stop sequences"}},
		{dialect.Messages, "stop_sequences", `["a","b","c","d","e","f"]`, want{
			dialect.OpenAI: "more than 4 stop sequences", dialect.Gemini: "more than 5 stop sequences",
		}},
		{dialect.Messages, "messages", `[{"role":"assistant","content":[{"type":"image","source":{"type":"url","url":"https://x"}}]}]`, want{
			dialect.OpenAI:    "an image in a turn that is not from the user",
			dialect.Anthropic: "an image in a turn that is not from the user",
			dialect.Gemini:    "an image URL without a media type",
		}},
		{dialect.GenerateContent, "cachedContent", `"c"`, want{dialect.OpenAI: "cached_content", dialect.Anthropic: "cached_content"}},
		{dialect.GenerateStream, "cachedContent", `"c"`, want{dialect.OpenAI: "cached_content", dialect.Anthropic: "cached_content"}},
		{dialect.GenerateContent, "safetySettings", `[{}]`, want{dialect.OpenAI: "safety_settings", dialect.Anthropic: "safety_settings"}},
		{dialect.GenerateContent, "generationConfig", `{"topK":5}`, want{dialect.OpenAI: "top_k"}},
		{dialect.GenerateContent, "generationConfig", `{"candidateCount":2}`, none("n")},
		{dialect.GenerateContent, "generationConfig", `{"thinkingConfig":{"thinkingBudget":1}}`, none("thinking")},
		{dialect.GenerateContent, "contents", `[{"parts":[{"functionCall":{}}]}]`, none("tools")},
		{dialect.GenerateContent, "contents", `[{"parts":[{"text":"x","thought":true}]}]`, none("thinking")},
		{dialect.GenerateContent, "contents", `[{"parts":[{"inlineData":{"mimeType":"audio/wav","data":"aGk="}}]}]`, none("file")},
		{dialect.GenerateContent, "contents", `[{"parts":[{"fileData":{"mimeType":"image/png","fileUri":"gs://x"}}]}]`, want{
			dialect.OpenAI: "an image whose URL is not an http or https URL", dialect.Anthropic: "an image whose URL is not an http or https URL",
		}},
		{dialect.GenerateContent, "systemInstruction", `{"parts":[{"inlineData":{"mimeType":"image/png","data":"aGk="}}]}`, none("system_image")},
		{dialect.Embeddings, "input", `"x"`, want{dialect.Anthropic: "an embedding"}},
		{dialect.Embeddings, "input", `[1]`, want{dialect.Anthropic: "an embedding", dialect.Gemini: "input given as token ids"}},
	} {
		t.Run(fmt.Sprintf("%s %s=%s", tc.surface, tc.key, tc.value), func(t *testing.T) {
			req := decode(t, tc.surface, edited(t, tc.surface, tc.key, tc.value))
			for _, p := range dialect.Dialects() {
				_, err := convert.Encode(p, req, "m")
				if tc.want[p] == "" {
					assert.NoError(t, err, p)
					continue
				}
				require.ErrorIs(t, err, convert.ErrUnconvertible, p)
				assert.EqualError(t, err, fmt.Sprintf("the request cannot be converted: %s cannot be expressed in the %s protocol", tc.want[p], p))
			}
		})
	}
}

func TestEncodeRefusesAnUnknownProtocol(t *testing.T) {
	_, err := convert.Encode("cohere", decode(t, dialect.Chat, bodies[dialect.Chat]), "m")
	assert.ErrorIs(t, err, convert.ErrUnconvertible)
	assert.False(t, dialect.Dialect("cohere").Valid())
}

func TestANeedKeepsItsValueToTheDigit(t *testing.T) {
	req := decode(t, dialect.Chat, edited(t, dialect.Chat, "logit_bias", `{"50256":-100.0}`))
	assert.Equal(t, []convert.Need{{Feature: "logit_bias", Value: json.RawMessage(`{"50256":-100.0}`)}}, req.Needs)
}
