package clients

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/wait"
)

// streamProbes are the ends of streams.
func streamProbes() []probe {
	stream := func(name, sentence string, on func(dialect.Surface) bool, content bool, rest func(s dialect.Surface) string, cut bool) probe {
		return probe{name: name, sentence: sentence, on: on, serve: func(ctx context.Context, w http.ResponseWriter, s dialect.Surface) {
			begin(w, s, content)
			if rest != nil {
				_, _ = w.Write([]byte(rest(s)))
			}
			_ = http.NewResponseController(w).Flush()
			if cut {
				_ = wait.For(ctx, cutPause)
				hangUp()
			}
		}}
	}
	contractError := func(s dialect.Surface) string {
		e := dialect.Event{Data: dialect.Encode(errorObject(s.Dialect(), 500, probeCode))}
		if s.Dialect() == dialect.Anthropic {
			e.Name = "error"
		}
		return string(e.Bytes())
	}
	bare := func(s dialect.Surface) string {
		return string(dialect.Event{Data: dialect.Encode(errorObject(s.Dialect(), 500, probeCode))}.Bytes())
	}
	responses := onSurface(dialect.ResponsesStream)
	text := func(t string) func(dialect.Surface) string { return func(dialect.Surface) string { return t } }
	flat := `event: error` + "\n" + `data: {"type":"error","code":"do_request_failed","message":"gatecert probe","param":null,"sequence_number":9}` + "\n\n"
	nested := `event: error` + "\n" + `data: {"type":"error","error":{"type":"server_error","code":"do_request_failed","message":"gatecert probe","param":null},"sequence_number":9}` + "\n\n"
	failed := `event: response.failed` + "\n" + `data: {"type":"response.failed","sequence_number":10,"response":{"id":"resp_probe","object":"response","created_at":1,"status":"failed","error":{"code":"do_request_failed","message":"gatecert probe"},"output":[],"model":"probe"}}` + "\n\n"
	const done = "data: [DONE]\n\n"
	return []probe{
		stream("first-event-error", "the stream begins with the contract's error event", streamed, false, contractError, false),
		stream("mid-stream-error", "the stream contains the contract's error event after some text", streamed, true, contractError, false),
		stream("error-named", "the stream contains the contract's error object in an event named error, after some text", onSurface(dialect.ChatStream), true, text("event: error\n"+bare(dialect.ChatStream)), false),
		stream("error-unnamed", `the stream contains an error envelope without an "event: error" line, after some text`, onSurface(dialect.MessagesStream), true, text(bare(dialect.MessagesStream)), false),
		stream("mid-stream-eof", "the stream ends cleanly after some text, without a finish event", streamed, true, nil, false),
		stream("mid-stream-cut", "the connection breaks after some text", streamed, true, nil, true),
		stream("done-after-cut", "the stream contains [DONE] after some text, but no finish event", func(s dialect.Surface) bool { return s.Streaming() && s.Dialect() == dialect.OpenAI }, true, text(done), false),
		stream("error-flat", "the stream contains an error event without a nested error object, after some text", responses, true, text(flat), false),
		stream("error-nested", "the stream contains an error event with a nested error object, after some text", responses, true, text(nested), false),
		stream("response-failed", "the stream contains the event response.failed after some text", responses, true, text(failed), false),
		stream("error-and-failed", "the stream contains an error event, response.failed and [DONE] after some text", responses, true, text(flat+failed+done), false),
		{name: "tool-arguments-cut", sentence: "the stream ends cleanly in the middle of a tool call's arguments", on: onSurface(dialect.ChatStream),
			serve: func(_ context.Context, w http.ResponseWriter, _ dialect.Surface) {
				w.Header().Set("Content-Type", "text/event-stream")
				for _, delta := range []string{
					`{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"lookup","arguments":""}}]}`,
					`{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\": \"Par"}}]}`,
				} {
					_, _ = w.Write([]byte(`data: {"id":"chatcmpl-probe","object":"chat.completion.chunk","created":1,"model":"probe","choices":[{"index":0,"delta":` + delta + `,"finish_reason":null}]}` + "\n\n"))
				}
			}},
	}
}

// cutPause lets a client read what it was sent before the connection breaks: a reset may overtake it.
const cutPause = 100 * time.Millisecond

// begin begins a stream, with some text where content is set.
func begin(w http.ResponseWriter, s dialect.Surface, content bool) {
	_, mediaType := s.Dialect().Format().ContentTypes()
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("X-Request-Id", "req_probe_"+strconv.Itoa(len(s)))
	streaming, ok := s.Operation().(dialect.StreamingOperation)
	if !ok || !content {
		return
	}
	writer := streaming.Writer(dialect.Answer{Model: "probe", ID: "probe", Created: 1, Pieces: dialect.HealthyText(2)})
	events := writer.Open()
	for _, piece := range dialect.HealthyText(2) {
		events = append(events, writer.Piece(piece)...)
	}
	for _, e := range events {
		_, _ = w.Write(e.Bytes())
	}
}
