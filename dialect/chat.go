package dialect

// The surfaces of chat/completions.
const (
	Chat       Surface = "chat"
	ChatStream Surface = "chat-stream"
)

var chatEndpoint = Endpoint{
	Surface: Chat, Streaming: ChatStream, Dialect: OpenAI, Label: "chat",
	Path: "/v1/chat/completions", UnknownPath: "/v1/chat/no-such-path",
	Input: "messages", Temperature: "temperature", Answers: "choices",
	body: func(a Ask) Object {
		return Object{"messages": List{Object{"role": "user", "content": a.Prompt}}, "max_tokens": a.MaxTokens}
	},
	classify:  classifyChoices,
	finish:    FinishMarks{object: []byte(`"choices":[{`), mark: []byte(`"finish_reason":"`)},
	operation: chat{},
}

// classifyChoices reads a chunk of OpenAI's older streams: a piece of the answer, or the finish_reason.
func classifyChoices(_ string, data []byte) EventKind {
	var body struct {
		Choices []struct {
			Finish *string `json:"finish_reason"`
		} `json:"choices"`
	}
	lenient(data, &body)
	for _, c := range body.Choices {
		if c.Finish != nil && *c.Finish != "" {
			return EventFinish
		}
	}
	if len(body.Choices) > 0 {
		return EventContent
	}
	return EventOther
}

// chat is OpenAI's chat/completions.
type chat struct{ openAI }

func (chat) Texts(doc Object) []string { return latestFirst(doc["messages"]) }

func (chat) Check(doc Object) *Problem {
	return firstProblem(doc,
		namesModel(),
		required("messages"), each("messages", "messages with a role and a content",
			isMessage(true, "system", "developer", "user", "assistant", "tool", "function")),
		upTo("temperature", 2), upTo("top_p", 1),
		atLeastOne("max_tokens"), atLeastOne("max_completion_tokens"), atLeastOne("n"),
		flag("stream"), within("stream_options", flag("include_usage")),
	)
}

func (chat) Body(c Answer) any {
	choices := List{}
	if c.Outcome == Complete {
		choices = append(choices, Object{
			"index":         0,
			"message":       Object{"role": "assistant", "content": c.text(), "refusal": nil},
			"logprobs":      nil,
			"finish_reason": "stop",
		})
	}
	return Object{
		"id": "chatcmpl-" + c.ID, "object": "chat.completion", "created": c.Created, "model": c.Model,
		"choices": choices, "usage": openAIUsage(c),
	}
}

func (chat) Stream(c Answer) Stream {
	chunk := func(delta Object, finish any) Event {
		return Event{Data: Encode(Object{
			"id": "chatcmpl-" + c.ID, "object": "chat.completion.chunk", "created": c.Created, "model": c.Model,
			"choices": List{Object{"index": 0, "delta": delta, "logprobs": nil, "finish_reason": finish}},
		})}
	}
	events := []Event{chunk(Object{"role": "assistant", "content": ""}, nil)}
	if c.Outcome == Complete {
		for _, d := range c.Pieces {
			events = append(events, chunk(Object{"content": d}, nil))
		}
	}
	finish := len(events)
	events = append(events, chunk(Object{}, "stop"))
	if options, _ := c.Request["stream_options"].(Object); options["include_usage"] == true {
		events = append(events, Event{Data: Encode(Object{
			"id": "chatcmpl-" + c.ID, "object": "chat.completion.chunk", "created": c.Created, "model": c.Model,
			"choices": List{}, "usage": openAIUsage(c),
		})})
	}
	return Stream{Events: append(events, done()), Finish: finish, EndMarker: true}
}

// done is the end marker of OpenAI's older streams.
func done() Event { return Event{Data: []byte("[DONE]")} }

func openAIUsage(c Answer) Object {
	return Object{"prompt_tokens": c.PromptTokens, "completion_tokens": c.spoken(), "total_tokens": c.PromptTokens + c.spoken()}
}
