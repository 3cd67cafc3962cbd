package exchange

import (
	"errors"

	"github.com/gatecert/gatecert/dialect"
)

// The errors of a [Call] that cannot be built. Their texts hold no value of the call that could be a secret.
var (
	// ErrSurface is returned when package dialect has no such surface.
	ErrSurface = errors.New("unknown surface")
	// ErrURL is returned when no request can be sent to the URL that BaseURL and Path make.
	ErrURL = errors.New("invalid URL")
	// ErrMethod is returned when the method is not an HTTP method, or is CONNECT.
	ErrMethod = errors.New("invalid method")
	// ErrHeader is returned when a header field or the key cannot be sent, or a field would contradict the framing.
	ErrHeader = errors.New("invalid header field")
	// ErrEdit is returned when the path of an edit is malformed or does not exist, or its value is not JSON.
	ErrEdit = errors.New("invalid edit")
	// ErrFault is returned when the fault is unknown, or does not apply to the call.
	ErrFault = errors.New("invalid fault")
)

// maxTokens bounds a completion whose call does not: the least that the Responses API accepts. Embeddings have no such bound.
const maxTokens = 16

// Call describes a request. Only Surface and BaseURL are required; the zero values of the other fields make a valid request.
type Call struct {
	Surface dialect.Surface
	// BaseURL is the root of the gateway. The path of the surface (/v1/…, /v1beta/…) is appended to it, after a path prefix if
	// it has one. It must not have credentials, a query or a fragment.
	BaseURL string
	// Key is the client's credential, "" for none. It is sent in the header field of the dialect: "Authorization: Bearer" for
	// OpenAI, "x-api-key" for Anthropic, "x-goog-api-key" for Gemini.
	Key string
	// KeyRole names the key by its word in the profile: "wrong", "spent_key"; "" is the valid key. The curl line of the
	// observation has a shell variable of that name in place of the key.
	KeyRole string
	// KeyInQuery sends the key as ?key= instead of in the header, which Gemini allows.
	KeyInQuery bool
	Model      string
	Prompt     string
	// MaxTokens bounds the answer. 0 is 16, the least that the Responses API accepts.
	MaxTokens int
	// Edits are applied to the JSON body, in order.
	Edits []Edit
	// Method replaces the method of the surface. GET and HEAD are sent without a body.
	Method string
	// Path replaces the path of the surface. It is relative to BaseURL and may end in a ?query.
	Path string
	// Header adds header fields or replaces those of the dialect; an empty value deletes one. "Host" replaces the authority.
	Header map[string]string
	// Fault is what is wrong with the request on the wire.
	Fault Fault
	// First is a call to send before this one on the same HTTP/1.1 connection; nil for none. Its answer is read and dropped.
	// It must not have a fault. Where the gateway closes the connection after it, this call gets a new one.
	First *Call
	// ID identifies the call in traces and logs: traceparent and X-Request-Id are made of it. "", and any that has not 12 or 16 digits, sends
	// neither. Sampled sets the flag by which the gateway records the trace.
	ID      string
	Sampled bool
	// OversizeBytes is the full size of the body under [Oversize].
	OversizeBytes int64
	// Shown is what reports show of the call.
	Shown Shown
}

// Shown is what reports show in place of what a call sends, where that holds a secret. A secret that is too short to be searched
// for is replaced in this way.
type Shown struct {
	// Header are values by the names of [Call.Header].
	Header map[string]string
	// BaseURL, Path and Prompt stand for those of the call; "" is the call's own.
	BaseURL, Path, Prompt string
}

// Edit changes one place of the JSON body.
type Edit struct {
	// Path is the place: member names separated by dots, array elements as [i]: "messages[0].content". Missing objects on
	// the path are created, and the index after the last element of an array appends.
	Path string
	// Value is the new value: anything that encoding/json can encode.
	Value any
	// Delete removes the place instead. It must exist.
	Delete bool
	// Shown is the value in reports where Value holds a secret; nil is Value.
	Shown any
}

// Fault names what is wrong with a request on the wire. Everything else about the request is valid.
type Fault string

// The faults.
const (
	// NoFault is a valid request.
	NoFault Fault = ""
	// ShortBody declares the Content-Length of the whole body, sends the first half and closes the writing side.
	ShortBody Fault = "short-body"
	// BrokenGzip sends the first half of the gzip form of the body, under Content-Encoding: gzip.
	BrokenGzip Fault = "broken-gzip"
	// Oversize pads the prompt so that the JSON body, still valid, has OversizeBytes bytes.
	Oversize Fault = "oversize"
	// CutJSON sends the body without its closing brace, under the Content-Length of what is sent.
	CutJSON Fault = "cut-json"
	// NotJSON sends plain text with the prompt in it under Content-Type: application/json.
	NotJSON Fault = "not-json"
	// TextAfter sends the body with more text after its closing brace, under the Content-Length of what is sent.
	TextAfter Fault = "text-after"
	// NoBoundary sends the multipart form under a Content-Type without the boundary between its parts.
	NoBoundary Fault = "no-boundary"
	// CutForm sends the multipart form up to the middle of its last part, under the Content-Length of what is sent.
	CutForm Fault = "cut-form"
	// FormBody sends model and prompt as a form, under Content-Type: application/x-www-form-urlencoded.
	FormBody Fault = "form-body"
)

// Faults returns all faults except [NoFault].
func Faults() []Fault {
	return []Fault{ShortBody, BrokenGzip, Oversize, CutJSON, NotJSON, TextAfter, FormBody, NoBoundary, CutForm}
}
