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

func (embed) Body(c Answer) any {
	return Object{"embedding": values(c, 0)}
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

func (batchEmbed) Body(c Answer) any {
	embeddings := List{}
	if requests, _ := c.Request["requests"].(List); c.Outcome == Complete {
		for i := range requests {
			embeddings = append(embeddings, values(c, i))
		}
	}
	return Object{"embeddings": embeddings}
}

func values(c Answer, i int) Object {
	if c.Outcome != Complete {
		return Object{"values": List{}}
	}
	return Object{"values": vector(i)}
}
