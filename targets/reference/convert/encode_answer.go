package convert

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// EncodeAnswer encodes a response in the form of a surface. For a streaming surface, it uses the form of the surface's twin. An annotation that is
// not nil is written unchanged into the member "gateway".
//
// EncodeAnswer returns an error if the annotation is not JSON, if a vector contains a value that JSON cannot represent, or if the surface is unknown.
func EncodeAnswer(surface dialect.Surface, a Answer, annotation json.RawMessage) ([]byte, error) {
	form, err := formOf(surface, a, extraOf(annotation))
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(form)
	if err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return body, nil
}

func formOf(surface dialect.Surface, a Answer, extra dialect.Object) (any, error) {
	if a.Native != nil {
		form := dialect.Object{}
		for name, value := range a.Native {
			form[name] = value
		}
		maps.Copy(form, extra)
		return form, nil
	}
	op := surface.Operation()
	if op == nil {
		return nil, fmt.Errorf("encode answer: surface %q has no answer format", surface)
	}
	request := dialect.Object{}
	if a.Base64 {
		request["encoding_format"] = "base64"
	}
	return op.Body(dialect.Answer{
		Request: request, ID: bareID(a.ID), Model: a.Model, Created: a.Created, Pieces: []string{a.Text}, Vectors: a.Vectors,
		End: a.End, Extra: extra,
	}), nil
}

// extraOf is an annotation as the member that answers have it in.
func extraOf(annotation json.RawMessage) dialect.Object {
	if annotation == nil {
		return nil
	}
	return dialect.Object{"gateway": annotation}
}

// bareID is an upstream's id without the prefix of its surface: the client's surface has its own.
func bareID(id string) string {
	for _, prefix := range []string{"chatcmpl-", "cmpl-", "resp_", "msg_"} {
		id = strings.TrimPrefix(id, prefix)
	}
	return id
}
