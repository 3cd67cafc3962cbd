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
	classify:  func(_ string, body Object) EventKind { return classifyPieces(body["choices"], "finish_reason") },
	finish:    FinishMarks{object: []byte(`"choices":[{`), mark: []byte(`"finish_reason":"`)},
	pieces:    PieceMarks{within: "delta", texts: []string{"content", "reasoning_content", "reasoning", "arguments"}},
	usage:     usageNames{input: "prompt_tokens", output: "completion_tokens"},
	operation: chat{},
}

// chat is OpenAI's chat/completions.
type chat struct{ openAI }

func (chat) Texts(doc Object) []string { return latestFirst(doc["messages"]) }

func (chat) Check(doc Object) *Problem {
	return firstProblem(doc,
		namesModel(),
		required("messages"), each("messages", "messages with a role and content",
			isMessage(true, "system", "developer", "user", "assistant", "tool", "function")),
		upTo("temperature", 2), upTo("top_p", 1),
		atLeastOne("max_tokens"), atLeastOne("max_completion_tokens"), atLeastOne("n"),
		flag("stream"), within("stream_options", flag("include_usage")),
	)
}

func (chat) Body(a Answer) any {
	choices := List{}
	if len(a.Pieces) > 0 {
		message := Object{"role": "assistant", "content": a.text(), "refusal": nil}
		choices = append(choices, Object{"index": 0, "message": message, "logprobs": nil, "finish_reason": a.finish()})
	}
	return a.completion("chatcmpl-", "chat.completion", choices, openAIUsage(a))
}

func (chat) Writer(a Answer) StreamWriter {
	opening := Object{"role": "assistant", "content": ""}
	if a.Kind == ToolCall {
		opening["content"] = nil
		opening["tool_calls"] = List{Object{
			"index": 0, "id": "call_" + a.ID, "type": "function", "function": Object{"name": toolName, "arguments": ""},
		}}
	}
	return &choicesWriter{
		answer: a, prefix: "chatcmpl-", object: "chat.completion.chunk",
		opening: List{chatDelta(opening, nil)},
		piece:   func(text string) Object { return chatDelta(chatPiece(a.Kind, text), nil) },
		last:    func(f Finish) Object { return chatDelta(Object{}, f) },
	}
}

func chatPiece(kind PieceKind, text string) Object {
	switch kind {
	case ToolCall:
		return Object{"tool_calls": List{Object{"index": 0, "function": Object{"arguments": text}}}}
	case Reasoning:
		return Object{"reasoning_content": text} // not OpenAI's own: what servers that copy its API send
	default:
		return Object{"content": text}
	}
}

func (o chat) Stream(a Answer) Stream { return wholeStream(o.Writer(a), a) }

func chatDelta(delta Object, finish any) Object {
	return Object{"index": 0, "delta": delta, "logprobs": nil, "finish_reason": finish}
}
