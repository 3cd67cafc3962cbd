package convert

import (
	"encoding/json"
	"strings"
)

// chatStream writes chat.completion.chunk events and [DONE].
type chatStream struct {
	head       Head
	annotation json.RawMessage
}

type chatChunkChoice struct {
	Index  int       `json:"index"`
	Delta  chatDelta `json:"delta"`
	Finish *Finish   `json:"finish_reason"`
}

type chatDelta struct {
	Role    string  `json:"role,omitempty"`
	Content *string `json:"content,omitempty"`
}

func (s *chatStream) chunk(choices ...any) openAIForm {
	return openAIForm{
		ID: nativeID("chatcmpl-", s.head.ID), Object: "chat.completion.chunk", Created: s.head.Created,
		Model: s.head.Model, Choices: append([]any{}, choices...),
	}
}

func (s *chatStream) open(f *frames) {
	nothing := ""
	chunk := s.chunk(chatChunkChoice{Delta: chatDelta{Role: "assistant", Content: &nothing}})
	chunk.Gateway = s.annotation
	f.event("", chunk)
}

func (s *chatStream) delta(f *frames, text string) {
	f.event("", s.chunk(chatChunkChoice{Delta: chatDelta{Content: &text}}))
}

func (s *chatStream) finish(f *frames, last Delta) {
	f.event("", s.chunk(chatChunkChoice{Finish: &last.Finish}))
	if s.head.IncludeUsage {
		usage := s.chunk()
		usage.Usage = spent(last.PromptTokens, last.CompletionTokens)
		f.event("", usage)
	}
	f.out.WriteString("data: [DONE]\n\n")
}

// messagesStream writes the events message_start … message_stop around one text block.
type messagesStream struct {
	head       Head
	annotation json.RawMessage
}

func (s *messagesStream) open(f *frames) {
	f.event("message_start", struct {
		Type    string      `json:"type"`
		Message messageForm `json:"message"`
	}{"message_start", messageForm{
		ID: nativeID("msg_", s.head.ID), Type: "message", Role: "assistant", Model: s.head.Model,
		Content: []textBlock{}, Usage: messageUsage{Input: s.head.PromptTokens}, Gateway: s.annotation,
	}})
	f.event("content_block_start", struct {
		Type  string    `json:"type"`
		Index int       `json:"index"`
		Block textBlock `json:"content_block"`
	}{"content_block_start", 0, textBlock{"text", ""}})
}

func (s *messagesStream) delta(f *frames, text string) {
	f.event("content_block_delta", struct {
		Type  string    `json:"type"`
		Index int       `json:"index"`
		Delta textBlock `json:"delta"`
	}{"content_block_delta", 0, textBlock{"text_delta", text}})
}

func (s *messagesStream) finish(f *frames, last Delta) {
	f.event("content_block_stop", struct {
		Type  string `json:"type"`
		Index int    `json:"index"`
	}{"content_block_stop", 0})
	type ending struct {
		StopReason   string  `json:"stop_reason"`
		StopSequence *string `json:"stop_sequence"`
	}
	f.event("message_delta", struct {
		Type  string       `json:"type"`
		Delta ending       `json:"delta"`
		Usage messageUsage `json:"usage"`
	}{"message_delta", ending{last.Finish.anthropic(), nil}, messageUsage{last.PromptTokens, last.CompletionTokens}})
	f.event("message_stop", struct {
		Type string `json:"type"`
	}{"message_stop"})
}

// generateStream writes GenerateContentResponse events. Nothing opens or ends it but its first and last event.
type generateStream struct {
	head       Head
	annotation json.RawMessage
}

func (s *generateStream) chunk(text, finish string) generateForm {
	chunk := generateForm{
		Candidates: generated(text, finish), Model: s.head.Model, ID: nativeID("", s.head.ID), Gateway: s.annotation,
	}
	s.annotation = nil // it goes with the first event alone
	return chunk
}

func (s *generateStream) open(*frames) {}

func (s *generateStream) delta(f *frames, text string) { f.event("", s.chunk(text, "")) }

func (s *generateStream) finish(f *frames, last Delta) {
	chunk := s.chunk("", last.Finish.gemini())
	chunk.Usage = &generateUsage{last.PromptTokens, last.CompletionTokens, last.PromptTokens + last.CompletionTokens}
	f.event("", chunk)
}

// responsesStream writes the typed events response.created … response.completed around one message. It keeps the whole
// text, because the events that end a part repeat it.
type responsesStream struct {
	head       Head
	annotation json.RawMessage
	text       strings.Builder
	sequence   int
}

// responseEvent is what all events of a response are made of. Which members an event has is a matter of its type.
type responseEvent struct {
	Type     string        `json:"type"`
	Sequence int           `json:"sequence_number"`
	Response *responseForm `json:"response,omitempty"`
	ItemID   string        `json:"item_id,omitempty"`
	Output   *int          `json:"output_index,omitempty"`
	Content  *int          `json:"content_index,omitempty"`
	Item     *outputItem   `json:"item,omitempty"`
	Part     *outputText   `json:"part,omitempty"`
	Delta    string        `json:"delta,omitempty"`
	Text     string        `json:"text,omitempty"`
}

// answer is the answer as far as it is known.
func (s *responsesStream) answer(last Delta) Answer {
	return Answer{
		ID: s.head.ID, Model: s.head.Model, Created: s.head.Created, Text: s.text.String(), Finish: last.Finish,
		PromptTokens: last.PromptTokens, CompletionTokens: last.CompletionTokens,
	}
}

func (s *responsesStream) event(f *frames, e responseEvent) {
	e.Sequence = s.sequence
	s.sequence++
	f.event(e.Type, e)
}

// part fills in where the only part of the only item stands.
func (s *responsesStream) part(e responseEvent) responseEvent {
	e.ItemID, e.Output, e.Content = nativeID("msg_", s.head.ID), new(int), new(int)
	return e
}

func (s *responsesStream) open(f *frames) {
	begun := responseBegun(s.answer(Delta{}), s.annotation)
	s.event(f, responseEvent{Type: "response.created", Response: &begun})
	begun.Gateway = nil
	s.event(f, responseEvent{Type: "response.in_progress", Response: &begun})
	item := messageItem(s.answer(Delta{}), "in_progress")
	s.event(f, responseEvent{Type: "response.output_item.added", Output: new(int), Item: &item})
	part := saidText("")
	s.event(f, s.part(responseEvent{Type: "response.content_part.added", Part: &part}))
}

func (s *responsesStream) delta(f *frames, text string) {
	s.text.WriteString(text)
	s.event(f, s.part(responseEvent{Type: "response.output_text.delta", Delta: text}))
}

func (s *responsesStream) finish(f *frames, last Delta) {
	ended := responseAnswer(s.answer(last), nil)
	item := ended.Output[0]
	part := item.Content[0]
	s.event(f, s.part(responseEvent{Type: "response.output_text.done", Text: part.Text}))
	s.event(f, s.part(responseEvent{Type: "response.content_part.done", Part: &part}))
	s.event(f, responseEvent{Type: "response.output_item.done", Output: new(int), Item: &item})
	s.event(f, responseEvent{Type: "response." + ended.Status, Response: &ended})
}
