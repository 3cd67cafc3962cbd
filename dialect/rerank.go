package dialect

// Rerank orders documents by their relevance to a query. OpenAI does not offer this endpoint; gateways offer the endpoint of Cohere and Jina in
// OpenAI's API format.
const Rerank Surface = "rerank"

var rerankEndpoint = Endpoint{
	Surface: Rerank, Dialect: OpenAI, Label: "rrnk",
	Path: "/v1/rerank", UnknownPath: "/v1/rerank/no-such-path",
	Input: "query", Answers: "results",
	body: func(a Ask) Object {
		return Object{"query": a.Prompt, "documents": List{"The sea is calm.", "The gateway is healthy."}}
	},
	operation: rerank{},
}

// rerank is Jina's rerank as the upstream serves it, which understands Cohere's requests too.
type rerank struct{ openAI }

func (rerank) Texts(doc Object) []string { return textsIn(doc["query"], doc["documents"]) }

func (rerank) Check(doc Object) *Problem {
	return firstProblem(doc,
		namesModel(),
		required("query"), optional("query", "a non-empty string", isText),
		required("documents"), each("documents", "texts", func(v any) bool { return isText(v) || isObject(v) }),
		atLeastOne("top_n"), flag("return_documents"),
	)
}

func (rerank) Body(a Answer) any {
	results := List{}
	if len(a.Pieces) > 0 {
		documents, _ := a.Request["documents"].(List)
		for i := range documents {
			results = append(results, Object{"index": i, "relevance_score": 1 / float64(i+1)})
		}
		if top := number(a.Request["top_n"]); top > 0 && top < len(results) {
			results = results[:top]
		}
	}
	return a.extended(Object{
		"id": "rerank-" + a.ID, "model": a.Model, "results": results,
		"usage": Object{"prompt_tokens": a.PromptTokens, "total_tokens": a.PromptTokens},
	})
}
