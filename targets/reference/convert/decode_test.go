package convert_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

func TestDecodeReadsTheSameConversationOnEverySurface(t *testing.T) {
	for _, surface := range textSurfaces() {
		t.Run(string(surface), func(t *testing.T) {
			want := convert.Request{
				Surface: surface, Model: "m", System: "Be brief.", Stream: surface.Streaming(),
				Turns:     []convert.Turn{{Role: convert.User, Parts: []convert.Part{{Text: "Hello?"}}}},
				MaxTokens: new(16), Temperature: new(0.5), TopP: new(0.9), Stop: []string{"END"},
			}
			switch surface {
			case dialect.Completions:
				want.System, want.Turns, want.Inputs = "", nil, []convert.Input{{Text: "Hello?"}}
			case dialect.Responses, dialect.ResponsesStream:
				want.Stop = nil // the dialect has none
			default: // the others have all of it
			}
			assert.Equal(t, want, decode(t, surface, bodies[surface]))
		})
	}
}

func TestDecodeFollowsTheStreamFieldWhicheverTwinWasAskedFor(t *testing.T) {
	for streaming, whole := range map[dialect.Surface]dialect.Surface{
		dialect.ChatStream: dialect.Chat, dialect.ResponsesStream: dialect.Responses, dialect.MessagesStream: dialect.Messages,
	} {
		assert.Equal(t, streaming, decode(t, whole, bodies[streaming]).Surface)
		assert.Equal(t, whole, decode(t, streaming, bodies[whole]).Surface)
	}
}

func TestDecodeReadsInputs(t *testing.T) {
	for _, tc := range []struct {
		name, input string
		want        []convert.Input
	}{
		{"a text", `"one"`, []convert.Input{{Text: "one"}}},
		{"texts", `["one","two"]`, []convert.Input{{Text: "one"}, {Text: "two"}}},
		{"token ids are one input", `[1,2]`, []convert.Input{{Tokens: []int{1, 2}}}},
		{"arrays of token ids", `[[1],[2,3]]`, []convert.Input{{Tokens: []int{1}}, {Tokens: []int{2, 3}}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.want, decode(t, dialect.Embeddings, edited(t, dialect.Embeddings, "input", tc.input)).Inputs)
			assert.Equal(t, tc.want, decode(t, dialect.Completions, edited(t, dialect.Completions, "prompt", tc.input)).Inputs)
		})
	}
	req := decode(t, dialect.Embeddings, `{"model":"m","input":"x","encoding_format":"base64"}`)
	assert.True(t, req.Base64)
	assert.Nil(t, req.Dimensions)
}

func TestDecodeReadsImages(t *testing.T) {
	inline := convert.Image{MediaType: "image/png", Data: "aGk="}
	linked := convert.Image{URL: "https://example.com/a.png"}
	for _, tc := range []struct {
		name    string
		surface dialect.Surface
		content string
		want    convert.Image
	}{
		{"inline on chat", dialect.Chat, `[{"type":"image_url","image_url":{"url":"data:image/png;base64,aGk=","detail":"auto"}}]`, inline},
		{"linked on chat, with a detail", dialect.Chat, `[{"type":"image_url","image_url":{"url":"https://example.com/a.png","detail":"low"}}]`,
			convert.Image{URL: "https://example.com/a.png", Detail: "low"}},
		{"inline on responses", dialect.Responses, `[{"type":"input_image","image_url":"data:image/png;base64,aGk="}]`, inline},
		{"linked on responses", dialect.Responses, `[{"type":"input_image","image_url":"https://example.com/a.png"}]`, linked},
		{"inline on messages", dialect.Messages, `[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"aGk="}}]`, inline},
		{"linked on messages", dialect.Messages, `[{"type":"image","source":{"type":"url","url":"https://example.com/a.png"}}]`, linked},
		{"inline on gemini", dialect.GenerateContent, `[{"inlineData":{"mimeType":"image/png","data":"aGk="}}]`, inline},
		{"linked on gemini", dialect.GenerateContent, `[{"file_data":{"mime_type":"image/png","file_uri":"gs://b/a.png"}}]`,
			convert.Image{MediaType: "image/png", URL: "gs://b/a.png"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			body := map[dialect.Surface]string{
				dialect.Chat:            `{"model":"m","messages":[{"role":"user","content":` + tc.content + `}]}`,
				dialect.Responses:       `{"model":"m","input":[{"role":"user","content":` + tc.content + `}]}`,
				dialect.Messages:        `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":` + tc.content + `}]}`,
				dialect.GenerateContent: `{"contents":[{"parts":` + tc.content + `}]}`,
			}[tc.surface]
			want := []convert.Turn{{Role: convert.User, Parts: []convert.Part{{Image: &tc.want}}}}
			assert.Equal(t, want, decode(t, tc.surface, body).Turns)
		})
	}
}

func TestDecodeKeepsTheOrderOfAConversation(t *testing.T) {
	req := decode(t, dialect.Chat, `{"model":"m","messages":[
		{"role":"system","content":"one"},{"role":"developer","content":[{"type":"text","text":"two"}]},
		{"role":"user","content":"u"},{"role":"assistant","content":"a"},{"role":"system","content":"late"},
		{"role":"assistant","content":null,"refusal":"no"}]}`)
	assert.Equal(t, "one\n\ntwo", req.System)
	said := func(role convert.Role, text string) convert.Turn {
		return convert.Turn{Role: role, Parts: []convert.Part{{Text: text}}}
	}
	assert.Equal(t, []convert.Turn{
		said(convert.User, "u"), said(convert.Assistant, "a"), said(convert.System, "late"), said(convert.Assistant, "no"),
	}, req.Turns)
}

func TestDecodeIsLenientAboutWhatItDoesNotKnow(t *testing.T) {
	for _, surface := range convertedSurfaces() {
		plain := decode(t, surface, bodies[surface])
		assert.Equal(t, plain, decode(t, surface, edited(t, surface, "x_future", `{"a":[1]}`)), surface)
		assert.Equal(t, plain, decode(t, surface, edited(t, surface, "temperature_", `null`)), surface)
	}
	req := decode(t, dialect.Chat, edited(t, dialect.Chat, "seed", `null`))
	assert.Empty(t, req.Needs, "null counts as absent")
}

func TestDecodePassesOverWishesForWhatIsSoAnyway(t *testing.T) {
	req := decode(t, dialect.Chat, `{"model":"m","messages":[{"role":"user","content":"x"}],"n":1,"logprobs":false,"tools":[],
		"presence_penalty":0,"response_format":{"type":"text"},"modalities":["text"],"logit_bias":{},"top_logprobs":0}`)
	assert.Empty(t, req.Needs)
	req = decode(t, dialect.GenerateContent, `{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"candidateCount":1,
		"responseMimeType":"text/plain","responseModalities":["TEXT"]},"safetySettings":[]}`)
	assert.Empty(t, req.Needs)
}

func TestDecodeRefusesWhatIsNotOneJSONObject(t *testing.T) {
	for _, tc := range []struct{ name, body, code, message string }{
		{"an empty body", ``, "bad_request_body", "the body is not valid JSON"},
		{"a text", `hello`, "bad_request_body", "the body is not valid JSON"},
		{"a form", `model=m&prompt=x`, "bad_request_body", "the body is not valid JSON"},
		{"cut JSON", `{"model":"m"`, "bad_request_body", "the body is not valid JSON"},
		{"something after the end", `{"model":"m"} {}`, "bad_request_body", "the body is not valid JSON"},
		{"a missing comma", `{"model":"m" "input":"x"}`, "bad_request_body", "the body is not valid JSON"},
		{"invalid UTF-8", "{\"model\":\"\xff\"}", "bad_request_body", "the body is not valid UTF-8"},
		{"a name twice", `{"model":"m","model":"n"}`, "bad_request_body", "the body contains a duplicate field"},
		{"a name twice, further in", `{"a":[{"b":1,"b":2}]}`, "bad_request_body", "the body contains a duplicate field"},
		{"a name twice, once escaped", `{"model":"m","mode\u006c":"n"}`, "bad_request_body", "the body contains a duplicate field"},
		{"bottomless nesting", `{"a":` + deep(200) + `}`, "bad_request_body", "the body is nested too deeply"},
		{"an array", `[]`, "invalid_request", "the body must be a JSON object"},
		{"null", `null`, "invalid_request", "the body must be a JSON object"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, surface := range convertedSurfaces() {
				_, err := convert.Decode(surface, "m", []byte(tc.body))
				assert.Equal(t, &convert.Problem{Code: tc.code, Message: tc.message}, err)
			}
		})
	}
}

func TestDecodeNamesTheFieldAtFault(t *testing.T) {
	for _, tc := range []struct {
		surface           dialect.Surface
		key, value, param string
		message           string
	}{
		{dialect.Chat, "model", ``, "model", "model is required"},
		{dialect.Chat, "model", `""`, "model", "model must not be empty"},
		{dialect.Chat, "model", `7`, "model", "model must be a string"},
		{dialect.Chat, "model", `"` + strings.Repeat("m", 257) + `"`, "model", "model must have at most 256 bytes"},
		{dialect.Chat, "messages", ``, "messages", "messages is required"},
		{dialect.Chat, "messages", `[]`, "messages", "messages must not be empty"},
		{dialect.Chat, "messages", `"hi"`, "messages", "messages must be an array"},
		{dialect.Chat, "messages", `["hi"]`, "messages[0]", "messages[0] must be an object"},
		{dialect.Chat, "messages", `[{"content":"hi"}]`, "messages[0].role", "messages[0].role is required"},
		{dialect.Chat, "messages", `[{"role":"king","content":"hi"}]`, "messages[0].role",
			"messages[0].role must be one of system, developer, user, assistant, tool, function"},
		{dialect.Chat, "messages", `[{"role":"user"}]`, "messages[0].content", "messages[0].content is required"},
		{dialect.Chat, "messages", `[{"role":"assistant"}]`, "messages[0].content", "messages[0].content is required"},
		{dialect.Chat, "messages", `[{"role":"user","content":7}]`, "messages[0].content",
			"messages[0].content must be a string or an array of parts"},
		{dialect.Chat, "messages", `[{"role":"user","content":[{"type":"song"}]}]`, "messages[0].content[0].type",
			"messages[0].content[0].type is not a known kind of content"},
		{dialect.Chat, "messages", `[{"role":"user","content":[{"type":"image_url","image_url":{"url":"ftp://x"}}]}]`,
			"messages[0].content[0].image_url.url", "messages[0].content[0].image_url.url must be an http, https or data URL"},
		{dialect.Chat, "messages", `[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png,x"}}]}]`,
			"messages[0].content[0].image_url.url", "messages[0].content[0].image_url.url must be a base64 data URL with a media type"},
		{dialect.Chat, "temperature", `2.1`, "temperature", "temperature must be between 0 and 2"},
		{dialect.Chat, "temperature", `"hot"`, "temperature", "temperature must be a number"},
		{dialect.Chat, "temperature", `1e999`, "temperature", "temperature must be between 0 and 2"},
		{dialect.Chat, "top_p", `-0.1`, "top_p", "top_p must be between 0 and 1"},
		{dialect.Chat, "max_tokens", `0`, "max_tokens", "max_tokens must be between 1 and 2147483647"},
		{dialect.Chat, "max_tokens", `1.5`, "max_tokens", "max_tokens must be an integer"},
		{dialect.Chat, "max_tokens", `99999999999999999999`, "max_tokens", "max_tokens must be an integer"},
		{dialect.Chat, "max_completion_tokens", `5`, "max_tokens", "max_tokens cannot be combined with max_completion_tokens"},
		{dialect.Chat, "n", `0`, "n", "n must be between 1 and 128"},
		{dialect.Chat, "stream", `"yes"`, "stream", "stream must be a boolean"},
		{dialect.Chat, "stop", `7`, "stop", "stop must be a string or an array of strings"},
		{dialect.Chat, "stop", `["a","b","c","d","e"]`, "stop", "stop must have at most 4 elements"},
		{dialect.Chat, "stop", `["a",1]`, "stop[1]", "stop[1] must be a non-empty string"},
		{dialect.Chat, "logit_bias", `[]`, "logit_bias", "logit_bias must be an object"},
		{dialect.Chat, "stream_options", `true`, "stream_options", "stream_options must be an object"},
		{dialect.Completions, "prompt", ``, "prompt", "prompt is required"},
		{dialect.Completions, "prompt", `""`, "prompt", "prompt must not be empty"},
		{dialect.Completions, "prompt", `{}`, "prompt", "prompt must be a non-empty string or array"},
		{dialect.Completions, "stream", `true`, "stream", "stream is not supported on this endpoint"},
		{dialect.Completions, "max_tokens", `-1`, "max_tokens", "max_tokens must be between 1 and 2147483647"},
		{dialect.Responses, "input", ``, "input", "input is required"},
		{dialect.Responses, "input", `""`, "input", "input must not be empty"},
		{dialect.Responses, "input", `[]`, "input", "input must not be empty"},
		{dialect.Responses, "input", `7`, "input", "input must be a string or an array of items"},
		{dialect.Responses, "input", `[{"content":"x"}]`, "input[0].role", "input[0].role is required"},
		{dialect.Responses, "max_output_tokens", `0`, "max_output_tokens", "max_output_tokens must be between 1 and 2147483647"},
		{dialect.Responses, "temperature", `-1`, "temperature", "temperature must be between 0 and 2"},
		{dialect.Responses, "text", `{"format":7}`, "text.format", "text.format must be an object"},
		{dialect.Responses, "conversation", `7`, "conversation", "conversation must be a string or an object"},
		{dialect.Messages, "max_tokens", ``, "max_tokens", "max_tokens is required"},
		{dialect.Messages, "messages", ``, "messages", "messages is required"},
		{dialect.Messages, "messages", `[{"role":"system","content":"x"}]`, "messages[0].role",
			"messages[0].role must be one of user, assistant"},
		{dialect.Messages, "temperature", `1.1`, "temperature", "temperature must be between 0 and 1"},
		{dialect.Messages, "top_k", `1.5`, "top_k", "top_k must be an integer"},
		{dialect.Messages, "system", `7`, "system", "system must be a string or an array of parts"},
		{dialect.Messages, "system", `[{"type":"image"}]`, "system[0].type", "system[0].type must be text: system can contain only text"},
		{dialect.GenerateContent, "contents", ``, "contents", "contents is required"},
		{dialect.GenerateContent, "contents", `[{"role":"user"}]`, "contents[0].parts", "contents[0].parts is required"},
		{dialect.GenerateContent, "contents", `[{"parts":[{}]}]`, "contents[0].parts[0].text", "contents[0].parts[0].text is required"},
		{dialect.GenerateContent, "generationConfig", `{"temperature":3}`, "generationConfig.temperature",
			"generationConfig.temperature must be between 0 and 2"},
		{dialect.GenerateContent, "generationConfig", `{"max_output_tokens":0}`, "generationConfig.maxOutputTokens",
			"generationConfig.maxOutputTokens must be between 1 and 2147483647"},
		{dialect.GenerateContent, "generationConfig", `{"candidateCount":0}`, "generationConfig.candidateCount",
			"generationConfig.candidateCount must be between 1 and 8"},
		{dialect.Embeddings, "input", ``, "input", "input is required"},
		{dialect.Embeddings, "input", `[]`, "input", "input must be a non-empty string or array"},
		{dialect.Embeddings, "input", `["a",7]`, "input[1]", "input[1] must be a non-empty string"},
		{dialect.Embeddings, "input", `[1,"a"]`, "input[1]", "input[1] must be a token id"},
		{dialect.Embeddings, "input", `[1,-2]`, "input[1]", "input[1] must be a token id"},
		{dialect.Embeddings, "input", `[[1],"a"]`, "input[1]", "input[1] must be a non-empty array of token ids"},
		{dialect.Embeddings, "dimensions", `0`, "dimensions", "dimensions must be between 1 and 65536"},
		{dialect.Embeddings, "encoding_format", `"hex"`, "encoding_format", "encoding_format must be one of float, base64"},
	} {
		t.Run(string(tc.surface)+" "+tc.message, func(t *testing.T) {
			body := edited(t, tc.surface, tc.key, tc.value)
			_, err := convert.Decode(tc.surface, pathModel(tc.surface, "m"), []byte(body))
			assert.Equal(t, &convert.Problem{Code: "invalid_request", Param: tc.param, Message: tc.message}, err)
		})
	}
}

func TestDecodeNeedsAModelInTheGeminiPath(t *testing.T) {
	_, err := convert.Decode(dialect.GenerateContent, "", []byte(bodies[dialect.GenerateContent]))
	require.EqualError(t, err, "invalid_request: model is required")
}

func TestDecodeRefusesASurfaceItDoesNotKnow(t *testing.T) {
	_, err := convert.Decode("video", "", []byte(`{}`))
	require.EqualError(t, err, "invalid_request: the gateway does not offer this endpoint")
}
