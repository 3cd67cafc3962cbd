package dialect

import "encoding/json"

// Format contains what all operations of an API format have in common on the server side.
type Format interface {
	Dialect() Dialect
	// Credential returns the key in the request, or "" if there is none.
	Credential(from Presented) string
	// BadKey returns the response to a missing or unaccepted key.
	BadKey() Problem
	// NoModel returns the response to a request for a model that does not exist.
	NoModel(model string) Problem
	// Describe adds the format's usual texts for the problem's status, if the problem has none of its own.
	Describe(p Problem) Problem
	// ErrorBody returns the error object for a problem that Describe has completed.
	ErrorBody(p Problem) Object
	// ErrorEvent returns an error as the n-th event of a stream, counted from 0.
	ErrorEvent(p Problem, n int) Event
	ContentTypes() (json, stream string)
}

// Operation is the server side of one endpoint, as the mock upstream implements it.
type Operation interface {
	Format
	// Texts returns the strings of a request that may contain a directive, beginning with the last user message.
	Texts(doc Object) []string
	// Check validates a request as strictly as the API does. It returns nil if the request is valid.
	Check(doc Object) *Problem
	// Refusal returns the error for a prompt that is refused on policy grounds. It returns nil if the response itself can express the refusal.
	Refusal() *Problem
	// Body returns the body of a successful response.
	Body(a Answer) any
}

// StreamingOperation is an operation that can also respond with a stream.
type StreamingOperation interface {
	Operation
	WantsStream(doc Object) bool
	// Writer returns a writer that writes a successful response piece by piece. The writer does not read from a what is known only at the end of the
	// response.
	Writer(a Answer) StreamWriter
	// Stream returns a successful response that is completely known in advance, as the API streams it.
	Stream(a Answer) Stream
}

// Object is a JSON object.
type Object = map[string]any

// List is a JSON array.
type List = []any

// Problem is an error before it is encoded as a format's error object.
type Problem struct {
	Status              int
	Code, Type, Message string
	Param               string // the request field that caused the problem
	Allow               string // the Allow field of a 405
	Domain              string // who defines Code, for Gemini; "" means Google
	Number              int    // use this number as the error object's code; 0 means the format's own code
}

// Encode is json.Marshal for values that this package builds. It cannot fail for maps, strings and finite numbers.
func Encode(v any) []byte {
	data, _ := json.Marshal(v)
	return data
}

// HealthyText returns the text of a healthy response in n pieces.
func HealthyText(n int) []string {
	words := []string{"All", " is", " well.", " Truly,", " all", " is", " well."}
	deltas := make([]string, n)
	for i := range deltas {
		deltas[i] = words[i%len(words)]
		if i > 0 && i%len(words) == 0 {
			deltas[i] = " " + deltas[i]
		}
	}
	return deltas
}
