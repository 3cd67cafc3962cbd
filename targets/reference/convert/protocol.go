package convert

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/gatecert/gatecert/dialect"
)

// ErrUnconvertible is returned when a request is valid in the caller's dialect and cannot be expressed in the
// upstream's. The wrapping error names the feature, in words that may be shown to the caller.
var ErrUnconvertible = errors.New("the request cannot be converted")

// Outbound is a request to an upstream, all but its address and credential.
type Outbound struct {
	// Path is relative to the upstream's root, begins with a slash and may carry a query.
	Path   string
	Header http.Header
	Body   []byte
}

// Encode writes a request in an upstream's protocol, for the model the upstream knows it by. OpenAI upstreams get
// every conversation at /v1/chat/completions, the form that all of them offer.
//
// The error wraps [ErrUnconvertible].
func Encode(p dialect.Dialect, req Request, model string) (Outbound, error) {
	pr, ok := codecOf(p)
	if !ok {
		return Outbound{}, fmt.Errorf("%w: no such protocol", ErrUnconvertible)
	}
	if req.Native != nil {
		out, err := encodeNative(p, req, model)
		out.Header = headerOf(pr, req)
		return out, err
	}
	w := &writer{protocol: p}
	for _, need := range req.Needs {
		w.need(pr, need)
	}
	path := pr.write(w, req, model)
	if w.err != nil {
		return Outbound{}, w.err
	}
	body, err := json.Marshal(w.body)
	if err != nil {
		return Outbound{}, fmt.Errorf("%w: %w", ErrUnconvertible, err)
	}
	return Outbound{Path: path, Header: headerOf(pr, req), Body: body}, nil
}

func headerOf(pr codec, req Request) http.Header {
	header := pr.header()
	header.Set("Content-Type", "application/json")
	header.Set("Accept", "application/json")
	if req.Stream {
		header.Set("Accept", "text/event-stream")
	}
	return header
}

// codec speaks one protocol.
type codec interface {
	// place says where in a body a need goes; ok is false when the protocol cannot express it.
	place(feature string) (path []string, ok bool)
	// write fills in the body and returns the path to send it to.
	write(w *writer, req Request, model string) (path string)
	// header returns the fields that the protocol itself demands.
	header() http.Header
	// answer reads a whole answer to a conversation, or to an embeddings call.
	answer(req Request, body []byte) (Answer, error)
	// listener returns a reader for the events of one stream.
	listener() listener
}

func codecOf(p dialect.Dialect) (codec, bool) {
	switch p {
	case dialect.OpenAI:
		return openAI{}, true
	case dialect.Anthropic:
		return anthropic{}, true
	case dialect.Gemini:
		return gemini{}, true
	default:
		return nil, false
	}
}

// members is a JSON object in the making.
type members map[string]any

// writer gathers the body of one outbound request and the first thing that cannot be expressed in it.
type writer struct {
	protocol dialect.Dialect
	body     members
	err      error
}

// refuse notes that the protocol cannot express something.
func (w *writer) refuse(what string) {
	if w.err == nil {
		w.err = fmt.Errorf("%w: %s cannot be expressed in the %s protocol", ErrUnconvertible, what, w.protocol)
	}
}

func (w *writer) need(p codec, need Need) {
	path, ok := p.place(need.Feature)
	if !ok {
		w.refuse(need.Feature)
		return
	}
	w.set(need.Value, path...)
}

// set puts a value at a path of names, making the objects on the way.
func (w *writer) set(value any, path ...string) {
	if w.body == nil {
		w.body = members{}
	}
	at := w.body
	for _, name := range path[:len(path)-1] {
		inner, ok := at[name].(members)
		if !ok {
			inner = members{}
			at[name] = inner
		}
		at = inner
	}
	at[path[len(path)-1]] = value
}

// setInt and setFloat put a number that the caller gave.
func (w *writer) setInt(n *int, path ...string) {
	if n != nil {
		w.set(*n, path...)
	}
}

func (w *writer) setFloat(f *float64, path ...string) {
	if f != nil {
		w.set(*f, path...)
	}
}

// setStop puts the stop sequences, if the protocol takes so many.
func (w *writer) setStop(stop []string, limit int, path ...string) {
	if len(stop) > limit {
		w.refuse(fmt.Sprintf("more than %d stop sequences", limit))
	}
	if len(stop) > 0 {
		w.set(stop, path...)
	}
}

// conversation returns the turns of a text request. A completion's prompt is one user turn.
func (w *writer) conversation(req Request) []Turn {
	if len(req.Inputs) == 0 {
		return req.Turns
	}
	if len(req.Inputs) > 1 {
		w.refuse("more than one prompt")
	}
	if req.Inputs[0].Tokens != nil {
		w.refuse("a prompt of token ids")
	}
	return []Turn{{Role: User, Parts: []Part{{Text: req.Inputs[0].Text}}}}
}
