package dialect

// CountTokens counts the tokens of a messages request before the request is made.
const CountTokens Surface = "count-tokens"

var countTokensEndpoint = Endpoint{
	Surface: CountTokens, Dialect: Anthropic, Label: "cntt",
	Path: "/v1/messages/count_tokens", UnknownPath: "/v1/messages/count_tokens/no-such-path",
	Input: "messages", Answers: "input_tokens", Holds: ShapeNumber, Free: true,
	body:      func(a Ask) Object { return Object{"messages": List{Object{"role": "user", "content": a.Prompt}}} },
	operation: countTokens{},
}

// countTokens is Anthropic's count as the upstream serves it.
type countTokens struct{ anthropic }

// Refusal returns nil, because a token count cannot express a refusal.
func (countTokens) Refusal() *Problem { return nil }

func (countTokens) Texts(doc Object) []string { return messages{}.Texts(doc) }

func (countTokens) Check(doc Object) *Problem {
	return firstProblem(doc,
		namesModel(),
		required("messages"), each("messages", "messages with a role and content", isMessage(false, "user", "assistant")),
		optional("system", "a string or an array of text blocks", isContent),
	)
}

func (countTokens) Body(a Answer) any { return a.extended(Object{"input_tokens": a.PromptTokens}) }
