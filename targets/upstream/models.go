package upstream

// models is OpenAI's list of models.
type models struct{ openAI }

func (models) texts(object) []string { return nil }

func (models) check(object) *problem { return nil }

func (models) answer(c call) any {
	data := list{}
	for _, id := range []string{"gpt-4o-mini", "claude-sonnet-4-0", "gemini-2.5-flash", "text-embedding-3-small"} {
		data = append(data, object{"id": id, "object": "model", "created": c.created, "owned_by": "gatecert"})
	}
	return object{"object": "list", "data": data}
}
