package convert

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/gatecert/gatecert/dialect"
)

// native reads a body on an endpoint that this package converts to no other format: it is checked as the API itself
// would, kept as it is, and passed on to upstreams of its own format only.
func (d *decoder) native(surface dialect.Surface, o object, body []byte) {
	e, known := surface.Details()
	if !known {
		d.refuse("", "the surface is not offered")
		return
	}
	d.model(o)
	var doc dialect.Object
	if err := json.Unmarshal(body, &doc); err != nil {
		d.refuse("", "cannot be read")
		return
	}
	if problem := e.Check(doc); problem != nil {
		d.refuse(problem.Param, "is invalid: "+problem.Message)
		return
	}
	d.req.Native = doc
	for _, text := range e.Texts(doc) {
		d.req.Inputs = append(d.req.Inputs, Input{Text: text})
	}
}

// encodeNative passes a request on as it came, under the upstream's name for the model.
func encodeNative(p dialect.Dialect, req Request, model string) (Outbound, error) {
	if p != req.Surface.Dialect() {
		return Outbound{}, fmt.Errorf("%w: %s cannot be expressed in the %s protocol", ErrUnconvertible, req.Surface, p)
	}
	doc := maps.Clone(req.Native)
	doc["model"] = model
	body, err := json.Marshal(doc)
	if err != nil {
		return Outbound{}, fmt.Errorf("%w: %w", ErrUnconvertible, err)
	}
	return Outbound{Path: req.Surface.Path(model), Body: body}, nil
}

// nativeAnswer reads an answer that is passed on as it came. It must have the endpoint's shape, and hold something.
func nativeAnswer(surface dialect.Surface, body []byte) (Answer, error) {
	e, _ := surface.Details()
	object, order, err := dialect.DecodeObject(body)
	if err != nil {
		return Answer{}, notAnswer("not a JSON object")
	}
	if raw, has := object["error"]; has && string(raw) != "null" {
		return Answer{}, notAnswer("an error object")
	}
	var list []json.RawMessage
	if !slices.Contains(order, e.Answers) || json.Unmarshal(object[e.Answers], &list) != nil {
		return Answer{}, notAnswer("without a list of " + e.Answers)
	}
	if len(list) == 0 {
		return Answer{}, fmt.Errorf("%w: no %s", ErrEmpty, e.Answers)
	}
	return Answer{Native: object}, nil
}
