package dialect

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/textproto"
	"slices"
	"strings"
)

// ErrNotForm is returned if a body is not a multipart form (RFC 7578).
var ErrNotForm = errors.New("not a multipart form")

// MediaOperation is an operation whose responses are not JSON.
type MediaOperation interface {
	Operation
	// Media returns a successful response. It corresponds to Body of other operations.
	Media(a Answer) (mediaType string, content []byte)
}

// ReadsForm reports whether an operation accepts multipart forms. op may be nil.
func ReadsForm(op Operation) bool {
	return slices.ContainsFunc(endpoints(), func(e *Endpoint) bool { return e.Form && e.operation == op })
}

// formBoundary separates the parts of the forms that are sent. It is always the same, so that a request is.
const formBoundary = "gatecert-form-boundary-41ZlKq7s"

// FormType is the media type of the forms that [EncodeForm] writes.
const FormType = "multipart/form-data; boundary=" + formBoundary

// FormTypeWithoutBoundary is a media type without the boundary parameter that a reader needs to find the parts.
const FormTypeWithoutBoundary = "multipart/form-data"

// NewFile represents a file in a form as an object with its name, its media type, and its content in base64.
func NewFile(name, mediaType string, content []byte) Object {
	return Object{"filename": name, "type": mediaType, "base64": base64.StdEncoding.EncodeToString(content)}
}

func isFile(v any) bool {
	file, _ := v.(Object)
	_, named := file["filename"].(string)
	return named
}

// FileContent returns the content of a [NewFile] object. ok is false for any other value. A recipe may specify the content as "text" instead.
func FileContent(v any) (content []byte, ok bool) {
	if !isFile(v) {
		return nil, false
	}
	file, _ := v.(Object)
	if text, plain := file["text"].(string); plain {
		return []byte(text), true
	}
	encoded, _ := file["base64"].(string)
	content, err := base64.StdEncoding.DecodeString(encoded)
	return content, err == nil
}

// FormFields returns the names of a form's fields in the order in which they are sent. Files come last, because some servers use the other fields to
// decide what to do with the files.
func FormFields(body Object) []string {
	names := slices.Sorted(maps.Keys(body))
	slices.SortStableFunc(names, func(a, b string) int {
		switch {
		case isFile(body[a]) == isFile(body[b]):
			return 0
		case isFile(body[b]):
			return -1
		default:
			return 1
		}
	})
	return names
}

// FormText returns the text of a form field that is not a file. A string is returned unchanged; any other value is encoded as JSON.
func FormText(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	return string(Encode(v))
}

// EncodeForm encodes a body as a multipart form with the media type [FormType].
func EncodeForm(body Object) []byte {
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	_ = w.SetBoundary(formBoundary) // a valid one
	for _, name := range FormFields(body) {
		field := textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + quotedName(name) + `"`}}
		content, file := FileContent(body[name])
		if file {
			of, _ := body[name].(Object)
			field.Set("Content-Disposition", field.Get("Content-Disposition")+`; filename="`+quotedName(FormText(of["filename"]))+`"`)
			if kind, ok := of["type"].(string); ok {
				field.Set("Content-Type", strings.NewReplacer("\r", "", "\n", "").Replace(kind))
			}
		} else {
			content = []byte(FormText(body[name]))
		}
		part, _ := w.CreatePart(field) // writing to memory cannot fail
		_, _ = part.Write(content)
	}
	_ = w.Close()
	return out.Bytes()
}

// quotedName is a name inside quotes (RFC 7578 4.2, WHATWG HTML 4.10.21.8).
func quotedName(name string) string {
	return strings.NewReplacer(`"`, "%22", "\r", "%0D", "\n", "%0A").Replace(name)
}

// maxFormParts bounds the parts of a form that is read. No endpoint has so many fields.
const maxFormParts = 256

// FormPart is a parsed part of a form. FileName is "" for a field that is not a file.
type FormPart struct {
	Name, FileName, Type string
	Content              []byte
}

// DecodeForm parses a multipart form. A field becomes a string, and a file becomes an object as returned by [NewFile]. If a name occurs more than
// once, the first occurrence counts. DecodeForm returns the errors of [FormParts].
func DecodeForm(mediaType string, data []byte) (Object, error) {
	parts, err := FormParts(mediaType, data)
	if err != nil {
		return nil, err
	}
	form := Object{}
	for _, part := range parts {
		if _, twice := form[part.Name]; part.Name == "" || twice {
			continue
		}
		if part.FileName != "" {
			form[part.Name] = NewFile(part.FileName, part.Type, part.Content)
			continue
		}
		form[part.Name] = string(part.Content)
	}
	return form, nil
}

// FormParts returns the parts of a multipart form in order. If the body is not a complete form or has more than 256 parts, FormParts returns
// [ErrNotForm] with the reason.
func FormParts(mediaType string, data []byte) ([]FormPart, error) {
	kind, params, err := mime.ParseMediaType(mediaType)
	switch {
	case err != nil || kind != "multipart/form-data":
		return nil, fmt.Errorf("%w: the Content-Type is not multipart/form-data", ErrNotForm)
	case params["boundary"] == "":
		return nil, fmt.Errorf("%w: the Content-Type has no boundary", ErrNotForm)
	}
	reader := multipart.NewReader(bytes.NewReader(data), params["boundary"])
	var parts []FormPart
	for {
		part, err := reader.NextRawPart()
		switch {
		case err == io.EOF: //nolint:errorlint // the last boundary; a wrapped one is that of a form that breaks off
			return parts, nil
		case err != nil:
			return nil, fmt.Errorf("%w: the form ends before its closing boundary", ErrNotForm)
		case len(parts) >= maxFormParts:
			return nil, fmt.Errorf("%w: more than %d parts", ErrNotForm, maxFormParts)
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return nil, fmt.Errorf("%w: a part of the form is cut off", ErrNotForm)
		}
		parts = append(parts, FormPart{part.FormName(), part.FileName(), part.Header.Get("Content-Type"), content})
	}
}
