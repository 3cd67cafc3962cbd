package exchange

import (
	"errors"

	"github.com/gatecert/gatecert/dialect"
)

// The errors of a [Call] that cannot be built. Their texts contain no value of the call that could be a secret.
var (
	// ErrSurface is returned if package dialect does not define the surface.
	ErrSurface = errors.New("unknown surface")
	// ErrURL is returned if BaseURL and Path do not form a URL to which a request can be sent.
	ErrURL = errors.New("invalid URL")
	// ErrMethod is returned if the method is not an HTTP method, or is CONNECT.
	ErrMethod = errors.New("invalid method")
	// ErrHeader is returned if a header field or the key cannot be sent, or if a header field would contradict the framing.
	ErrHeader = errors.New("invalid header field")
	// ErrEdit is returned if the path of an edit is malformed or does not exist, or if its value is not JSON.
	ErrEdit = errors.New("invalid edit")
	// ErrFault is returned if the fault is unknown, or does not apply to the call.
	ErrFault = errors.New("invalid fault")
)

// maxTokens bounds a completion whose call does not: the least that the Responses API accepts. Embeddings have no such bound.
const maxTokens = 16

// Call describes a request. Only Surface and BaseURL are required; with the zero values of the other fields, the request is valid.
type Call struct {
	Surface dialect.Surface
	// BaseURL is the root of the gateway. The path of the surface (/v1/…, /v1beta/…) is appended to it, after a path prefix if there is one. BaseURL
	// must not contain credentials, a query or a fragment.
	BaseURL string
	// Key is the client's credential, or "" if there is none. It is sent in the header field of the dialect: "Authorization: Bearer" for OpenAI,
	// "x-api-key" for Anthropic, "x-goog-api-key" for Gemini.
	Key string
	// KeyRole is the name of the key in the profile, such as "wrong" or "spent_key"; "" means the valid key. The curl line of the observation
	// contains a shell variable derived from this name instead of the key.
	KeyRole string
	// KeyInQuery sends the key as ?key= instead of in the header, as Gemini permits.
	KeyInQuery bool
	Model      string
	Prompt     string
	// MaxTokens limits the length of the response in tokens. 0 means 16, the minimum that the Responses API accepts.
	MaxTokens int
	// Edits are applied to the JSON body, in order.
	Edits []Edit
	// Method replaces the method of the surface. GET and HEAD requests have no body.
	Method string
	// Path replaces the path of the surface. It is relative to BaseURL and may end in a ?query.
	Path string
	// Header adds header fields or replaces those of the dialect; an empty value removes a field. "Host" replaces the authority.
	Header map[string]string
	// Fault is the deliberate wire-level fault of the request.
	Fault Fault
	// First, if not nil, is a call to send before this one on the same HTTP/1.1 connection. Its response is read and discarded. First must not have a
	// fault. If the gateway closes the connection after First, this call uses a new connection.
	First *Call
	// ID identifies the call in traces and logs: traceparent and X-Request-Id are derived from it. If ID does not have 12 or 16 digits, neither field
	// is sent. Sampled sets the flag that asks the gateway to record the trace.
	ID      string
	Sampled bool
	// OversizeBytes is the full size of the body if Fault is [Oversize].
	OversizeBytes int64
	// Shown contains the values that reports show instead of those of the call.
	Shown Shown
}

// Shown contains the values that reports show for the parts of a call that contain a secret. It is needed for secrets that are too short to be
// searched for.
type Shown struct {
	// Header contains values by the names in [Call.Header].
	Header map[string]string
	// BaseURL, Path and Prompt replace those of the call. "" means the call's own value.
	BaseURL, Path, Prompt string
}

// Edit changes one place of the JSON body.
type Edit struct {
	// Path is the place to change: member names separated by dots, and array elements as [i], for example "messages[0].content". Missing objects on
	// the path are created. The index after the last element of an array appends an element.
	Path string
	// Value is the new value. encoding/json must be able to encode it.
	Value any
	// Delete removes the place instead of changing it. The place must exist.
	Delete bool
	// Shown is the value to show in reports if Value contains a secret. nil means Value.
	Shown any
}

// Fault is a deliberate wire-level fault in a request. Everything else about the request is valid.
type Fault string

// The faults.
const (
	// NoFault means that the request is valid.
	NoFault Fault = ""
	// ShortBody declares the Content-Length of the complete body, but sends only the first half and then closes the connection for writing.
	ShortBody Fault = "short-body"
	// BrokenGzip sends the first half of the gzip-compressed body, with Content-Encoding: gzip.
	BrokenGzip Fault = "broken-gzip"
	// Oversize pads the prompt so that the JSON body, still valid, has OversizeBytes bytes.
	Oversize Fault = "oversize"
	// CutJSON sends the body without its closing brace. Content-Length matches the bytes that are sent.
	CutJSON Fault = "cut-json"
	// NotJSON sends plain text that contains the prompt, with Content-Type: application/json.
	NotJSON Fault = "not-json"
	// TextAfter sends the body with additional text after its closing brace. Content-Length matches the bytes that are sent.
	TextAfter Fault = "text-after"
	// NoBoundary sends the multipart form with a Content-Type that lacks the boundary parameter.
	NoBoundary Fault = "no-boundary"
	// CutForm sends the multipart form only up to the middle of its last part. Content-Length matches the bytes that are sent.
	CutForm Fault = "cut-form"
	// FormBody sends the model and the prompt as a form, with Content-Type: application/x-www-form-urlencoded.
	FormBody Fault = "form-body"
)

// Faults returns all faults except [NoFault].
func Faults() []Fault {
	return []Fault{ShortBody, BrokenGzip, Oversize, CutJSON, NotJSON, TextAfter, FormBody, NoBoundary, CutForm}
}
