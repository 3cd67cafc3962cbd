package secondgateway

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"
)

// The API formats.
const (
	openAI    = "openai"
	anthropic = "anthropic"
	gemini    = "gemini"
)

// The endpoints.
const (
	chat        = "chat"
	completions = "completions"
	responses   = "responses"
	embeddings  = "embeddings"
	messages    = "messages"
	generate    = "generate"
	balance     = "balance"
)

// route is where a path leads. kind is "" for a path that does not exist.
type route struct {
	format, kind string
	// model and stream stand in Gemini's paths.
	model  string
	stream bool
}

// routeOf reads a path. Each API format has a part of the tree of its own.
func routeOf(path string) route {
	switch path {
	case "/v1/chat/completions":
		return route{format: openAI, kind: chat}
	case "/v1/completions":
		return route{format: openAI, kind: completions}
	case "/v1/responses":
		return route{format: openAI, kind: responses}
	case "/v1/embeddings":
		return route{format: openAI, kind: embeddings}
	case "/v1/balance":
		return route{format: openAI, kind: balance}
	case "/anthropic/v1/messages":
		return route{format: anthropic, kind: messages}
	}
	if rest, ok := strings.CutPrefix(path, "/google/v1beta/models/"); ok {
		if model, ok := strings.CutSuffix(rest, ":generateContent"); ok {
			return route{format: gemini, kind: generate, model: model}
		}
		if model, ok := strings.CutSuffix(rest, ":streamGenerateContent"); ok {
			return route{format: gemini, kind: generate, model: model, stream: true}
		}
	}
	switch {
	case strings.HasPrefix(path, "/anthropic/"):
		return route{format: anthropic}
	case strings.HasPrefix(path, "/google/"):
		return route{format: gemini}
	}
	return route{format: openAI}
}

func (to route) check(method string) *Failure {
	if to.kind == "" {
		return fail(404, "invalid_api_type", "This path is unknown. See the list of endpoints.")
	}
	if method != http.MethodPost {
		failure := fail(405, "invalid_request", "This endpoint accepts only POST.")
		failure.Allow = http.MethodPost
		return failure
	}
	return nil
}

// credential is the key that a request presents, "" for none.
func (to route) credential(r *http.Request) string {
	key := ""
	switch to.format {
	case anthropic:
		key = r.Header.Get("X-Api-Key")
	case gemini:
		if key = r.Header.Get("X-Goog-Api-Key"); key == "" {
			key = r.URL.Query().Get("key")
		}
	}
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && key == "" {
		key = strings.TrimSpace(bearer)
	}
	return key
}

func (to route) credentialField() string {
	return map[string]string{openAI: "the Authorization header", anthropic: "the x-api-key header", gemini: "the x-goog-api-key header"}[to.format]
}

// readAsk reads the body and validates it.
func (g *Gateway) readAsk(r *http.Request, to route) (ask, *Failure) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if (err != nil || media != "application/json") && !g.skips("body") {
		return ask{}, fail(400, "read_request_body_failed", "The body must be application/json; check the Content-Type.")
	}
	raw, failure := g.readBody(r)
	if failure != nil {
		return ask{}, failure
	}
	var body map[string]any
	if json.Unmarshal(raw, &body) != nil || body == nil {
		return ask{}, fail(400, "bad_request_body", "The body is not a JSON object. Verify the JSON.")
	}
	a := ask{kind: to.kind, model: to.model, stream: to.stream || body["stream"] == true}
	problem := a.fill(body)
	if problem != "" && !g.skips("parameters") {
		failure := fail(400, "invalid_request", "The parameter “"+problem+"” is missing or not valid.")
		failure.Param = problem
		return ask{}, failure
	}
	return a, nil
}

func (g *Gateway) readBody(r *http.Request) ([]byte, *Failure) {
	unreadable := fail(400, "read_request_body_failed", "The body ended before it was complete, or cannot be decompressed.")
	tooLong := fail(400, "read_request_body_failed", "The body is longer than "+itoa(g.BodyLimit)+" bytes.")
	var from io.Reader = r.Body
	switch r.Header.Get("Content-Encoding") {
	case "", "identity":
	case "gzip":
		unpacked, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, unreadable
		}
		from = unpacked
	default:
		return nil, unreadable
	}
	raw, err := io.ReadAll(io.LimitReader(from, g.BodyLimit+1))
	switch {
	case err != nil:
		return nil, unreadable
	case int64(len(raw)) > g.BodyLimit:
		return nil, tooLong
	}
	return raw, nil
}

// fill reads the members of a body. It returns the name of one that is missing or not valid, "" when all are in order.
func (a *ask) fill(body map[string]any) (problem string) {
	kind := a.kind
	if model, ok := body["model"].(string); ok && kind != generate {
		a.model = model
	}
	if a.model == "" {
		return "model"
	}
	a.maxTokens = 256
	for _, name := range []string{"max_tokens", "max_completion_tokens", "max_output_tokens", "generationConfig.maxOutputTokens"} {
		if !a.whole(member(body, name)) {
			return name
		}
	}
	highest := 2.0
	if kind == messages {
		highest = 1
	}
	for _, name := range []string{"temperature", "generationConfig.temperature"} {
		if heat := member(body, name); heat != nil {
			if number, ok := heat.(float64); !ok || number < 0 || number > highest {
				return name
			}
		}
	}
	for name, speaks := range map[string]string{
		"logprobs": openAI, "suffix": "", "previous_response_id": "", "thinking": anthropic, "cachedContent": "",
	} {
		if body[name] != nil && body[name] != false {
			a.special, a.speaks = name, speaks
		}
	}
	return a.fillInput(body)
}

// whole takes a bound for the tokens of the answer.
func (a *ask) whole(v any) bool {
	if v == nil {
		return true
	}
	number, ok := v.(float64)
	a.maxTokens = int(number)
	return ok && number >= 1 && number == float64(int(number))
}

// member returns a member, or one of an object in it: "generationConfig.temperature".
func member(body map[string]any, name string) any {
	outer, inner, nested := strings.Cut(name, ".")
	if !nested {
		return body[name]
	}
	object, _ := body[outer].(map[string]any)
	return object[inner]
}

// fillInput reads what the model is asked.
func (a *ask) fillInput(body map[string]any) (problem string) {
	kind := a.kind
	name := map[string]string{
		chat: "messages", messages: "messages", completions: "prompt", responses: "input", embeddings: "input", generate: "contents",
	}[kind]
	switch input := body[name].(type) {
	case string:
		if input == "" || kind == chat || kind == messages || kind == generate {
			return name
		}
		a.inputs, a.turns = []string{input}, []turn{{"user", input}}
	case []any:
		for _, item := range input {
			text, isText := item.(string)
			object, isObject := item.(map[string]any)
			switch {
			case isText && (kind == completions || kind == embeddings):
				a.inputs, a.turns = append(a.inputs, text), append(a.turns, turn{"user", text})
			case isObject && kind != completions && kind != embeddings:
				role, _ := object["role"].(string)
				a.turns = append(a.turns, turn{role, a.textOf(object["content"]) + a.textOf(object["parts"])})
			default:
				return name
			}
		}
		if len(input) == 0 {
			return name
		}
	default:
		return name
	}
	if system := a.textOf(body["system"]) + a.textOf(body["instructions"]) + a.textOf(body["systemInstruction"]); system != "" {
		a.turns = append([]turn{{"system", system}}, a.turns...)
	}
	return ""
}

// textOf collects the texts of a content, and keeps its pictures.
func (a *ask) textOf(content any) string {
	switch v := content.(type) {
	case string:
		return v
	case []any:
		var text strings.Builder
		for _, part := range v {
			text.WriteString(a.textOf(part))
		}
		return text.String()
	case map[string]any:
		for _, picture := range []any{member(v, "source.data"), member(v, "inlineData.data"), member(v, "image_url.url"), v["image_url"]} {
			if data, ok := picture.(string); ok {
				a.images = append(a.images, data[strings.Index(data, ",")+1:])
			}
		}
		text, _ := v["text"].(string)
		return text + a.textOf(v["parts"])
	default:
		return ""
	}
}
