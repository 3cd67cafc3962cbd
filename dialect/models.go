package dialect

// Models is OpenAI's endpoint that describes one model by name. Without a name, the path lists all models.
const Models Surface = "models"

var modelsEndpoint = Endpoint{
	Surface: Models, Dialect: OpenAI, Label: "modl",
	Method: methodGet, Path: modelsPath + "/" + modelInPath, ListPath: modelsPath, UnknownPath: modelsPath + "/no-such-model/no-such-path",
	Answers: "id", Holds: ShapeText, Local: true, Free: true,
	operation: oneModel{},
}

// modelsPath lists the models.
const modelsPath = "/v1/models"

// models is OpenAI's list of models.
type models struct{ openAI }

func (models) Texts(Object) []string { return nil }

func (models) Check(Object) *Problem { return nil }

func (models) Body(a Answer) any {
	data := List{}
	for _, id := range []string{"gpt-4o-mini", "claude-sonnet-4-0", "gemini-2.5-flash", "text-embedding-3-small"} {
		data = append(data, a.entry(id))
	}
	return Object{"object": "list", "data": data}
}

// oneModel is one of OpenAI's models.
type oneModel struct{ models }

func (oneModel) Body(a Answer) any { return a.entry(a.Model) }

func (a Answer) entry(model string) Object {
	return Object{"id": model, "object": "model", "created": a.Created, "owned_by": "gatecert"}
}
