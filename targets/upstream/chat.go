package upstream

// chat is OpenAI's chat/completions.
type chat struct{ openAI }

func (chat) texts(doc object) []string { return latestFirst(doc["messages"]) }

func (chat) check(doc object) *problem {
	return firstProblem(doc,
		namesModel(),
		required("messages"), each("messages", "messages with a role and a content",
			isMessage(true, "system", "developer", "user", "assistant", "tool", "function")),
		upTo("temperature", 2), upTo("top_p", 1),
		atLeastOne("max_tokens"), atLeastOne("max_completion_tokens"), atLeastOne("n"),
		flag("stream"), within("stream_options", flag("include_usage")),
	)
}

func (chat) answer(c call) any {
	choices := list{}
	if c.outcome == complete {
		choices = append(choices, object{
			"index":         0,
			"message":       object{"role": "assistant", "content": c.text(), "refusal": nil},
			"logprobs":      nil,
			"finish_reason": "stop",
		})
	}
	return object{
		"id": "chatcmpl-" + c.id, "object": "chat.completion", "created": c.created, "model": c.model,
		"choices": choices, "usage": openAIUsage(c),
	}
}

func (chat) stream(c call) stream {
	chunk := func(delta object, finish any) event {
		return event{data: encode(object{
			"id": "chatcmpl-" + c.id, "object": "chat.completion.chunk", "created": c.created, "model": c.model,
			"choices": list{object{"index": 0, "delta": delta, "logprobs": nil, "finish_reason": finish}},
		})}
	}
	events := []event{chunk(object{"role": "assistant", "content": ""}, nil)}
	if c.outcome == complete {
		for _, d := range c.deltas {
			events = append(events, chunk(object{"content": d}, nil))
		}
	}
	finish := len(events)
	events = append(events, chunk(object{}, "stop"))
	if options, _ := c.doc["stream_options"].(object); options["include_usage"] == true {
		events = append(events, event{data: encode(object{
			"id": "chatcmpl-" + c.id, "object": "chat.completion.chunk", "created": c.created, "model": c.model,
			"choices": list{}, "usage": openAIUsage(c),
		})})
	}
	return stream{events: append(events, done()), finish: finish, marked: true}
}

// done is the end marker of OpenAI's older streams.
func done() event { return event{data: []byte("[DONE]")} }

func openAIUsage(c call) object {
	return object{"prompt_tokens": c.words, "completion_tokens": c.spoken(), "total_tokens": c.words + c.spoken()}
}
