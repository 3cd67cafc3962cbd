package upstream

import (
	"fmt"
	"net/http"

	"github.com/gatecert/gatecert/dialect"
)

// gemini is what the Gemini endpoints have in common.
type gemini struct{}

func (gemini) dialect() dialect.Dialect { return dialect.Gemini }

func (gemini) credential(r *http.Request) string {
	if key := r.Header.Get("X-Goog-Api-Key"); key != "" {
		return key
	}
	if key := r.URL.Query().Get("key"); key != "" {
		return key
	}
	return bearer(r)
}

// badKey is a 400: Gemini knows no 401 for API keys.
func (gemini) badKey() problem {
	return problem{status: http.StatusBadRequest, code: "API_KEY_INVALID", message: "API key not valid. Please pass a valid API key."}
}

func (gemini) noModel(model string) problem {
	return problem{status: http.StatusNotFound, message: fmt.Sprintf("models/%s is not found or does not support this method.", model)}
}

func (gemini) describe(p problem) problem {
	kind, message := "INVALID_ARGUMENT", "Request contains an invalid argument."
	switch {
	case p.status == http.StatusUnauthorized:
		kind, message = "UNAUTHENTICATED", "Request had invalid authentication credentials."
	case p.status == http.StatusForbidden:
		kind, message = "PERMISSION_DENIED", "The caller does not have permission."
	case p.status == http.StatusNotFound:
		kind, message = "NOT_FOUND", "Requested entity was not found."
	case p.status == http.StatusConflict:
		kind, message = "ABORTED", "The operation was aborted."
	case p.status == http.StatusTooManyRequests:
		kind, message = "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."
	case p.status == http.StatusNotImplemented:
		kind, message = "UNIMPLEMENTED", "The operation is not implemented."
	case p.status == http.StatusServiceUnavailable:
		kind, message = "UNAVAILABLE", "The model is overloaded. Please try again later."
	case p.status == http.StatusGatewayTimeout:
		kind, message = "DEADLINE_EXCEEDED", "The deadline expired before the operation could complete."
	case p.status >= 500:
		kind, message = "INTERNAL", "An internal error has occurred."
	}
	return p.orElse(kind, "", message)
}

func (gemini) errorBody(p problem) object {
	inner := object{"code": p.status, "message": p.message, "status": p.kind}
	if p.code != "" {
		inner["details"] = list{object{
			"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": p.code, "domain": "googleapis.com",
			"metadata": object{"service": "generativelanguage.googleapis.com"},
		}}
	}
	return object{"error": inner}
}

func (g gemini) errorEvent(p problem, _ int) event {
	return event{data: encode(g.errorBody(p))}
}

func (gemini) contentTypes() (json, stream string) {
	return "application/json; charset=UTF-8", "text/event-stream"
}

// generate is Gemini's generateContent and streamGenerateContent.
type generate struct {
	gemini
	streamed bool
	// array asks for the stream as a JSON array, which is what Gemini sends unless alt=sse.
	array bool
}

func (g generate) wantsStream(object) bool { return g.streamed }

// refusal is nil: Gemini says it in the prompt's feedback.
func (generate) refusal() *problem { return nil }

func (generate) texts(doc object) []string {
	return append(latestFirst(doc["contents"]), textsIn(either(doc, "systemInstruction", "system_instruction"))...)
}

func (generate) check(doc object) *problem {
	config := []rule{
		upTo("temperature", 2), upTo("topP", 1), atLeastOne("maxOutputTokens"), atLeastOne("candidateCount"),
	}
	return firstProblem(doc,
		required("contents"), each("contents", "contents with parts", hasParts),
		within("generationConfig", config...), within("generation_config", config...),
	)
}

// hasParts reports whether v is a Gemini content: an object with a non-empty array of parts.
func hasParts(v any) bool {
	content, _ := v.(object)
	parts, ok := content["parts"].(list)
	return ok && len(parts) > 0 && all(parts, isObject)
}

// either returns the field under the first name that has it: Gemini accepts both spellings of a name.
func either(doc object, names ...string) any {
	for _, name := range names {
		if doc[name] != nil {
			return doc[name]
		}
	}
	return nil
}

func (generate) answer(c call) any {
	body := c.generated(c.spoken())
	switch c.outcome {
	case refused:
		body["promptFeedback"] = blocked()
	case silent:
		body["candidates"] = list{}
	default:
		body["candidates"] = list{candidate(c.text(), "STOP")}
	}
	return body
}

func (g generate) stream(c call) stream {
	s := stream{array: g.array}
	say := func(n int, field string, v any) {
		body := c.generated(n)
		body[field] = v
		s.events = append(s.events, event{data: encode(body)})
	}
	switch c.outcome {
	case refused:
		say(0, "promptFeedback", blocked())
	case silent:
		say(0, "candidates", list{candidate("", "STOP")})
	default:
		for i, d := range c.deltas[:len(c.deltas)-1] {
			say(i+1, "candidates", list{candidate(d, "")})
		}
		// The last piece of the text carries the finish.
		s.finish = len(s.events)
		say(c.spoken(), "candidates", list{candidate(c.deltas[len(c.deltas)-1], "STOP")})
	}
	return s
}

func (c call) generated(spoken int) object {
	return object{
		"usageMetadata": object{
			"promptTokenCount": c.words, "candidatesTokenCount": spoken, "totalTokenCount": c.words + spoken,
		},
		"modelVersion": c.model, "responseId": c.id,
	}
}

func candidate(text, finish string) object {
	content := object{"role": "model"}
	if text != "" {
		content["parts"] = list{object{"text": text}}
	}
	body := object{"index": 0, "content": content}
	if finish != "" {
		body["finishReason"] = finish
	}
	return body
}

func blocked() object {
	return object{"blockReason": "SAFETY", "safetyRatings": list{
		object{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": true},
	}}
}
