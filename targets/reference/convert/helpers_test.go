package convert_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

// bodies has one healthy body per surface. All conversations say the same.
var bodies = map[dialect.Surface]string{
	dialect.Chat: `{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hello?"}],
		"max_tokens":16,"temperature":0.5,"top_p":0.9,"stop":"END"}`,
	dialect.ChatStream: `{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hello?"}],
		"max_completion_tokens":16,"temperature":0.5,"top_p":0.9,"stop":["END"],"stream":true}`,
	dialect.Completions: `{"model":"m","prompt":"Hello?","max_tokens":16,"temperature":0.5,"top_p":0.9,"stop":"END"}`,
	dialect.Responses: `{"model":"m","instructions":"Be brief.","input":"Hello?",
		"max_output_tokens":16,"temperature":0.5,"top_p":0.9}`,
	dialect.ResponsesStream: `{"model":"m","input":[{"role":"developer","content":"Be brief."},
		{"type":"message","role":"user","content":[{"type":"input_text","text":"Hello?"}]}],
		"max_output_tokens":16,"temperature":0.5,"top_p":0.9,"stream":true}`,
	dialect.Messages: `{"model":"m","system":"Be brief.","messages":[{"role":"user","content":"Hello?"}],
		"max_tokens":16,"temperature":0.5,"top_p":0.9,"stop_sequences":["END"]}`,
	dialect.MessagesStream: `{"model":"m","system":[{"type":"text","text":"Be brief."}],
		"messages":[{"role":"user","content":[{"type":"text","text":"Hello?"}]}],
		"max_tokens":16,"temperature":0.5,"top_p":0.9,"stop_sequences":["END"],"stream":true}`,
	dialect.GenerateContent: `{"systemInstruction":{"parts":[{"text":"Be brief."}]},"contents":[{"role":"user","parts":[{"text":"Hello?"}]}],
		"generationConfig":{"maxOutputTokens":16,"temperature":0.5,"topP":0.9,"stopSequences":["END"]}}`,
	dialect.GenerateStream: `{"system_instruction":{"parts":[{"text":"Be brief."}]},"contents":[{"parts":[{"text":"Hello?"}]}],
		"generation_config":{"max_output_tokens":16,"temperature":0.5,"top_p":0.9,"stop_sequences":["END"]}}`,
	dialect.Embeddings: `{"model":"m","input":["one","two"],"dimensions":3}`,
}

// native is the surface that speaks to callers as a protocol speaks to gateways.
func native(p dialect.Dialect, stream bool) dialect.Surface {
	whole := map[dialect.Dialect]dialect.Surface{
		dialect.OpenAI: dialect.Chat, dialect.Anthropic: dialect.Messages, dialect.Gemini: dialect.GenerateContent,
	}
	streaming := map[dialect.Dialect]dialect.Surface{
		dialect.OpenAI: dialect.ChatStream, dialect.Anthropic: dialect.MessagesStream, dialect.Gemini: dialect.GenerateStream,
	}
	if stream {
		return streaming[p]
	}
	return whole[p]
}

func textSurfaces() []dialect.Surface {
	return slices.DeleteFunc(dialect.Surfaces(), func(s dialect.Surface) bool { return !s.Generates() })
}

// convertedSurfaces are those, and embeddings.
func convertedSurfaces() []dialect.Surface { return append(textSurfaces(), dialect.Embeddings) }

func decode(t testing.TB, surface dialect.Surface, body string) convert.Request {
	t.Helper()
	req, err := convert.Decode(surface, pathModel(surface, "m"), []byte(body))
	require.NoError(t, err)
	return req
}

// pathModel is the model as the path names it, on the surfaces where it does.
func pathModel(surface dialect.Surface, model string) string {
	if surface.Dialect() == dialect.Gemini {
		return model
	}
	return ""
}

// edited returns a healthy body with one member set at the top level, or taken out by "".
func edited(t testing.TB, surface dialect.Surface, key, value string) string {
	t.Helper()
	var body map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(bodies[surface]), &body))
	if value == "" {
		delete(body, key)
	} else {
		body[key] = json.RawMessage(value)
	}
	out, err := json.Marshal(body)
	require.NoError(t, err)
	return string(out)
}

// deep is JSON of n arrays within one another.
func deep(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

// sse is a stream of data-only events.
func sse(data ...string) string {
	var b strings.Builder
	for _, d := range data {
		fmt.Fprintf(&b, "data: %s\n\n", d)
	}
	return b.String()
}
