package convert

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/gatecert/gatecert/dialect"
)

// Head is what a stream states at its beginning, before the provider has counted anything.
type Head struct {
	ID string
	// Model is the name the caller gets to see.
	Model string
	// Created is in Unix seconds.
	Created int64
	// PromptTokens is the gateway's own count: a messages stream begins with it.
	PromptTokens int
	// IncludeUsage makes a chat stream tell its usage; the other streams always do.
	IncludeUsage bool
}

// StreamEncoder writes one answer as the server-sent events of a surface. Each method returns complete events, ready
// to be sent. It is for one stream and one goroutine: deltas, then [StreamEncoder.Finish] or [StreamEncoder.Error].
type StreamEncoder struct {
	surface dialect.Surface
	form    streamForm
	opened  bool
}

// NewStreamEncoder returns an encoder for a streaming surface. An annotation that is not nil goes into the field
// "gateway" of the first object that is sent; one that is no JSON makes the first delta fail, before any byte.
func NewStreamEncoder(surface dialect.Surface, head Head, annotation json.RawMessage) (*StreamEncoder, error) {
	e := &StreamEncoder{surface: surface}
	switch surface {
	case dialect.ChatStream:
		e.form = &chatStream{head: head, annotation: annotation}
	case dialect.ResponsesStream:
		e.form = &responsesStream{head: head, annotation: annotation}
	case dialect.MessagesStream:
		e.form = &messagesStream{head: head, annotation: annotation}
	case dialect.GenerateStream:
		e.form = &generateStream{head: head, annotation: annotation}
	default:
		return nil, fmt.Errorf("encode stream: surface %q does not stream", surface)
	}
	return e, nil
}

// Delta writes a piece of content, and before the first one the stream's opening. A delta without text writes nothing.
func (e *StreamEncoder) Delta(d Delta) ([]byte, error) {
	if d.Text == "" {
		return nil, nil
	}
	var f frames
	e.open(&f)
	e.form.delta(&f, d.Text)
	return f.result()
}

// Finish writes the end of a whole answer. last is the last delta of [DecodeStream], with the finish and the usage.
func (e *StreamEncoder) Finish(last Delta) ([]byte, error) {
	var f frames
	e.open(&f)
	e.form.finish(&f, last)
	return f.result()
}

// Error writes the dialect's own error event (CONTRACT.md, "In a stream that has begun"). Nothing may follow it: what
// would end a whole answer must not end a broken one.
func (e *StreamEncoder) Error(err APIError) []byte {
	name := ""
	if e.surface.Dialect() == dialect.Anthropic {
		name = "error"
	}
	var f frames
	f.event(name, envelope(e.surface, err))
	return f.out.Bytes()
}

func (e *StreamEncoder) open(f *frames) {
	if !e.opened {
		e.opened = true
		e.form.open(f)
	}
}

// streamForm is the shape of one surface's stream.
type streamForm interface {
	open(f *frames)
	delta(f *frames, text string)
	finish(f *frames, last Delta)
}

// frames gathers events and the first failure to write one.
type frames struct {
	out bytes.Buffer
	err error
}

// event adds an event of one line of JSON; a name of "" leaves the field out.
func (f *frames) event(name string, v any) {
	if f.err != nil {
		return
	}
	data, err := json.Marshal(v)
	if err != nil {
		f.err = fmt.Errorf("encode stream: %w", err)
		return
	}
	if name != "" {
		f.out.WriteString("event: " + name + "\n")
	}
	f.out.WriteString("data: ")
	f.out.Write(data)
	f.out.WriteString("\n\n")
}

// result returns all events or none.
func (f *frames) result() ([]byte, error) {
	if f.err != nil {
		return nil, f.err
	}
	return f.out.Bytes(), nil
}
