package dialect

import "maps"

// Completions is OpenAI's legacy completions. It can stream, and gatecert does not ask it to.
const Completions Surface = "completions"

var completionsEndpoint = Endpoint{
	Surface: Completions, Dialect: OpenAI, Label: "cmpl",
	Path: "/v1/completions", UnknownPath: "/v1/completions/no-such-path",
	Input: "prompt", Temperature: "temperature", Answers: "choices",
	body:      func(a Ask) Object { return Object{"prompt": a.Prompt, "max_tokens": a.MaxTokens} },
	operation: completions{},
}

// completions is OpenAI's legacy completions.
type completions struct{ openAI }

func (completions) Texts(doc Object) []string { return textsIn(doc["prompt"]) }

func (completions) Check(doc Object) *Problem {
	return firstProblem(doc,
		namesModel(),
		required("prompt"), optional("prompt", "a string or a non-empty array of strings or tokens", isInput),
		upTo("temperature", 2), upTo("top_p", 1),
		atLeastOne("max_tokens"), atLeastOne("n"),
		flag("stream"), within("stream_options", flag("include_usage")),
	)
}

func (completions) Body(c Answer) any {
	choices := List{}
	if c.Outcome == Complete {
		choices = append(choices, completionChoice(c.text(), "stop"))
	}
	return Object{
		"id": "cmpl-" + c.ID, "object": "text_completion", "created": c.Created, "model": c.Model,
		"choices": choices, "usage": openAIUsage(c),
	}
}

func (completions) Stream(c Answer) Stream {
	chunk := func(choices List, more Object) Event {
		body := Object{"id": "cmpl-" + c.ID, "object": "text_completion", "created": c.Created, "model": c.Model, "choices": choices}
		maps.Copy(body, more)
		return Event{Data: Encode(body)}
	}
	var events []Event
	if c.Outcome == Complete {
		for _, d := range c.Pieces {
			events = append(events, chunk(List{completionChoice(d, nil)}, nil))
		}
	}
	finish := len(events)
	events = append(events, chunk(List{completionChoice("", "stop")}, nil))
	if options, _ := c.Request["stream_options"].(Object); options["include_usage"] == true {
		events = append(events, chunk(List{}, Object{"usage": openAIUsage(c)}))
	}
	return Stream{Events: append(events, done()), Finish: finish, EndMarker: true}
}

func completionChoice(text string, finish any) Object {
	return Object{"index": 0, "text": text, "logprobs": nil, "finish_reason": finish}
}

// isInput reports whether v is a text or a batch of them: a string, or a non-empty array of strings, of token numbers,
// or of arrays of token numbers.
func isInput(v any) bool {
	if isText(v) {
		return true
	}
	elements, ok := v.(List)
	return ok && len(elements) > 0 && (all(elements, isText) || all(elements, isWhole) || all(elements, isTokens))
}

func isTokens(v any) bool {
	elements, ok := v.(List)
	return ok && len(elements) > 0 && all(elements, isWhole)
}
