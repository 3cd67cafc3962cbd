package upstream

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// protocol is what all endpoints of one provider have in common.
type protocol interface {
	dialect() dialect.Dialect
	// credential returns the key presented, "" for none.
	credential(r *http.Request) string
	// badKey is what a missing or unaccepted key gets.
	badKey() problem
	// noModel is what a model that does not exist gets.
	noModel(model string) problem
	// describe fills in the words the provider has for the problem's status where the problem has none of its own.
	describe(p problem) problem
	// errorBody is the error object of a described problem.
	errorBody(p problem) object
	contentTypes() (json, stream string)
}

// operation is one endpoint of a provider.
type operation interface {
	protocol
	// texts returns the strings of a request in which a directive may stand, the last user message first.
	texts(doc object) []string
	// check validates a request as the provider would; nil means it is valid.
	check(doc object) *problem
	// refusal is the error that a prompt refused on policy grounds gets; nil where the answer itself says so.
	refusal() *problem
	// answer is the body of a success.
	answer(c call) any
}

// streaming is an operation that can also answer with a stream.
type streaming interface {
	operation
	wantsStream(doc object) bool
	// stream is the success that answer gives, as events.
	stream(c call) stream
	// errorEvent is the n-th event of a stream (from 0) when it is an error.
	errorEvent(p problem, n int) event
}

// object is a JSON object.
type object = map[string]any

// list is a JSON array.
type list = []any

// problem is an error before it takes the shape of a protocol's error object.
type problem struct {
	status              int
	code, kind, message string
	param               string // the request's field at fault
	allow               string // the Allow field of a 405
}

// call is a valid request as far as the answer depends on it.
type call struct {
	doc     object
	model   string
	id      string // the part of all ids in the answer that is unique
	created int64  // Unix time in seconds
	// deltas are the pieces of the answer's text, of which one stream event carries each.
	deltas []string
	// words counts the words of the prompt, which stand for its tokens.
	words   int
	outcome outcome
}

// outcome says how much of an answer a success is.
type outcome int

const (
	complete outcome = iota
	silent           // no choices, no content
	refused          // the prompt was refused and the answer says so
)

// stream is an answer as events.
type stream struct {
	events []event
	// finish is the index of the first event that says the answer is complete.
	finish int
	// marked says that the last event is a mere end marker.
	marked bool
	// array frames the events as the elements of one JSON array in place of server-sent events.
	array bool
	// final is what follows the last event.
	final final
}

// event is one event of a stream; name is the event field, "" for none.
type event struct {
	name string
	data []byte
}

// reply is an answer in the protocol's words, before any fault of its transfer.
type reply struct {
	status int
	header http.Header
	body   []byte
	stream *stream // set in place of body
}

// encode is json.Marshal for what this package builds: maps, strings and finite numbers cannot fail.
func encode(v any) []byte {
	data, _ := json.Marshal(v)
	return data
}

// text is the whole answer in one piece.
func (c call) text() string { return strings.Join(c.deltas, "") }

// spoken counts the tokens of the answer: a delta is one.
func (c call) spoken() int {
	if c.outcome != complete {
		return 0
	}
	return len(c.deltas)
}

// healthyText returns the answer's text in n pieces.
func healthyText(n int) []string {
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
