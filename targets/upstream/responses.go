package upstream

import (
	"cmp"
	"maps"
)

// responses is OpenAI's responses.
type responses struct{ openAI }

func (responses) texts(doc object) []string {
	return append(latestFirst(doc["input"]), textsIn(doc["instructions"])...)
}

func (responses) check(doc object) *problem {
	return firstProblem(doc,
		namesModel(),
		required("input"), optional("input", "a string or a non-empty array of items", isItems),
		upTo("temperature", 2), upTo("top_p", 1),
		atLeastOne("max_output_tokens"), flag("stream"),
	)
}

func isItems(v any) bool {
	items, ok := v.(list)
	return isText(v) || ok && len(items) > 0 && all(items, isObject)
}

func (responses) answer(c call) any {
	output := list{}
	if c.outcome == complete {
		output = append(output, c.responseItem("completed", list{outputText(c.text())}))
	}
	return c.response("completed", output, object{
		"input_tokens": c.words, "input_tokens_details": object{"cached_tokens": 0},
		"output_tokens": c.spoken(), "output_tokens_details": object{"reasoning_tokens": 0},
		"total_tokens": c.words + c.spoken(),
	})
}

func (r responses) stream(c call) stream {
	var events []event
	say := func(name string, fields object) {
		fields["type"], fields["sequence_number"] = name, len(events)
		events = append(events, event{name, encode(fields)})
	}
	item := func(name string, more object) {
		fields := object{"item_id": "msg_" + c.id, "output_index": 0, "content_index": 0}
		maps.Copy(fields, more)
		say(name, fields)
	}
	say("response.created", object{"response": c.response("in_progress", list{}, nil)})
	say("response.in_progress", object{"response": c.response("in_progress", list{}, nil)})
	if c.outcome == complete {
		say("response.output_item.added", object{"output_index": 0, "item": c.responseItem("in_progress", list{})})
		item("response.content_part.added", object{"part": outputText("")})
		for _, d := range c.deltas {
			item("response.output_text.delta", object{"delta": d, "logprobs": list{}})
		}
		item("response.output_text.done", object{"text": c.text(), "logprobs": list{}})
		item("response.content_part.done", object{"part": outputText(c.text())})
		say("response.output_item.done", object{"output_index": 0, "item": c.responseItem("completed", list{outputText(c.text())})})
	}
	finish := len(events)
	say("response.completed", object{"response": r.answer(c)})
	return stream{events: events, finish: finish}
}

// errorEvent has the fields beside the type: this stream knows no error object.
func (responses) errorEvent(p problem, n int) event {
	return event{"error", encode(object{
		"type": "error", "code": cmp.Or(p.code, p.kind), "message": p.message, "param": orNull(p.param), "sequence_number": n,
	})}
}

func (c call) response(status string, output list, usage any) object {
	return object{
		"id": "resp_" + c.id, "object": "response", "created_at": c.created, "status": status,
		"error": nil, "incomplete_details": nil, "instructions": c.doc["instructions"], "model": c.model,
		"output": output, "parallel_tool_calls": true, "tool_choice": "auto", "tools": list{},
		"metadata": object{}, "usage": usage,
	}
}

func (c call) responseItem(status string, content list) object {
	return object{"id": "msg_" + c.id, "type": "message", "status": status, "role": "assistant", "content": content}
}

func outputText(text string) object {
	return object{"type": "output_text", "text": text, "annotations": list{}, "logprobs": list{}}
}
