package exchange

import (
	"errors"

	"github.com/gatecert/gatecert/dialect"
)

// The ways in which a [Call] cannot be built. No error text holds a value of the call that could be a secret.
var (
	// ErrSurface is returned when the surface is none that gatecert speaks.
	ErrSurface = errors.New("unknown surface")
	// ErrURL is returned when BaseURL and Path make no URL that a request can be sent to.
	ErrURL = errors.New("unusable URL")
	// ErrMethod is returned when the method is no HTTP method, or CONNECT.
	ErrMethod = errors.New("unusable method")
	// ErrHeader is returned when a header field or the key cannot be sent, or would belie the framing.
	ErrHeader = errors.New("unusable header field")
	// ErrEdit is returned when an edit's path is malformed or leads nowhere, or its value is not JSON.
	ErrEdit = errors.New("unusable edit")
	// ErrFault is returned when the fault is unknown, or cannot be made of this call.
	ErrFault = errors.New("unusable fault")
)

// defaultMaxTokens is the least that the Responses API takes.
const defaultMaxTokens = 16

// Call says what to send. Its zero values are the healthy request: only Surface and BaseURL are required.
type Call struct {
	Surface dialect.Surface
	// BaseURL is the gateway's root: the dialect's /v1/… or /v1beta/… is appended, a path prefix is kept.
	// It holds no credentials, query or fragment.
	BaseURL string
	// Key is the caller's credential, "" for none. It travels as the dialect has it: OpenAI "Authorization: Bearer",
	// Anthropic "x-api-key", Gemini "x-goog-api-key".
	Key string
	// KeyRole says which of the caller's keys it is, by the profile's word: "wrong", "spent_key"; "" is the valid one. The
	// observation's curl line asks for the key by it.
	KeyRole string
	// KeyInQuery sends the key as ?key= in place of the header, as Gemini allows.
	KeyInQuery bool
	Model      string
	Prompt     string
	// MaxTokens bounds the completion; 0 means 16, the least that the Responses API takes. Embeddings have no such bound.
	MaxTokens int
	// Edits are applied in order to the JSON body after it was built.
	Edits []Edit
	// Method overrides POST. GET and HEAD carry no body.
	Method string
	// Path overrides the surface's path. It is relative to BaseURL and may end in a ?query.
	Path string
	// Header adds header fields or overrides those of the dialect; an empty value deletes. "Host" overrides the authority.
	Header map[string]string
	// Fault is what is wrong with the request on the wire.
	Fault Fault
	// OversizeBytes is the full size of the body under [Oversize].
	OversizeBytes int64
}

// Edit changes one place of the JSON body.
type Edit struct {
	// Path leads to the place: names parted by dots, array elements as [i]: "messages[0].content". Objects on the way
	// are made where they are missing, and the index after an array's last element appends.
	Path string
	// Value is put there: anything that encoding/json can write.
	Value any
	// Delete takes the place away instead. What is not there cannot be deleted.
	Delete bool
}

// Fault names what is wrong with a request on the wire. Everything else about the request stays right.
type Fault string

// The faults.
const (
	// NoFault is the request as it should be.
	NoFault Fault = ""
	// ShortBody declares the body's whole Content-Length, sends the first half and closes the writing side.
	ShortBody Fault = "short-body"
	// BrokenGzip sends the first half of the gzip form of the body, under Content-Encoding: gzip.
	BrokenGzip Fault = "broken-gzip"
	// Oversize pads the prompt so that the JSON body, still valid, has OversizeBytes bytes.
	Oversize Fault = "oversize"
	// CutJSON sends the body without its closing brace, well framed.
	CutJSON Fault = "cut-json"
	// NotJSON sends plain text with the prompt in it under Content-Type: application/json.
	NotJSON Fault = "not-json"
	// FormBody sends model and prompt form-encoded, and says so in Content-Type.
	FormBody Fault = "form-body"
)

// Faults returns all faults that something is wrong with.
func Faults() []Fault {
	return []Fault{ShortBody, BrokenGzip, Oversize, CutJSON, NotJSON, FormBody}
}
