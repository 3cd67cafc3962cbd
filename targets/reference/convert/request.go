package convert

import (
	"encoding/json"

	"github.com/gatecert/gatecert/dialect"
)

// Request is a caller's request in the neutral form.
type Request struct {
	// Surface is the surface that was called. If the body states whether to stream, Surface reflects this.
	Surface dialect.Surface
	Model   string
	// System contains the instructions before the first turn, separated by blank lines.
	System string
	// Turns is the conversation. It is empty for completions and embeddings, which use Inputs.
	Turns []Turn
	// Inputs are the prompts of a completion or the texts to embed. On those surfaces, there is at least one.
	Inputs []Input
	// MaxTokens limits the length of the response. It is at least 1; nil leaves the limit to the upstream.
	MaxTokens *int
	// Temperature is in the range 0..2, or 0..1 on messages. nil leaves it to the upstream.
	Temperature *float64
	// TopP is in the range 0..1. nil leaves it to the upstream.
	TopP *float64
	// Stop contains the sequences that end the response.
	Stop []string
	// Stream requests the response as server-sent events.
	Stream bool
	// IncludeUsage requests the usage in a chat stream (stream_options.include_usage).
	IncludeUsage bool
	// Dimensions is the requested length of the vectors. nil means the model's own length.
	Dimensions *int
	// Base64 requests vectors as base64 of little-endian 32-bit floats (encoding_format).
	Base64 bool
	// Native is the whole body on an endpoint whose requests are passed on without conversion. It is nil on all others.
	Native dialect.Object
	// Needs are the other features that the caller requests and that not every upstream can express, without duplicates.
	Needs []Need
}

// Role is the author of a turn.
type Role string

// The roles in the neutral form. A system turn is an instruction that came after the first turn.
const (
	User      Role = "user"
	Assistant Role = "assistant"
	System    Role = "system"
)

// Turn is one message of a conversation.
type Turn struct {
	Role  Role
	Parts []Part
}

// Part is a piece of a turn: an image or a text.
type Part struct {
	Text  string
	Image *Image
}

// Image is a picture, given inline or by URL.
type Image struct {
	// MediaType is a media type such as "image/png". It is "" if a URL was given without a media type.
	MediaType string
	// Data is the base64 text as the caller sent it, unchecked; "" when URL is set.
	Data string
	URL  string
	// Detail is OpenAI's "low" or "high", or "" if none was requested.
	Detail string
}

// Input is one prompt or text to embed: token ids if Tokens is not nil, otherwise a text.
type Input struct {
	Text   string
	Tokens []int
}

// Need is a requested feature that only some upstreams can express.
type Need struct {
	// Feature is its name in the neutral form: for example, "top_k" also for Gemini's topK.
	Feature string
	// Value is what the caller wrote.
	Value json.RawMessage
}

// Problem describes what is wrong with a request, as [Decode] returns it.
type Problem struct { //nolint:errname // what is found wrong with a request, before it is an error
	// Code is the business code: "bad_request_body" for a body that is not JSON, otherwise "invalid_request".
	Code string
	// Param is the invalid field ("messages[0].role"), or "" for the body as a whole.
	Param string
	// Message is the text for the caller. It does not quote anything that the caller sent.
	Message string
}

// The codes of a [Problem], from table 2 of the contract.
const (
	CodeInvalidRequest = "invalid_request"
	CodeBadRequestBody = "bad_request_body"
)

// Error implements [error].
func (p *Problem) Error() string { return p.Code + ": " + p.Message }
