package upstream

import "maps"

// completions is OpenAI's legacy completions.
type completions struct{ openAI }

func (completions) texts(doc object) []string { return textsIn(doc["prompt"]) }

func (completions) check(doc object) *problem {
	return firstProblem(doc,
		namesModel(),
		required("prompt"), optional("prompt", "a string or a non-empty array of strings or tokens", isInput),
		upTo("temperature", 2), upTo("top_p", 1),
		atLeastOne("max_tokens"), atLeastOne("n"),
		flag("stream"), within("stream_options", flag("include_usage")),
	)
}

func (completions) answer(c call) any {
	choices := list{}
	if c.outcome == complete {
		choices = append(choices, completionChoice(c.text(), "stop"))
	}
	return object{
		"id": "cmpl-" + c.id, "object": "text_completion", "created": c.created, "model": c.model,
		"choices": choices, "usage": openAIUsage(c),
	}
}

func (completions) stream(c call) stream {
	chunk := func(choices list, more object) event {
		body := object{"id": "cmpl-" + c.id, "object": "text_completion", "created": c.created, "model": c.model, "choices": choices}
		maps.Copy(body, more)
		return event{data: encode(body)}
	}
	var events []event
	if c.outcome == complete {
		for _, d := range c.deltas {
			events = append(events, chunk(list{completionChoice(d, nil)}, nil))
		}
	}
	finish := len(events)
	events = append(events, chunk(list{completionChoice("", "stop")}, nil))
	if options, _ := c.doc["stream_options"].(object); options["include_usage"] == true {
		events = append(events, chunk(list{}, object{"usage": openAIUsage(c)}))
	}
	return stream{events: append(events, done()), finish: finish, marked: true}
}

func completionChoice(text string, finish any) object {
	return object{"index": 0, "text": text, "logprobs": nil, "finish_reason": finish}
}

// isInput reports whether v is a text or a batch of them: a string, or a non-empty array of strings, of token numbers,
// or of arrays of token numbers.
func isInput(v any) bool {
	if isText(v) {
		return true
	}
	elements, ok := v.(list)
	return ok && len(elements) > 0 && (all(elements, isText) || all(elements, isWhole) || all(elements, isTokens))
}

func isTokens(v any) bool {
	elements, ok := v.(list)
	return ok && len(elements) > 0 && all(elements, isWhole)
}
