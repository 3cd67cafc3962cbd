package upstream

import (
	"github.com/gatecert/gatecert/dialect"
)

// messages is Anthropic's messages, the one endpoint of that provider.
type messages struct{}

func (messages) Dialect() dialect.Dialect { return dialect.Anthropic }

func (messages) Credential(from Presented) string {
	if key := from.Header("X-Api-Key"); key != "" {
		return key
	}
	return bearer(from)
}

func (messages) BadKey() Problem {
	return Problem{Status: statusUnauthorized}
}

func (messages) NoModel(model string) Problem {
	return Problem{Status: statusNotFound, Message: "model: " + model}
}

func (messages) Describe(p Problem) Problem {
	kind, message := "invalid_request_error", "The request was not understood."
	switch {
	case p.Status == statusUnauthorized:
		kind, message = "authentication_error", "invalid x-api-key"
	case p.Status == statusPaymentRequired:
		kind, message = "billing_error", "The credit balance is too low."
	case p.Status == statusForbidden:
		kind, message = "permission_error", "The key may not use this resource."
	case p.Status == statusNotFound:
		kind, message = "not_found_error", "The resource was not found."
	case p.Status == statusRequestEntityTooLarge:
		kind, message = "request_too_large", "The request exceeds the maximum size."
	case p.Status == statusTooManyRequests:
		kind, message = "rate_limit_error", "The request would exceed the rate limit."
	case p.Status == statusGatewayTimeout:
		kind, message = "timeout_error", "The request timed out."
	case p.Status == 529:
		kind, message = "overloaded_error", "Overloaded"
	case p.Status >= 500:
		kind, message = "api_error", "Internal server error"
	}
	return p.orElse(kind, "", message)
}

func (messages) ErrorBody(p Problem) Object {
	inner := Object{"type": p.Type, "message": p.Message}
	if p.Code != "" {
		inner["code"] = p.Code
	}
	return Object{"type": "error", "error": inner}
}

func (m messages) ErrorEvent(p Problem, _ int) Event {
	return Event{"error", Encode(m.ErrorBody(p))}
}

func (messages) WantsStream(doc Object) bool { return doc["stream"] == true }

// Refusal is nil: Anthropic says it with a stop reason.
func (messages) Refusal() *Problem { return nil }

func (messages) ContentTypes() (json, stream string) {
	return "application/json", "text/event-stream; charset=utf-8"
}

func (messages) Texts(doc Object) []string {
	return append(latestFirst(doc["messages"]), textsIn(doc["system"])...)
}

func (messages) Check(doc Object) *Problem {
	return firstProblem(doc,
		namesModel(),
		required("max_tokens"), atLeastOne("max_tokens"),
		required("messages"), each("messages", "messages with a role and a content", isMessage(false, "user", "assistant")),
		optional("system", "a string or an array of text blocks", isContent),
		upTo("temperature", 1), upTo("top_p", 1),
		flag("stream"),
	)
}

func (messages) Body(c Answer) any {
	content := List{}
	if c.Outcome == Complete {
		content = append(content, Object{"type": "text", "text": c.text()})
	}
	return c.message(content, c.stopReason(), c.spoken())
}

func (messages) Stream(c Answer) Stream {
	var events []Event
	say := func(name string, fields Object) {
		fields["type"] = name
		events = append(events, Event{name, Encode(fields)})
	}
	say("message_start", Object{"message": c.message(List{}, nil, 0)})
	if c.Outcome == Complete {
		say("content_block_start", Object{"index": 0, "content_block": Object{"type": "text", "text": ""}})
		say("ping", Object{})
		for _, d := range c.Pieces {
			say("content_block_delta", Object{"index": 0, "delta": Object{"type": "text_delta", "text": d}})
		}
		say("content_block_stop", Object{"index": 0})
	}
	finish := len(events)
	say("message_delta", Object{
		"delta": Object{"stop_reason": c.stopReason(), "stop_sequence": nil},
		"usage": Object{"output_tokens": c.spoken()},
	})
	say("message_stop", Object{})
	return Stream{Events: events, Finish: finish, EndMarker: true}
}

func (c Answer) message(content List, stopReason any, spoken int) Object {
	return Object{
		"id": "msg_" + c.ID, "type": "message", "role": "assistant", "model": c.Model, "content": content,
		"stop_reason": stopReason, "stop_sequence": nil,
		"usage": Object{
			"input_tokens": c.PromptTokens, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
			"output_tokens": spoken,
		},
	}
}

func (c Answer) stopReason() string {
	if c.Outcome == Refused {
		return "refusal"
	}
	return "end_turn"
}
