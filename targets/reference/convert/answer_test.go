package convert_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

// finishes are the hub's reasons and what each dialect calls them.
var finishes = []struct {
	hub                             convert.Finish
	openAI, anthropic, gemini, resp string
}{
	{convert.FinishStop, "stop", "end_turn", "STOP", "completed"},
	{convert.FinishLength, "length", "max_tokens", "MAX_TOKENS", "incomplete"},
	{convert.FinishFilter, "content_filter", "refusal", "SAFETY", "incomplete"},
}

// spoken is what a caller reads out of an answer in the form of a surface.
type spoken struct {
	text, finish       string
	prompt, completion int
}

func read(t *testing.T, surface dialect.Surface, body []byte) spoken {
	t.Helper()
	var in struct {
		Choices []struct {
			Text    string
			Message struct{ Content string }
			Finish  string `json:"finish_reason"`
		}
		Status     string
		Output     []struct{ Content []struct{ Text string } }
		Content    []struct{ Text string }
		StopReason string `json:"stop_reason"`
		Usage      struct {
			Prompt     int `json:"prompt_tokens"`
			Completion int `json:"completion_tokens"`
			Input      int `json:"input_tokens"`
			Output     int `json:"output_tokens"`
		}
		Candidates []struct {
			Content struct{ Parts []struct{ Text string } }
			Finish  string `json:"finishReason"`
		}
		Metadata struct {
			Prompt     int `json:"promptTokenCount"`
			Candidates int `json:"candidatesTokenCount"`
		} `json:"usageMetadata"`
	}
	require.NoError(t, json.Unmarshal(body, &in))
	switch surface {
	case dialect.Chat, dialect.ChatStream:
		return spoken{in.Choices[0].Message.Content, in.Choices[0].Finish, in.Usage.Prompt, in.Usage.Completion}
	case dialect.Completions:
		return spoken{in.Choices[0].Text, in.Choices[0].Finish, in.Usage.Prompt, in.Usage.Completion}
	case dialect.Responses, dialect.ResponsesStream:
		return spoken{in.Output[0].Content[0].Text, in.Status, in.Usage.Input, in.Usage.Output}
	case dialect.Messages, dialect.MessagesStream:
		return spoken{in.Content[0].Text, in.StopReason, in.Usage.Input, in.Usage.Output}
	default:
		return spoken{in.Candidates[0].Content.Parts[0].Text, in.Candidates[0].Finish, in.Metadata.Prompt, in.Metadata.Candidates}
	}
}

func TestAnswersKeepTextUsageAndFinishFromEveryProtocolToEverySurface(t *testing.T) {
	for _, surface := range textSurfaces() {
		for _, p := range convert.Protocols() {
			for _, f := range finishes {
				t.Run(fmt.Sprintf("%s from %s, %s", surface, p, f.hub), func(t *testing.T) {
					said := convert.Answer{
						ID: "x1", Model: "m", Text: "Hi <you> \u2028 ✓", Finish: f.hub, PromptTokens: 3, CompletionTokens: 5,
					}
					theirs, err := convert.EncodeAnswer(native(p, false), said, nil)
					require.NoError(t, err)
					heard, err := convert.DecodeAnswer(p, decode(t, surface, bodies[surface]), theirs)
					require.NoError(t, err)
					ours, err := convert.EncodeAnswer(surface, heard, nil)
					require.NoError(t, err)

					want := map[dialect.Dialect]string{dialect.OpenAI: f.openAI, dialect.Anthropic: f.anthropic, dialect.Gemini: f.gemini}[surface.Dialect()]
					if surface == dialect.Responses || surface == dialect.ResponsesStream {
						want = f.resp
					}
					assert.Equal(t, spoken{said.Text, want, 3, 5}, read(t, surface, ours))
				})
			}
		}
	}
}

func TestEncodeAnswerGolden(t *testing.T) {
	a := convert.Answer{
		ID: "chatcmpl-7", Model: "m", Created: 1700000000, Text: "Hi", Finish: convert.FinishLength, PromptTokens: 3, CompletionTokens: 5,
		Vectors: [][]float64{{1, -0.5}, {0.25}},
	}
	for surface, want := range map[dialect.Surface]string{
		dialect.Chat: `{"id":"chatcmpl-7","object":"chat.completion","created":1700000000,"model":"m",` +
			`"choices":[{"index":0,"message":{"role":"assistant","content":"Hi","refusal":null},"logprobs":null,"finish_reason":"length"}],` +
			`"usage":{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8},"gateway":{"note":1}}`,
		dialect.Completions: `{"id":"cmpl-7","object":"text_completion","created":1700000000,"model":"m",` +
			`"choices":[{"text":"Hi","index":0,"logprobs":null,"finish_reason":"length"}],` +
			`"usage":{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8},"gateway":{"note":1}}`,
		dialect.Responses: `{"id":"resp_7","object":"response","created_at":1700000000,"status":"incomplete","error":null,` +
			`"incomplete_details":{"reason":"max_output_tokens"},"model":"m","output":[{"id":"msg_7","type":"message","status":"incomplete",` +
			`"role":"assistant","content":[{"type":"output_text","text":"Hi","annotations":[]}]}],` +
			`"usage":{"input_tokens":3,"output_tokens":5,"total_tokens":8},"gateway":{"note":1}}`,
		dialect.Messages: `{"id":"msg_7","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Hi"}],` +
			`"stop_reason":"max_tokens","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":5},"gateway":{"note":1}}`,
		dialect.GenerateContent: `{"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"},"finishReason":"MAX_TOKENS","index":0}],` +
			`"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":5,"totalTokenCount":8},"modelVersion":"m","responseId":"7","gateway":{"note":1}}`,
		dialect.Embeddings: `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1,-0.5]},` +
			`{"object":"embedding","index":1,"embedding":[0.25]}],"model":"m","usage":{"prompt_tokens":3,"total_tokens":3},"gateway":{"note":1}}`,
	} {
		t.Run(string(surface), func(t *testing.T) {
			got, err := convert.EncodeAnswer(surface, a, json.RawMessage(`{"note":1}`))
			require.NoError(t, err)
			assert.Equal(t, want, string(got))
		})
	}
}

func TestAnUnreadableAnnotationCannotBeMarshalled(t *testing.T) {
	for _, annotation := range []string{`{"broken`, ``, `}`} {
		for _, surface := range dialect.Surfaces() {
			_, err := convert.EncodeAnswer(surface, convert.Answer{Text: "Hi"}, json.RawMessage(annotation))
			require.ErrorContains(t, err, "encode answer: json: ", surface)
			if !surface.Streaming() {
				continue
			}
			e, err := convert.NewStreamEncoder(surface, convert.Head{}, json.RawMessage(annotation))
			require.NoError(t, err)
			out, err := e.Delta(convert.Delta{Text: "Hi"})
			require.ErrorContains(t, err, "encode stream: json: ", surface)
			assert.Empty(t, out, "no byte before the failure")
		}
	}
	_, err := convert.EncodeAnswer("images", convert.Answer{}, nil)
	assert.EqualError(t, err, `encode answer: no form for surface "images"`)
}

func TestEmbeddingsComeBackFromBothProtocols(t *testing.T) {
	req := decode(t, dialect.Embeddings, `{"model":"m","input":["a","b"],"encoding_format":"base64"}`)
	want := [][]float64{{1, -0.5}, {0.25, 2}}
	openAI, err := convert.DecodeAnswer(convert.OpenAI, req, []byte(`{"object":"list","model":"e","data":[
		{"index":1,"embedding":[0.25,2]},{"index":0,"embedding":[1,-0.5]}],"usage":{"prompt_tokens":4,"total_tokens":4}}`))
	require.NoError(t, err)
	assert.Equal(t, convert.Answer{Model: "e", Vectors: want, PromptTokens: 4, Base64: true}, openAI)

	gemini, err := convert.DecodeAnswer(convert.Gemini, req, []byte(`{"embeddings":[{"values":[1,-0.5]},{"values":[0.25,2]}]}`))
	require.NoError(t, err)
	assert.Equal(t, want, gemini.Vectors)

	out, err := convert.EncodeAnswer(dialect.Embeddings, gemini, nil)
	require.NoError(t, err)
	assert.Contains(t, string(out), `"embedding":"AACAPwAAAL8="`)
}

func TestDecodeAnswerTellsWhatIsNoAnswer(t *testing.T) {
	all := convert.Protocols()
	for _, tc := range []struct {
		name      string
		protocols []convert.Protocol
		body      string
		want      error
	}{
		{"no body", all, "", convert.ErrEmpty},
		{"blanks", all, " \r\n", convert.ErrEmpty},
		{"null", all, "null", convert.ErrNotAnswer},
		{"HTML", all, "<html><body>Bad Gateway</body></html>", convert.ErrNotAnswer},
		{"text", all, "upstream says no", convert.ErrNotAnswer},
		{"a string", all, `"hi"`, convert.ErrNotAnswer},
		{"an array", all, `[]`, convert.ErrNotAnswer},
		{"cut JSON", all, `{"choices":[{"mess`, convert.ErrNotAnswer},
		{"two objects", all, `{"choices":[]}{}`, convert.ErrNotAnswer},
		{"an event stream", all, sse(`{"choices":[]}`), convert.ErrNotAnswer},
		{"an empty object", all, `{}`, convert.ErrNotAnswer},
		{"foreign JSON", all, `{"detail":"not here"}`, convert.ErrNotAnswer},
		{"OpenAI's error object", all, `{"error":{"message":"no","type":"server_error","code":null}}`, convert.ErrNotAnswer},
		{"Anthropic's error object", all, `{"type":"error","error":{"type":"api_error","message":"no"}}`, convert.ErrNotAnswer},
		{"Gemini's error object", all, `{"error":{"code":500,"message":"no","status":"INTERNAL"}}`, convert.ErrNotAnswer},
		{"an error text", all, `{"error":"no"}`, convert.ErrNotAnswer},
		{"an error object that speaks of policy", all, `{"error":{"message":"no","code":"content_filter"}}`, convert.ErrBlocked},
		{"choices of the wrong type", []convert.Protocol{convert.OpenAI}, `{"choices":"many"}`, convert.ErrNotAnswer},
		{"content of the wrong type", []convert.Protocol{convert.OpenAI}, `{"choices":[{"message":{"content":7}}]}`, convert.ErrNotAnswer},
		{"a negative bill", []convert.Protocol{convert.OpenAI}, `{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":-1}}`, convert.ErrNotAnswer},
		{"an absurd bill", []convert.Protocol{convert.OpenAI}, `{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":1e30}}`, convert.ErrNotAnswer},
		{"no choices", []convert.Protocol{convert.OpenAI}, `{"choices":[]}`, convert.ErrEmpty},
		{"null choices", []convert.Protocol{convert.OpenAI}, `{"choices":null,"error":null}`, convert.ErrEmpty},
		{"a choice without content", []convert.Protocol{convert.OpenAI}, `{"choices":[{"message":{"content":null},"finish_reason":"stop"}]}`, convert.ErrEmpty},
		{"filtered", []convert.Protocol{convert.OpenAI}, `{"choices":[{"message":{"content":""},"finish_reason":"content_filter"}]}`, convert.ErrBlocked},
		{"refused", []convert.Protocol{convert.OpenAI}, `{"choices":[{"message":{"content":null,"refusal":"I will not"},"finish_reason":"stop"}]}`, convert.ErrBlocked},
		{"content of the wrong type", []convert.Protocol{convert.Anthropic}, `{"content":"hi"}`, convert.ErrNotAnswer},
		{"no content", []convert.Protocol{convert.Anthropic}, `{"type":"message","content":[],"stop_reason":"end_turn"}`, convert.ErrEmpty},
		{"nothing but thoughts", []convert.Protocol{convert.Anthropic}, `{"content":[{"type":"thinking","thinking":"hm"}],"stop_reason":"end_turn"}`, convert.ErrEmpty},
		{"refused", []convert.Protocol{convert.Anthropic}, `{"content":[],"stop_reason":"refusal"}`, convert.ErrBlocked},
		{"candidates of the wrong type", []convert.Protocol{convert.Gemini}, `{"candidates":{}}`, convert.ErrNotAnswer},
		{"no candidates", []convert.Protocol{convert.Gemini}, `{"candidates":[]}`, convert.ErrEmpty},
		{"candidates left out", []convert.Protocol{convert.Gemini}, `{"usageMetadata":{"promptTokenCount":3},"modelVersion":"g"}`, convert.ErrEmpty},
		{"a candidate without content", []convert.Protocol{convert.Gemini}, `{"candidates":[{"finishReason":"STOP"}]}`, convert.ErrEmpty},
		{"nothing but thoughts", []convert.Protocol{convert.Gemini}, `{"candidates":[{"content":{"parts":[{"text":"hm","thought":true}]}}]}`, convert.ErrEmpty},
		{"blocked", []convert.Protocol{convert.Gemini}, `{"promptFeedback":{"blockReason":"SAFETY"}}`, convert.ErrBlocked},
		{"unsafe", []convert.Protocol{convert.Gemini}, `{"candidates":[{"finishReason":"SAFETY"}]}`, convert.ErrBlocked},
	} {
		for _, p := range tc.protocols {
			t.Run(fmt.Sprintf("%s from %s", tc.name, p), func(t *testing.T) {
				answer, err := convert.DecodeAnswer(p, decode(t, dialect.Chat, bodies[dialect.Chat]), []byte(tc.body))
				assert.ErrorIs(t, err, tc.want)
				assert.Zero(t, answer)
			})
		}
	}
}

func TestDecodeAnswerTellsWhatIsNoEmbedding(t *testing.T) {
	req := decode(t, dialect.Embeddings, `{"model":"m","input":["a","b"]}`)
	for _, tc := range []struct {
		name     string
		protocol convert.Protocol
		body     string
		want     error
	}{
		{"a chat answer", convert.OpenAI, `{"choices":[]}`, convert.ErrNotAnswer},
		{"no data", convert.OpenAI, `{"data":[]}`, convert.ErrEmpty},
		{"too few vectors", convert.OpenAI, `{"data":[{"index":0,"embedding":[1]}]}`, convert.ErrNotAnswer},
		{"a vector twice", convert.OpenAI, `{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}`, convert.ErrNotAnswer},
		{"a vector without numbers", convert.OpenAI, `{"data":[{"index":0,"embedding":[]},{"index":1,"embedding":[1]}]}`, convert.ErrEmpty},
		{"a vector of words", convert.OpenAI, `{"data":[{"index":0,"embedding":["x"]},{"index":1,"embedding":[1]}]}`, convert.ErrNotAnswer},
		{"no embeddings", convert.Gemini, `{"embeddings":[]}`, convert.ErrEmpty},
		{"an answer to something else", convert.Gemini, `{"candidates":[]}`, convert.ErrNotAnswer},
		{"too many vectors", convert.Gemini, `{"embeddings":[{"values":[1]},{"values":[1]},{"values":[1]}]}`, convert.ErrNotAnswer},
	} {
		t.Run(fmt.Sprintf("%s from %s", tc.name, tc.protocol), func(t *testing.T) {
			answer, err := convert.DecodeAnswer(tc.protocol, req, []byte(tc.body))
			assert.ErrorIs(t, err, tc.want)
			assert.Zero(t, answer)
		})
	}
}

func TestDecodeAnswerQuotesNothingOfTheProviders(t *testing.T) {
	for _, body := range []string{
		`{"error":{"message":"key sk-secret at 10.0.0.7"}}`, `{"choices":"sk-secret 10.0.0.7"}`, `sk-secret 10.0.0.7`,
		`{"choices":[{"message":{"content":{"sk-secret":"10.0.0.7"}}}]}`,
	} {
		for _, p := range convert.Protocols() {
			_, err := convert.DecodeAnswer(p, convert.Request{}, []byte(body))
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "secret")
			err = convert.DecodeStream(t.Context(), p, strings.NewReader(sse(body)), discard)
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "secret")
		}
	}
}

func TestDecodeAnswerIsBounded(t *testing.T) {
	body := `{"choices":[{"message":{"content":"` + strings.Repeat("x", convert.MaxAnswer) + `"}}]}`
	_, err := convert.DecodeAnswer(convert.OpenAI, convert.Request{}, []byte(body))
	assert.ErrorIs(t, err, convert.ErrNotAnswer)
	_, err = convert.DecodeAnswer("cohere", convert.Request{}, []byte(`{}`))
	assert.ErrorIs(t, err, convert.ErrNotAnswer)
}

func TestProviderErrorReadsErrorObjects(t *testing.T) {
	for _, tc := range []struct {
		name     string
		protocol convert.Protocol
		status   int
		body     string
		want     convert.Refusal
		usable   bool
	}{
		{"OpenAI's", convert.OpenAI, 400, `{"error":{"message":"bad n","type":"invalid_request_error","param":"n","code":null}}`,
			convert.Refusal{Type: "invalid_request_error", Message: "bad n"}, true},
		{"OpenAI's with a number for a code", convert.OpenAI, 429, `{"error":{"message":"slow","code":1113}}`,
			convert.Refusal{Code: "1113", Message: "slow"}, true},
		{"OpenAI's content filter", convert.OpenAI, 400, `{"error":{"message":"no","type":"invalid_request_error","code":"content_filter"}}`,
			convert.Refusal{Type: "invalid_request_error", Code: "content_filter", Message: "no", Blocked: true}, true},
		{"Azure's content filter", convert.OpenAI, 400, `{"error":{"message":"no","innererror":{"code":"ResponsibleAIPolicyViolation"}}}`,
			convert.Refusal{Message: "no", Blocked: true}, true},
		{"a policy does not break a server", convert.OpenAI, 500, `{"error":{"message":"no","code":"content_filter"}}`,
			convert.Refusal{Code: "content_filter", Message: "no"}, true},
		{"Anthropic's", convert.Anthropic, 529, `{"type":"error","error":{"type":"overloaded_error","message":"busy"},"request_id":"r"}`,
			convert.Refusal{Type: "overloaded_error", Message: "busy"}, true},
		{"Gemini's", convert.Gemini, 404, `{"error":{"code":404,"message":"gone","status":"NOT_FOUND"}}`,
			convert.Refusal{Code: "NOT_FOUND", Message: "gone"}, true},
		{"Gemini's with a reason", convert.Gemini, 400, `{"error":{"code":400,"message":"key","status":"INVALID_ARGUMENT",
			"details":[{"@type":"type.googleapis.com/google.rpc.Help"},{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}`,
			convert.Refusal{Code: "API_KEY_INVALID", Message: "key"}, true},
		{"Gemini's in an array", convert.Gemini, 503, `[{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}]`,
			convert.Refusal{Code: "UNAVAILABLE", Message: "busy"}, true},
		{"members of wrong types are passed over", convert.OpenAI, 400, `{"error":{"message":"no","type":7,"code":{"a":1},"innererror":"x"}}`,
			convert.Refusal{Message: "no"}, true},
		{"invalid UTF-8 is mended", convert.OpenAI, 400, "{\"error\":{\"message\":\"a\xffb\"}}", convert.Refusal{Message: "a\uFFFDb"}, true},
		{"long texts are cut at a character", convert.OpenAI, 400, `{"error":{"message":"x` + strings.Repeat("é", 4096) + `"}}`,
			convert.Refusal{Message: "x" + strings.Repeat("é", 2047)}, true},
		{"an empty error object", convert.OpenAI, 500, `{"error":{}}`, convert.Refusal{}, false},
		{"an error object that says nothing", convert.OpenAI, 500, `{"error":{"message":""}}`, convert.Refusal{}, false},
		{"an error text", convert.OpenAI, 500, `{"error":"boom"}`, convert.Refusal{}, false},
		{"null", convert.OpenAI, 500, `{"error":null}`, convert.Refusal{}, false},
		{"foreign JSON", convert.OpenAI, 500, `{"detail":"boom"}`, convert.Refusal{}, false},
		{"an empty array", convert.Gemini, 500, `[]`, convert.Refusal{}, false},
		{"HTML", convert.OpenAI, 502, `<html>`, convert.Refusal{}, false},
		{"nothing", convert.OpenAI, 502, ``, convert.Refusal{}, false},
		{"cut JSON", convert.OpenAI, 502, `{"error":{"message":"x"}`, convert.Refusal{}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, ok := convert.ProviderError(tc.protocol, tc.status, []byte(tc.body))
			assert.Equal(t, tc.want, got)
			assert.Equal(t, tc.usable, ok)
		})
	}
}
