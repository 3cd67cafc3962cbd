// Package dialect knows the wire: the surfaces of the API formats (OpenAI, Anthropic, Gemini), how each is asked and
// answered, how its streams begin, end and fail, and how it frames an error. It knows no rows and does no I/O.
package dialect

import "slices"

// Dialect is the API family a surface speaks, and with it the shape of its error envelope.
type Dialect string

// The three dialects of the contract.
const (
	OpenAI    Dialect = "openai"
	Anthropic Dialect = "anthropic"
	Gemini    Dialect = "gemini"
)

// Surface is an endpoint in a dialect, streaming or not.
type Surface string

// The surfaces gatecert speaks.
const (
	Chat            Surface = "chat"
	ChatStream      Surface = "chat-stream"
	Completions     Surface = "completions"
	Responses       Surface = "responses"
	ResponsesStream Surface = "responses-stream"
	Messages        Surface = "messages"
	MessagesStream  Surface = "messages-stream"
	GenerateContent Surface = "gemini"
	GenerateStream  Surface = "gemini-stream"
	Embeddings      Surface = "embeddings"
)

// Surfaces returns all surfaces in the order of the matrix's columns.
func Surfaces() []Surface {
	return []Surface{
		Chat, ChatStream, Completions, Responses, ResponsesStream,
		Messages, MessagesStream, GenerateContent, GenerateStream, Embeddings,
	}
}

// Valid reports whether the surface is one gatecert speaks.
func (s Surface) Valid() bool { return slices.Contains(Surfaces(), s) }

// Dialect is the family whose envelope an error on this surface owes.
func (s Surface) Dialect() Dialect {
	switch s {
	case Messages, MessagesStream:
		return Anthropic
	case GenerateContent, GenerateStream:
		return Gemini
	default:
		return OpenAI
	}
}

// Streaming reports whether the surface asks for server-sent events.
func (s Surface) Streaming() bool {
	switch s {
	case ChatStream, ResponsesStream, MessagesStream, GenerateStream:
		return true
	default:
		return false
	}
}

// twins pairs each surface that can be asked with or without streaming.
var twins = map[Surface]Surface{
	Chat: ChatStream, Responses: ResponsesStream, Messages: MessagesStream, GenerateContent: GenerateStream,
}

// Twin returns the surface of the same endpoint that streams where s does not, and the other way round; ok is false for
// an endpoint that cannot stream.
func (s Surface) Twin() (twin Surface, ok bool) {
	for plain, streaming := range twins {
		switch s {
		case plain:
			return streaming, true
		case streaming:
			return plain, true
		}
	}
	return "", false
}

// Endpoint returns the surface of the same endpoint without streaming: [Chat] for [ChatStream].
func (s Surface) Endpoint() Surface {
	if twin, ok := s.Twin(); ok && s.Streaming() {
		return twin
	}
	return s
}
