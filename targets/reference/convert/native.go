package convert

import (
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// native reads a body on an endpoint that this package converts to no other format: it is checked as the API itself
// would, kept as it is, and passed on to upstreams of its own format only.
func (d *decoder) native(surface dialect.Surface, body []byte) {
	var doc dialect.Object
	if err := json.Unmarshal(body, &doc); err != nil {
		d.refuse("", "cannot be read")
		return
	}
	d.nativeObject(surface, doc)
}

func (d *decoder) nativeObject(surface dialect.Surface, doc dialect.Object) {
	e, known := surface.Details()
	if !known {
		d.refuse("", "the gateway does not offer this endpoint")
		return
	}
	if problem := e.Check(doc); problem != nil {
		d.refuse(problem.Param, "is invalid: "+problem.Message)
		return
	}
	model, named := doc["model"].(string)
	if !named { // the gateway has no default of its own: a model decides about the channel and the price
		d.refuse("model", "is required")
		return
	}
	d.setModel(model)
	d.req.Native = doc
	for _, text := range e.Texts(doc) {
		d.req.Inputs = append(d.req.Inputs, Input{Text: text})
	}
}

// DecodeForm decodes a multipart form, on a surface that accepts forms, into the neutral form, just as [Decode] decodes JSON.
func DecodeForm(surface dialect.Surface, mediaType string, body []byte) (Request, error) {
	doc, err := dialect.DecodeForm(mediaType, body)
	if err != nil {
		return Request{}, &Problem{Code: CodeBadRequestBody, Message: err.Error()}
	}
	d := &decoder{req: Request{Surface: surface}}
	d.nativeObject(surface, doc)
	if d.problem != nil {
		return Request{}, d.problem
	}
	return d.req, nil
}

// encodeNative passes a request on as it came, under the upstream's name for the model.
func encodeNative(p dialect.Dialect, req Request, model string) (Outbound, error) {
	if p != req.Surface.Dialect() {
		return Outbound{}, fmt.Errorf("%w: %s cannot be expressed in the %s protocol", ErrUnconvertible, req.Surface, p)
	}
	doc := maps.Clone(req.Native)
	doc["model"] = model
	out := Outbound{Path: req.Surface.Path(model), Header: headerOf(p, req)}
	if req.Surface.TakesForm() {
		out.Body = dialect.EncodeForm(doc)
		out.Header.Set("Content-Type", dialect.FormType)
		return out, nil
	}
	body, err := json.Marshal(doc)
	if err != nil {
		return Outbound{}, fmt.Errorf("%w: %w", ErrUnconvertible, err)
	}
	out.Body = body
	return out, nil
}

// nativeAnswer reads an answer that is passed on as it came. It must have the endpoint's shape, and hold something.
func nativeAnswer(surface dialect.Surface, body []byte) (Answer, error) {
	e, _ := surface.Details()
	object, _, err := dialect.DecodeObject(body)
	if err != nil {
		return Answer{}, notAnswer("the body is not a JSON object")
	}
	if raw, has := object["error"]; has && string(raw) != "null" {
		return Answer{}, notAnswer("the upstream sent an error object")
	}
	if e.Answered(object) {
		return Answer{Native: object}, nil
	}
	var list []json.RawMessage
	if e.Holds == dialect.ShapeList && json.Unmarshal(object[e.Answers], &list) == nil {
		return Answer{}, fmt.Errorf("%w: no %s", ErrEmpty, e.Answers)
	}
	return Answer{}, notAnswer("the body does not contain " + e.Holds.String() + " in the field " + e.Answers)
}

// DecodeMedia decodes an upstream's response with a success status on a surface whose responses are not JSON.
//
// The error wraps [ErrNotAnswer] or [ErrEmpty].
func DecodeMedia(surface dialect.Surface, mediaType string, body []byte) (Answer, error) {
	e, _ := surface.Details()
	kind, _, err := mime.ParseMediaType(mediaType)
	switch {
	case len(body) == 0:
		return Answer{}, fmt.Errorf("%w: no body", ErrEmpty)
	case len(body) > MaxAnswer:
		return Answer{}, notAnswer(fmt.Sprintf("the body is longer than %d MiB", MaxAnswer>>20))
	case err != nil || !strings.HasPrefix(kind, e.Media+"/"):
		return Answer{}, notAnswer("the body is not " + e.Media)
	case json.Valid(body):
		return Answer{}, notAnswer("the body is JSON, but its Content-Type is " + e.Media)
	}
	return Answer{Media: &Media{Type: kind, Content: body}}, nil
}
