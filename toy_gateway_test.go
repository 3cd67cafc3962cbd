package gatecert_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// The flaws of a toyGateway: each is typical of gateways that were tested.
const (
	keyEchoed     = "the key in the message"
	stackShown    = "a stack trace in the message"
	errorIn200    = "200 with an error object"
	silentEnd     = "a stream that ends silently"
	unknownIs500  = "500 for an unknown model"
	wrongCode     = "a code of its own"
	errorIsString = "error is a string"
	htmlPage      = "an HTML page for an unknown path"
	noContentType = "no Content-Type"
	noParam       = "no param"
)

// toyKey is the only key that the gateway has issued.
const toyKey = "sk-toy-0123456789abcdef"

// toyGateway is about the smallest gateway that keeps what the contract says of keys, paths, models, bodies and broken upstreams in chat
// completions. Its flaws can be mended one by one.
type toyGateway struct {
	upstream string
	mu       sync.Mutex
	flaws    map[string]bool
}

func (g *toyGateway) has(flaw string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.flaws[flaw]
}

func (g *toyGateway) mend(flaw string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.flaws, flaw)
}

// errorBody is the error envelope of OpenAI.
func (g *toyGateway) errorBody(message, code string) []byte {
	object := map[string]any{"message": message, "type": "invalid_request_error", "param": nil, "code": code}
	if strings.HasPrefix(code, "read_response") {
		object["type"] = "api_error"
	}
	if g.has(noParam) {
		delete(object, "param")
	}
	body, _ := json.Marshal(map[string]any{"error": object})
	return body
}

func (g *toyGateway) fail(w http.ResponseWriter, status int, message, code string) {
	body := g.errorBody(message, code)
	w.Header().Set("Content-Type", "application/json")
	switch {
	case code == "read_request_body_failed" && g.has(errorIsString):
		body = []byte(`{"error":"` + message + `"}`)
	case code == "bad_request_body" && g.has(noContentType):
		w.Header()["Content-Type"] = nil
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func (g *toyGateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	var request struct {
		Model       string   `json:"model"`
		Messages    any      `json:"messages"`
		Stream      bool     `json:"stream"`
		Temperature *float64 `json:"temperature"`
	}
	content, readErr := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	decodeErr := json.Unmarshal(content, &request)
	messages, isList := request.Messages.([]any)
	switch {
	case r.URL.Path != "/v1/chat/completions" || r.Method != http.MethodPost:
		if g.has(htmlPage) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, "<!DOCTYPE html><title>Dashboard</title>")
			return
		}
		g.fail(w, 404, "There is nothing at this path.", "invalid_request")
	case key != toyKey:
		message := "The key is not known."
		if g.has(keyEchoed) {
			message = "The key " + key + " is not known."
		}
		code := "access_denied"
		if g.has(wrongCode) {
			code = "invalid_api_key"
		}
		g.fail(w, 401, message, code)
	case readErr != nil || r.Header.Get("Content-Encoding") != "":
		g.fail(w, 400, "The body cannot be read.", "read_request_body_failed")
	case decodeErr != nil && bytes.HasPrefix(content, []byte("{")) && isTypeError(decodeErr):
		g.fail(w, 400, "A parameter has the wrong type.", "invalid_request")
	case decodeErr != nil:
		message := "The body is not JSON."
		if g.has(stackShown) {
			message = "panic: invalid JSON\n\ngoroutine 17 [running]:\nmain.serve()\n\t/src/toy/main.go:88"
		}
		g.fail(w, 400, message, "bad_request_body")
	case request.Model == "" || !isList || len(messages) == 0 || request.Temperature != nil && *request.Temperature > 2:
		status := 400
		if g.has(errorIn200) {
			status = 200
		}
		g.fail(w, status, "A parameter is missing or out of range.", "invalid_request")
	case request.Model != "toy":
		status := 404
		if g.has(unknownIs500) {
			status = 500
		}
		g.fail(w, status, "The model does not exist.", "model_not_found")
	default:
		g.forward(w, r, content, request.Stream)
	}
}

func isTypeError(err error) bool {
	_, ok := errors.AsType[*json.UnmarshalTypeError](err)
	return ok
}

// forward passes a request on, and an answer as far as it comes.
func (g *toyGateway) forward(w http.ResponseWriter, r *http.Request, content []byte, stream bool) {
	to, _ := url.JoinPath(g.upstream, "/v1/chat/completions")
	request, _ := http.NewRequestWithContext(r.Context(), http.MethodPost, to, bytes.NewReader(content))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer sk-upstream-of-the-toy")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		g.fail(w, 502, "The upstream does not answer.", "do_request_failed")
		return
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		g.fail(w, 400, "The upstream refused a parameter.", "invalid_request")
		return
	}
	if !stream {
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			g.fail(w, 502, "The upstream's answer broke off.", "read_response_body_failed")
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	finished := false
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		line := lines.Text()
		if finished = finished || strings.Contains(line, `"finish_reason":"stop"`); finished || line != "data: [DONE]" {
			_, _ = io.WriteString(w, line+"\n")
		}
	}
	if !finished && !g.has(silentEnd) {
		_, _ = io.WriteString(w, "\ndata: "+string(g.errorBody("The upstream's answer broke off.", "read_response_body_failed"))+"\n\n")
	}
}
