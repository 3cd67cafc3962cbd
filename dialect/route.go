package dialect

import (
	"strings"
)

// Route is the operation and the model that a request addresses.
type Route struct {
	Format
	Operation Operation // nil if there is a problem
	// Model is the model named in the path, as in Gemini's API.
	Model   string
	Problem *Problem
}

// apiVersion begins the paths of OpenAI and Anthropic. Gateways are given base URLs with and without it.
const apiVersion = "/v1"

// Operations returns every operation that [FindRoute] can find.
func Operations() []Operation {
	var all []Operation
	for _, e := range endpoints() {
		all = append(all, e.operation)
	}
	return append(all, models{}, generate{streamed: true}, generate{streamed: true, array: true}, embed{}, batchEmbed{})
}

// FindRoute finds the operation that a request to the upstream addresses. It compares only the end of the path, so a gateway may use any base path
// ("/v1", "/openai/v1").
func FindRoute(method, path string, from Presented) Route {
	if strings.HasSuffix(path, "/models") && !strings.Contains(path, "/v1beta/") {
		return onMethod(method, path, from, methodGet, Route{Operation: models{}})
	}
	if name, ok := modelPath(path); ok && method == methodGet {
		return onMethod(method, path, from, methodGet, Route{Operation: oneModel{}, Model: name})
	}
	if model, verb, ok := geminiPath(path); ok {
		return onMethod(method, path, from, methodPost, Route{Operation: geminiOperation(verb, from.Query("alt")), Model: model})
	}
	for _, e := range endpoints() {
		if !e.Surface.ModelInPath() && strings.HasSuffix(path, strings.TrimPrefix(e.Path, apiVersion)) {
			return onMethod(method, path, from, methodPost, Route{Operation: e.operation})
		}
	}
	return onMethod(method, path, from, "", Route{})
}

// modelPath splits ".../models/{model}", but for Gemini's.
func modelPath(path string) (model string, ok bool) {
	at := strings.LastIndex(path, "/models/")
	if at < 0 || strings.Contains(path, "/v1beta/") {
		return "", false
	}
	model = path[at+len("/models/"):]
	return model, model != "" && !strings.Contains(model, "/")
}

// geminiPath splits ".../models/{model}:{verb}".
func geminiPath(path string) (model, verb string, ok bool) {
	const stem = "/models/"
	at := strings.LastIndex(path, stem)
	if at < 0 {
		return "", "", false
	}
	rest := path[at+len(stem):]
	colon := strings.LastIndex(rest, ":")
	if colon < 1 {
		return "", "", false
	}
	return rest[:colon], rest[colon+1:], true
}

// geminiOperation is nil for a verb that is not played.
func geminiOperation(verb, alt string) Operation {
	switch verb {
	case "generateContent":
		return generate{}
	case "streamGenerateContent":
		return generate{streamed: true, array: alt != "sse"}
	case "embedContent":
		return embed{}
	case "batchEmbedContents":
		return batchEmbed{}
	default:
		return nil
	}
}

// onMethod completes a route with its protocol, or with the problem that there is no such path or method.
func onMethod(method, path string, from Presented, want string, to Route) Route {
	if to.Operation == nil {
		to.Format = guess(path, from)
		to.Problem = &Problem{Status: statusNotFound, Message: "There is no such path."}
		return to
	}
	to.Format = to.Operation
	if method != want {
		to.Operation = nil
		to.Problem = &Problem{Status: statusMethodNotAllowed, Message: "The method is not allowed for this path.", Allow: want}
	}
	return to
}

// guess names the protocol that a request to an unknown path speaks, by its fields and path.
func guess(path string, from Presented) Format {
	switch {
	case from.Header("Anthropic-Version") != "" || from.Header("X-Api-Key") != "":
		return Anthropic.Format()
	case from.Header("X-Goog-Api-Key") != "" || strings.Contains(path, "/v1beta/"):
		return Gemini.Format()
	default:
		return OpenAI.Format()
	}
}

// ModelOf returns the model in the request.
func (to Route) ModelOf(doc Object) string {
	if to.Model != "" {
		return to.Model
	}
	model, _ := doc["model"].(string)
	return model
}

// Streams reports whether the request asks for a stream.
func (to Route) Streams(doc Object) bool {
	s, ok := to.Operation.(StreamingOperation)
	return ok && s.WantsStream(doc)
}
