// Package dialect implements the wire formats for the whole project: the endpoints of the API formats (OpenAI, Anthropic, Gemini), their requests and
// responses, how their streams begin, end and fail, and how each format encodes an error.
//
//	chat.go, messages.go, …       an endpoint: what clients send, what they accept, the forms of its responses and streams
//	openai.go, anthropic.go, …    a format: credential, error object, where the business code stands
//	answer.go                     an answer before it takes the form of an API, whole or as a stream
//
// The package knows nothing about rows, performs no input or output, and imports only the standard library, without net/http.
package dialect

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// Surface is an endpoint in an API format, with or without streaming. Profiles, reports and case ids use its string value.
type Surface string

// endpoints lists every endpoint in the order of a matrix's columns, those of an API format together. A new one is added here.
func endpoints() []*Endpoint {
	return []*Endpoint{
		&chatEndpoint, &completionsEndpoint, &responsesEndpoint, &embeddingsEndpoint, &imagesEndpoint, &speechEndpoint,
		&transcriptionsEndpoint, &moderationsEndpoint, &rerankEndpoint, &modelsEndpoint,
		&messagesEndpoint, &countTokensEndpoint,
		&generateEndpoint,
	}
}

// Endpoint describes one endpoint of an API format, as its clients know it. An endpoint that supports streaming corresponds to two surfaces.
type Endpoint struct {
	// Surface is the name of the endpoint without streaming, and Streaming is the name with streaming. Streaming is "" if the endpoint does not
	// support streaming.
	Surface, Streaming Surface
	Dialect            Dialect
	// Label is a name of at most four letters for narrow columns.
	Label string
	// Method is the HTTP method of requests; "" means POST. A GET has no body.
	Method string
	// Path is relative to the API's root. {model} stands for the model if the path contains it. StreamPath is set if the streaming surface has a
	// different path.
	Path, StreamPath string
	// ListPath is the path that lists all items of which Path names one. It is "" if Path does not name a single item.
	ListPath string
	// UnknownPath is a path that does not exist, but is similar enough to Path to reach the same router.
	UnknownPath string
	// Input is the member of the body that contains the input for the model.
	Input string
	// Temperature is the dotted path of the sampling temperature in the body, or "" if there is none.
	Temperature string
	// Answers is the member of a successful response that contains the result, and Holds is the required shape of that member. Answers is "" if the
	// response is not JSON.
	Answers string
	Holds   Shape
	// Media is the top-level media type of a successful response that is not JSON, such as "audio". It is "" for JSON.
	Media string
	// Large is set if a successful response may be several megabytes long: an image in base64, or minutes of audio.
	Large bool
	// Form is set if clients send a multipart form instead of JSON.
	Form bool
	// Local is set if a gateway responds by itself, without an upstream.
	Local bool
	// Free is set if calls are free of charge.
	Free bool
	// DefaultModel is set if a request may omit the model.
	DefaultModel bool
	// Body is the smallest request that every gateway accepts. Model and stream are set by [Surface.Body].
	body func(a Ask) Object
	// classify says what an event is that is neither an error nor [DONE], by its type and its body; nil where there is no
	// stream.
	classify func(kind string, body Object) EventKind
	// ownError finds the error in an error event of a form that only this endpoint has: its object, and the form's name. The
	// form is "" when the event has none of them; the function is nil where the format's own event is the only one.
	ownError func(name string, event members) (object json.RawMessage, form string)
	// finish recognises the event that ends the stream.
	finish FinishMarks
	// pieces recognise the events that add to the answer.
	pieces PieceMarks
	// usage names the members that count tokens; the zero value where there are none.
	usage usageNames
	// operation is the endpoint as the upstream serves it.
	operation Operation
}

// Shape is the type of the member of a response that contains the result.
type Shape int

// The shapes.
const (
	ShapeList   Shape = iota // an array with at least one element
	ShapeText                // a string; a transcription of silence is empty
	ShapeNumber              // a number
)

// String returns the name of the shape for use in findings.
func (s Shape) String() string {
	return [...]string{"a non-empty list", "a string", "a number"}[s]
}

// CertainlyAnswered reports whether a body is certainly a JSON object without an error that [Endpoint.Answered] accepts. It may reject rare input,
// but takes a tenth of the time.
func (e Endpoint) CertainlyAnswered(body []byte) bool {
	failed, answers := false, 0
	var answer []byte
	valid := ScanObject(body, func(key, value []byte) {
		switch string(key) {
		case "error":
			failed = failed || string(value) != "null"
		case e.Answers:
			answer = value
			answers++
		}
	})
	if !valid || failed || answers != 1 {
		return false
	}
	switch c := answer[0]; e.Holds {
	case ShapeList:
		return c == '[' && len(bytes.TrimLeft(answer[1:], " \t\r\n")) > 1
	case ShapeText:
		return c == '"'
	case ShapeNumber:
		return (c == '-' || c >= '0' && c <= '9') && !bytes.ContainsAny(answer, "eE") && len(answer) < 300 // no float64 holds some others
	default:
		return false
	}
}

// Answered reports whether a response contains the member with the result, in its required shape.
func (e Endpoint) Answered(object map[string]json.RawMessage) bool {
	raw, has := object[e.Answers]
	if !has {
		return false
	}
	if e.Holds == ShapeList {
		var list []json.RawMessage // the elements may be large
		return json.Unmarshal(raw, &list) == nil && len(list) > 0
	}
	var value any
	if json.Unmarshal(raw, &value) != nil {
		return false
	}
	switch value.(type) {
	case string:
		return e.Holds == ShapeText
	case float64:
		return e.Holds == ShapeNumber
	default:
		return false
	}
}

// Check validates a request body as strictly as the API does. It returns nil if the body is valid.
func (e Endpoint) Check(body Object) *Problem { return e.operation.Check(body) }

// Texts returns the strings of a request body that a model would read, beginning with the last user message.
func (e Endpoint) Texts(body Object) []string { return e.operation.Texts(body) }

// Operation returns the server side of the surface's endpoint. It returns nil for an unknown surface.
func (s Surface) Operation() Operation { return s.endpoint().operation }

// Ask contains the parameters of a request.
type Ask struct {
	Model, Prompt string
	// MaxTokens limits the length of the response. It is at least 1.
	MaxTokens int
}

// modelInPath stands in a path for the name of the model.
const modelInPath = "{model}"

// Surfaces returns all surfaces in the order of the matrix's columns.
func Surfaces() []Surface {
	var all []Surface
	for _, e := range endpoints() {
		all = append(all, e.Surface)
		if e.Streaming != "" {
			all = append(all, e.Streaming)
		}
	}
	return all
}

// Endpoints returns the surfaces that do not stream, one for each endpoint.
func Endpoints() []Surface {
	var all []Surface
	for _, e := range endpoints() {
		all = append(all, e.Surface)
	}
	return all
}

// Details returns the description of the surface's endpoint. ok is false if there is no such surface.
func (s Surface) Details() (e Endpoint, ok bool) {
	for _, e := range endpoints() {
		if s != "" && (s == e.Surface || s == e.Streaming) {
			return *e, true
		}
	}
	return Endpoint{}, false
}

// endpoint is [Surface.Details] without the question: the zero endpoint for an unknown surface.
func (s Surface) endpoint() Endpoint {
	e, _ := s.Details()
	return e
}

// Valid reports whether the surface is one that gatecert knows.
func (s Surface) Valid() bool { return slices.Contains(Surfaces(), s) }

// Dialect returns the API format of the surface, or [OpenAI] for an unknown surface.
func (s Surface) Dialect() Dialect {
	e, ok := s.Details()
	if !ok {
		return OpenAI
	}
	return e.Dialect
}

// Streaming reports whether requests on the surface ask for server-sent events.
func (s Surface) Streaming() bool { return s != "" && s == s.endpoint().Streaming }

// Twin returns the streaming surface of a surface that does not stream, and vice versa. ok is false if the endpoint does not support streaming.
func (s Surface) Twin() (twin Surface, ok bool) {
	e := s.endpoint()
	switch {
	case e.Streaming == "":
		return "", false
	case s == e.Streaming:
		return e.Surface, true
	default:
		return e.Streaming, true
	}
}

// Endpoint returns the surface of the same endpoint without streaming, for example [Chat] for [ChatStream]. For an unknown surface, it returns the
// surface itself.
func (s Surface) Endpoint() Surface {
	if e, ok := s.Details(); ok {
		return e.Surface
	}
	return s
}

// Label returns a name of at most four letters for narrow columns. A streaming surface has the same label as its twin.
func (s Surface) Label() string {
	if e, ok := s.Details(); ok {
		return e.Label
	}
	name := []rune(strings.TrimSuffix(string(s), "-stream"))
	return string(name[:min(len(name), 4)])
}

// ModelInPath reports whether the path contains the model and the body does not.
func (s Surface) ModelInPath() bool { return strings.Contains(s.endpoint().Path, modelInPath) }

// Generates reports whether the surface samples text. Such a surface has a temperature, and may refuse a prompt.
func (s Surface) Generates() bool { return s.endpoint().Temperature != "" }

// Method returns the HTTP method of the surface's requests.
func (s Surface) Method() string { return cmp.Or(s.endpoint().Method, methodPost) }

// HasBody reports whether the surface's requests have a body.
func (s Surface) HasBody() bool { return s.Method() == methodPost }

// TakesForm reports whether the surface's requests are multipart forms.
func (s Surface) TakesForm() bool { return s.endpoint().Form }

// ListPath returns the path that lists all items of the surface, such as all models. It returns "" for other surfaces.
func (s Surface) ListPath() string { return s.endpoint().ListPath }

// Binary reports whether a successful answer on the surface is not text, such as audio.
func (s Surface) Binary() bool { return s.endpoint().Media != "" }

// Relayed reports whether a gateway needs an upstream to respond on the surface.
func (s Surface) Relayed() bool { return s.Valid() && !s.endpoint().Local }

// Large reports whether a successful response on the surface may be several megabytes long.
func (s Surface) Large() bool { return s.endpoint().Large }

// Free reports whether calls on the surface are free of charge.
func (s Surface) Free() bool { return s.endpoint().Free }

// KeyInQuery reports whether clients may send the key as ?key= in the URL.
func (s Surface) KeyInQuery() bool { return s.Dialect().clientSide().keyInQuery }

// Path returns the surface's path relative to the API's root. A model in the path is escaped, including its colons, because the last colon separates
// the model from Gemini's verb.
func (s Surface) Path(model string) string {
	e := s.endpoint()
	path := e.Path
	if s.Streaming() && e.StreamPath != "" {
		path = e.StreamPath
	}
	return strings.ReplaceAll(path, modelInPath, escapeModel(model))
}

// Body returns the smallest request that every gateway of the format accepts. The caller may modify the returned object.
func (s Surface) Body(a Ask) Object {
	e := s.endpoint()
	if e.body == nil {
		return Object{}
	}
	body := e.body(a)
	if s.ModelInPath() {
		return body
	}
	body["model"] = a.Model
	if s.Streaming() {
		body["stream"] = true
	}
	return body
}
