package upstream

import (
	"net/http"

	"github.com/gatecert/gatecert/dialect"
)

// messages is Anthropic's messages, the one endpoint of that provider.
type messages struct{}

func (messages) dialect() dialect.Dialect { return dialect.Anthropic }

func (messages) credential(r *http.Request) string {
	if key := r.Header.Get("X-Api-Key"); key != "" {
		return key
	}
	return bearer(r)
}

func (messages) badKey() problem {
	return problem{status: http.StatusUnauthorized}
}

func (messages) noModel(model string) problem {
	return problem{status: http.StatusNotFound, message: "model: " + model}
}

func (messages) describe(p problem) problem {
	kind, message := "invalid_request_error", "The request was not understood."
	switch {
	case p.status == http.StatusUnauthorized:
		kind, message = "authentication_error", "invalid x-api-key"
	case p.status == http.StatusPaymentRequired:
		kind, message = "billing_error", "The credit balance is too low."
	case p.status == http.StatusForbidden:
		kind, message = "permission_error", "The key may not use this resource."
	case p.status == http.StatusNotFound:
		kind, message = "not_found_error", "The resource was not found."
	case p.status == http.StatusRequestEntityTooLarge:
		kind, message = "request_too_large", "The request exceeds the maximum size."
	case p.status == http.StatusTooManyRequests:
		kind, message = "rate_limit_error", "The request would exceed the rate limit."
	case p.status == http.StatusGatewayTimeout:
		kind, message = "timeout_error", "The request timed out."
	case p.status == 529:
		kind, message = "overloaded_error", "Overloaded"
	case p.status >= 500:
		kind, message = "api_error", "Internal server error"
	}
	return p.orElse(kind, "", message)
}

func (messages) errorBody(p problem) object {
	inner := object{"type": p.kind, "message": p.message}
	if p.code != "" {
		inner["code"] = p.code
	}
	return object{"type": "error", "error": inner}
}

func (m messages) errorEvent(p problem, _ int) event {
	return event{"error", encode(m.errorBody(p))}
}

func (messages) wantsStream(doc object) bool { return doc["stream"] == true }

// refusal is nil: Anthropic says it with a stop reason.
func (messages) refusal() *problem { return nil }

func (messages) contentTypes() (json, stream string) {
	return "application/json", "text/event-stream; charset=utf-8"
}

func (messages) texts(doc object) []string {
	return append(latestFirst(doc["messages"]), textsIn(doc["system"])...)
}

func (messages) check(doc object) *problem {
	return firstProblem(doc,
		namesModel(),
		required("max_tokens"), atLeastOne("max_tokens"),
		required("messages"), each("messages", "messages with a role and a content", isMessage(false, "user", "assistant")),
		optional("system", "a string or an array of text blocks", isContent),
		upTo("temperature", 1), upTo("top_p", 1),
		flag("stream"),
	)
}

func (messages) answer(c call) any {
	content := list{}
	if c.outcome == complete {
		content = append(content, object{"type": "text", "text": c.text()})
	}
	return c.message(content, c.stopReason(), c.spoken())
}

func (messages) stream(c call) stream {
	var events []event
	say := func(name string, fields object) {
		fields["type"] = name
		events = append(events, event{name, encode(fields)})
	}
	say("message_start", object{"message": c.message(list{}, nil, 0)})
	if c.outcome == complete {
		say("content_block_start", object{"index": 0, "content_block": object{"type": "text", "text": ""}})
		say("ping", object{})
		for _, d := range c.deltas {
			say("content_block_delta", object{"index": 0, "delta": object{"type": "text_delta", "text": d}})
		}
		say("content_block_stop", object{"index": 0})
	}
	finish := len(events)
	say("message_delta", object{
		"delta": object{"stop_reason": c.stopReason(), "stop_sequence": nil},
		"usage": object{"output_tokens": c.spoken()},
	})
	say("message_stop", object{})
	return stream{events: events, finish: finish, marked: true}
}

func (c call) message(content list, stopReason any, spoken int) object {
	return object{
		"id": "msg_" + c.id, "type": "message", "role": "assistant", "model": c.model, "content": content,
		"stop_reason": stopReason, "stop_sequence": nil,
		"usage": object{
			"input_tokens": c.words, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
			"output_tokens": spoken,
		},
	}
}

func (c call) stopReason() string {
	if c.outcome == refused {
		return "refusal"
	}
	return "end_turn"
}
