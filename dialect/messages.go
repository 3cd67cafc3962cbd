package dialect

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
	classify: func(kind string, _ []byte) EventKind {
		switch kind {
		case "message_stop":
			return EventFinish
		case "content_block_delta":
			return EventContent
		default:
			return EventOther
		}
	},
	finish:    FinishMarks{object: []byte(`{`), mark: []byte(`"type":"message_stop"`)},
	operation: messages{},
}

// messages is Anthropic's messages as the upstream serves it.
type messages struct{ anthropic }

func (messages) WantsStream(doc Object) bool { return doc["stream"] == true }

// Refusal is nil: Anthropic says it with a stop reason.
func (messages) Refusal() *Problem { return nil }

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
