package dialect

// Completions is OpenAI's legacy completions endpoint. The endpoint can stream, but gatecert does not use this.
const Completions Surface = "completions"

var completionsEndpoint = Endpoint{
	Surface: Completions, Dialect: OpenAI, Label: "cmpl",
	Path: "/v1/completions", UnknownPath: "/v1/completions/no-such-path",
	Input: "prompt", Temperature: "temperature", Answers: "choices",
	body:      func(a Ask) Object { return Object{"prompt": a.Prompt, "max_tokens": a.MaxTokens} },
	usage:     usageNames{input: "prompt_tokens", output: "completion_tokens"},
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

func (completions) Body(a Answer) any {
	choices := List{}
	if len(a.Pieces) > 0 {
		choices = append(choices, completionChoice(a.text(), a.finish()))
	}
	return a.completion("cmpl-", "text_completion", choices, openAIUsage(a))
}

func (completions) Writer(a Answer) StreamWriter {
	return &choicesWriter{
		answer: a, prefix: "cmpl-", object: "text_completion",
		piece: func(text string) Object { return completionChoice(text, nil) },
		last:  func(f Finish) Object { return completionChoice("", f) },
	}
}

func (o completions) Stream(a Answer) Stream { return wholeStream(o.Writer(a), a) }

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
