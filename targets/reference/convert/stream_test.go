package convert_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

// delta is a piece of a stream, or its end.
type delta struct {
	Text string
	dialect.End
}

func discard(string) error { return nil }

// collect decodes a stream and returns all that was emitted.
func collect(ctx context.Context, p dialect.Dialect, r io.Reader) ([]delta, error) {
	var deltas []delta
	end, err := convert.DecodeStream(ctx, p, r, func(text string) error {
		deltas = append(deltas, delta{Text: text})
		return nil
	})
	if err == nil {
		deltas = append(deltas, delta{End: end})
	}
	return deltas, err
}

// written is a whole stream of three pieces as a surface writes it.
func written(t testing.TB, surface dialect.Surface, finish dialect.Finish, annotation json.RawMessage) string {
	t.Helper()
	head := convert.Head{ID: "7", Model: "m", Created: 1700000000, PromptTokens: 2, IncludeUsage: true}
	e, err := convert.NewStreamEncoder(surface, head, annotation)
	require.NoError(t, err)
	var b strings.Builder
	for _, text := range []string{"Hi", " <you>", "\n✓"} {
		out, err := e.Piece(text)
		require.NoError(t, err)
		b.Write(out)
	}
	out, err := e.Finish(dialect.End{Finish: finish, PromptTokens: 3, CompletionTokens: 5})
	require.NoError(t, err)
	return b.String() + string(out)
}

func pieces(finish dialect.Finish) []delta {
	return []delta{
		{Text: "Hi"}, {Text: " <you>"}, {Text: "\n✓"}, {End: dialect.End{Finish: finish, PromptTokens: 3, CompletionTokens: 5}},
	}
}

func TestStreamsKeepPiecesUsageAndFinishThroughEveryProtocol(t *testing.T) {
	for _, p := range dialect.Dialects() {
		for _, f := range finishes {
			whole := written(t, native(p, true), f.hub, nil)
			for name, stream := range map[string]string{
				"as written": whole,
				"with CRLF":  strings.ReplaceAll(whole, "\n", "\r\n"),
				"with CR":    strings.ReplaceAll(whole, "\n", "\r"),
				"with a byte order mark, comments and no blanks": "\uFEFF: hello\n\n" +
					strings.ReplaceAll(strings.ReplaceAll(whole, "\n\n", "\n\n: keep-alive\n\n"), "data: ", "id: 1\nretry: 5\ndata:"),
			} {
				t.Run(fmt.Sprintf("%s, %s, %s", p, f.hub, name), func(t *testing.T) {
					got, err := collect(t.Context(), p, strings.NewReader(stream))
					require.NoError(t, err)
					assert.Equal(t, pieces(f.hub), got)
					got, err = collect(t.Context(), p, iotest.OneByteReader(strings.NewReader(stream)))
					require.NoError(t, err)
					assert.Equal(t, pieces(f.hub), got)
				})
			}
		}
	}
}

func TestStreamEncoderGolden(t *testing.T) {
	chunk := func(choices, gateway, usage string) string {
		return `data: {"choices":[` + choices + `],"created":1700000000` + gateway + `,"id":"chatcmpl-7","model":"m",` +
			`"object":"chat.completion.chunk"` + usage + "}\n\n"
	}
	choice := func(delta, finish string) string {
		return chunk(`{"delta":{`+delta+`},"finish_reason":`+finish+`,"index":0,"logprobs":null}`, "", "")
	}
	event := func(name, before, after string) string {
		return "event: " + name + "\ndata: {" + before + `"type":"` + name + `"` + after + "}\n\n"
	}
	candidate := func(text, finish, gateway, usage string) string {
		return `data: {"candidates":[{"content":{"parts":[{"text":"` + text + `"}],"role":"model"}` + finish + `,"index":0}]` + gateway +
			`,"modelVersion":"m","responseId":"7"` + usage + "}\n\n"
	}
	response := func(gateway, output, status, usage string) string {
		return `"response":{"created_at":1700000000,"error":null,` + gateway + `"id":"resp_7","incomplete_details":null,"instructions":null,` +
			`"metadata":{},"model":"m","object":"response","output":[` + output + `],"parallel_tool_calls":true,"status":"` + status + `",` +
			`"tool_choice":"auto","tools":[],"usage":` + usage + `},`
	}
	item := func(content, status string) string {
		return `{"content":[` + content + `],"id":"msg_7","role":"assistant","status":"` + status + `","type":"message"}`
	}
	textPart := func(text string) string {
		return `{"annotations":[],"logprobs":[],"text":"` + text + `","type":"output_text"}`
	}
	textDelta := func(text, sequence string) string {
		return event("response.output_text.delta", `"content_index":0,"delta":"`+text+`","item_id":"msg_7","logprobs":[],"output_index":0,`+
			`"sequence_number":`+sequence+`,`, "")
	}
	const said = `Hi \u003cyou\u003e\n✓`
	for surface, want := range map[dialect.Surface]string{
		dialect.ChatStream: chunk(`{"delta":{"content":"","role":"assistant"},"finish_reason":null,"index":0,"logprobs":null}`, `,"gateway":[1]`, "") +
			choice(`"content":"Hi"`, "null") +
			choice(`"content":" \u003cyou\u003e"`, "null") +
			choice(`"content":"\n✓"`, "null") +
			choice("", `"stop"`) +
			chunk("", "", `,"usage":{"completion_tokens":5,"prompt_tokens":3,"total_tokens":8}`) +
			"data: [DONE]\n\n",
		dialect.MessagesStream: event("message_start", `"message":{"content":[],"gateway":[1],"id":"msg_7","model":"m","role":"assistant",`+
			`"stop_reason":null,"stop_sequence":null,"type":"message",`+
			`"usage":{"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"input_tokens":2,"output_tokens":0}},`, "") +
			event("content_block_start", `"content_block":{"text":"","type":"text"},"index":0,`, "") +
			event("content_block_delta", `"delta":{"text":"Hi","type":"text_delta"},"index":0,`, "") +
			event("content_block_delta", `"delta":{"text":" \u003cyou\u003e","type":"text_delta"},"index":0,`, "") +
			event("content_block_delta", `"delta":{"text":"\n✓","type":"text_delta"},"index":0,`, "") +
			event("content_block_stop", `"index":0,`, "") +
			event("message_delta", `"delta":{"stop_reason":"end_turn","stop_sequence":null},`, `,"usage":{"input_tokens":3,"output_tokens":5}`) +
			event("message_stop", "", ""),
		dialect.GenerateStream: candidate("Hi", "", `,"gateway":[1]`, "") +
			candidate(` \u003cyou\u003e`, "", "", "") +
			candidate(`\n✓`, "", "", "") +
			candidate("", `,"finishReason":"STOP"`, "",
				`,"usageMetadata":{"candidatesTokenCount":5,"promptTokenCount":3,"totalTokenCount":8}`),
		dialect.ResponsesStream: event("response.created", response(`"gateway":[1],`, "", "in_progress", "null")+`"sequence_number":0,`, "") +
			event("response.in_progress", response("", "", "in_progress", "null")+`"sequence_number":1,`, "") +
			event("response.output_item.added", `"item":`+item("", "in_progress")+`,"output_index":0,"sequence_number":2,`, "") +
			event("response.content_part.added", `"content_index":0,"item_id":"msg_7","output_index":0,"part":`+textPart("")+`,"sequence_number":3,`, "") +
			textDelta("Hi", "4") + textDelta(` \u003cyou\u003e`, "5") + textDelta(`\n✓`, "6") +
			event("response.output_text.done", `"content_index":0,"item_id":"msg_7","logprobs":[],"output_index":0,"sequence_number":7,`+
				`"text":"`+said+`",`, "") +
			event("response.content_part.done", `"content_index":0,"item_id":"msg_7","output_index":0,"part":`+textPart(said)+`,"sequence_number":8,`, "") +
			event("response.output_item.done", `"item":`+item(textPart(said), "completed")+`,"output_index":0,"sequence_number":9,`, "") +
			event("response.completed", response("", item(textPart(said), "completed"), "completed", `{"input_tokens":3,`+
				`"input_tokens_details":{"cached_tokens":0},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":8}`)+
				`"sequence_number":10,`, ""),
	} {
		t.Run(string(surface), func(t *testing.T) {
			assert.Equal(t, want, written(t, surface, dialect.FinishStop, json.RawMessage(`[1]`)))
		})
	}
}

func TestStreamEncoderEndsWhatWasCutShortAsIncomplete(t *testing.T) {
	assert.Contains(t, written(t, dialect.ResponsesStream, dialect.FinishLength, nil), "event: response.incomplete\n")
	assert.Contains(t, written(t, dialect.ResponsesStream, dialect.FinishFilter, nil), `"incomplete_details":{"reason":"content_filter"}`)
	assert.Contains(t, written(t, dialect.ChatStream, dialect.FinishLength, nil), `"finish_reason":"length"`)
}

func TestStreamEncoderIsForStreams(t *testing.T) {
	_, err := convert.NewStreamEncoder(dialect.Completions, convert.Head{}, nil)
	assert.EqualError(t, err, `encode stream: surface "completions" does not stream`)
}

func TestDecodeStreamTellsHowAStreamFails(t *testing.T) {
	const (
		openAIText    = `{"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}`
		openAIStop    = `{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`
		openAIUsage   = `{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5}}`
		anthropicText = `{"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}}`
		geminiText    = `{"candidates":[{"content":{"parts":[{"text":"Hi"}]}}]}`
	)
	hi := []delta{{Text: "Hi"}}
	done := []delta{{Text: "Hi"}, {End: dialect.End{Finish: dialect.FinishStop}}}
	for _, tc := range []struct {
		name     string
		protocol dialect.Dialect
		stream   string
		want     []delta
		err      error
	}{
		{"finish without [DONE]", dialect.OpenAI, sse(openAIText, openAIStop), done, nil},
		{"[DONE] without finish", dialect.OpenAI, sse(openAIText, `[DONE]`), done, nil},
		{"usage after the finish", dialect.OpenAI, sse(openAIText, openAIStop, openAIUsage, `[DONE]`), pieces("stop")[3:4:4], nil},
		{"what follows [DONE] is not read", dialect.OpenAI, sse(openAIText, `[DONE]`) + "<html>", done, nil},
		{"a finish, then the end within an event", dialect.OpenAI, sse(openAIText, openAIStop) + "data: {", done, nil},
		{"a clean end without finish", dialect.OpenAI, sse(openAIText), hi, convert.ErrTruncated},
		{"an end within an event", dialect.OpenAI, sse(openAIText) + "data: {\"cho", hi, convert.ErrTruncated},
		{"an end before the blank line", dialect.OpenAI, sse(openAIText) + "data: [DONE]\n", hi, convert.ErrTruncated},
		{"an end within a field's name", dialect.OpenAI, "dat", nil, convert.ErrTruncated},
		{"a start and no more", dialect.OpenAI, sse(`{"choices":[{"delta":{"role":"assistant","content":""}}]}`), nil, convert.ErrTruncated},
		{"broken JSON", dialect.OpenAI, sse(openAIText, `{"choices":`), hi, convert.ErrNotAnswer},
		{"an error event", dialect.OpenAI, sse(openAIText, `{"error":{"message":"no"}}`), hi, convert.ErrNotAnswer},
		{"a policy's error event", dialect.OpenAI, sse(`{"error":{"message":"no","code":"content_filter"}}`), nil, convert.ErrBlocked},
		{"a foreign event", dialect.OpenAI, sse(`{"hello":1}`), nil, convert.ErrNotAnswer},
		{"a finish without content", dialect.OpenAI, sse(openAIStop, `[DONE]`), nil, convert.ErrEmpty},
		{"nothing but [DONE]", dialect.OpenAI, sse(`[DONE]`), nil, convert.ErrEmpty},
		{"filtered", dialect.OpenAI, sse(`{"choices":[{"delta":{},"finish_reason":"content_filter"}]}`), nil, convert.ErrBlocked},
		{"refused", dialect.OpenAI, sse(`{"choices":[{"delta":{"refusal":"no"}}]}`, openAIStop), nil, convert.ErrBlocked},

		{"a stop without a reason", dialect.Anthropic, sse(anthropicText, `{"type":"message_stop"}`), done, nil},
		{"events of unknown types", dialect.Anthropic, sse(`{"type":"ping"}`, anthropicText, `{"type":"future"}`, `{"type":"message_stop"}`), done, nil},
		{"a reason without the stop", dialect.Anthropic, sse(anthropicText, `{"type":"message_delta","delta":{"stop_reason":"end_turn"}}`), hi, convert.ErrTruncated},
		{"an error event", dialect.Anthropic, sse(anthropicText) + "event: error\n" + sse(`{"type":"error","error":{"type":"overloaded_error","message":"no"}}`), hi, convert.ErrNotAnswer},
		{"an event without a type", dialect.Anthropic, sse(`{"choices":[]}`), nil, convert.ErrNotAnswer},
		{"[DONE] is not Anthropic's", dialect.Anthropic, sse(anthropicText, `[DONE]`), hi, convert.ErrNotAnswer},
		{"no content", dialect.Anthropic, sse(`{"type":"message_start"}`, `{"type":"message_stop"}`), nil, convert.ErrEmpty},
		{"refused", dialect.Anthropic, sse(`{"type":"message_delta","delta":{"stop_reason":"refusal"}}`, `{"type":"message_stop"}`), nil, convert.ErrBlocked},

		{"a finish with the last piece", dialect.Gemini, sse(`{"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP"}]}`), done, nil},
		{"a clean end without finish", dialect.Gemini, sse(geminiText), hi, convert.ErrTruncated},
		{"an error event", dialect.Gemini, sse(geminiText, `{"error":{"code":503,"message":"no"}}`), hi, convert.ErrNotAnswer},
		{"a foreign event", dialect.Gemini, sse(`{"hello":1}`), nil, convert.ErrNotAnswer},
		{"[DONE] is not Gemini's", dialect.Gemini, sse(geminiText, `[DONE]`), hi, convert.ErrNotAnswer},
		{"no content", dialect.Gemini, sse(`{"candidates":[{"finishReason":"STOP"}]}`), nil, convert.ErrEmpty},
		{"blocked", dialect.Gemini, sse(`{"promptFeedback":{"blockReason":"SAFETY"}}`), nil, convert.ErrBlocked},
		{"cut short by policy", dialect.Gemini, sse(geminiText, `{"candidates":[{"finishReason":"SAFETY"}]}`), append(hi[:1:1], delta{End: dialect.End{Finish: "content_filter"}}), nil},
	} {
		t.Run(fmt.Sprintf("%s from %s", tc.name, tc.protocol), func(t *testing.T) {
			if tc.name == "usage after the finish" {
				tc.want = append(hi[:1:1], tc.want...)
			}
			got, err := collect(t.Context(), tc.protocol, strings.NewReader(tc.stream))
			assert.ErrorIs(t, err, tc.err)
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestDecodeStreamRejectsWhatIsNotAStream(t *testing.T) {
	for _, tc := range []struct {
		name, stream string
		want         error
	}{
		{"nothing", "", convert.ErrEmpty},
		{"nothing but comments", ": keep-alive\n\n: keep-alive\n", convert.ErrEmpty},
		{"nothing but names", "event: ping\n\n", convert.ErrEmpty},
		{"HTML", "<html>\n<body>", convert.ErrNotAnswer},
		{"HTML in one line without an end", "<html><body>", convert.ErrNotAnswer},
		{"null", "null", convert.ErrNotAnswer},
		{"text", "no", convert.ErrNotAnswer},
		{"JSON", `{"choices":[]}`, convert.ErrNotAnswer},
		{"cut JSON", `{"choi`, convert.ErrNotAnswer},
		{"a null event", sse("null"), convert.ErrNotAnswer},
		{"an event without an object", sse(`"hi"`), convert.ErrNotAnswer},
		{"empty data", sse(""), convert.ErrNotAnswer},
	} {
		for _, p := range dialect.Dialects() {
			t.Run(fmt.Sprintf("%s from %s", tc.name, p), func(t *testing.T) {
				got, err := collect(t.Context(), p, strings.NewReader(tc.stream))
				assert.ErrorIs(t, err, tc.want)
				assert.Empty(t, got)
			})
		}
	}
	_, err := convert.DecodeStream(t.Context(), "cohere", strings.NewReader(""), discard)
	assert.ErrorIs(t, err, convert.ErrNotAnswer)
}

func TestDecodeStreamWrapsReadErrorsUnlessTheUpstreamWasDone(t *testing.T) {
	broken := errors.New("connection reset")
	for _, p := range dialect.Dialects() {
		whole := written(t, native(p, true), dialect.FinishStop, nil)
		_, err := collect(t.Context(), p, io.MultiReader(strings.NewReader(whole), iotest.ErrReader(broken)))
		require.NoError(t, err)

		half := whole[:len(whole)/2]
		got, err := collect(t.Context(), p, io.MultiReader(strings.NewReader(half), iotest.ErrReader(broken)))
		assert.ErrorIs(t, err, convert.ErrTruncated)
		assert.ErrorIs(t, err, broken)
		assert.NotEmpty(t, got)

		_, err = collect(t.Context(), p, iotest.ErrReader(io.ErrUnexpectedEOF))
		assert.ErrorIs(t, err, convert.ErrTruncated)
		assert.NotErrorIs(t, err, convert.ErrEmpty, "what broke off was not empty")
	}
}

func TestDecodeStreamStopsWithItsContextAndItsReceiver(t *testing.T) {
	whole := written(t, dialect.ChatStream, dialect.FinishStop, nil)
	gone := errors.New("the caller has gone")
	_, err := convert.DecodeStream(t.Context(), dialect.OpenAI, strings.NewReader(whole), func(string) error { return gone })
	assert.Equal(t, gone, err)

	ctx, cancel := context.WithCancel(t.Context())
	var got []string
	_, err = convert.DecodeStream(ctx, dialect.OpenAI, strings.NewReader(whole), func(text string) error {
		got = append(got, text)
		cancel()
		return nil
	})
	assert.ErrorIs(t, err, convert.ErrTruncated)
	assert.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, []string{"Hi"}, got)
}

func TestDecodeStreamEmitsEachPieceAsSoonAsItIsWhole(t *testing.T) {
	defer goleak.VerifyNone(t)
	r, w := io.Pipe()
	heard := make(chan string)
	result := make(chan error, 1)
	go func() {
		_, err := convert.DecodeStream(t.Context(), dialect.OpenAI, r, func(text string) error {
			heard <- text
			return nil
		})
		result <- err
	}()
	for _, text := range []string{"a", "b"} {
		_, err := io.WriteString(w, sse(`{"choices":[{"delta":{"content":"`+text+`"}}]}`))
		require.NoError(t, err)
		assert.Equal(t, text, <-heard)
	}
	require.NoError(t, w.Close())
	assert.ErrorIs(t, <-result, convert.ErrTruncated)
}

// endless repeats a text forever, or until it has been read too far.
type endless struct {
	text string
	read int64
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		n += copy(p[n:], e.text[(int(e.read)+n)%len(e.text):])
	}
	e.read += int64(n)
	return n, nil
}

// silent returns nothing and no error, as a reader may do now and then.
type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }
