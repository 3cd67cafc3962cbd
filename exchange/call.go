package exchange

import (
	"errors"

	"github.com/gatecert/gatecert/dialect"
)

// The errors of a [Call] that cannot be built. Their texts quote no value of the call that could be a secret.
var (
	// ErrSurface is returned when gatecert does not know the surface.
	ErrSurface = errors.New("unknown surface")
	// ErrURL is returned when BaseURL and Path do not make a URL that a request can be sent to.
	ErrURL = errors.New("unusable URL")
	// ErrMethod is returned when the method is not an HTTP method, or is CONNECT.
	ErrMethod = errors.New("unusable method")
	// ErrHeader is returned when a header field or the key cannot be sent, or contradicts the framing.
	ErrHeader = errors.New("unusable header field")
	// ErrEdit is returned when an edit's path is malformed or does not exist, or its value cannot be written as JSON.
	ErrEdit = errors.New("unusable edit")
	// ErrFault is returned when the fault is unknown, or this call cannot have it.
	ErrFault = errors.New("unusable fault")
)

// defaultMaxTokens is the minimum of the Responses API.
const defaultMaxTokens = 16

// Call says what to send. Zero values make a healthy request: only Surface and BaseURL are required.
type Call struct {
	Surface dialect.Surface
	// BaseURL is the gateway's root. The surface's path (/v1/…, /v1beta/…) is appended to it; a path prefix is kept.
	// It must not have credentials, a query or a fragment.
	BaseURL string
	// Key is the client's credential, "" for none. It is sent in the API format's own header: OpenAI
	// "Authorization: Bearer", Anthropic "x-api-key", Gemini "x-goog-api-key".
	Key string
	// KeyRole is the key's name in the profile ("wrong", "spent_key"), "" for the valid one. The observation's curl line
	// names the variable for the key after it.
	KeyRole string
	// KeyInQuery sends the key as ?key= instead of the header. Gemini allows that.
	KeyInQuery bool
	Model      string
	Prompt     string
	// MaxTokens bounds the completion; 0 means 16, the minimum of the Responses API. Embeddings ignore it.
	MaxTokens int
	// Edits are applied to the JSON body in order.
	Edits []Edit
	// Method overrides POST. GET and HEAD are sent without a body.
	Method string
	// Path overrides the surface's path. It is relative to BaseURL and may end in a ?query.
	Path string
	// Header adds header fields, or replaces those of the API format; an empty value removes one. "Host" replaces the
	// authority.
	Header map[string]string
	// Fault is what is wrong with the request on the wire.
	Fault Fault
	// OversizeBytes is the size of the body with the fault [Oversize].
	OversizeBytes int64
}

// Edit changes one place of the JSON body.
type Edit struct {
	// Path names the place: member names separated by dots, array elements as [i]: "messages[0].content". Missing objects
	// on the way are created, and the index after an array's last element appends.
	Path string
	// Value is the new value: anything that encoding/json can write.
	Value any
	// Delete removes the place instead. It is an error if the place does not exist.
	Delete bool
}

// Fault names what is wrong with a request on the wire. The rest of the request is correct.
type Fault string

// The faults.
const (
	// NoFault is a correct request.
	NoFault Fault = ""
	// ShortBody declares the Content-Length of the whole body, sends the first half and closes the write side.
	ShortBody Fault = "short-body"
	// BrokenGzip sends the first half of the gzipped body with Content-Encoding: gzip.
	BrokenGzip Fault = "broken-gzip"
	// Oversize pads the prompt so that the JSON body, still valid, has OversizeBytes bytes.
	Oversize Fault = "oversize"
	// CutJSON sends the body without its closing brace, with the right Content-Length.
	CutJSON Fault = "cut-json"
	// NotJSON sends plain text that contains the prompt, with Content-Type: application/json.
	NotJSON Fault = "not-json"
	// FormBody sends model and prompt as a form, with the Content-Type of forms.
	FormBody Fault = "form-body"
)

// Faults returns all faults except [NoFault].
func Faults() []Fault {
	return []Fault{ShortBody, BrokenGzip, Oversize, CutJSON, NotJSON, FormBody}
}
