package dialect

import (
	"cmp"
	"maps"
)

// The surfaces of responses.
const (
	Responses       Surface = "responses"
	ResponsesStream Surface = "responses-stream"
)

var responsesEndpoint = Endpoint{
	Surface: Responses, Streaming: ResponsesStream, Dialect: OpenAI, Label: "resp",
	Path: "/v1/responses", UnknownPath: "/v1/responses/no-such-path/at-all",
	Input: "input", Temperature: "temperature", Answers: "output",
	body: func(a Ask) Object { return Object{"input": a.Prompt, "max_output_tokens": a.MaxTokens} },
	classify: func(kind string, _ []byte) EventKind {
		switch kind {
		case "response.completed", "response.incomplete":
			return EventFinish
		case "response.output_text.delta":
			return EventContent
		default:
			return EventOther
		}
	},
	finish:    FinishMarks{object: []byte(`{`), mark: []byte(`"type":"response.completed"`)},
	operation: responses{},
}

// responses is OpenAI's responses.
type responses struct{ openAI }

func (responses) Texts(doc Object) []string {
	return append(latestFirst(doc["input"]), textsIn(doc["instructions"])...)
}

func (responses) Check(doc Object) *Problem {
	return firstProblem(doc,
		namesModel(),
		required("input"), optional("input", "a string or a non-empty array of items", isItems),
		upTo("temperature", 2), upTo("top_p", 1),
		atLeastOne("max_output_tokens"), flag("stream"),
	)
}

func isItems(v any) bool {
	items, ok := v.(List)
	return isText(v) || ok && len(items) > 0 && all(items, isObject)
}

func (responses) Body(c Answer) any {
	output := List{}
	if c.Outcome == Complete {
		output = append(output, c.responseItem("completed", List{outputText(c.text())}))
	}
	return c.response("completed", output, Object{
		"input_tokens": c.PromptTokens, "input_tokens_details": Object{"cached_tokens": 0},
		"output_tokens": c.spoken(), "output_tokens_details": Object{"reasoning_tokens": 0},
		"total_tokens": c.PromptTokens + c.spoken(),
	})
}

func (r responses) Stream(c Answer) Stream {
	var events []Event
	say := func(name string, fields Object) {
		fields["type"], fields["sequence_number"] = name, len(events)
		events = append(events, Event{name, Encode(fields)})
	}
	item := func(name string, more Object) {
		fields := Object{"item_id": "msg_" + c.ID, "output_index": 0, "content_index": 0}
		maps.Copy(fields, more)
		say(name, fields)
	}
	say("response.created", Object{"response": c.response("in_progress", List{}, nil)})
	say("response.in_progress", Object{"response": c.response("in_progress", List{}, nil)})
	if c.Outcome == Complete {
		say("response.output_item.added", Object{"output_index": 0, "item": c.responseItem("in_progress", List{})})
		item("response.content_part.added", Object{"part": outputText("")})
		for _, d := range c.Pieces {
			item("response.output_text.delta", Object{"delta": d, "logprobs": List{}})
		}
		item("response.output_text.done", Object{"text": c.text(), "logprobs": List{}})
		item("response.content_part.done", Object{"part": outputText(c.text())})
		say("response.output_item.done", Object{"output_index": 0, "item": c.responseItem("completed", List{outputText(c.text())})})
	}
	finish := len(events)
	say("response.completed", Object{"response": r.Body(c)})
	return Stream{Events: events, Finish: finish}
}

// ErrorEvent has the fields beside the type: this stream knows no error object.
func (responses) ErrorEvent(p Problem, n int) Event {
	return Event{"error", Encode(Object{
		"type": "error", "code": cmp.Or(p.Code, p.Type), "message": p.Message, "param": orNull(p.Param), "sequence_number": n,
	})}
}

func (c Answer) response(status string, output List, usage any) Object {
	return Object{
		"id": "resp_" + c.ID, "object": "response", "created_at": c.Created, "status": status,
		"error": nil, "incomplete_details": nil, "instructions": c.Request["instructions"], "model": c.Model,
		"output": output, "parallel_tool_calls": true, "tool_choice": "auto", "tools": List{},
		"metadata": Object{}, "usage": usage,
	}
}

func (c Answer) responseItem(status string, content List) Object {
	return Object{"id": "msg_" + c.ID, "type": "message", "status": status, "role": "assistant", "content": content}
}

func outputText(text string) Object {
	return Object{"type": "output_text", "text": text, "annotations": List{}, "logprobs": List{}}
}
