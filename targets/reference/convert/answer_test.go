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
		for _, p := range dialect.Dialects() {
			for _, f := range finishes {
				t.Run(fmt.Sprintf("%s from %s, %s", surface, p, f.hub), func(t *testing.T) {
					said := convert.Answer{
						ID: "x1", Model: "m", Text: "Hi <you> \u2028 ✓", End: dialect.End{Finish: f.hub, PromptTokens: 3, CompletionTokens: 5},
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
		ID: "chatcmpl-7", Model: "m", Created: 1700000000, Text: "Hi",
		End:     dialect.End{Finish: dialect.FinishLength, PromptTokens: 3, CompletionTokens: 5},
		Vectors: [][]float64{{1, -0.5}, {0.25}},
	}
	for surface, want := range map[dialect.Surface]string{
		dialect.Chat: `{"choices":[{"finish_reason":"length","index":0,"logprobs":null,` +
			`"message":{"content":"Hi","refusal":null,"role":"assistant"}}],"created":1700000000,"gateway":{"note":1},"id":"chatcmpl-7",` +
			`"model":"m","object":"chat.completion","usage":{"completion_tokens":5,"prompt_tokens":3,"total_tokens":8}}`,
		dialect.Completions: `{"choices":[{"finish_reason":"length","index":0,"logprobs":null,"text":"Hi"}],"created":1700000000,` +
			`"gateway":{"note":1},"id":"cmpl-7","model":"m","object":"text_completion",` +
			`"usage":{"completion_tokens":5,"prompt_tokens":3,"total_tokens":8}}`,
		dialect.Responses: `{"created_at":1700000000,"error":null,"gateway":{"note":1},"id":"resp_7",` +
			`"incomplete_details":{"reason":"max_output_tokens"},"instructions":null,"metadata":{},"model":"m","object":"response",` +
			`"output":[{"content":[{"annotations":[],"logprobs":[],"text":"Hi","type":"output_text"}],"id":"msg_7","role":"assistant",` +
			`"status":"incomplete","type":"message"}],"parallel_tool_calls":true,"status":"incomplete","tool_choice":"auto","tools":[],` +
			`"usage":{"input_tokens":3,"input_tokens_details":{"cached_tokens":0},"output_tokens":5,` +
			`"output_tokens_details":{"reasoning_tokens":0},"total_tokens":8}}`,
		dialect.Messages: `{"content":[{"text":"Hi","type":"text"}],"gateway":{"note":1},"id":"msg_7","model":"m","role":"assistant",` +
			`"stop_reason":"max_tokens","stop_sequence":null,"type":"message",` +
			`"usage":{"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"input_tokens":3,"output_tokens":5}}`,
		dialect.GenerateContent: `{"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"},"finishReason":"MAX_TOKENS","index":0}],` +
			`"gateway":{"note":1},"modelVersion":"m","responseId":"7",` +
			`"usageMetadata":{"candidatesTokenCount":5,"promptTokenCount":3,"totalTokenCount":8}}`,
		dialect.Embeddings: `{"data":[{"embedding":[1,-0.5],"index":0,"object":"embedding"},` +
			`{"embedding":[0.25],"index":1,"object":"embedding"}],"gateway":{"note":1},"model":"m","object":"list",` +
			`"usage":{"prompt_tokens":3,"total_tokens":3}}`,
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
		for _, surface := range convertedSurfaces() {
			_, err := convert.EncodeAnswer(surface, convert.Answer{Text: "Hi"}, json.RawMessage(annotation))
			require.ErrorContains(t, err, "encode answer: json: ", surface)
			if !surface.Streaming() {
				continue
			}
			e, err := convert.NewStreamEncoder(surface, convert.Head{}, json.RawMessage(annotation))
			require.NoError(t, err)
			out, err := e.Piece("Hi")
			require.ErrorContains(t, err, "encode stream: json: ", surface)
			assert.Empty(t, out, "no byte before the failure")
		}
	}
	_, err := convert.EncodeAnswer("video", convert.Answer{}, nil)
	assert.EqualError(t, err, `encode answer: surface "video" has no answer format`)
}

func TestEmbeddingsComeBackFromBothProtocols(t *testing.T) {
	req := decode(t, dialect.Embeddings, `{"model":"m","input":["a","b"],"encoding_format":"base64"}`)
	want := [][]float64{{1, -0.5}, {0.25, 2}}
	openAI, err := convert.DecodeAnswer(dialect.OpenAI, req, []byte(`{"object":"list","model":"e","data":[
		{"index":1,"embedding":[0.25,2]},{"index":0,"embedding":[1,-0.5]}],"usage":{"prompt_tokens":4,"total_tokens":4}}`))
	require.NoError(t, err)
	assert.Equal(t, convert.Answer{Model: "e", Vectors: want, End: dialect.End{PromptTokens: 4}, Base64: true}, openAI)

	gemini, err := convert.DecodeAnswer(dialect.Gemini, req, []byte(`{"embeddings":[{"values":[1,-0.5]},{"values":[0.25,2]}]}`))
	require.NoError(t, err)
	assert.Equal(t, want, gemini.Vectors)

	out, err := convert.EncodeAnswer(dialect.Embeddings, gemini, nil)
	require.NoError(t, err)
	assert.Contains(t, string(out), `"embedding":"AACAPwAAAL8="`)
}

func TestDecodeAnswerTellsWhatIsNoAnswer(t *testing.T) {
	all := dialect.Dialects()
	for _, tc := range []struct {
		name      string
		protocols []dialect.Dialect
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
		{"choices of the wrong type", []dialect.Dialect{dialect.OpenAI}, `{"choices":"many"}`, convert.ErrNotAnswer},
		{"content of the wrong type", []dialect.Dialect{dialect.OpenAI}, `{"choices":[{"message":{"content":7}}]}`, convert.ErrNotAnswer},
		{"a negative bill", []dialect.Dialect{dialect.OpenAI}, `{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":-1}}`, convert.ErrNotAnswer},
		{"an absurd bill", []dialect.Dialect{dialect.OpenAI}, `{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":1e30}}`, convert.ErrNotAnswer},
		{"no choices", []dialect.Dialect{dialect.OpenAI}, `{"choices":[]}`, convert.ErrEmpty},
		{"null choices", []dialect.Dialect{dialect.OpenAI}, `{"choices":null,"error":null}`, convert.ErrEmpty},
		{"a choice without content", []dialect.Dialect{dialect.OpenAI}, `{"choices":[{"message":{"content":null},"finish_reason":"stop"}]}`, convert.ErrEmpty},
		{"filtered", []dialect.Dialect{dialect.OpenAI}, `{"choices":[{"message":{"content":""},"finish_reason":"content_filter"}]}`, convert.ErrBlocked},
		{"refused", []dialect.Dialect{dialect.OpenAI}, `{"choices":[{"message":{"content":null,"refusal":"I will not"},"finish_reason":"stop"}]}`, convert.ErrBlocked},
		{"content of the wrong type", []dialect.Dialect{dialect.Anthropic}, `{"content":"hi"}`, convert.ErrNotAnswer},
		{"no content", []dialect.Dialect{dialect.Anthropic}, `{"type":"message","content":[],"stop_reason":"end_turn"}`, convert.ErrEmpty},
		{"nothing but thoughts", []dialect.Dialect{dialect.Anthropic}, `{"content":[{"type":"thinking","thinking":"hm"}],"stop_reason":"end_turn"}`, convert.ErrEmpty},
		{"refused", []dialect.Dialect{dialect.Anthropic}, `{"content":[],"stop_reason":"refusal"}`, convert.ErrBlocked},
		{"candidates of the wrong type", []dialect.Dialect{dialect.Gemini}, `{"candidates":{}}`, convert.ErrNotAnswer},
		{"no candidates", []dialect.Dialect{dialect.Gemini}, `{"candidates":[]}`, convert.ErrEmpty},
		{"candidates left out", []dialect.Dialect{dialect.Gemini}, `{"usageMetadata":{"promptTokenCount":3},"modelVersion":"g"}`, convert.ErrEmpty},
		{"a candidate without content", []dialect.Dialect{dialect.Gemini}, `{"candidates":[{"finishReason":"STOP"}]}`, convert.ErrEmpty},
		{"nothing but thoughts", []dialect.Dialect{dialect.Gemini}, `{"candidates":[{"content":{"parts":[{"text":"hm","thought":true}]}}]}`, convert.ErrEmpty},
		{"blocked", []dialect.Dialect{dialect.Gemini}, `{"promptFeedback":{"blockReason":"SAFETY"}}`, convert.ErrBlocked},
		{"unsafe", []dialect.Dialect{dialect.Gemini}, `{"candidates":[{"finishReason":"SAFETY"}]}`, convert.ErrBlocked},
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

func TestDecodeAnswerRejectsWhatIsNotAnEmbedding(t *testing.T) {
	req := decode(t, dialect.Embeddings, `{"model":"m","input":["a","b"]}`)
	for _, tc := range []struct {
		name     string
		protocol dialect.Dialect
		body     string
		want     error
	}{
		{"a chat answer", dialect.OpenAI, `{"choices":[]}`, convert.ErrNotAnswer},
		{"no data", dialect.OpenAI, `{"data":[]}`, convert.ErrEmpty},
		{"too few vectors", dialect.OpenAI, `{"data":[{"index":0,"embedding":[1]}]}`, convert.ErrNotAnswer},
		{"a vector twice", dialect.OpenAI, `{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}`, convert.ErrNotAnswer},
		{"a vector without numbers", dialect.OpenAI, `{"data":[{"index":0,"embedding":[]},{"index":1,"embedding":[1]}]}`, convert.ErrEmpty},
		{"a vector of words", dialect.OpenAI, `{"data":[{"index":0,"embedding":["x"]},{"index":1,"embedding":[1]}]}`, convert.ErrNotAnswer},
		{"no embeddings", dialect.Gemini, `{"embeddings":[]}`, convert.ErrEmpty},
		{"an answer to something else", dialect.Gemini, `{"candidates":[]}`, convert.ErrNotAnswer},
		{"too many vectors", dialect.Gemini, `{"embeddings":[{"values":[1]},{"values":[1]},{"values":[1]}]}`, convert.ErrNotAnswer},
	} {
		t.Run(fmt.Sprintf("%s from %s", tc.name, tc.protocol), func(t *testing.T) {
			answer, err := convert.DecodeAnswer(tc.protocol, req, []byte(tc.body))
			assert.ErrorIs(t, err, tc.want)
			assert.Zero(t, answer)
		})
	}
}

func TestDecodeAnswerQuotesNothingOfTheUpstream(t *testing.T) {
	for _, body := range []string{
		`{"error":{"message":"key sk-secret at 10.0.0.7"}}`, `{"choices":"sk-secret 10.0.0.7"}`, `sk-secret 10.0.0.7`,
		`{"choices":[{"message":{"content":{"sk-secret":"10.0.0.7"}}}]}`,
	} {
		for _, p := range dialect.Dialects() {
			_, err := convert.DecodeAnswer(p, convert.Request{}, []byte(body))
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "secret")
			_, err = convert.DecodeStream(t.Context(), p, strings.NewReader(sse(body)), discard)
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "secret")
		}
	}
}

func TestDecodeAnswerIsBounded(t *testing.T) {
	body := `{"choices":[{"message":{"content":"` + strings.Repeat("x", convert.MaxAnswer) + `"}}]}`
	_, err := convert.DecodeAnswer(dialect.OpenAI, convert.Request{}, []byte(body))
	assert.ErrorIs(t, err, convert.ErrNotAnswer)
	_, err = convert.DecodeAnswer("cohere", convert.Request{}, []byte(`{}`))
	assert.ErrorIs(t, err, convert.ErrNotAnswer)
}

func TestDecodeRefusalReadsErrorObjects(t *testing.T) {
	for _, tc := range []struct {
		name     string
		protocol dialect.Dialect
		status   int
		body     string
		want     convert.Refusal
		usable   bool
	}{
		{"OpenAI's", dialect.OpenAI, 400, `{"error":{"message":"bad n","type":"invalid_request_error","param":"n","code":null}}`,
			convert.Refusal{Type: "invalid_request_error", Message: "bad n"}, true},
		{"OpenAI's with a number for a code", dialect.OpenAI, 429, `{"error":{"message":"slow","code":1113}}`,
			convert.Refusal{Code: "1113", Message: "slow"}, true},
		{"OpenAI's content filter", dialect.OpenAI, 400, `{"error":{"message":"no","type":"invalid_request_error","code":"content_filter"}}`,
			convert.Refusal{Type: "invalid_request_error", Code: "content_filter", Message: "no", Blocked: true}, true},
		{"Azure's content filter", dialect.OpenAI, 400, `{"error":{"message":"no","innererror":{"code":"ResponsibleAIPolicyViolation"}}}`,
			convert.Refusal{Message: "no", Blocked: true}, true},
		{"a policy does not break a server", dialect.OpenAI, 500, `{"error":{"message":"no","code":"content_filter"}}`,
			convert.Refusal{Code: "content_filter", Message: "no"}, true},
		{"Anthropic's", dialect.Anthropic, 529, `{"type":"error","error":{"type":"overloaded_error","message":"busy"},"request_id":"r"}`,
			convert.Refusal{Type: "overloaded_error", Message: "busy"}, true},
		{"Gemini's", dialect.Gemini, 404, `{"error":{"code":404,"message":"gone","status":"NOT_FOUND"}}`,
			convert.Refusal{Code: "NOT_FOUND", Message: "gone"}, true},
		{"Gemini's with a reason", dialect.Gemini, 400, `{"error":{"code":400,"message":"key","status":"INVALID_ARGUMENT",
			"details":[{"@type":"type.googleapis.com/google.rpc.Help"},{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}`,
			convert.Refusal{Code: "API_KEY_INVALID", Message: "key"}, true},
		{"Gemini's in an array", dialect.Gemini, 503, `[{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}]`,
			convert.Refusal{Code: "UNAVAILABLE", Message: "busy"}, true},
		{"members of wrong types are passed over", dialect.OpenAI, 400, `{"error":{"message":"no","type":7,"code":{"a":1},"innererror":"x"}}`,
			convert.Refusal{Message: "no"}, true},
		{"invalid UTF-8 is mended", dialect.OpenAI, 400, "{\"error\":{\"message\":\"a\xffb\"}}", convert.Refusal{Message: "a\uFFFDb"}, true},
		{"long texts are cut at a character", dialect.OpenAI, 400, `{"error":{"message":"x` + strings.Repeat("é", 4096) + `"}}`,
			convert.Refusal{Message: "x" + strings.Repeat("é", 2047)}, true},
		{"an empty error object", dialect.OpenAI, 500, `{"error":{}}`, convert.Refusal{}, false},
		{"an error object that says nothing", dialect.OpenAI, 500, `{"error":{"message":""}}`, convert.Refusal{}, false},
		{"an error text", dialect.OpenAI, 500, `{"error":"boom"}`, convert.Refusal{}, false},
		{"null", dialect.OpenAI, 500, `{"error":null}`, convert.Refusal{}, false},
		{"foreign JSON", dialect.OpenAI, 500, `{"detail":"boom"}`, convert.Refusal{}, false},
		{"an empty array", dialect.Gemini, 500, `[]`, convert.Refusal{}, false},
		{"HTML", dialect.OpenAI, 502, `<html>`, convert.Refusal{}, false},
		{"nothing", dialect.OpenAI, 502, ``, convert.Refusal{}, false},
		{"cut JSON", dialect.OpenAI, 502, `{"error":{"message":"x"}`, convert.Refusal{}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, ok := convert.DecodeRefusal(tc.protocol, tc.status, []byte(tc.body))
			assert.Equal(t, tc.want, got)
			assert.Equal(t, tc.usable, ok)
		})
	}
}
