package dialect_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/targets/reference/dialect"
)

// finishes are the hub's reasons and what each dialect calls them.
var finishes = []struct {
	hub                             dialect.Finish
	openAI, anthropic, gemini, resp string
}{
	{dialect.FinishStop, "stop", "end_turn", "STOP", "completed"},
	{dialect.FinishLength, "length", "max_tokens", "MAX_TOKENS", "incomplete"},
	{dialect.FinishFilter, "content_filter", "refusal", "SAFETY", "incomplete"},
}

// spoken is what a caller reads out of an answer in the form of a surface.
type spoken struct {
	text, finish       string
	prompt, completion int
}

func read(t *testing.T, surface contract.Surface, body []byte) spoken {
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
	case contract.Chat, contract.ChatStream:
		return spoken{in.Choices[0].Message.Content, in.Choices[0].Finish, in.Usage.Prompt, in.Usage.Completion}
	case contract.Completions:
		return spoken{in.Choices[0].Text, in.Choices[0].Finish, in.Usage.Prompt, in.Usage.Completion}
	case contract.Responses, contract.ResponsesStream:
		return spoken{in.Output[0].Content[0].Text, in.Status, in.Usage.Input, in.Usage.Output}
	case contract.Messages, contract.MessagesStream:
		return spoken{in.Content[0].Text, in.StopReason, in.Usage.Input, in.Usage.Output}
	default:
		return spoken{in.Candidates[0].Content.Parts[0].Text, in.Candidates[0].Finish, in.Metadata.Prompt, in.Metadata.Candidates}
	}
}

func TestAnswersKeepTextUsageAndFinishFromEveryProtocolToEverySurface(t *testing.T) {
	for _, surface := range textSurfaces() {
		for _, p := range dialect.Protocols() {
			for _, f := range finishes {
				t.Run(fmt.Sprintf("%s from %s, %s", surface, p, f.hub), func(t *testing.T) {
					said := dialect.Answer{
						ID: "x1", Model: "m", Text: "Hi <you> \u2028 ✓", Finish: f.hub, PromptTokens: 3, CompletionTokens: 5,
					}
					theirs, err := dialect.EncodeAnswer(native(p, false), said, nil)
					require.NoError(t, err)
					heard, err := dialect.DecodeAnswer(p, decode(t, surface, bodies[surface]), theirs)
					require.NoError(t, err)
					ours, err := dialect.EncodeAnswer(surface, heard, nil)
					require.NoError(t, err)

					want := map[contract.Dialect]string{contract.OpenAI: f.openAI, contract.Anthropic: f.anthropic, contract.Gemini: f.gemini}[surface.Dialect()]
					if surface == contract.Responses || surface == contract.ResponsesStream {
						want = f.resp
					}
					assert.Equal(t, spoken{said.Text, want, 3, 5}, read(t, surface, ours))
				})
			}
		}
	}
}

func TestEncodeAnswerGolden(t *testing.T) {
	a := dialect.Answer{
		ID: "chatcmpl-7", Model: "m", Created: 1700000000, Text: "Hi", Finish: dialect.FinishLength, PromptTokens: 3, CompletionTokens: 5,
		Vectors: [][]float64{{1, -0.5}, {0.25}},
	}
	for surface, want := range map[contract.Surface]string{
		contract.Chat: `{"id":"chatcmpl-7","object":"chat.completion","created":1700000000,"model":"m",` +
			`"choices":[{"index":0,"message":{"role":"assistant","content":"Hi","refusal":null},"logprobs":null,"finish_reason":"length"}],` +
			`"usage":{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8},"gateway":{"note":1}}`,
		contract.Completions: `{"id":"cmpl-7","object":"text_completion","created":1700000000,"model":"m",` +
			`"choices":[{"text":"Hi","index":0,"logprobs":null,"finish_reason":"length"}],` +
			`"usage":{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8},"gateway":{"note":1}}`,
		contract.Responses: `{"id":"resp_7","object":"response","created_at":1700000000,"status":"incomplete","error":null,` +
			`"incomplete_details":{"reason":"max_output_tokens"},"model":"m","output":[{"id":"msg_7","type":"message","status":"incomplete",` +
			`"role":"assistant","content":[{"type":"output_text","text":"Hi","annotations":[]}]}],` +
			`"usage":{"input_tokens":3,"output_tokens":5,"total_tokens":8},"gateway":{"note":1}}`,
		contract.Messages: `{"id":"msg_7","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Hi"}],` +
			`"stop_reason":"max_tokens","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":5},"gateway":{"note":1}}`,
		contract.GenerateContent: `{"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"},"finishReason":"MAX_TOKENS","index":0}],` +
			`"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":5,"totalTokenCount":8},"modelVersion":"m","responseId":"7","gateway":{"note":1}}`,
		contract.Embeddings: `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1,-0.5]},` +
			`{"object":"embedding","index":1,"embedding":[0.25]}],"model":"m","usage":{"prompt_tokens":3,"total_tokens":3},"gateway":{"note":1}}`,
	} {
		t.Run(string(surface), func(t *testing.T) {
			got, err := dialect.EncodeAnswer(surface, a, json.RawMessage(`{"note":1}`))
			require.NoError(t, err)
			assert.Equal(t, want, string(got))
		})
	}
}

func TestAnUnreadableAnnotationCannotBeMarshalled(t *testing.T) {
	for _, annotation := range []string{`{"broken`, ``, `}`} {
		for _, surface := range contract.Surfaces() {
			_, err := dialect.EncodeAnswer(surface, dialect.Answer{Text: "Hi"}, json.RawMessage(annotation))
			require.ErrorContains(t, err, "encode answer: json: ", surface)
			if !surface.Streaming() {
				continue
			}
			e, err := dialect.NewStreamEncoder(surface, dialect.Head{}, json.RawMessage(annotation))
			require.NoError(t, err)
			out, err := e.Delta(dialect.Delta{Text: "Hi"})
			require.ErrorContains(t, err, "encode stream: json: ", surface)
			assert.Empty(t, out, "no byte before the failure")
		}
	}
	_, err := dialect.EncodeAnswer("images", dialect.Answer{}, nil)
	assert.EqualError(t, err, `encode answer: no form for surface "images"`)
}

func TestEmbeddingsComeBackFromBothProtocols(t *testing.T) {
	req := decode(t, contract.Embeddings, `{"model":"m","input":["a","b"],"encoding_format":"base64"}`)
	want := [][]float64{{1, -0.5}, {0.25, 2}}
	openAI, err := dialect.DecodeAnswer(dialect.OpenAI, req, []byte(`{"object":"list","model":"e","data":[
		{"index":1,"embedding":[0.25,2]},{"index":0,"embedding":[1,-0.5]}],"usage":{"prompt_tokens":4,"total_tokens":4}}`))
	require.NoError(t, err)
	assert.Equal(t, dialect.Answer{Model: "e", Vectors: want, PromptTokens: 4, Base64: true}, openAI)

	gemini, err := dialect.DecodeAnswer(dialect.Gemini, req, []byte(`{"embeddings":[{"values":[1,-0.5]},{"values":[0.25,2]}]}`))
	require.NoError(t, err)
	assert.Equal(t, want, gemini.Vectors)

	out, err := dialect.EncodeAnswer(contract.Embeddings, gemini, nil)
	require.NoError(t, err)
	assert.Contains(t, string(out), `"embedding":"AACAPwAAAL8="`)
}

func TestDecodeAnswerTellsWhatIsNoAnswer(t *testing.T) {
	all := dialect.Protocols()
	for _, tc := range []struct {
		name      string
		protocols []dialect.Protocol
		body      string
		want      error
	}{
		{"no body", all, "", dialect.ErrEmpty},
		{"blanks", all, " \r\n", dialect.ErrEmpty},
		{"null", all, "null", dialect.ErrNotAnswer},
		{"HTML", all, "<html><body>Bad Gateway</body></html>", dialect.ErrNotAnswer},
		{"text", all, "upstream says no", dialect.ErrNotAnswer},
		{"a string", all, `"hi"`, dialect.ErrNotAnswer},
		{"an array", all, `[]`, dialect.ErrNotAnswer},
		{"cut JSON", all, `{"choices":[{"mess`, dialect.ErrNotAnswer},
		{"two objects", all, `{"choices":[]}{}`, dialect.ErrNotAnswer},
		{"an event stream", all, sse(`{"choices":[]}`), dialect.ErrNotAnswer},
		{"an empty object", all, `{}`, dialect.ErrNotAnswer},
		{"foreign JSON", all, `{"detail":"not here"}`, dialect.ErrNotAnswer},
		{"OpenAI's error object", all, `{"error":{"message":"no","type":"server_error","code":null}}`, dialect.ErrNotAnswer},
		{"Anthropic's error object", all, `{"type":"error","error":{"type":"api_error","message":"no"}}`, dialect.ErrNotAnswer},
		{"Gemini's error object", all, `{"error":{"code":500,"message":"no","status":"INTERNAL"}}`, dialect.ErrNotAnswer},
		{"an error text", all, `{"error":"no"}`, dialect.ErrNotAnswer},
		{"an error object that speaks of policy", all, `{"error":{"message":"no","code":"content_filter"}}`, dialect.ErrBlocked},
		{"choices of the wrong type", []dialect.Protocol{dialect.OpenAI}, `{"choices":"many"}`, dialect.ErrNotAnswer},
		{"content of the wrong type", []dialect.Protocol{dialect.OpenAI}, `{"choices":[{"message":{"content":7}}]}`, dialect.ErrNotAnswer},
		{"a negative bill", []dialect.Protocol{dialect.OpenAI}, `{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":-1}}`, dialect.ErrNotAnswer},
		{"an absurd bill", []dialect.Protocol{dialect.OpenAI}, `{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":1e30}}`, dialect.ErrNotAnswer},
		{"no choices", []dialect.Protocol{dialect.OpenAI}, `{"choices":[]}`, dialect.ErrEmpty},
		{"null choices", []dialect.Protocol{dialect.OpenAI}, `{"choices":null,"error":null}`, dialect.ErrEmpty},
		{"a choice without content", []dialect.Protocol{dialect.OpenAI}, `{"choices":[{"message":{"content":null},"finish_reason":"stop"}]}`, dialect.ErrEmpty},
		{"filtered", []dialect.Protocol{dialect.OpenAI}, `{"choices":[{"message":{"content":""},"finish_reason":"content_filter"}]}`, dialect.ErrBlocked},
		{"refused", []dialect.Protocol{dialect.OpenAI}, `{"choices":[{"message":{"content":null,"refusal":"I will not"},"finish_reason":"stop"}]}`, dialect.ErrBlocked},
		{"content of the wrong type", []dialect.Protocol{dialect.Anthropic}, `{"content":"hi"}`, dialect.ErrNotAnswer},
		{"no content", []dialect.Protocol{dialect.Anthropic}, `{"type":"message","content":[],"stop_reason":"end_turn"}`, dialect.ErrEmpty},
		{"nothing but thoughts", []dialect.Protocol{dialect.Anthropic}, `{"content":[{"type":"thinking","thinking":"hm"}],"stop_reason":"end_turn"}`, dialect.ErrEmpty},
		{"refused", []dialect.Protocol{dialect.Anthropic}, `{"content":[],"stop_reason":"refusal"}`, dialect.ErrBlocked},
		{"candidates of the wrong type", []dialect.Protocol{dialect.Gemini}, `{"candidates":{}}`, dialect.ErrNotAnswer},
		{"no candidates", []dialect.Protocol{dialect.Gemini}, `{"candidates":[]}`, dialect.ErrEmpty},
		{"candidates left out", []dialect.Protocol{dialect.Gemini}, `{"usageMetadata":{"promptTokenCount":3},"modelVersion":"g"}`, dialect.ErrEmpty},
		{"a candidate without content", []dialect.Protocol{dialect.Gemini}, `{"candidates":[{"finishReason":"STOP"}]}`, dialect.ErrEmpty},
		{"nothing but thoughts", []dialect.Protocol{dialect.Gemini}, `{"candidates":[{"content":{"parts":[{"text":"hm","thought":true}]}}]}`, dialect.ErrEmpty},
		{"blocked", []dialect.Protocol{dialect.Gemini}, `{"promptFeedback":{"blockReason":"SAFETY"}}`, dialect.ErrBlocked},
		{"unsafe", []dialect.Protocol{dialect.Gemini}, `{"candidates":[{"finishReason":"SAFETY"}]}`, dialect.ErrBlocked},
	} {
		for _, p := range tc.protocols {
			t.Run(fmt.Sprintf("%s from %s", tc.name, p), func(t *testing.T) {
				answer, err := dialect.DecodeAnswer(p, decode(t, contract.Chat, bodies[contract.Chat]), []byte(tc.body))
				assert.ErrorIs(t, err, tc.want)
				assert.Zero(t, answer)
			})
		}
	}
}

func TestDecodeAnswerTellsWhatIsNoEmbedding(t *testing.T) {
	req := decode(t, contract.Embeddings, `{"model":"m","input":["a","b"]}`)
	for _, tc := range []struct {
		name     string
		protocol dialect.Protocol
		body     string
		want     error
	}{
		{"a chat answer", dialect.OpenAI, `{"choices":[]}`, dialect.ErrNotAnswer},
		{"no data", dialect.OpenAI, `{"data":[]}`, dialect.ErrEmpty},
		{"too few vectors", dialect.OpenAI, `{"data":[{"index":0,"embedding":[1]}]}`, dialect.ErrNotAnswer},
		{"a vector twice", dialect.OpenAI, `{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}`, dialect.ErrNotAnswer},
		{"a vector without numbers", dialect.OpenAI, `{"data":[{"index":0,"embedding":[]},{"index":1,"embedding":[1]}]}`, dialect.ErrEmpty},
		{"a vector of words", dialect.OpenAI, `{"data":[{"index":0,"embedding":["x"]},{"index":1,"embedding":[1]}]}`, dialect.ErrNotAnswer},
		{"no embeddings", dialect.Gemini, `{"embeddings":[]}`, dialect.ErrEmpty},
		{"an answer to something else", dialect.Gemini, `{"candidates":[]}`, dialect.ErrNotAnswer},
		{"too many vectors", dialect.Gemini, `{"embeddings":[{"values":[1]},{"values":[1]},{"values":[1]}]}`, dialect.ErrNotAnswer},
	} {
		t.Run(fmt.Sprintf("%s from %s", tc.name, tc.protocol), func(t *testing.T) {
			answer, err := dialect.DecodeAnswer(tc.protocol, req, []byte(tc.body))
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
		for _, p := range dialect.Protocols() {
			_, err := dialect.DecodeAnswer(p, dialect.Request{}, []byte(body))
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "secret")
			err = dialect.DecodeStream(t.Context(), p, strings.NewReader(sse(body)), discard)
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "secret")
		}
	}
}

func TestDecodeAnswerIsBounded(t *testing.T) {
	body := `{"choices":[{"message":{"content":"` + strings.Repeat("x", dialect.MaxAnswer) + `"}}]}`
	_, err := dialect.DecodeAnswer(dialect.OpenAI, dialect.Request{}, []byte(body))
	assert.ErrorIs(t, err, dialect.ErrNotAnswer)
	_, err = dialect.DecodeAnswer("cohere", dialect.Request{}, []byte(`{}`))
	assert.ErrorIs(t, err, dialect.ErrNotAnswer)
}

func TestProviderErrorReadsErrorObjects(t *testing.T) {
	for _, tc := range []struct {
		name     string
		protocol dialect.Protocol
		status   int
		body     string
		want     dialect.Refusal
		usable   bool
	}{
		{"OpenAI's", dialect.OpenAI, 400, `{"error":{"message":"bad n","type":"invalid_request_error","param":"n","code":null}}`,
			dialect.Refusal{Type: "invalid_request_error", Message: "bad n"}, true},
		{"OpenAI's with a number for a code", dialect.OpenAI, 429, `{"error":{"message":"slow","code":1113}}`,
			dialect.Refusal{Code: "1113", Message: "slow"}, true},
		{"OpenAI's content filter", dialect.OpenAI, 400, `{"error":{"message":"no","type":"invalid_request_error","code":"content_filter"}}`,
			dialect.Refusal{Type: "invalid_request_error", Code: "content_filter", Message: "no", Blocked: true}, true},
		{"Azure's content filter", dialect.OpenAI, 400, `{"error":{"message":"no","innererror":{"code":"ResponsibleAIPolicyViolation"}}}`,
			dialect.Refusal{Message: "no", Blocked: true}, true},
		{"a policy does not break a server", dialect.OpenAI, 500, `{"error":{"message":"no","code":"content_filter"}}`,
			dialect.Refusal{Code: "content_filter", Message: "no"}, true},
		{"Anthropic's", dialect.Anthropic, 529, `{"type":"error","error":{"type":"overloaded_error","message":"busy"},"request_id":"r"}`,
			dialect.Refusal{Type: "overloaded_error", Message: "busy"}, true},
		{"Gemini's", dialect.Gemini, 404, `{"error":{"code":404,"message":"gone","status":"NOT_FOUND"}}`,
			dialect.Refusal{Code: "NOT_FOUND", Message: "gone"}, true},
		{"Gemini's with a reason", dialect.Gemini, 400, `{"error":{"code":400,"message":"key","status":"INVALID_ARGUMENT",
			"details":[{"@type":"type.googleapis.com/google.rpc.Help"},{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}`,
			dialect.Refusal{Code: "API_KEY_INVALID", Message: "key"}, true},
		{"Gemini's in an array", dialect.Gemini, 503, `[{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}]`,
			dialect.Refusal{Code: "UNAVAILABLE", Message: "busy"}, true},
		{"members of wrong types are passed over", dialect.OpenAI, 400, `{"error":{"message":"no","type":7,"code":{"a":1},"innererror":"x"}}`,
			dialect.Refusal{Message: "no"}, true},
		{"invalid UTF-8 is mended", dialect.OpenAI, 400, "{\"error\":{\"message\":\"a\xffb\"}}", dialect.Refusal{Message: "a\uFFFDb"}, true},
		{"long texts are cut at a character", dialect.OpenAI, 400, `{"error":{"message":"x` + strings.Repeat("é", 4096) + `"}}`,
			dialect.Refusal{Message: "x" + strings.Repeat("é", 2047)}, true},
		{"an empty error object", dialect.OpenAI, 500, `{"error":{}}`, dialect.Refusal{}, false},
		{"an error object that says nothing", dialect.OpenAI, 500, `{"error":{"message":""}}`, dialect.Refusal{}, false},
		{"an error text", dialect.OpenAI, 500, `{"error":"boom"}`, dialect.Refusal{}, false},
		{"null", dialect.OpenAI, 500, `{"error":null}`, dialect.Refusal{}, false},
		{"foreign JSON", dialect.OpenAI, 500, `{"detail":"boom"}`, dialect.Refusal{}, false},
		{"an empty array", dialect.Gemini, 500, `[]`, dialect.Refusal{}, false},
		{"HTML", dialect.OpenAI, 502, `<html>`, dialect.Refusal{}, false},
		{"nothing", dialect.OpenAI, 502, ``, dialect.Refusal{}, false},
		{"cut JSON", dialect.OpenAI, 502, `{"error":{"message":"x"}`, dialect.Refusal{}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, ok := dialect.ProviderError(tc.protocol, tc.status, []byte(tc.body))
			assert.Equal(t, tc.want, got)
			assert.Equal(t, tc.usable, ok)
		})
	}
}
