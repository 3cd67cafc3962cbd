package convert

import (
	"encoding/json"

	"github.com/gatecert/gatecert/dialect"
)

// Request is the hub form of what a caller asks for.
type Request struct {
	// Surface is the surface spoken to; where the body says whether to stream, it has been followed.
	Surface dialect.Surface
	Model   string
	// System joins the instructions that stood before the first turn with blank lines.
	System string
	// Turns is the conversation; empty on completions and embeddings, which have Inputs.
	Turns []Turn
	// Inputs are the prompts of a completion or the texts to embed, at least one on those surfaces.
	Inputs []Input
	// MaxTokens limits the answer, at least 1; nil leaves it to the upstream.
	MaxTokens *int
	// Temperature is within 0..2, or 0..1 on messages; nil leaves it to the upstream.
	Temperature *float64
	// TopP is within 0..1; nil leaves it to the upstream.
	TopP *float64
	// Stop are the sequences that end the answer.
	Stop []string
	// Stream asks for the answer as server-sent events.
	Stream bool
	// IncludeUsage asks for the usage in a chat stream (stream_options.include_usage).
	IncludeUsage bool
	// Dimensions is the length of the vectors asked for, nil for the model's own.
	Dimensions *int
	// Base64 asks for vectors as base64 of little-endian 32-bit floats (encoding_format).
	Base64 bool
	// Native is the whole body on an endpoint that is passed on without conversion, nil on all others.
	Native dialect.Object
	// Needs are what else the caller asks for and not every upstream can express, each feature once.
	Needs []Need
}

// Role is who says a turn.
type Role string

// The roles of the hub. A system turn is an instruction that came after the first turn.
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

// Part is a piece of a turn: an image, or else a text.
type Part struct {
	Text  string
	Image *Image
}

// Image is a picture given inline or by address.
type Image struct {
	// MediaType is "image/png" and the like; "" when an address was given without it.
	MediaType string
	// Data is the base64 text as the caller sent it, unchecked; "" when URL is set.
	Data string
	URL  string
	// Detail is OpenAI's "low" or "high"; "" for no wish.
	Detail string
}

// Input is one prompt or text to embed: token ids when Tokens is not nil, else a text.
type Input struct {
	Text   string
	Tokens []int
}

// Need is a wish that only some upstreams can express.
type Need struct {
	// Feature is its name, that of the hub: "top_k" for Gemini's topK as well.
	Feature string
	// Value is what the caller wrote.
	Value json.RawMessage
}

// Problem is what is wrong with a request, as [Decode] returns it.
type Problem struct { //nolint:errname // what is found wrong with a request, before it is an error
	// Code is the business code: "bad_request_body" for what is not JSON, else "invalid_request".
	Code string
	// Param is the field at fault ("messages[0].role"), "" for the body as a whole.
	Param string
	// Message is for the caller. It quotes nothing the caller sent.
	Message string
}

// The codes of a [Problem], from table 2 of the contract.
const (
	CodeInvalidRequest = "invalid_request"
	CodeBadRequestBody = "bad_request_body"
)

// Error implements [error].
func (p *Problem) Error() string { return p.Code + ": " + p.Message }
