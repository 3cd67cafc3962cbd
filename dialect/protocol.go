package dialect

import (
	"encoding/json"
	"strings"
)

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
	ContentTypes() (json, stream string)
}

// Operation is one endpoint on the side that serves it: what the mock upstream plays.
type Operation interface {
	Format
	// Texts returns the strings of a request in which a directive may stand, the last user message first.
	Texts(doc Object) []string
	// Check validates a request as strictly as the API does; nil means it is valid.
	Check(doc Object) *Problem
	// Refusal is the error that a prompt refused on policy grounds gets; nil where the answer itself says so.
	Refusal() *Problem
	// Body is the body of a success.
	Body(c Answer) any
}

// StreamingOperation is an operation that can also answer with a stream.
type StreamingOperation interface {
	Operation
	WantsStream(doc Object) bool
	// Stream is the success that answer gives, as events.
	Stream(c Answer) Stream
	// ErrorEvent is the n-th event of a stream (from 0) when it is an error.
	ErrorEvent(p Problem, n int) Event
}

// Object is a JSON object.
type Object = map[string]any

// List is a JSON array.
type List = []any

// Problem is an error before it takes the shape of a protocol's error object.
type Problem struct {
	Status              int
	Code, Type, Message string
	Param               string // the request's field at fault
	Allow               string // the Allow field of a 405
}

// Answer is a valid request as far as the answer depends on it.
type Answer struct {
	Request Object
	Model   string
	ID      string // the part of all ids in the answer that is unique
	Created int64  // Unix time in seconds
	// Pieces are the pieces of the answer's text, of which one stream event carries each.
	Pieces []string
	// PromptTokens counts the words of the prompt, which stand for its tokens.
	PromptTokens int
	Outcome      Outcome
}

// Outcome says how much of an answer a success is.
type Outcome int

const (
	Complete Outcome = iota
	Empty            // no choices, no content
	Refused          // the prompt was refused and the answer says so
)

// Stream is an answer as events.
type Stream struct {
	Events []Event
	// Finish is the index of the first event that says the answer is complete.
	Finish int
	// EndMarker says that the last event is a mere end marker.
	EndMarker bool
	// Array frames the events as the elements of one JSON array in place of server-sent events.
	Array bool
}

// Event is one event of a stream; name is the event field, "" for none.
type Event struct {
	Name string
	Data []byte
}

// Encode is json.Marshal for what this package builds: maps, strings and finite numbers cannot fail.
func Encode(v any) []byte {
	data, _ := json.Marshal(v)
	return data
}

// text is the whole answer in one piece.
func (c Answer) text() string { return strings.Join(c.Pieces, "") }

// spoken counts the tokens of the answer: a delta is one.
func (c Answer) spoken() int {
	if c.Outcome != Complete {
		return 0
	}
	return len(c.Pieces)
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
