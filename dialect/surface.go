// Package dialect knows the wire, once for the whole project: the endpoints of the API formats (OpenAI, Anthropic,
// Gemini), how each is asked and answered, how its streams begin, end and fail, and how a format frames an error.
//
//	chat.go, messages.go, …       an endpoint: what clients send, what they accept, the forms of its answers and streams
//	openai.go, anthropic.go, …    a format: credential, error object, where the business code stands
//	answer.go                     an answer before it takes the form of an API, whole or as a stream
//
// The package knows no rows, does no input or output, and imports the standard library only, without net/http.
package dialect

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// Surface is an endpoint in an API format, streaming or not. Its text is what profiles, reports and case ids use.
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

// Endpoint is one endpoint of an API format, as its clients know it. Asked with and without streaming it is two surfaces.
type Endpoint struct {
	// Surface names the endpoint without streaming, Streaming with it; Streaming is "" where the endpoint cannot stream.
	Surface, Streaming Surface
	Dialect            Dialect
	// Label is at most four letters, for narrow columns.
	Label string
	// Method is that of its requests, "" for POST. A GET has no body.
	Method string
	// Path is relative to the API's root; {model} stands for the model where the path names it. StreamPath is set where
	// the streaming surface has another one.
	Path, StreamPath string
	// ListPath lists everything that Path names one of, "" where Path names no single thing.
	ListPath string
	// UnknownPath does not exist, and is near enough to Path to reach the same router.
	UnknownPath string
	// Input is the member of the body that holds what the model is asked.
	Input string
	// Temperature is the dotted place of the sampling temperature in the body, "" where there is none.
	Temperature string
	// Answers is the member of a successful answer that holds what came of the request, and Holds what that must be. It is ""
	// where the answer is not JSON.
	Answers string
	Holds   Shape
	// Media is the top-level media type of a successful answer that is not JSON ("audio"), "" for JSON.
	Media string
	// Large says that a successful answer may have megabytes: an image in base64, minutes of audio.
	Large bool
	// Form says that its clients send a multipart form in place of JSON.
	Form bool
	// Local says that a gateway answers it by itself, without an upstream.
	Local bool
	// Free says that a call costs its caller nothing.
	Free bool
	// DefaultModel says that a request may leave the model out.
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

// Shape is what the member of an answer is that holds what came of the request.
type Shape int

// The shapes.
const (
	ShapeList   Shape = iota // an array with at least one element
	ShapeText                // a string; a transcription of silence is empty
	ShapeNumber              // a number
)

// String names the shape for findings.
func (s Shape) String() string {
	return [...]string{"a non-empty list", "a string", "a number"}[s]
}

// CertainlyAnswered reports whether a body is certainly a JSON object that [Endpoint.Answered] accepts and that has no error. It may reject
// what is rare, and takes a tenth of the time.
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

// Answered reports whether an answer has the member that holds what came of the request, in its shape.
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

// Check validates a request body as strictly as the API does; nil means it is valid.
func (e Endpoint) Check(body Object) *Problem { return e.operation.Check(body) }

// Texts returns the strings of a request body that a model would read, those of the last user message first.
func (e Endpoint) Texts(body Object) []string { return e.operation.Texts(body) }

// Operation is the surface's endpoint on the side that serves it; nil for an unknown surface.
func (s Surface) Operation() Operation { return s.endpoint().operation }

// Ask is what a request asks for.
type Ask struct {
	Model, Prompt string
	// MaxTokens bounds the answer, at least 1.
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

// Endpoints returns the surfaces that do not stream, one an endpoint.
func Endpoints() []Surface {
	var all []Surface
	for _, e := range endpoints() {
		all = append(all, e.Surface)
	}
	return all
}

// Details returns what is known of the surface's endpoint; ok is false when there is no such surface.
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

// Dialect is the API format of the surface, [OpenAI] for an unknown one.
func (s Surface) Dialect() Dialect {
	e, ok := s.Details()
	if !ok {
		return OpenAI
	}
	return e.Dialect
}

// Streaming reports whether the surface asks for server-sent events.
func (s Surface) Streaming() bool { return s != "" && s == s.endpoint().Streaming }

// Twin returns the surface of the same endpoint that streams where s does not, and the other way round; ok is false for
// an endpoint that cannot stream.
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

// Endpoint returns the surface of the same endpoint without streaming: [Chat] for [ChatStream]. An unknown surface is
// its own.
func (s Surface) Endpoint() Surface {
	if e, ok := s.Details(); ok {
		return e.Surface
	}
	return s
}

// Label is the surface's name in at most four letters, for narrow columns; that of a streaming surface is its twin's.
func (s Surface) Label() string {
	if e, ok := s.Details(); ok {
		return e.Label
	}
	name := []rune(strings.TrimSuffix(string(s), "-stream"))
	return string(name[:min(len(name), 4)])
}

// ModelInPath reports whether the path names the model, and the body does not.
func (s Surface) ModelInPath() bool { return strings.Contains(s.endpoint().Path, modelInPath) }

// Generates reports whether the surface samples text, so that it has a temperature and a prompt can be refused.
func (s Surface) Generates() bool { return s.endpoint().Temperature != "" }

// Method is the method of the surface's requests.
func (s Surface) Method() string { return cmp.Or(s.endpoint().Method, methodPost) }

// HasBody reports whether the surface's requests have a body.
func (s Surface) HasBody() bool { return s.Method() == methodPost }

// TakesForm reports whether the surface's requests are multipart forms.
func (s Surface) TakesForm() bool { return s.endpoint().Form }

// ListPath is the path that lists what the surface describes one by one: all models. It is "" on other surfaces.
func (s Surface) ListPath() string { return s.endpoint().ListPath }

// Binary reports whether a successful answer on the surface is not text, such as audio.
func (s Surface) Binary() bool { return s.endpoint().Media != "" }

// Relayed reports whether a gateway has to ask an upstream for its answer.
func (s Surface) Relayed() bool { return s.Valid() && !s.endpoint().Local }

// Large reports whether a successful answer on the surface may have megabytes.
func (s Surface) Large() bool { return s.endpoint().Large }

// Free reports whether a call on the surface costs its caller nothing.
func (s Surface) Free() bool { return s.endpoint().Free }

// KeyInQuery reports whether clients may send the key as ?key= in the URL.
func (s Surface) KeyInQuery() bool { return s.Dialect().clientSide().keyInQuery }

// Path is the surface's path below the API's root. A model in it is escaped, its colons too: the last one parts the
// model from Gemini's verb.
func (s Surface) Path(model string) string {
	e := s.endpoint()
	path := e.Path
	if s.Streaming() && e.StreamPath != "" {
		path = e.StreamPath
	}
	return strings.ReplaceAll(path, modelInPath, escapeModel(model))
}

// Body is the smallest request that every gateway of the format accepts. The caller may change it.
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
