package upstream

import (
	"net/http"
	"strings"
)

// route is where a request leads.
type route struct {
	Format
	operation Operation // nil when there is a problem
	// Model is the model named in the path, which Gemini does.
	model   string
	problem *Problem
}

// find matches the end of the path, so that any base path a gateway is given ("/v1", "/openai/v1") works.
func find(r *http.Request) route {
	path := r.URL.Path
	if strings.HasSuffix(path, "/models") && !strings.Contains(path, "/v1beta/") {
		return onMethod(r, http.MethodGet, route{operation: models{}})
	}
	if model, verb, ok := geminiPath(path); ok {
		return onMethod(r, http.MethodPost, route{operation: geminiOperation(verb, r.URL.Query().Get("alt")), model: model})
	}
	for _, end := range []struct {
		suffix    string
		operation Operation
	}{
		{"/chat/completions", chat{}},
		{"/completions", completions{}},
		{"/responses", responses{}},
		{"/embeddings", embeddings{}},
		{"/messages", messages{}},
	} {
		if strings.HasSuffix(path, end.suffix) {
			return onMethod(r, http.MethodPost, route{operation: end.operation})
		}
	}
	return onMethod(r, "", route{})
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
func onMethod(r *http.Request, method string, to route) route {
	if to.operation == nil {
		to.Format = guess(r)
		to.problem = &Problem{Status: http.StatusNotFound, Message: "There is no such path."}
		return to
	}
	to.Format = to.operation
	if r.Method != method {
		to.operation = nil
		to.problem = &Problem{Status: http.StatusMethodNotAllowed, Message: "The method is not allowed here.", Allow: method}
	}
	return to
}

// guess names the protocol that a request to an unknown path speaks, by its fields and path.
func guess(r *http.Request) Format {
	switch {
	case r.Header.Get("Anthropic-Version") != "" || r.Header.Get("X-Api-Key") != "":
		return messages{}
	case r.Header.Get("X-Goog-Api-Key") != "" || strings.Contains(r.URL.Path, "/v1beta/"):
		return gemini{}
	default:
		return openAI{}
	}
}
