package dialect

// embed is Gemini's embedContent.
type embed struct{ gemini }

// Refusal is an error: a vector has no room for feedback.
func (embed) Refusal() *Problem {
	return &Problem{Status: statusBadRequest, Message: "The content was blocked for SAFETY."}
}

func (embed) Texts(doc Object) []string { return textsIn(doc["content"]) }

func (embed) Check(doc Object) *Problem {
	return firstProblem(doc, required("content"), optional("content", "a content with parts", hasParts))
}

func (embed) Body(a Answer) any {
	values := []float64{}
	for _, v := range a.vectors(1) {
		values = v
	}
	return Object{"embedding": Object{"values": values}}
}

// batchEmbed is Gemini's batchEmbedContents.
type batchEmbed struct{ embed }

func (batchEmbed) Texts(doc Object) []string { return textsIn(doc["requests"]) }

func (b batchEmbed) Check(doc Object) *Problem {
	return firstProblem(doc, required("requests"), each("requests", "requests with a content", func(v any) bool {
		request, ok := v.(Object)
		return ok && b.embed.Check(request) == nil
	}))
}

func (batchEmbed) Body(a Answer) any {
	embeddings := List{}
	requests, _ := a.Request["requests"].(List)
	for _, v := range a.vectors(len(requests)) {
		embeddings = append(embeddings, Object{"values": v})
	}
	return Object{"embeddings": embeddings}
}
