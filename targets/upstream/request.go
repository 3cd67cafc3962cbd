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
	"github.com/gatecert/gatecert/internal/bounded"
)

// incoming is a request to the API, with all that the upstream needs to know of it.
type incoming struct {
	http  *http.Request
	route dialect.Route
	// key is the API key, "" when there is none.
	key string
	// redirected says that it came by a redirect of this upstream, and elsewhere is the token in its path.
	redirected bool
	elsewhere  string
	body       requestBody
	// directive is what the prompt asks for, directiveErr why that cannot be followed.
	directive    Directive
	directiveErr error
}

func readIncoming(w http.ResponseWriter, r *http.Request, bodyLimit int64, held *bounded.Held) incoming {
	presented := dialect.Presented{Header: r.Header.Get, Query: r.URL.Query().Get}
	in := incoming{http: r, route: dialect.FindRoute(r.Method, r.URL.Path, presented)}
	in.key = in.route.Credential(presented)
	if in.elsewhere, in.redirected = elsewhere(r); in.redirected {
		in.key = anyKey(presented)
	}
	in.body = readBody(w, r, in.route.Operation, bodyLimit, held)
	in.directive, in.directiveErr = in.body.directive(in.route.Operation)
	return in
}

// requestBody is the body of a request, read to its end.
type requestBody struct {
	raw []byte
	// doc is the body as an object, empty when it is neither a JSON object nor, where one is read, a form.
	doc dialect.Object
	// problem says why the body is not an object; nil when it is.
	problem *dialect.Problem
	// incomplete says that the client left before the end of the body.
	incomplete bool
}

// readBody reads the body to its end, at most limit bytes before and after decompression, and counts them as held. net/http
// notices that the client disconnects only once the body was read to its end.
func readBody(w http.ResponseWriter, r *http.Request, op dialect.Operation, limit int64, held *bounded.Held) requestBody {
	raw, err := io.ReadAll(held.Reader(http.MaxBytesReader(w, r.Body, limit)))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, bounded.ErrFull):
		w.Header().Set("Connection", "close") // the rest of the body is not read
		return requestBody{problem: full()}
	case errors.As(err, &tooLarge):
		return requestBody{raw: raw, problem: tooLargeBody(limit)}
	case err != nil:
		return requestBody{raw: raw, incomplete: true}
	case r.Method == http.MethodGet:
		return requestBody{raw: raw}
	}
	plain, p := decompress(raw, r.Header.Get("Content-Encoding"), limit, held)
	if p != nil {
		return requestBody{raw: plain, problem: p}
	}
	if dialect.ReadsForm(op) {
		form, err := dialect.DecodeForm(r.Header.Get("Content-Type"), plain)
		if err != nil {
			return requestBody{raw: plain, problem: dialect.Invalid("", "We could not parse the multipart form of your request.")}
		}
		return requestBody{raw: plain, doc: form}
	}
	var doc dialect.Object
	if err := json.Unmarshal(plain, &doc); err != nil || doc == nil {
		return requestBody{raw: plain, problem: dialect.Invalid("", "We could not parse the JSON body of your request.")}
	}
	return requestBody{raw: plain, doc: doc}
}

// decompress returns what it could read, also with a problem.
func decompress(raw []byte, encoding string, limit int64, held *bounded.Held) ([]byte, *dialect.Problem) {
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
	plain, err := io.ReadAll(held.Reader(io.LimitReader(reader, limit+1)))
	switch {
	case errors.Is(err, bounded.ErrFull):
		return nil, full()
	case err != nil:
		return plain, dialect.Invalid("", "We could not decompress the body of your request.")
	case int64(len(plain)) > limit:
		return plain, tooLargeBody(limit)
	}
	return plain, nil
}

func full() *dialect.Problem {
	return &dialect.Problem{Status: http.StatusServiceUnavailable, Message: "gatecert mock upstream: the requests in progress use too much memory. Send fewer requests at once."}
}

func tooLargeBody(limit int64) *dialect.Problem {
	return &dialect.Problem{Status: http.StatusRequestEntityTooLarge, Message: fmt.Sprintf("The body is larger than %d bytes.", limit)}
}

// directive finds the directive of the request: in its texts, or else anywhere in the body, so that a request that a
// gateway has garbled is still recorded under its token.
func (b requestBody) directive(op dialect.Operation) (Directive, error) {
	if op != nil {
		for _, text := range op.Texts(b.doc) {
			if d, found, err := ParseDirective(text); found {
				return d, err
			}
		}
	}
	d, _, err := ParseDirective(string(b.raw))
	return d, err
}
