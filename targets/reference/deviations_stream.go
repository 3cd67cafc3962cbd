package reference

import (
	"bytes"
	"context"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

// streamDeviations hide from a caller that a stream went wrong, or tell it in a form that its client does not know.
func streamDeviations() []Deviation {
	const (
		providerError = "http:5xx/upstream-error/"
		stalled       = "code:channel:response_time_exceeded/slow-upstream/"
		broken        = "code:read_response_body_failed/truncated-upstream-response/"
	)
	// of are the mid-stream cases on one surface.
	of := func(s dialect.Surface) []contract.Pattern {
		return []contract.Pattern{
			contract.Pattern(providerError + string(s) + "/mid-stream"),
			contract.Pattern(stalled + string(s) + "/stalled-answer"),
			contract.Pattern(broken + string(s) + "/*"),
		}
	}
	return []Deviation{
		{
			Name:     "truncated-stream-ends-well",
			Sentence: "A provider's stream that breaks off is closed as if it were complete, finish, usage and [DONE] made up.",
			Turns:    []Turn{fails(contract.StreamEnd, broken+"*-stream/*")},
			bend:     breaking(finishing, because(convert.ErrTruncated)),
		},
		{
			Name:     "chat-stream-done-without-finish",
			Sentence: "Whatever happens to a chat stream, [DONE] is all that is said of it.",
			Turns:    []Turn{fails(contract.StreamEnd, of(dialect.ChatStream)...)},
			bend:     breaking(saying("data: [DONE]\n\n"), on(dialect.ChatStream)),
		},
		{
			Name:     "stalled-messages-end-well",
			Sentence: "A provider that falls silent ends a messages stream as if it were complete.",
			Turns:    []Turn{fails(contract.StreamEnd, stalled+"messages-stream/stalled-answer")},
			bend:     breaking(finishing, because(errTooSlow), on(dialect.MessagesStream)),
		},
		{
			Name:     "gemini-stream-ends-without-a-word",
			Sentence: "A Gemini stream that goes wrong just ends.",
			Turns:    []Turn{fails(contract.StreamEnd, of(dialect.GenerateStream)...)},
			bend:     breaking(saying(""), on(dialect.GenerateStream)),
		},
		{
			Name:     "done-after-the-error",
			Sentence: "The error event of a chat stream is followed by [DONE], which clients take for success.",
			Turns:    []Turn{fails(contract.StreamEnd, of(dialect.ChatStream)...)},
			bend:     breaking(adding("data: [DONE]\n\n"), on(dialect.ChatStream)),
		},
		{
			Name:     "finish-after-the-error",
			Sentence: "The error event of a responses stream is followed by response.completed.",
			Turns:    []Turn{fails(contract.StreamEnd, of(dialect.ResponsesStream)...)},
			bend: breaking(func(c *call, events []byte) []byte { return append(events, finishing(c, nil)...) },
				on(dialect.ResponsesStream)),
		},
		{
			Name:     "content-after-the-error",
			Sentence: "After the error event of a Gemini stream comes what was left in the buffer.",
			Turns:    []Turn{fails(contract.StreamEnd, of(dialect.GenerateStream)...)},
			bend: breaking(adding(`data: {"candidates":[{"content":{"parts":[{"text":"late"}],"role":"model"},"index":0}]}`+"\n\n"),
				on(dialect.GenerateStream)),
		},
		{
			Name:     "stream-kept-open-after-the-error",
			Sentence: "After the error event for a provider that fell silent, the connection of a messages stream is kept open.",
			Turns:    []Turn{fails(contract.StreamEnd, stalled+"messages-stream/stalled-answer")},
			bend: breaking(func(c *call, events []byte) []byte {
				if c.reply.chunk(events) == nil {
					<-c.request.Context().Done()
				}
				return nil
			}, on(dialect.MessagesStream), because(errTooSlow)),
		},
		{
			Name:     "stream-dropped-without-error",
			Sentence: "A stream that goes wrong is cut off, so that nobody learns why.",
			Turns:    []Turn{warns(contract.StreamError, midStream()...)},
			bend:     breaking(dropping("")),
		},
		{
			Name:     "stream-dropped-after-done",
			Sentence: "A chat stream that goes wrong is ended with [DONE], and then cut off.",
			Turns:    []Turn{fails(contract.StreamEnd, of(dialect.ChatStream)...)},
			bend:     breaking(dropping("data: [DONE]\n\n"), on(dialect.ChatStream)),
		},
		{
			Name:     "error-event-flat",
			Sentence: "The error event of a chat stream has code and message at the top, where no client looks for an error.",
			Turns:    []Turn{fails(contract.StreamEnd, of(dialect.ChatStream)...)},
			bend: breaking(func(c *call, _ []byte) []byte {
				return event("", written(map[string]any{"code": c.failed.code, "message": c.failed.message}))
			}, on(dialect.ChatStream)),
		},
		{
			Name:     "error-event-in-a-chunk",
			Sentence: "The error of a chat stream is put into a chunk, after its id and its choices.",
			Turns:    []Turn{fails(contract.StreamError, of(dialect.ChatStream)...)},
			bend: breaking(func(_ *call, events []byte) []byte {
				return bytes.Replace(events, []byte(`{"error":`), []byte(`{"id":"chatcmpl-1","choices":[],"error":`), 1)
			}, on(dialect.ChatStream)),
		},
		{
			Name:     "error-event-in-a-candidate",
			Sentence: "The error of a Gemini stream has other keys beside it.",
			Turns:    []Turn{warns(contract.StreamError, of(dialect.GenerateStream)...)},
			bend: breaking(func(_ *call, events []byte) []byte {
				return bytes.Replace(events, []byte("}}\n"), []byte(`},"responseId":"1"}`+"\n"), 1)
			}, on(dialect.GenerateStream)),
		},
		{
			Name:     "error-event-named-on-openai",
			Sentence: "The error event of a responses stream has a name of its own.",
			Turns:    []Turn{warns(contract.StreamError, of(dialect.ResponsesStream)...)},
			bend: breaking(func(_ *call, events []byte) []byte { return append([]byte("event: error\n"), events...) },
				on(dialect.ResponsesStream)),
		},
		{
			Name:     "error-event-unnamed-on-anthropic",
			Sentence: "The error event of a messages stream has no name, so that clients pass over it.",
			Turns:    []Turn{fails(contract.StreamError, of(dialect.MessagesStream)...)},
			bend: breaking(func(_ *call, events []byte) []byte { return bytes.TrimPrefix(events, []byte("event: error\n")) },
				on(dialect.MessagesStream)),
		},
		{
			Name:     "error-event-as-bare-json",
			Sentence: "The error of a messages stream is written as JSON that belongs to no event.",
			Turns: []Turn{
				{Cases: of(dialect.MessagesStream), Verdict: contract.Fail, Breaks: []contract.Requirement{contract.StreamEnd, contract.StreamFormat}},
			},
			bend: breaking(func(c *call, _ []byte) []byte {
				return append(convert.EncodeError(c.surface, c.failed.told()), "\n\n"...)
			}, on(dialect.MessagesStream)),
		},
		{
			Name:     "error-event-of-another-dialect",
			Sentence: "The error event of a messages stream holds OpenAI's envelope.",
			Turns:    []Turn{fails(contract.Envelope, of(dialect.MessagesStream)...)},
			bend: breaking(func(c *call, _ []byte) []byte {
				return event("error", convert.EncodeError(dialect.Chat, c.failed.told()))
			}, on(dialect.MessagesStream)),
		},
		{
			Name:     "error-event-without-a-message",
			Sentence: "The error event of a stream has no message.",
			Turns:    []Turn{fails(contract.Message, midStream()...)},
			bend:     breaking(inErrorEvent(func(e map[string]any) { delete(e, "message") })),
		},
		{
			Name:     "stray-lines-before-the-error",
			Sentence: "Before its error event a chat stream holds a line that belongs to no event.",
			Turns:    []Turn{warns(contract.StreamFormat, of(dialect.ChatStream)...)},
			bend:     breaking(func(_ *call, events []byte) []byte { return append([]byte("upstream error\n\n"), events...) }, on(dialect.ChatStream)),
		},
		{
			Name:     "stream-begun-for-an-error",
			Sentence: "Streams are begun before the provider was asked, so that its failure is a 200 with an error event.",
			Turns: []Turn{
				stays(midStream()...),
				fails(contract.NotSuccess, onSurfaces(streamingSurfaces(), onTheProvidersSide()...)...),
			},
			bend: answering(func(c *call, a *wholeAnswer) {
				name := ""
				if c.surface.Dialect() == dialect.Anthropic {
					name = "error"
				}
				a.status, a.body = 200, event(name, a.body)
				a.header.Set("Content-Type", "text/event-stream")
			}, streaming, at("dial", "deliver")),
		},
		{
			Name:     "stream-empty-for-a-bad-status",
			Sentence: "A provider's bad status is a 200 event stream without an event.",
			Turns: []Turn{
				stays(midStream()...),
				fails(contract.NotSuccess, onSurfaces(streamingSurfaces(), "code:bad_response_status_code/*", "http:5xx/upstream-error")...),
			},
			bend: answering(func(_ *call, a *wholeAnswer) {
				a.status, a.body = 200, nil
				a.header.Set("Content-Type", "text/event-stream")
			}, streaming, coded(badResponseStatus)),
		},
		{
			Name:     "stream-finished-for-a-refusal",
			Sentence: "A prompt that the provider refused is answered with a stream that finishes as if all were well.",
			Turns:    []Turn{fails(contract.NotSuccess, onSurfaces(streamingSurfaces(), "code:prompt_blocked/*")...)},
			bend: answering(func(c *call, a *wholeAnswer) {
				a.write = func(_ context.Context, r *reply, _ *wholeAnswer) error { return r.chunk(invented(c)) }
			}, streaming, coded(promptBlocked)),
		},
		{
			Name:     "answer-made-up-for-an-empty-one",
			Sentence: "An empty answer of the provider is passed on as an answer with a made-up text.",
			Turns:    []Turn{fails(contract.NotSuccess, onSurfaces(plainSurfaces(), "code:empty_response/*")...)},
			bend: answering(func(c *call, a *wholeAnswer) {
				if body, err := convert.EncodeAnswer(c.surface, madeUp(c), nil); err == nil {
					a.status, a.body = 200, body
				}
			}, coded(emptyResponse), func(c *call, f *failure) bool { return !streaming(c, f) }),
		},
	}
}

// onTheProvidersSide are the rows and circumstances that come about once a call was priced and paid for.
func onTheProvidersSide() []string {
	return []string{
		"code:convert_request_failed/*", "code:invalid_api_type/*", "code:channel:model_mapped_error/*", "code:channel:invalid_key/*",
		"code:channel:response_time_exceeded/*", "code:do_request_failed/*", "code:bad_response/*", "code:bad_response_status_code/*",
		"code:empty_response/*", "code:prompt_blocked/*", "code:json_marshal_failed/*", "http:5xx/upstream-error",
	}
}

// event is one server-sent event; a name of "" leaves the field out.
func event(name string, data []byte) []byte {
	var out bytes.Buffer
	if name != "" {
		out.WriteString("event: " + name + "\n")
	}
	out.WriteString("data: ")
	out.Write(data)
	out.WriteString("\n\n")
	return out.Bytes()
}

// saying says something else than the error.
func saying(events string) func(*call, []byte) []byte {
	return func(*call, []byte) []byte { return []byte(events) }
}

// adding says something after the error.
func adding(more string) func(*call, []byte) []byte {
	return func(_ *call, events []byte) []byte { return append(events, more...) }
}

// dropping says something and closes the connection, without the end of the transfer.
func dropping(last string) func(*call, []byte) []byte {
	return func(c *call, _ []byte) []byte {
		if c.reply.chunk([]byte(last)) != nil {
			return nil
		}
		if conn, _, err := c.reply.control.Hijack(); err == nil {
			_ = conn.Close() // that is all there is to it
		}
		return nil
	}
}

// finishing ends a stream as a whole answer would end.
func finishing(c *call, _ []byte) []byte {
	last, err := c.stream.Finish(convert.Delta{Finish: convert.FinishStop, PromptTokens: int(c.tokens), CompletionTokens: 1})
	if err != nil {
		return nil
	}
	return last
}

// invented is a whole stream of nothing but its opening and its end.
func invented(c *call) []byte {
	events, err := convert.NewStreamEncoder(c.surface, convert.Head{ID: c.answerID(), Model: c.asked.Model}, nil)
	if err != nil {
		return nil
	}
	end, err := events.Finish(convert.Delta{Finish: convert.FinishStop})
	if err != nil {
		return nil
	}
	return end
}

// madeUp is an answer to a call that nobody gave.
func madeUp(c *call) convert.Answer {
	return convert.Answer{
		ID: c.answerID(), Model: c.asked.Model, Text: "…", Finish: convert.FinishStop, Vectors: [][]float64{{0}},
	}
}

// inErrorEvent edits the members of the error object in an event.
func inErrorEvent(edit func(map[string]any)) func(*call, []byte) []byte {
	return func(_ *call, events []byte) []byte {
		head, data, found := strings.Cut(strings.TrimRight(string(events), "\n"), "data: ")
		if !found {
			return events
		}
		return append([]byte(head), event("", edited([]byte(data), edit))...)
	}
}
