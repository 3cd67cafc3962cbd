package dialect

import "encoding/json"

// Format is what all operations of an API format have in common, on the side that serves them.
type Format interface {
	Dialect() Dialect
	// Credential returns the key presented, "" for none.
	Credential(from Presented) string
	// BadKey is what a missing or unaccepted key gets.
	BadKey() Problem
	// NoModel is what a model that does not exist gets.
	NoModel(model string) Problem
	// Describe fills in the format's own words for the problem's status where the problem has none.
	Describe(p Problem) Problem
	// ErrorBody is the error object of a described problem.
	ErrorBody(p Problem) Object
	// ErrorEvent is the n-th event of a stream (from 0) when it is an error.
	ErrorEvent(p Problem, n int) Event
	ContentTypes() (json, stream string)
}

// Operation is one endpoint on the side that serves it: what the mock upstream plays.
type Operation interface {
	Format
	// Texts returns the strings of a request in which a directive may stand, the last user message first.
	Texts(doc Object) []string
	// Check validates a request as strictly as the API does; nil means it is valid.
	Check(doc Object) *Problem
	// Refusal is the error that a prompt refused on policy grounds gets; nil where the answer itself is a refusal.
	Refusal() *Problem
	// Body is the body of a success.
	Body(a Answer) any
}

// StreamingOperation is an operation that can also answer with a stream.
type StreamingOperation interface {
	Operation
	WantsStream(doc Object) bool
	// Writer writes a success piece by piece. What only the end can tell is not read from a.
	Writer(a Answer) StreamWriter
	// Stream is a success that is known from the start, as the API streams it.
	Stream(a Answer) Stream
}

// Object is a JSON object.
type Object = map[string]any

// List is a JSON array.
type List = []any

// Problem is an error before it takes the shape of a format's error object.
type Problem struct {
	Status              int
	Code, Type, Message string
	Param               string // the request's field at fault
	Allow               string // the Allow field of a 405
	Domain              string // who defines Code, for Gemini; "" for Google
	Number              int    // the error object's code is this number; 0 for a code as the format has it
}

// Encode is json.Marshal for what this package builds: maps, strings and finite numbers cannot fail.
func Encode(v any) []byte {
	data, _ := json.Marshal(v)
	return data
}

// HealthyText returns the answer's text in n pieces.
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
