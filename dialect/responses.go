package dialect

import (
	"cmp"
	"encoding/json"
	"strings"
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
	body:      func(a Ask) Object { return Object{"input": a.Prompt, "max_output_tokens": a.MaxTokens} },
	classify:  classifyResponseEvent,
	ownError:  responseError,
	finish:    FinishMarks{object: []byte(`{`), mark: []byte(`"type":"response.completed"`)},
	pieces:    PieceMarks{texts: []string{"delta"}},
	usage:     usageNames{input: "input_tokens", output: "output_tokens"},
	operation: responses{},
}

// classifyResponseEvent goes by the last part of an event's type, because the API has a family of events for every kind
// of output: text, reasoning, tool arguments, audio, images.
func classifyResponseEvent(kind string, _ Object) EventKind {
	switch kind {
	case "response.completed", "response.incomplete":
		return EventFinish
	case "response.created", "response.queued", "response.in_progress":
		return EventLifecycle
	}
	if !strings.HasPrefix(kind, "response.") {
		return EventOther
	}
	switch kind[strings.LastIndexByte(kind, '.')+1:] {
	case "delta":
		return EventContent
	case "done", "completed":
		return EventItemEnd
	case "added", "in_progress", "searching", "generating", "interpreting":
		return EventLifecycle
	default:
		return EventOther
	}
}

// responseError reads the error events that the API itself has: "event: error", flat or around an error object, and
// response.failed.
func responseError(name string, event members) (object json.RawMessage, form string) {
	kind, _ := event.value("type").(string)
	inner, nested := event["error"]
	switch {
	case kind == "response.failed":
		var response members
		if json.Unmarshal(event["response"], &response) != nil {
			return nil, ""
		}
		return response["error"], "response.failed"
	case nested && (kind == "error" || name == "error"):
		return inner, "event: error with a nested error object"
	case kind == "error" || name == "error":
		flat, err := json.Marshal(event)
		if err != nil {
			return nil, ""
		}
		return flat, "event: error with the error's fields at the top level"
	default:
		return nil, ""
	}
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

func (responses) Body(a Answer) any {
	status := responseStatus(a.Finish)
	output := List{}
	if len(a.Pieces) > 0 {
		output = append(output, a.responseItem(status, List{outputText(a.text())}))
	}
	body := a.response(status, output, Object{
		"input_tokens": a.PromptTokens, "input_tokens_details": Object{"cached_tokens": 0},
		"output_tokens": a.CompletionTokens, "output_tokens_details": Object{"reasoning_tokens": 0},
		"total_tokens": a.PromptTokens + a.CompletionTokens,
	})
	switch a.Finish {
	case FinishLength:
		body["incomplete_details"] = Object{"reason": "max_output_tokens"}
	case FinishFilter:
		body["incomplete_details"] = Object{"reason": "content_filter"}
	default: // it is complete
	}
	return body
}

// responseStatus is a finish as the status of a response: what the token limit or the policy cut short is incomplete.
func responseStatus(f Finish) string {
	if f == FinishLength || f == FinishFilter {
		return "incomplete"
	}
	return "completed"
}

func (responses) Writer(a Answer) StreamWriter {
	a.Pieces = nil
	return &responsesWriter{answer: a}
}

func (o responses) Stream(a Answer) Stream { return wholeStream(o.Writer(a), a) }

// responsesWriter writes the typed events response.created … response.completed around one message, or around none. It
// keeps the pieces, because the events that end the message repeat its text.
type responsesWriter struct {
	answer   Answer
	sequence int
}

func (w *responsesWriter) event(name string, fields Object) Event {
	fields["type"], fields["sequence_number"] = name, w.sequence
	w.sequence++
	return Event{Name: name, Data: Encode(fields)}
}

// part is an event about the only part of the only item.
func (w *responsesWriter) part(name string, fields Object) Event {
	fields["item_id"], fields["output_index"], fields["content_index"] = "msg_"+w.answer.ID, 0, 0
	return w.event(name, fields)
}

func (w *responsesWriter) Open() []Event {
	created := w.event("response.created", Object{"response": w.answer.response("in_progress", List{}, nil)})
	w.answer.Extra = nil
	return []Event{created, w.event("response.in_progress", Object{"response": w.answer.response("in_progress", List{}, nil)})}
}

func (w *responsesWriter) Piece(text string) (events []Event) {
	first := len(w.answer.Pieces) == 0
	w.answer.Pieces = append(w.answer.Pieces, text)
	switch w.answer.Kind {
	case ToolCall:
		return w.toolCall(first, text)
	case Reasoning:
		return w.reasoning(first, text)
	case Text:
	}
	if first {
		item := w.answer.responseItem("in_progress", List{})
		events = append(events, w.event("response.output_item.added", Object{"output_index": 0, "item": item}),
			w.part("response.content_part.added", Object{"part": outputText("")}))
	}
	return append(events, w.part("response.output_text.delta", Object{"delta": text, "logprobs": List{}}))
}

func (w *responsesWriter) toolCall(first bool, text string) (events []Event) {
	id := "fc_" + w.answer.ID
	if first {
		events = append(events, w.event("response.output_item.added", Object{"output_index": 0, "item": Object{
			"id": id, "type": "function_call", "status": "in_progress", "call_id": "call_" + w.answer.ID, "name": toolName, "arguments": "",
		}}))
	}
	return append(events, w.event("response.function_call_arguments.delta", Object{"item_id": id, "output_index": 0, "delta": text}))
}

func (w *responsesWriter) reasoning(first bool, text string) (events []Event) {
	id := "rs_" + w.answer.ID
	part := func(name string, fields Object) Event {
		fields["item_id"], fields["output_index"], fields["summary_index"] = id, 0, 0
		return w.event(name, fields)
	}
	if first {
		item := Object{"id": id, "type": "reasoning", "status": "in_progress", "summary": List{}}
		events = append(events, w.event("response.output_item.added", Object{"output_index": 0, "item": item}),
			part("response.reasoning_summary_part.added", Object{"part": Object{"type": "summary_text", "text": ""}}))
	}
	return append(events, part("response.reasoning_summary_text.delta", Object{"delta": text}))
}

func (w *responsesWriter) Close(e End) (events []Event) {
	w.answer.End = e
	status := responseStatus(e.Finish)
	if len(w.answer.Pieces) > 0 {
		text := w.answer.text()
		item := w.answer.responseItem(status, List{outputText(text)})
		events = append(events, w.part("response.output_text.done", Object{"text": text, "logprobs": List{}}),
			w.part("response.content_part.done", Object{"part": outputText(text)}),
			w.event("response.output_item.done", Object{"output_index": 0, "item": item}))
	}
	last := w.event("response."+status, Object{"response": responses{}.Body(w.answer)})
	last.Finish = true
	return append(events, last)
}

// ErrorEvent returns an event in which the error's fields are next to the type, because this kind of stream has no error object.
func (responses) ErrorEvent(p Problem, n int) Event {
	return Event{Name: "error", Data: Encode(Object{
		"type": "error", "code": cmp.Or(p.code(), any(p.Type)), "message": p.Message, "param": orNull(p.Param), "sequence_number": n,
	})}
}

func (a Answer) response(status string, output List, usage any) Object {
	return a.extended(Object{
		"id": "resp_" + a.ID, "object": "response", "created_at": a.Created, "status": status,
		"error": nil, "incomplete_details": nil, "instructions": a.Request["instructions"], "model": a.Model,
		"output": output, "parallel_tool_calls": true, "tool_choice": "auto", "tools": List{},
		"metadata": Object{}, "usage": usage,
	})
}

func (a Answer) responseItem(status string, content List) Object {
	return Object{"id": "msg_" + a.ID, "type": "message", "status": status, "role": "assistant", "content": content}
}

func outputText(text string) Object {
	return Object{"type": "output_text", "text": text, "annotations": List{}, "logprobs": List{}}
}
