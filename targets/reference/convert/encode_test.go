package convert_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

func TestEncodeWritesEveryTextSurfaceInEveryProtocol(t *testing.T) {
	for _, surface := range textSurfaces() {
		for _, p := range convert.Protocols() {
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
				want.IncludeUsage = p == convert.OpenAI && req.Stream
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
		surface  contract.Surface
		protocol convert.Protocol
		body     string
		path     string
		header   http.Header
		want     string
	}{
		{
			"messages to openai", contract.Messages, convert.OpenAI, bodies[contract.Messages],
			"/v1/chat/completions", plain,
			`{"max_tokens":16,"messages":[{"content":"Be brief.","role":"system"},{"content":"Hello?","role":"user"}],
			"model":"m/2","stop":["END"],"temperature":0.5,"top_p":0.9}`,
		},
		{
			"an OpenAI stream tells its usage", contract.GenerateStream, convert.OpenAI, `{"contents":[{"parts":[{"text":"x"}]}]}`,
			"/v1/chat/completions", streamed,
			`{"messages":[{"content":"x","role":"user"}],"model":"m/2","stream":true,"stream_options":{"include_usage":true}}`,
		},
		{
			"anthropic demands a token limit", contract.ChatStream, convert.Anthropic,
			`{"model":"m","messages":[{"role":"user","content":"x"}],"stream":true}`, "/v1/messages", versioned,
			`{"max_tokens":4096,"messages":[{"content":"x","role":"user"}],"model":"m/2","stream":true}`,
		},
		{
			"gemini's model and method are in the path", contract.ChatStream, convert.Gemini,
			`{"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}],"stream":true,"seed":7}`,
			"/v1beta/models/m%2F2:streamGenerateContent?alt=sse", streamed,
			`{"contents":[{"parts":[{"text":"x"}],"role":"user"},{"parts":[{"text":"y"}],"role":"model"}],"generationConfig":{"seed":7}}`,
		},
		{
			"needs are kept for a provider that can", contract.GenerateContent, convert.Gemini,
			`{"contents":[{"parts":[{"text":"x"}]}],"cachedContent":"c/1","safetySettings":[{"a":1}],
			"generationConfig":{"topK":3,"presencePenalty":1,"frequencyPenalty":-1,"responseMimeType":"application/json",
			"responseSchema":{"type":"OBJECT"},"responseJsonSchema":{"type":["object"]}}}`,
			"/v1beta/models/m%2F2:generateContent", plain,
			`{"cachedContent":"c/1","contents":[{"parts":[{"text":"x"}],"role":"user"}],"generationConfig":{"frequencyPenalty":-1,
			"presencePenalty":1,"responseJsonSchema":{"type":["object"]},"responseMimeType":"application/json",
			"responseSchema":{"type":"OBJECT"},"topK":3},"safetySettings":[{"a":1}]}`,
		},
		{
			"and in OpenAI's place for them", contract.Responses, convert.OpenAI,
			`{"model":"m","input":"x","reasoning":{"effort":"low"},"text":{"verbosity":"low"}}`, "/v1/chat/completions", plain,
			`{"messages":[{"content":"x","role":"user"}],"model":"m/2","reasoning_effort":"low","verbosity":"low"}`,
		},
		{
			"a late system message stays where it was", contract.Chat, convert.OpenAI,
			`{"model":"m","messages":[{"role":"user","content":"x"},{"role":"system","content":"late"}],"logit_bias":{"5":-100}}`,
			"/v1/chat/completions", plain,
			`{"logit_bias":{"5":-100},"messages":[{"content":"x","role":"user"},{"content":"late","role":"system"}],"model":"m/2"}`,
		},
		{
			"an image to openai", contract.Messages, convert.OpenAI,
			`{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":"what?"},
			{"type":"image","source":{"type":"base64","media_type":"image/png","data":"aGk="}}]}]}`, "/v1/chat/completions", plain,
			`{"max_tokens":1,"messages":[{"content":[{"text":"what?","type":"text"},
			{"image_url":{"url":"data:image/png;base64,aGk="},"type":"image_url"}],"role":"user"}],"model":"m/2"}`,
		},
		{
			"an image to gemini", contract.Chat, convert.Gemini,
			`{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,aGk="}}]}]}`,
			"/v1beta/models/m%2F2:generateContent", plain,
			`{"contents":[{"parts":[{"inlineData":{"data":"aGk=","mimeType":"image/png"}}],"role":"user"}]}`,
		},
		{
			"a stored image to gemini", contract.GenerateContent, convert.Gemini,
			`{"contents":[{"parts":[{"fileData":{"mimeType":"image/png","fileUri":"gs://b/a.png"}}]}]}`,
			"/v1beta/models/m%2F2:generateContent", plain,
			`{"contents":[{"parts":[{"fileData":{"fileUri":"gs://b/a.png","mimeType":"image/png"}}],"role":"user"}]}`,
		},
		{
			"embeddings to openai", contract.Embeddings, convert.OpenAI, bodies[contract.Embeddings], "/v1/embeddings", plain,
			`{"dimensions":3,"encoding_format":"float","input":["one","two"],"model":"m/2"}`,
		},
		{
			"token ids to openai", contract.Embeddings, convert.OpenAI, `{"model":"m","input":[1,2]}`, "/v1/embeddings", plain,
			`{"encoding_format":"float","input":[1,2],"model":"m/2"}`,
		},
		{
			"embeddings to gemini", contract.Embeddings, convert.Gemini, bodies[contract.Embeddings],
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
	req := decode(t, contract.Chat, `{"model":"m","messages":[{"role":"user","content":[
		{"type":"image_url","image_url":{"url":"data:image/png;base64,aGk="}},
		{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]}]}`)
	out, err := convert.Encode(convert.Anthropic, req, "m")
	require.NoError(t, err)
	assert.Equal(t, req.Turns, decode(t, contract.Messages, string(out.Body)).Turns)
}

// What a protocol cannot express is refused by name, and never dropped.
func TestEncodeRefusesWhatCannotBeExpressed(t *testing.T) {
	type want map[convert.Protocol]string // "" means that it can
	none := func(what string) want {
		return want{convert.OpenAI: what, convert.Anthropic: what, convert.Gemini: what}
	}
	image := func(url string) string {
		return `[{"role":"user","content":[{"type":"image_url","image_url":` + url + `}]}]`
	}
	for _, tc := range []struct {
		surface    contract.Surface
		key, value string
		want       want
	}{
		{contract.Chat, "n", `2`, none("n")},
		{contract.Chat, "logprobs", `true`, none("logprobs")},
		{contract.Chat, "tools", `[{"type":"function"}]`, none("tools")},
		{contract.Chat, "messages", `[{"role":"assistant","tool_calls":[{}]},{"role":"tool","content":"x"}]`, none("tools")},
		{contract.Chat, "messages", `[{"role":"user","content":[{"type":"input_audio"}]}]`, none("input_audio")},
		{contract.Chat, "messages", `[{"role":"user","content":[{"type":"file"}]}]`, none("file")},
		{contract.Chat, "modalities", `["text","audio"]`, none("modalities")},
		{contract.Chat, "web_search_options", `{"x":1}`, none("web_search")},
		{contract.Chat, "logit_bias", `{"5":1}`, want{convert.Anthropic: "logit_bias", convert.Gemini: "logit_bias"}},
		{contract.ChatStream, "logit_bias", `{"5":1}`, want{convert.Anthropic: "logit_bias", convert.Gemini: "logit_bias"}},
		{contract.Chat, "presence_penalty", `1`, want{convert.Anthropic: "presence_penalty"}},
		{contract.Chat, "frequency_penalty", `1`, want{convert.Anthropic: "frequency_penalty"}},
		{contract.Chat, "seed", `0`, want{convert.Anthropic: "seed"}},
		{contract.Chat, "response_format", `{"type":"json_object"}`, want{convert.Anthropic: "response_format", convert.Gemini: "response_format"}},
		{contract.Chat, "reasoning_effort", `"low"`, want{convert.Anthropic: "reasoning_effort", convert.Gemini: "reasoning_effort"}},
		{contract.Chat, "temperature", `1.5`, want{convert.Anthropic: "a temperature above 1"}},
		{contract.Chat, "messages", `[{"role":"user","content":"x"},{"role":"system","content":"y"}]`, want{
			convert.Anthropic: "a system message after the first turn", convert.Gemini: "a system message after the first turn",
		}},
		{contract.Chat, "messages", `[{"role":"system","content":"x"}]`, want{
			convert.Anthropic: "a conversation without a turn", convert.Gemini: "a conversation without a turn",
		}},
		{contract.Chat, "messages", image(`{"url":"https://x/a.png"}`), want{convert.Gemini: "an image's address without its media type"}},
		{contract.Chat, "messages", image(`{"url":"data:image/png;base64,aGk=","detail":"low"}`), want{
			convert.Anthropic: "an image's detail", convert.Gemini: "an image's detail",
		}},
		{contract.Completions, "suffix", `"end"`, none("suffix")},
		{contract.Completions, "echo", `true`, none("echo")},
		{contract.Completions, "best_of", `2`, none("best_of")},
		{contract.Completions, "logprobs", `0`, none("logprobs")},
		{contract.Completions, "prompt", `["a","b"]`, none("more than one prompt")},
		{contract.Completions, "prompt", `[1,2]`, none("a prompt of token ids")},
		{contract.Responses, "previous_response_id", `"r"`, none("previous_response_id")},
		{contract.ResponsesStream, "previous_response_id", `"r"`, none("previous_response_id")},
		{contract.Responses, "conversation", `"c"`, none("conversation")},
		{contract.Responses, "background", `true`, none("background")},
		{contract.Responses, "truncation", `"auto"`, none("truncation")},
		{contract.Responses, "text", `{"format":{"type":"json_object"}}`, none("text_format")},
		{contract.Responses, "input", `[{"type":"function_call_output"}]`, none("tools")},
		{contract.Responses, "input", `[{"type":"item_reference","id":"x"}]`, none("item_reference")},
		{contract.Responses, "input", `[{"role":"user","content":[{"type":"input_image","file_id":"x"}]}]`, none("file")},
		{contract.Messages, "top_k", `5`, want{convert.OpenAI: "top_k"}},
		{contract.MessagesStream, "top_k", `5`, want{convert.OpenAI: "top_k"}},
		{contract.Messages, "thinking", `{"type":"enabled","budget_tokens":1024}`, none("thinking")},
		{contract.MessagesStream, "thinking", `{"type":"adaptive"}`, none("thinking")},
		{contract.Messages, "messages", `[{"role":"user","content":[{"type":"document"}]}]`, none("file")},
		{contract.Messages, "messages", `[{"role":"user","content":[{"type":"tool_result"}]}]`, none("tools")},
		{contract.Messages, "stop_sequences", `["a","b","c","d","e"]`, want{convert.OpenAI: "more than 4 stop sequences"}},
		{contract.Messages, "stop_sequences", `["a","b","c","d","e","f"]`, want{
			convert.OpenAI: "more than 4 stop sequences", convert.Gemini: "more than 5 stop sequences",
		}},
		{contract.Messages, "messages", `[{"role":"assistant","content":[{"type":"image","source":{"type":"url","url":"https://x"}}]}]`, want{
			convert.OpenAI:    "an image in a turn that is not the user's",
			convert.Anthropic: "an image in a turn that is not the user's",
			convert.Gemini:    "an image's address without its media type",
		}},
		{contract.GenerateContent, "cachedContent", `"c"`, want{convert.OpenAI: "cached_content", convert.Anthropic: "cached_content"}},
		{contract.GenerateStream, "cachedContent", `"c"`, want{convert.OpenAI: "cached_content", convert.Anthropic: "cached_content"}},
		{contract.GenerateContent, "safetySettings", `[{}]`, want{convert.OpenAI: "safety_settings", convert.Anthropic: "safety_settings"}},
		{contract.GenerateContent, "generationConfig", `{"topK":5}`, want{convert.OpenAI: "top_k"}},
		{contract.GenerateContent, "generationConfig", `{"candidateCount":2}`, none("n")},
		{contract.GenerateContent, "generationConfig", `{"thinkingConfig":{"thinkingBudget":1}}`, none("thinking")},
		{contract.GenerateContent, "contents", `[{"parts":[{"functionCall":{}}]}]`, none("tools")},
		{contract.GenerateContent, "contents", `[{"parts":[{"text":"x","thought":true}]}]`, none("thinking")},
		{contract.GenerateContent, "contents", `[{"parts":[{"inlineData":{"mimeType":"audio/wav","data":"aGk="}}]}]`, none("file")},
		{contract.GenerateContent, "contents", `[{"parts":[{"fileData":{"mimeType":"image/png","fileUri":"gs://x"}}]}]`, want{
			convert.OpenAI: "an image in the caller's file store", convert.Anthropic: "an image in the caller's file store",
		}},
		{contract.GenerateContent, "systemInstruction", `{"parts":[{"inlineData":{"mimeType":"image/png","data":"aGk="}}]}`, none("system_image")},
		{contract.Embeddings, "input", `"x"`, want{convert.Anthropic: "an embedding"}},
		{contract.Embeddings, "input", `[1]`, want{convert.Anthropic: "an embedding", convert.Gemini: "an input of token ids"}},
	} {
		t.Run(fmt.Sprintf("%s %s=%s", tc.surface, tc.key, tc.value), func(t *testing.T) {
			req := decode(t, tc.surface, edited(t, tc.surface, tc.key, tc.value))
			for _, p := range convert.Protocols() {
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
	_, err := convert.Encode("cohere", decode(t, contract.Chat, bodies[contract.Chat]), "m")
	assert.ErrorIs(t, err, convert.ErrUnconvertible)
	assert.False(t, convert.Protocol("cohere").Valid())
}

func TestANeedKeepsItsValueToTheDigit(t *testing.T) {
	req := decode(t, contract.Chat, edited(t, contract.Chat, "logit_bias", `{"50256":-100.0}`))
	assert.Equal(t, []convert.Need{{Feature: "logit_bias", Value: json.RawMessage(`{"50256":-100.0}`)}}, req.Needs)
}
