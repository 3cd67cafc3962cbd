package upstream

import "net/http"

// embed is Gemini's embedContent.
type embed struct{ gemini }

// refusal is an error: a vector has no room for feedback.
func (embed) refusal() *problem {
	return &problem{status: http.StatusBadRequest, message: "The content was blocked for SAFETY."}
}

func (embed) texts(doc object) []string { return textsIn(doc["content"]) }

func (embed) check(doc object) *problem {
	return firstProblem(doc, required("content"), optional("content", "a content with parts", hasParts))
}

func (embed) answer(c call) any {
	return object{"embedding": values(c, 0)}
}

// batchEmbed is Gemini's batchEmbedContents.
type batchEmbed struct{ embed }

func (batchEmbed) texts(doc object) []string { return textsIn(doc["requests"]) }

func (b batchEmbed) check(doc object) *problem {
	return firstProblem(doc, required("requests"), each("requests", "requests with a content", func(v any) bool {
		request, ok := v.(object)
		return ok && b.embed.check(request) == nil
	}))
}

func (batchEmbed) answer(c call) any {
	embeddings := list{}
	if requests, _ := c.doc["requests"].(list); c.outcome == complete {
		for i := range requests {
			embeddings = append(embeddings, values(c, i))
		}
	}
	return object{"embeddings": embeddings}
}

func values(c call, i int) object {
	if c.outcome != complete {
		return object{"values": list{}}
	}
	return object{"values": vector(i)}
}
