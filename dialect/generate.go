package dialect

// The surfaces of generateContent and streamGenerateContent.
const (
	GenerateContent Surface = "gemini"
	GenerateStream  Surface = "gemini-stream"
)

var generateEndpoint = Endpoint{
	Surface: GenerateContent, Streaming: GenerateStream, Dialect: Gemini, Label: "gmni",
	Path: "/v1beta/models/{model}:generateContent", StreamPath: "/v1beta/models/{model}:streamGenerateContent?alt=sse",
	UnknownPath: "/v1beta/no-such-path",
	Input:       "contents", Temperature: "generationConfig.temperature", Answers: "candidates",
	body: func(a Ask) Object {
		return Object{
			"contents":         List{Object{"role": "user", "parts": List{Object{"text": a.Prompt}}}},
			"generationConfig": Object{"maxOutputTokens": a.MaxTokens},
		}
	},
	classify:  func(_ string, body Object) EventKind { return classifyPieces(body["candidates"], "finishReason") },
	finish:    FinishMarks{object: []byte(`"candidates":[{`), mark: []byte(`"finishReason":"`)},
	pieces:    PieceMarks{within: "candidates", texts: []string{"text", "name"}},
	usage:     usageNames{input: "promptTokenCount", output: "candidatesTokenCount", thoughts: "thoughtsTokenCount"},
	operation: generate{},
}

// generate is Gemini's generateContent and streamGenerateContent.
type generate struct {
	gemini
	streamed bool
	// Array asks for the stream as a JSON array, which is what Gemini sends unless alt=sse.
	array bool
}

func (g generate) WantsStream(Object) bool { return g.streamed }

// Refusal returns nil, because Gemini expresses a refusal in the prompt feedback.
func (generate) Refusal() *Problem { return nil }

func (generate) Texts(doc Object) []string {
	return append(latestFirst(doc["contents"]), textsIn(either(doc, "systemInstruction", "system_instruction"))...)
}

func (generate) Check(doc Object) *Problem {
	config := []rule{
		upTo("temperature", 2), upTo("topP", 1), atLeastOne("maxOutputTokens"), atLeastOne("candidateCount"),
	}
	return firstProblem(doc,
		required("contents"), each("contents", "contents with parts", hasParts),
		within("generationConfig", config...), within("generation_config", config...),
	)
}

// hasParts reports whether v is a Gemini content: an object with a non-empty array of parts.
func hasParts(v any) bool {
	content, _ := v.(Object)
	parts, ok := content["parts"].(List)
	return ok && len(parts) > 0 && all(parts, isObject)
}

// either returns the field under the first name that has it: Gemini accepts both spellings of a name.
func either(doc Object, names ...string) any {
	for _, name := range names {
		if doc[name] != nil {
			return doc[name]
		}
	}
	return nil
}

func (generate) Body(a Answer) any {
	switch {
	case a.refused():
		return a.generated("promptFeedback", blocked(), geminiUsage(a.PromptTokens, 0))
	case len(a.Pieces) == 0:
		return a.generated("candidates", List{}, geminiUsage(a.PromptTokens, 0))
	default:
		return a.generated("candidates", candidates(finishReason(a.Finish), a.text()), geminiUsage(a.PromptTokens, a.CompletionTokens))
	}
}

func (generate) Writer(a Answer) StreamWriter { return &generateWriter{a} }

// Stream differs from what the writer produces: the last piece carries the finish reason, and every event carries a usage.
func (o generate) Stream(a Answer) Stream {
	s := Stream{Array: o.array}
	add := func(tokens int, field string, value any) {
		s.Events = append(s.Events, Event{Data: Encode(a.generated(field, value, geminiUsage(a.PromptTokens, tokens)))})
	}
	switch last := len(a.Pieces) - 1; {
	case a.refused():
		add(0, "promptFeedback", blocked())
	case last < 0:
		add(0, "candidates", candidates(finishReason(a.Finish)))
	default:
		for i, text := range a.Pieces[:last] {
			add(i+1, "candidates", candidatesOf("", a.Kind, text))
		}
		add(a.CompletionTokens, "candidates", candidates(finishReason(a.Finish), a.Pieces[last]))
		s.Finish = last
	}
	return s
}

// generateWriter writes an event a piece, and the finish with the usage as an event of its own.
type generateWriter struct{ answer Answer }

func (w *generateWriter) event(list List, usage Object) Event {
	e := Event{Data: Encode(w.answer.generated("candidates", list, usage))}
	w.answer.Extra = nil
	return e
}

func (w *generateWriter) Open() []Event { return nil }

func (w *generateWriter) Piece(text string) []Event {
	return []Event{w.event(candidates("", text), nil)}
}

func (w *generateWriter) Close(e End) []Event {
	last := w.event(candidates(finishReason(e.Finish), ""), geminiUsage(e.PromptTokens, e.CompletionTokens))
	last.Finish = true
	return []Event{last}
}

// generated is a GenerateContentResponse of one field; usage is nil for none.
func (a Answer) generated(field string, value any, usage Object) Object {
	body := a.extended(Object{field: value, "modelVersion": a.Model, "responseId": a.ID})
	if usage != nil {
		body["usageMetadata"] = usage
	}
	return body
}

func geminiUsage(prompt, candidates int) Object {
	return Object{"promptTokenCount": prompt, "candidatesTokenCount": candidates, "totalTokenCount": prompt + candidates}
}

// candidates is the only candidate of an answer, with a part for each text; finishReason is "" while the answer goes on.
func candidates(finishReason string, texts ...string) List {
	return candidatesOf(finishReason, Text, texts...)
}

func candidatesOf(finishReason string, kind PieceKind, texts ...string) List {
	content := Object{"role": "model"}
	if len(texts) > 0 {
		parts := List{}
		for _, t := range texts {
			parts = append(parts, generatedPart(kind, t))
		}
		content["parts"] = parts
	}
	candidate := Object{"index": 0, "content": content}
	if finishReason != "" {
		candidate["finishReason"] = finishReason
	}
	return List{candidate}
}

// generatedPart is a part of a content. Gemini sends a tool call in one piece: a stream of several can only end between them.
func generatedPart(kind PieceKind, text string) Object {
	switch kind {
	case ToolCall:
		return Object{"functionCall": Object{"name": toolName, "args": Object{"text": text}}}
	case Reasoning:
		return Object{"text": text, "thought": true}
	default:
		return Object{"text": text}
	}
}

// finishReason is a finish in Gemini's words.
func finishReason(f Finish) string {
	switch f {
	case FinishLength:
		return "MAX_TOKENS"
	case FinishFilter:
		return "SAFETY"
	default:
		return "STOP"
	}
}

func blocked() Object {
	return Object{"blockReason": "SAFETY", "safetyRatings": List{
		Object{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": true},
	}}
}
