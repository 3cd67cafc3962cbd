package convert

import (
	"encoding/json"
	"fmt"

	"github.com/gatecert/gatecert/dialect"
)

// Head is the information at the beginning of a stream, before the upstream has counted anything.
type Head struct {
	ID string
	// Model is the name that the client knows.
	Model string
	// Created is in Unix seconds.
	Created int64
	// PromptTokens is the gateway's own count, which a messages stream states at its beginning.
	PromptTokens int
	// IncludeUsage makes a chat stream report its usage. Other streams always report it.
	IncludeUsage bool
}

// StreamEncoder writes one response as the server-sent events of a surface. Each method returns complete events that are ready to be sent. An encoder
// is for one stream and one goroutine: write the pieces, then call [StreamEncoder.Finish] or [StreamEncoder.Error].
type StreamEncoder struct {
	surface    dialect.Surface
	writer     dialect.StreamWriter
	annotation json.RawMessage
	opened     bool
}

// NewStreamEncoder returns an encoder for a streaming surface. An annotation that is not nil is written into the member "gateway" of the first object
// that is sent. If the annotation is not JSON, the first piece fails before any byte is written.
func NewStreamEncoder(surface dialect.Surface, head Head, annotation json.RawMessage) (*StreamEncoder, error) {
	op, ok := surface.Operation().(dialect.StreamingOperation)
	if !ok || !surface.Streaming() {
		return nil, fmt.Errorf("encode stream: surface %q does not stream", surface)
	}
	writer := op.Writer(dialect.Answer{
		Request: dialect.Object{"stream_options": dialect.Object{"include_usage": head.IncludeUsage}},
		ID:      bareID(head.ID), Model: head.Model, Created: head.Created,
		End: dialect.End{PromptTokens: head.PromptTokens}, Extra: extraOf(annotation),
	})
	return &StreamEncoder{surface: surface, writer: writer, annotation: annotation}, nil
}

// Piece writes a piece of content. The first piece is preceded by the stream's opening.
func (e *StreamEncoder) Piece(text string) ([]byte, error) {
	return e.encode(func() []dialect.Event { return e.writer.Piece(text) })
}

// Finish writes the end of a complete response.
func (e *StreamEncoder) Finish(end dialect.End) ([]byte, error) {
	return e.encode(func() []dialect.Event { return e.writer.Close(end) })
}

// encode returns the events, after the opening if they are the first.
func (e *StreamEncoder) encode(events func() []dialect.Event) (out []byte, err error) {
	var opening []dialect.Event
	if !e.opened {
		if _, err := json.Marshal(extraOf(e.annotation)); err != nil {
			return nil, fmt.Errorf("encode stream: %w", err)
		}
		e.opened, opening = true, e.writer.Open()
	}
	for _, event := range append(opening, events()...) {
		out = append(out, event.Bytes()...)
	}
	return out, nil
}

// Error writes the format's own error event (CONTRACT.md, "In a stream that has begun"). Nothing may follow it, because the events that end a
// complete response must not end a broken one.
func (e *StreamEncoder) Error(p dialect.Problem) []byte {
	format := e.surface.Dialect().Format()
	return format.ErrorEvent(described(format, p), 0).Bytes()
}
