package dialect

import "slices"

// The surfaces of messages.
const (
	Messages       Surface = "messages"
	MessagesStream Surface = "messages-stream"
)

var messagesEndpoint = Endpoint{
	Surface: Messages, Streaming: MessagesStream, Dialect: Anthropic, Label: "msgs",
	Path: "/v1/messages", UnknownPath: "/v1/messages/no-such-path",
	Input: "messages", Temperature: "temperature", Answers: "content",
	body: func(a Ask) Object {
		return Object{"messages": List{Object{"role": "user", "content": a.Prompt}}, "max_tokens": a.MaxTokens}
	},
	classify:  classifyMessageEvent,
	finish:    FinishMarks{object: []byte(`{`), mark: []byte(`"type":"message_stop"`)},
	pieces:    PieceMarks{within: "delta", texts: []string{"text", "thinking", "partial_json"}},
	usage:     usageNames{input: "input_tokens", output: "output_tokens"},
	operation: messages{},
}

func classifyMessageEvent(kind string, body Object) EventKind {
	switch kind {
	case "message_start", "content_block_start":
		return EventLifecycle
	case "content_block_delta":
		return EventContent
	case "content_block_stop":
		return EventItemEnd
	case "message_stop":
		return EventFinish
	case "message_delta":
		if delta, _ := body["delta"].(Object); filled(delta["stop_reason"]) {
			return EventFinish
		}
		return EventOther // only usage
	default:
		return EventOther
	}
}

// messages is Anthropic's messages as the upstream serves it.
type messages struct{ anthropic }

func (messages) WantsStream(doc Object) bool { return doc["stream"] == true }

// Refusal returns nil, because Anthropic expresses a refusal as a stop reason.
func (messages) Refusal() *Problem { return nil }

func (messages) Texts(doc Object) []string {
	return append(latestFirst(doc["messages"]), textsIn(doc["system"])...)
}

func (messages) Check(doc Object) *Problem {
	return firstProblem(doc,
		namesModel(),
		required("max_tokens"), atLeastOne("max_tokens"),
		required("messages"), each("messages", "messages with a role and content", isMessage(false, "user", "assistant")),
		optional("system", "a string or an array of text blocks", isContent),
		upTo("temperature", 1), upTo("top_p", 1),
		flag("stream"),
	)
}

func (messages) Body(a Answer) any {
	content := List{}
	if len(a.Pieces) > 0 {
		content = append(content, Object{"type": "text", "text": a.text()})
	}
	return a.message(content, stopReason(a.Finish), a.CompletionTokens)
}

func (messages) Writer(a Answer) StreamWriter { return &messagesWriter{answer: a} }

func (o messages) Stream(a Answer) Stream {
	s := wholeStream(o.Writer(a), a)
	if len(a.Pieces) > 0 { // Anthropic sends a ping when the content has begun
		s.Events = slices.Insert(s.Events, 2, messageEvent("ping", Object{}))
		s.Content, s.Finish = s.Content+1, s.Finish+1
	}
	return s
}

// messagesWriter writes the events message_start … message_stop around one block, or around none.
type messagesWriter struct {
	answer Answer
	begun  bool // the block
}

func (w *messagesWriter) Open() []Event {
	return []Event{messageEvent("message_start", Object{"message": w.answer.message(List{}, nil, 0)})}
}

func (w *messagesWriter) Piece(text string) []Event {
	block, piece := w.block(text)
	delta := messageEvent("content_block_delta", Object{"index": 0, "delta": piece})
	if w.begun {
		return []Event{delta}
	}
	w.begun = true
	return []Event{messageEvent("content_block_start", Object{"index": 0, "content_block": block}), delta}
}

// block is the block that the pieces are in, as it begins, and one of the pieces.
func (w *messagesWriter) block(text string) (block, piece Object) {
	switch w.answer.Kind {
	case ToolCall:
		return Object{"type": "tool_use", "id": "toolu_" + w.answer.ID, "name": toolName, "input": Object{}},
			Object{"type": "input_json_delta", "partial_json": text}
	case Reasoning:
		return Object{"type": "thinking", "thinking": "", "signature": ""}, Object{"type": "thinking_delta", "thinking": text}
	default:
		return Object{"type": "text", "text": ""}, Object{"type": "text_delta", "text": text}
	}
}

func (w *messagesWriter) Close(e End) []Event {
	usage := Object{"output_tokens": e.CompletionTokens}
	if e.PromptTokens != w.answer.PromptTokens { // a gateway can only estimate it in message_start
		usage["input_tokens"] = e.PromptTokens
	}
	ending := messageEvent("message_delta", Object{
		"delta": Object{"stop_reason": stopReason(e.Finish), "stop_sequence": nil}, "usage": usage,
	})
	ending.Finish = true
	events := []Event{ending, messageEvent("message_stop", Object{})}
	if w.begun {
		events = append([]Event{messageEvent("content_block_stop", Object{"index": 0})}, events...)
	}
	return events
}

func messageEvent(name string, fields Object) Event {
	fields["type"] = name
	return Event{Name: name, Data: Encode(fields)}
}

func (a Answer) message(content List, stopReason any, outputTokens int) Object {
	return a.extended(Object{
		"id": "msg_" + a.ID, "type": "message", "role": "assistant", "model": a.Model, "content": content,
		"stop_reason": stopReason, "stop_sequence": nil,
		"usage": Object{
			"input_tokens": a.PromptTokens, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
			"output_tokens": outputTokens,
		},
	})
}

// stopReason is a finish in Anthropic's words.
func stopReason(f Finish) string {
	switch f {
	case FinishLength:
		return "max_tokens"
	case FinishFilter:
		return "refusal"
	default:
		return "end_turn"
	}
}
