package upstream

import (
	"fmt"

	"github.com/gatecert/gatecert/dialect"
)

// gemini is what the Gemini endpoints have in common.
type gemini struct{}

func (gemini) Dialect() dialect.Dialect { return dialect.Gemini }

func (gemini) Credential(from Presented) string {
	if key := from.Header("X-Goog-Api-Key"); key != "" {
		return key
	}
	if key := from.Query("key"); key != "" {
		return key
	}
	return bearer(from)
}

// BadKey is a 400: Gemini knows no 401 for API keys.
func (gemini) BadKey() Problem {
	return Problem{Status: statusBadRequest, Code: "API_KEY_INVALID", Message: "API key not valid. Please pass a valid API key."}
}

func (gemini) NoModel(model string) Problem {
	return Problem{Status: statusNotFound, Message: fmt.Sprintf("models/%s is not found or does not support this method.", model)}
}

func (gemini) Describe(p Problem) Problem {
	kind, message := "INVALID_ARGUMENT", "Request contains an invalid argument."
	switch {
	case p.Status == statusUnauthorized:
		kind, message = "UNAUTHENTICATED", "Request had invalid authentication credentials."
	case p.Status == statusForbidden:
		kind, message = "PERMISSION_DENIED", "The caller does not have permission."
	case p.Status == statusNotFound:
		kind, message = "NOT_FOUND", "Requested entity was not found."
	case p.Status == statusConflict:
		kind, message = "ABORTED", "The operation was aborted."
	case p.Status == statusTooManyRequests:
		kind, message = "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."
	case p.Status == statusNotImplemented:
		kind, message = "UNIMPLEMENTED", "The operation is not implemented."
	case p.Status == statusServiceUnavailable:
		kind, message = "UNAVAILABLE", "The model is overloaded. Please try again later."
	case p.Status == statusGatewayTimeout:
		kind, message = "DEADLINE_EXCEEDED", "The deadline expired before the operation could complete."
	case p.Status >= 500:
		kind, message = "INTERNAL", "An internal error has occurred."
	}
	return p.orElse(kind, "", message)
}

func (gemini) ErrorBody(p Problem) Object {
	inner := Object{"code": p.Status, "message": p.Message, "status": p.Type}
	if p.Code != "" {
		inner["details"] = List{Object{
			"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": p.Code, "domain": "googleapis.com",
			"metadata": Object{"service": "generativelanguage.googleapis.com"},
		}}
	}
	return Object{"error": inner}
}

func (g gemini) ErrorEvent(p Problem, _ int) Event {
	return Event{Data: Encode(g.ErrorBody(p))}
}

func (gemini) ContentTypes() (json, stream string) {
	return "application/json; charset=UTF-8", "text/event-stream"
}

// generate is Gemini's generateContent and streamGenerateContent.
type generate struct {
	gemini
	streamed bool
	// Array asks for the stream as a JSON array, which is what Gemini sends unless alt=sse.
	array bool
}

func (g generate) WantsStream(Object) bool { return g.streamed }

// Refusal is nil: Gemini says it in the prompt's feedback.
func (generate) Refusal() *Problem { return nil }

func (generate) Texts(doc Object) []string {
	return append(latestFirst(doc["contents"]), textsIn(either(doc, "systemInstruction", "system_instruction"))...)
}

func (generate) Check(doc Object) *Problem {
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
	content, _ := v.(Object)
	parts, ok := content["parts"].(List)
	return ok && len(parts) > 0 && all(parts, isObject)
}

// either returns the field under the first name that has it: Gemini accepts both spellings of a name.
func either(doc Object, names ...string) any {
	for _, name := range names {
		if doc[name] != nil {
			return doc[name]
		}
	}
	return nil
}

func (generate) Body(c Answer) any {
	body := c.generated(c.spoken())
	switch c.Outcome {
	case Refused:
		body["promptFeedback"] = blocked()
	case Empty:
		body["candidates"] = List{}
	default:
		body["candidates"] = List{candidate(c.text(), "STOP")}
	}
	return body
}

func (g generate) Stream(c Answer) Stream {
	s := Stream{Array: g.array}
	say := func(n int, field string, v any) {
		body := c.generated(n)
		body[field] = v
		s.Events = append(s.Events, Event{Data: Encode(body)})
	}
	switch c.Outcome {
	case Refused:
		say(0, "promptFeedback", blocked())
	case Empty:
		say(0, "candidates", List{candidate("", "STOP")})
	default:
		for i, d := range c.Pieces[:len(c.Pieces)-1] {
			say(i+1, "candidates", List{candidate(d, "")})
		}
		// The last piece of the text carries the finish.
		s.Finish = len(s.Events)
		say(c.spoken(), "candidates", List{candidate(c.Pieces[len(c.Pieces)-1], "STOP")})
	}
	return s
}

func (c Answer) generated(spoken int) Object {
	return Object{
		"usageMetadata": Object{
			"promptTokenCount": c.PromptTokens, "candidatesTokenCount": spoken, "totalTokenCount": c.PromptTokens + spoken,
		},
		"modelVersion": c.Model, "responseId": c.ID,
	}
}

func candidate(text, finish string) Object {
	content := Object{"role": "model"}
	if text != "" {
		content["parts"] = List{Object{"text": text}}
	}
	body := Object{"index": 0, "content": content}
	if finish != "" {
		body["finishReason"] = finish
	}
	return body
}

func blocked() Object {
	return Object{"blockReason": "SAFETY", "safetyRatings": List{
		Object{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": true},
	}}
}
