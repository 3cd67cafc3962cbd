package dialect

// models is OpenAI's list of models.
type models struct{ openAI }

func (models) Texts(Object) []string { return nil }

func (models) Check(Object) *Problem { return nil }

func (models) Body(a Answer) any {
	data := List{}
	for _, id := range []string{"gpt-4o-mini", "claude-sonnet-4-0", "gemini-2.5-flash", "text-embedding-3-small"} {
		data = append(data, Object{"id": id, "object": "model", "created": a.Created, "owned_by": "gatecert"})
	}
	return Object{"object": "list", "data": data}
}
