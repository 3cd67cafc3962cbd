package exchange

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// bodyTree is the smallest request of the surface that every gateway of its dialect accepts.
func bodyTree(call Call, prompt string) any {
	maxTokens := call.MaxTokens
	if maxTokens == 0 {
		maxTokens = 16
	}
	messages := []any{map[string]any{"role": "user", "content": prompt}}
	var tree map[string]any
	switch call.Surface {
	case dialect.GenerateContent, dialect.GenerateStream:
		// Model and streaming are in the path.
		return map[string]any{
			"contents":         []any{map[string]any{"role": "user", "parts": []any{map[string]any{"text": prompt}}}},
			"generationConfig": map[string]any{"maxOutputTokens": maxTokens},
		}
	case dialect.Completions:
		tree = map[string]any{"prompt": prompt, "max_tokens": maxTokens}
	case dialect.Responses, dialect.ResponsesStream:
		tree = map[string]any{"input": prompt, "max_output_tokens": maxTokens}
	case dialect.Embeddings:
		tree = map[string]any{"input": prompt}
	default:
		tree = map[string]any{"messages": messages, "max_tokens": maxTokens}
	}
	tree["model"] = call.Model
	if call.Surface.Streaming() {
		tree["stream"] = true
	}
	return tree
}

// pathOf is the surface's path below the base URL. The model of a Gemini path is escaped, its colons too: the last
// one parts the model from the verb.
func pathOf(surface dialect.Surface, model string) string {
	escaped := strings.ReplaceAll(url.PathEscape(model), ":", "%3A")
	switch surface {
	case dialect.Completions:
		return "/v1/completions"
	case dialect.Responses, dialect.ResponsesStream:
		return "/v1/responses"
	case dialect.Messages, dialect.MessagesStream:
		return "/v1/messages"
	case dialect.GenerateContent:
		return "/v1beta/models/" + escaped + ":generateContent"
	case dialect.GenerateStream:
		return "/v1beta/models/" + escaped + ":streamGenerateContent?alt=sse"
	case dialect.Embeddings:
		return "/v1/embeddings"
	default:
		return "/v1/chat/completions"
	}
}

// anthropicVersion is the API version that every Anthropic request has to name.
const anthropicVersion = "2023-06-01"

// setCredential writes the credential as the dialect has it. The key given may stand for another.
func setCredential(header http.Header, spoken dialect.Dialect, key string) {
	switch spoken {
	case dialect.Anthropic:
		header.Set("X-Api-Key", key)
	case dialect.Gemini:
		header.Set("X-Goog-Api-Key", key)
	default:
		header.Set("Authorization", "Bearer "+key)
	}
}
