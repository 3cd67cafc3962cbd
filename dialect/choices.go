package dialect

// completion is the object that chat completions, completions and the chunks of both share; usage is nil for none.
func (a Answer) completion(prefix, object string, choices List, usage Object) Object {
	body := a.extended(Object{"id": prefix + a.ID, "object": object, "created": a.Created, "model": a.Model, "choices": choices})
	if usage != nil {
		body["usage"] = usage
	}
	return body
}

func openAIUsage(a Answer) Object {
	return Object{
		"prompt_tokens": a.PromptTokens, "completion_tokens": a.CompletionTokens, "total_tokens": a.PromptTokens + a.CompletionTokens,
	}
}

// choicesWriter writes the chunks of OpenAI's older streams.
type choicesWriter struct {
	answer         Answer
	prefix, object string
	opening        List // the choices of the first chunk; nil where the first piece opens the stream
	piece          func(text string) Object
	last           func(f Finish) Object
}

func (w *choicesWriter) chunk(choices List, usage Object) Event {
	e := Event{Data: Encode(w.answer.completion(w.prefix, w.object, choices, usage))}
	w.answer.Extra = nil
	return e
}

func (w *choicesWriter) Open() []Event {
	if w.opening == nil {
		return nil
	}
	return []Event{w.chunk(w.opening, nil)}
}

func (w *choicesWriter) Piece(text string) []Event { return []Event{w.chunk(List{w.piece(text)}, nil)} }

func (w *choicesWriter) Close(e End) []Event {
	w.answer.End = e
	last := w.chunk(List{w.last(e.finish())}, nil)
	last.Finish = true
	events := []Event{last}
	if options, _ := w.answer.Request["stream_options"].(Object); options["include_usage"] == true {
		events = append(events, w.chunk(List{}, openAIUsage(w.answer)))
	}
	return append(events, Event{Data: []byte("[DONE]")})
}
