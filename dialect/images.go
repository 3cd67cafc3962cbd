package dialect

// Images is OpenAI's image generation endpoint.
const Images Surface = "images"

var imagesEndpoint = Endpoint{
	Surface: Images, Dialect: OpenAI, Label: "imgs",
	Path: "/v1/images/generations", UnknownPath: "/v1/images/no-such-path",
	Input: "prompt", Answers: "data", Large: true, DefaultModel: true,
	body:      func(a Ask) Object { return Object{"prompt": a.Prompt, "n": 1} },
	operation: images{},
}

// maxImages is how many images OpenAI makes in one call.
const maxImages = 10

// images is OpenAI's generation of images as the upstream serves it.
type images struct{ openAI }

func (images) Texts(doc Object) []string { return textsIn(doc["prompt"]) }

func (images) Check(doc Object) *Problem {
	return firstProblem(doc,
		optional("model", "a non-empty string", isText),
		required("prompt"), optional("prompt", "a non-empty string", isText),
		optional("n", "an integer from 1 to 10", func(v any) bool { n, ok := v.(float64); return ok && isWhole(v) && n >= 1 && n <= maxImages }),
		optional("size", "a string", isText),
		optional("response_format", "url or b64_json", func(v any) bool { return v == "url" || v == "b64_json" }),
		flag("stream"),
	)
}

// pixel is a PNG image of one transparent pixel, in base64.
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="

func (images) Body(a Answer) any {
	data := List{}
	if len(a.Pieces) > 0 {
		for range max(1, number(a.Request["n"])) {
			data = append(data, Object{"b64_json": pixel})
		}
	}
	return a.extended(Object{
		"created": a.Created, "data": data,
		"usage": Object{
			"input_tokens": a.PromptTokens, "output_tokens": len(data), "total_tokens": a.PromptTokens + len(data),
			"input_tokens_details": Object{"text_tokens": a.PromptTokens, "image_tokens": 0},
		},
	})
}

// number is a whole number of a valid request, 0 where it has none.
func number(v any) int {
	n, _ := v.(float64)
	return int(n)
}
