package upstream

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// request is the body of a request, read to its end.
type request struct {
	raw []byte
	// Request is the body as an object, empty when it is none.
	doc dialect.Object
	// Problem says why the body is none, if it is none.
	problem *dialect.Problem
	// cut says that the other side left before the body's end.
	cut bool
}

// readRequest reads the body to its end, at most limit bytes before and after decompression. Reading to the end is
// also what lets net/http notice that the other side leaves.
func readRequest(w http.ResponseWriter, r *http.Request, limit int64) request {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return request{raw: raw, problem: tooLargeBody(limit)}
	case err != nil:
		return request{raw: raw, cut: true}
	case r.Method == http.MethodGet:
		return request{raw: raw}
	}
	plain, p := decompress(raw, r.Header.Get("Content-Encoding"), limit)
	if p != nil {
		return request{raw: plain, problem: p}
	}
	var doc dialect.Object
	if err := json.Unmarshal(plain, &doc); err != nil || doc == nil {
		return request{raw: plain, problem: dialect.Invalid("", "We could not parse the JSON body of your request.")}
	}
	return request{raw: plain, doc: doc}
}

// decompress returns what it could read even when there is a problem.
func decompress(raw []byte, encoding string, limit int64) ([]byte, *dialect.Problem) {
	switch strings.ToLower(encoding) {
	case "", "identity":
		return raw, nil
	case "gzip":
	default:
		return raw, dialect.Invalid("", "The content encoding of your request is not supported.")
	}
	reader, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return raw, dialect.Invalid("", "We could not decompress the body of your request.")
	}
	plain, err := io.ReadAll(io.LimitReader(reader, limit+1))
	switch {
	case err != nil:
		return plain, dialect.Invalid("", "We could not decompress the body of your request.")
	case int64(len(plain)) > limit:
		return plain, tooLargeBody(limit)
	}
	return plain, nil
}

func tooLargeBody(limit int64) *dialect.Problem {
	return &dialect.Problem{Status: http.StatusRequestEntityTooLarge, Message: fmt.Sprintf("The body is larger than %d bytes.", limit)}
}

// directive finds the directive of the request: in its texts, or else anywhere in the body, so that a request that a
// gateway has garbled is still seen under its token.
func (q request) directive(op dialect.Operation) (Directive, error) {
	if op != nil {
		for _, text := range op.Texts(q.doc) {
			if d, found, err := ParseDirective(text); found {
				return d, err
			}
		}
	}
	d, _, err := ParseDirective(string(q.raw))
	return d, err
}
