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
	classify: func(_ string, data []byte) EventKind {
		var body struct {
			Candidates []struct {
				Finish string `json:"finishReason"`
			} `json:"candidates"`
		}
		lenient(data, &body)
		switch {
		case len(body.Candidates) == 0:
			return EventOther
		case body.Candidates[0].Finish != "":
			return EventFinish
		default:
			return EventContent
		}
	},
	finish:    FinishMarks{object: []byte(`"candidates":[{`), mark: []byte(`"finishReason":"`)},
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

// Refusal is nil: Gemini says it in the prompt's feedback.
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

func (generate) Body(c Answer) any {
	body := c.generated(c.spoken())
	switch c.Outcome {
	case Refused:
		body["promptFeedback"] = blocked()
	case Empty:
		body["candidates"] = List{}
	default:
		body["candidates"] = List{candidate(c.text(), "STOP")}
	}
	return body
}

func (g generate) Stream(c Answer) Stream {
	s := Stream{Array: g.array}
	say := func(n int, field string, v any) {
		body := c.generated(n)
		body[field] = v
		s.Events = append(s.Events, Event{Data: Encode(body)})
	}
	switch c.Outcome {
	case Refused:
		say(0, "promptFeedback", blocked())
	case Empty:
		say(0, "candidates", List{candidate("", "STOP")})
	default:
		for i, d := range c.Pieces[:len(c.Pieces)-1] {
			say(i+1, "candidates", List{candidate(d, "")})
		}
		// The last piece of the text carries the finish.
		s.Finish = len(s.Events)
		say(c.spoken(), "candidates", List{candidate(c.Pieces[len(c.Pieces)-1], "STOP")})
	}
	return s
}

func (c Answer) generated(spoken int) Object {
	return Object{
		"usageMetadata": Object{
			"promptTokenCount": c.PromptTokens, "candidatesTokenCount": spoken, "totalTokenCount": c.PromptTokens + spoken,
		},
		"modelVersion": c.Model, "responseId": c.ID,
	}
}

func candidate(text, finish string) Object {
	content := Object{"role": "model"}
	if text != "" {
		content["parts"] = List{Object{"text": text}}
	}
	body := Object{"index": 0, "content": content}
	if finish != "" {
		body["finishReason"] = finish
	}
	return body
}

func blocked() Object {
	return Object{"blockReason": "SAFETY", "safetyRatings": List{
		Object{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": true},
	}}
}
