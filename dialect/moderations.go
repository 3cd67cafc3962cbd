package dialect

// Moderations is OpenAI's endpoint that classifies text by its policy.
const Moderations Surface = "moderations"

var moderationsEndpoint = Endpoint{
	Surface: Moderations, Dialect: OpenAI, Label: "mods",
	Path: "/v1/moderations", UnknownPath: "/v1/moderations/no-such-path",
	Input: "input", Answers: "results", DefaultModel: true,
	body:      func(a Ask) Object { return Object{"input": a.Prompt} },
	operation: moderations{},
}

// moderations is OpenAI's moderations as the upstream serves them.
type moderations struct{ openAI }

func (moderations) Texts(doc Object) []string { return textsIn(doc["input"]) }

func (moderations) Check(doc Object) *Problem {
	return firstProblem(doc,
		optional("model", "a non-empty string", isText),
		required("input"),
		optional("input", "a string or a non-empty array of strings or content parts", func(v any) bool {
			elements, ok := v.(List)
			return isText(v) || ok && len(elements) > 0 && all(elements, func(e any) bool { return isText(e) || isObject(e) })
		}),
	)
}

// harms are the categories that every moderation model of OpenAI has.
var harms = []string{
	"harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm", "self-harm/instructions",
	"self-harm/intent", "sexual", "sexual/minors", "violence", "violence/graphic",
}

func (moderations) Body(a Answer) any {
	results := List{}
	if len(a.Pieces) > 0 {
		for range inputs(a.Request["input"]) {
			flags, scores, types := Object{}, Object{}, Object{}
			for _, harm := range harms {
				flags[harm], scores[harm], types[harm] = false, 0.0001, List{"text"}
			}
			results = append(results, Object{"flagged": false, "categories": flags, "category_scores": scores, "category_applied_input_types": types})
		}
	}
	return a.extended(Object{"id": "modr-" + a.ID, "model": a.Model, "results": results})
}
