package mutants

import (
	"bytes"
	"context"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

const done = "data: [DONE]\n\n"

// streamEndMutants end a stream that failed as if it were complete, or go on after the error.
func streamEndMutants() []Mutant {
	const stalledMessages contract.Pattern = "code:channel:response_time_exceeded/slow-upstream/messages-stream/stalled-answer"
	return []Mutant{
		mutant("truncated-stream-ends-well",
			"The gateway ends a truncated upstream stream as if it were complete: it invents a finish event and usage, and sends [DONE].",
			changeStreamError(finish, causedBy(convert.ErrTruncated)),
			fails(contract.StreamEnd, "code:read_response_body_failed/truncated-upstream-response/*-stream/*")),
		mutant("chat-stream-done-without-finish", "A failed chat stream ends with [DONE] instead of an error event.",
			changeStreamError(replaceEvents(done), on(dialect.ChatStream)),
			fails(contract.StreamEnd, midStreamOn(dialect.ChatStream)...)),
		mutant("stalled-messages-end-well", "If the upstream stalls, the gateway ends a messages stream as if it were complete.",
			changeStreamError(finish, causedBy(reference.ErrTooSlow), on(dialect.MessagesStream)),
			fails(contract.StreamEnd, stalledMessages)),
		mutant("gemini-stream-ends-silently", "A failed Gemini stream ends without an error event.",
			changeStreamError(replaceEvents(""), on(dialect.GenerateStream)),
			fails(contract.StreamEnd, midStreamOn(dialect.GenerateStream)...)),
		mutant("done-after-the-error", "After the error event of a chat stream, the gateway sends [DONE], as if the stream were complete.",
			changeStreamError(appendEvents(done), on(dialect.ChatStream)),
			fails(contract.StreamEnd, midStreamOn(dialect.ChatStream)...)),
		mutant("finish-after-the-error", "After the error event of a responses stream, the gateway sends response.completed.",
			changeStreamError(func(c *reference.Call, events []byte) []byte { return append(events, finish(c, nil)...) }, on(dialect.ResponsesStream)),
			fails(contract.StreamEnd, midStreamOn(dialect.ResponsesStream)...)),
		mutant("content-after-the-error", "After the error event of a Gemini stream, the gateway sends buffered content.",
			changeStreamError(appendEvents(`data: {"candidates":[{"content":{"parts":[{"text":"late"}],"role":"model"},"index":0}]}`+"\n\n"),
				on(dialect.GenerateStream)),
			fails(contract.StreamEnd, midStreamOn(dialect.GenerateStream)...)),
		mutant("finish-before-the-error", "When a chat stream fails, the gateway first ends it as if it were complete and then sends the error.",
			changeStreamError(func(c *reference.Call, events []byte) []byte { return append(finish(c, nil), events...) }, on(dialect.ChatStream)),
			fails(contract.StreamEnd, midStreamOn(dialect.ChatStream)...)),
		mutant("stop-reason-before-the-error", "When a messages stream fails, the gateway sends a stop reason before the error event.",
			changeStreamError(prependText("event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n"),
				on(dialect.MessagesStream)),
			fails(contract.StreamEnd, midStreamOn(dialect.MessagesStream)...)),
		mutant("block-ended-after-the-error", "After the error event of a messages stream, the gateway sends the end of the text block.",
			changeStreamError(appendEvents("event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"), on(dialect.MessagesStream)),
			fails(contract.StreamEnd, midStreamOn(dialect.MessagesStream)...)),
		mutant("item-ended-after-the-error", "After the error event of a responses stream, the gateway sends the end of the output item.",
			changeStreamError(appendEvents("event: response.output_item.done\ndata: {\"type\":\"response.output_item.done\"}\n\n"), on(dialect.ResponsesStream)),
			fails(contract.StreamEnd, midStreamOn(dialect.ResponsesStream)...)),
		mutant("stream-kept-open-after-the-error",
			"If the upstream stalls during a messages stream, the gateway sends the error event but leaves the connection open.",
			changeStreamError(func(c *reference.Call, events []byte) []byte {
				if c.Reply.Events(events) == nil {
					<-c.Request.Context().Done()
				}
				return nil
			}, on(dialect.MessagesStream), causedBy(reference.ErrTooSlow)),
			fails(contract.StreamEnd, stalledMessages)),
		mutant("stream-dropped-without-error", "When a stream fails, the gateway closes the connection without sending an error event.",
			changeStreamError(closeAfter("")),
			warns(contract.StreamError, midStream()...)),
		mutant("stream-dropped-after-done", "When a chat stream fails, the gateway sends [DONE] and then aborts the connection.",
			changeStreamError(closeAfter(done), on(dialect.ChatStream)),
			fails(contract.StreamEnd, midStreamOn(dialect.ChatStream)...)),
	}
}

// errorEventMutants report the failure of a stream in a form that the client does not understand.
func errorEventMutants() []Mutant {
	return []Mutant{
		mutant("error-event-flat",
			"The error event of a chat stream has its code and message at the top level, where no client looks for an error.",
			changeStreamError(func(c *reference.Call, _ []byte) []byte {
				return event("", encode(map[string]any{"code": c.Failure.Code, "message": c.Failure.Message}))
			}, on(dialect.ChatStream)),
			fails(contract.StreamEnd, midStreamOn(dialect.ChatStream)...)),
		mutant("error-event-in-a-chunk", "When a chat stream fails, the gateway sends the error as a field of a chunk, after the id and choices fields.",
			changeStreamError(replaceInEvents(`{"error":`, `{"id":"chatcmpl-1","choices":[],"error":`), on(dialect.ChatStream)),
			fails(contract.StreamError, midStreamOn(dialect.ChatStream)...)),
		mutant("error-event-in-a-candidate", "The error event of a Gemini stream has other fields in addition to the error.",
			changeStreamError(replaceInEvents("}}\n", `},"responseId":"1"}`+"\n"), on(dialect.GenerateStream)),
			warns(contract.StreamError, midStreamOn(dialect.GenerateStream)...)),
		mutant("error-event-named-on-openai", "The error event of a responses stream has the name \"error\", so some clients do not raise it as an error.",
			changeStreamError(prependText("event: error\n"), on(dialect.ResponsesStream)),
			warns(contract.StreamError, midStreamOn(dialect.ResponsesStream)...)),
		mutant("error-event-named-on-chat", "The error event of a chat stream has a name, so clients that read only unnamed events never see it.",
			changeStreamError(prependText("event: failure\n"), on(dialect.ChatStream)),
			warns(contract.StreamError, midStreamOn(dialect.ChatStream)...)),
		mutant("error-event-unnamed-on-anthropic", "The error event of a messages stream has no name, so clients ignore it.",
			changeStreamError(func(_ *reference.Call, events []byte) []byte {
				return bytes.TrimPrefix(events, []byte("event: error\n"))
			},
				on(dialect.MessagesStream)),
			fails(contract.StreamError, midStreamOn(dialect.MessagesStream)...)),
		mutant("error-event-not-json", "The error event of a chat stream is plain text.",
			changeStreamError(replaceEvents("data: error: CUDA out of memory\n\n"), on(dialect.ChatStream)),
			fails(contract.StreamEnd, midStreamOn(dialect.ChatStream)...)),
		mutant("error-event-as-response-failed", "When a responses stream fails, the gateway sends only response.failed and no error event.",
			changeStreamError(func(c *reference.Call, _ []byte) []byte {
				return event("response.failed", encode(map[string]any{"type": "response.failed", "response": map[string]any{
					"status": "failed", "error": map[string]any{"code": c.Failure.Code, "message": c.Failure.Message},
				}}))
			}, on(dialect.ResponsesStream)),
			warns(contract.StreamError, midStreamOn(dialect.ResponsesStream)...)),
		mutant("error-event-as-bare-json", "When a messages stream fails, the gateway sends the error as bare JSON that is not part of any event.",
			changeStreamError(func(c *reference.Call, _ []byte) []byte { return append(c.Failure.Encode(c.Surface), "\n\n"...) },
				on(dialect.MessagesStream)),
			fails(contract.StreamEnd, midStreamOn(dialect.MessagesStream)...).and(contract.StreamFormat)),
		mutant("error-event-of-another-dialect", "The error event of a messages stream uses OpenAI's envelope.",
			changeStreamError(func(c *reference.Call, _ []byte) []byte { return event("error", c.Failure.Encode(dialect.Chat)) },
				on(dialect.MessagesStream)),
			fails(contract.Envelope, midStreamOn(dialect.MessagesStream)...)),
		mutant("error-event-without-a-message", "The error event of a stream has no message.",
			changeStreamError(editErrorEvent(func(e map[string]any) { delete(e, "message") })),
			fails(contract.Message, midStream()...)),
		mutant("stray-lines-before-the-error", "Before the error event of a chat stream, the gateway sends a line that is not part of any event.",
			changeStreamError(prependText("upstream error\n\n"), on(dialect.ChatStream)),
			warns(contract.StreamFormat, midStreamOn(dialect.ChatStream)...)),
		mutant("stray-text-before-the-error", "Before the error event of a chat stream, the gateway sends an event with plain text as its data.",
			changeStreamError(prependText("data: upstream error\n\n"), on(dialect.ChatStream)),
			warns(contract.StreamFormat, midStreamOn(dialect.ChatStream)...)),
	}
}

// streamStartMutants answer with 200 although nothing was passed on yet.
func streamStartMutants() []Mutant {
	return []Mutant{
		mutant("stream-begun-for-an-error",
			"The gateway begins streams before it calls the upstream, so it reports an upstream failure as 200 with an error event.",
			changeError(func(c *reference.Call, a *reference.Answer) {
				name := ""
				if c.Surface.Dialect() == dialect.Anthropic {
					name = "error"
				}
				a.Status, a.Body = 200, event(name, a.Body)
				a.Header.Set("Content-Type", "text/event-stream")
			}, streaming, at(reference.Dial, reference.Deliver)),
			passes(append(midStream(), brokenToolCalls, "http:5xx/upstream-error/*/error-after-reasoning")...),
			fails(contract.NotSuccess, onSurfaces(streamingSurfaces(), afterReserve()...)...),
			fails(contract.NotSuccess, refusedParametersOfStreams)),
		mutant("stream-begun-before-the-checks", "The gateway begins a stream with a comment before it converts the request, so it can report a failed conversion only as an event.",
			wrap(reference.Dial, func(ctx context.Context, c *reference.Call, dial reference.Handler) error {
				if c.Surface.Streaming() {
					if err := c.BeginStream([]byte(": waiting\n\n")); err != nil {
						return err
					}
				}
				return dial(ctx, c)
			}),
			fails(contract.NotSuccess, onSurfaces(streamingSurfaces(), "code:channel:model_mapped_error/*", "code:convert_request_failed/*", "code:invalid_api_type/*")...)),
		mutant("refusals-told-in-a-stream", "The gateway begins a chat stream before it looks up the model, so it can report an unknown model only as an event.",
			changeError(func(_ *reference.Call, a *reference.Answer) {
				a.Status, a.Body = 200, append([]byte(": hello\n\n"), event("", a.Body)...)
				a.Header.Set("Content-Type", "text/event-stream")
			}, on(dialect.ChatStream), withCode(reference.ModelNotFound)),
			fails(contract.NotSuccess, onSurfaces([]dialect.Surface{dialect.ChatStream}, "code:model_not_found/*", "http:404/unknown-model")...)),
		mutant("refusals-drop-a-stream", "The gateway begins a chat stream before it looks up the model and aborts the stream if the model does not exist.",
			changeError(writeWith(beginAndClose), on(dialect.ChatStream), withCode(reference.ModelNotFound)),
			fails(contract.NotSuccess, onSurfaces([]dialect.Surface{dialect.ChatStream}, "code:model_not_found/*", "http:404/unknown-model")...)),
		mutant("stream-empty-for-a-bad-status", "If the upstream returns an error status such as 500, the gateway returns 200 with an event stream that has no events.",
			changeError(func(_ *reference.Call, a *reference.Answer) {
				a.Status, a.Body = 200, nil
				a.Header.Set("Content-Type", "text/event-stream")
			}, streaming, withCode(reference.BadResponseStatus)),
			fails(contract.NotSuccess, append(badStatuses(streamingSurfaces()...), onSurfaces(streamingSurfaces(), "code:bad_response_status_code/*")...)...)),
		mutant("stream-finished-for-a-refusal", "If the upstream refuses a prompt, the gateway returns a stream that has no content and finishes normally.",
			changeError(finishEmpty, streaming, withCode(reference.PromptBlocked)),
			fails(contract.NotSuccess, onSurfaces(streamingSurfaces(), "code:prompt_blocked/*")...)),
		mutant("answer-made-up-for-an-empty-one", "If the upstream's response is empty, the gateway returns invented text.",
			changeError(func(c *reference.Call, a *reference.Answer) {
				if body, err := convert.EncodeAnswer(c.Surface, invented(c), nil); err == nil {
					a.Status, a.Body = 200, body
				}
			}, withCode(reference.EmptyResponse), not(streaming)),
			fails(contract.NotSuccess, onSurfaces(relayed(plainSurfaces()), "code:empty_response/*")...)),
	}
}
