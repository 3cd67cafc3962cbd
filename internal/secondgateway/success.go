package secondgateway

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// object is a JSON object.
type object = map[string]any

// present makes an answer of a reply. Where a stream has begun when it fails, it returns the answer and the failure; otherwise
// one of them.
func (g *Gateway) present(r *http.Request, to route, a ask, price float64, from reply, failure *Failure) (*Answer, *Failure) {
	p := presenter{kind: to.kind, ask: a, reply: from, id: strconv.FormatInt(time.Now().UnixNano(), 36)}
	p.tokens = from.tokens + a.promptTokens()
	p.cost = price * float64(p.tokens) // a price out of all proportion makes an infinite cost, which JSON cannot express
	if !a.stream {
		if failure != nil {
			return nil, failure
		}
		raw, err := json.Marshal(p.body())
		if err != nil {
			return nil, unserializable()
		}
		return success("application/json", raw, nil), nil
	}
	var events []Event
	if len(from.pieces) > 0 {
		events = p.begin()
		for i, text := range from.pieces {
			events = append(events, p.piece(i, text)...)
		}
	}
	if failure == nil {
		end, err := p.end()
		if err == nil {
			return success("text/event-stream;charset=utf-8", nil, append(events, end...)), nil
		}
		failure = unserializable()
	}
	if g.BeginsEarly || g.ErrorsInStream && len(from.pieces) > 0 {
		events = append(events, g.changed(r, failure).event(to.format))
		return success("text/event-stream;charset=utf-8", nil, events), failure
	}
	return nil, failure
}

func unserializable() *Failure {
	return fail(500, "json_marshal_failed", "The response cannot be encoded as JSON. Try again, or contact support.")
}

func success(contentType string, body []byte, events []Event) *Answer {
	a := &Answer{Status: 200, Body: body, Events: events}
	a.Add("content-type", contentType)
	a.Add("cache-control", "no-store")
	a.Add("content-security-policy", "default-src 'none'; "+strings.Repeat("frame-ancestors 'none'; ", 200))
	return a
}

// presenter writes one reply in the form of an endpoint.
type presenter struct {
	kind   string
	ask    ask
	reply  reply
	id     string
	tokens int
	cost   float64
}

func (p presenter) text() string { return strings.Join(p.reply.pieces, "") }

func (p presenter) usage() object {
	prompt := p.ask.promptTokens()
	switch p.kind {
	case messages, responses:
		return object{"input_tokens": prompt, "output_tokens": p.tokens - prompt, "total_tokens": p.tokens, "cost": p.cost}
	case generate:
		return object{"promptTokenCount": prompt, "candidatesTokenCount": p.tokens - prompt, "totalTokenCount": p.tokens, "cost": p.cost}
	default:
		return object{"prompt_tokens": prompt, "completion_tokens": p.tokens - prompt, "total_tokens": p.tokens, "cost": p.cost}
	}
}

// body is a whole answer.
func (p presenter) body() object {
	switch p.kind {
	case completions:
		choice := object{"index": 0, "text": p.text(), "finish_reason": p.reply.finish}
		return object{"object": "text_completion", "id": p.id, "model": p.ask.askedFor, "choices": []any{choice}, "usage": p.usage()}
	case responses:
		return p.response("completed")
	case messages:
		return p.message([]any{object{"type": "text", "text": p.text()}}, p.stopReason())
	case generate:
		return object{"candidates": []any{p.candidate(p.text(), p.finishReason())}, "usageMetadata": p.usage(), "modelVersion": p.ask.askedFor}
	case embeddings:
		data := []any{}
		for i, v := range p.reply.vectors {
			data = append(data, object{"object": "embedding", "index": i, "embedding": v})
		}
		return object{"object": "list", "data": data, "model": p.ask.askedFor, "usage": p.usage()}
	default:
		choice := object{"index": 0, "message": object{"role": "assistant", "content": p.text()}, "finish_reason": p.reply.finish}
		return object{"object": "chat.completion", "id": p.id, "model": p.ask.askedFor, "choices": []any{choice}, "usage": p.usage()}
	}
}

func (p presenter) message(content []any, stopReason any) object {
	return object{
		"id": "msg_" + p.id, "type": "message", "role": "assistant", "model": p.ask.askedFor, "content": content,
		"stop_reason": stopReason, "stop_sequence": nil, "usage": p.usage(),
	}
}

func (p presenter) stopReason() string {
	if p.reply.finish == "length" {
		return "max_tokens"
	}
	return "end_turn"
}

func (p presenter) finishReason() string {
	if p.reply.finish == "length" {
		return "MAX_TOKENS"
	}
	return "STOP"
}

func (p presenter) candidate(text, finishReason string) object {
	c := object{"index": 0, "content": object{"role": "model", "parts": []any{object{"text": text}}}}
	if finishReason != "" {
		c["finishReason"] = finishReason
	}
	return c
}

func (p presenter) response(status string) object {
	output := []any{}
	r := object{"id": "resp_" + p.id, "object": "response", "created_at": 0, "status": status, "model": p.ask.askedFor, "error": nil}
	if status == "completed" {
		output = append(output, object{"type": "message", "id": "msg_" + p.id, "role": "assistant", "status": status, "content": []any{
			object{"type": "output_text", "text": p.text(), "annotations": []any{}},
		}})
		r["usage"] = p.usage()
	}
	r["output"] = output
	return r
}

// chunk is an event of OpenAI's chat.
func (p presenter) chunk(delta object, finish any) Event {
	return event("", object{
		"object": "chat.completion.chunk", "id": p.id, "model": p.ask.askedFor,
		"choices": []any{object{"index": 0, "delta": delta, "finish_reason": finish}},
	})
}

// begin are the events before the first piece.
func (p presenter) begin() []Event {
	switch p.kind {
	case messages:
		p.cost = 0 // known at the end
		return []Event{
			named("message_start", object{"message": p.message([]any{}, nil)}),
			named("content_block_start", object{"index": 0, "content_block": object{"type": "text", "text": ""}}),
		}
	case responses:
		return []Event{named("response.created", object{"response": p.response("in_progress")})}
	case generate:
		return nil
	default:
		return []Event{p.chunk(object{"role": "assistant"}, nil)}
	}
}

// piece are the events of the i-th piece.
func (p presenter) piece(_ int, text string) []Event {
	switch p.kind {
	case messages:
		return []Event{named("content_block_delta", object{"index": 0, "delta": object{"type": "text_delta", "text": text}})}
	case responses:
		return []Event{named("response.output_text.delta", object{"item_id": "msg_" + p.id, "output_index": 0, "content_index": 0, "delta": text})}
	case generate:
		return []Event{event("", object{"candidates": []any{p.candidate(text, "")}})}
	default:
		return []Event{p.chunk(object{"content": text}, nil)}
	}
}

// end are the events after the last piece. It fails when one of them cannot be serialised.
func (p presenter) end() ([]Event, error) {
	if _, err := json.Marshal(p.usage()); err != nil {
		return nil, err
	}
	switch p.kind {
	case messages:
		return []Event{
			named("content_block_stop", object{"index": 0}),
			named("message_delta", object{"delta": object{"stop_reason": p.stopReason(), "stop_sequence": nil}, "usage": p.usage()}),
			named("message_stop", object{}),
		}, nil
	case responses:
		return []Event{
			named("response.output_text.done", object{"item_id": "msg_" + p.id, "output_index": 0, "content_index": 0, "text": p.text()}),
			named("response.completed", object{"response": p.response("completed")}),
		}, nil
	case generate:
		return []Event{event("", object{"candidates": []any{p.candidate("", p.finishReason())}, "usageMetadata": p.usage()})}, nil
	default:
		return []Event{p.chunk(object{}, p.reply.finish), {Data: []byte("[DONE]")}}, nil
	}
}

// named is an event whose name stands in its data too.
func named(name string, fields object) Event {
	fields["type"] = name
	return event(name, fields)
}

func event(name string, fields object) Event {
	raw, _ := json.Marshal(fields)
	return Event{Name: name, Data: raw}
}
