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

func discard(convert.Delta) error { return nil }

// collect decodes a stream and returns all that was emitted.
func collect(ctx context.Context, p convert.Protocol, r io.Reader) ([]convert.Delta, error) {
	var deltas []convert.Delta
	err := convert.DecodeStream(ctx, p, r, func(d convert.Delta) error {
		deltas = append(deltas, d)
		return nil
	})
	return deltas, err
}

// written is a whole stream of three pieces as a surface writes it.
func written(t testing.TB, surface dialect.Surface, finish convert.Finish, annotation json.RawMessage) string {
	t.Helper()
	head := convert.Head{ID: "7", Model: "m", Created: 1700000000, PromptTokens: 2, IncludeUsage: true}
	e, err := convert.NewStreamEncoder(surface, head, annotation)
	require.NoError(t, err)
	var b strings.Builder
	for _, text := range []string{"Hi", " <you>", "\n✓"} {
		out, err := e.Delta(convert.Delta{Text: text})
		require.NoError(t, err)
		b.Write(out)
	}
	out, err := e.Finish(convert.Delta{Finish: finish, PromptTokens: 3, CompletionTokens: 5})
	require.NoError(t, err)
	return b.String() + string(out)
}

func pieces(finish convert.Finish) []convert.Delta {
	return []convert.Delta{
		{Text: "Hi"}, {Text: " <you>"}, {Text: "\n✓"}, {Finish: finish, PromptTokens: 3, CompletionTokens: 5},
	}
}

func TestStreamsKeepPiecesUsageAndFinishThroughEveryProtocol(t *testing.T) {
	for _, p := range convert.Protocols() {
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
	chunk := func(tail string) string {
		return `data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"m",` + tail + "}\n\n"
	}
	event := func(name, tail string) string {
		return "event: " + name + "\ndata: {\"type\":\"" + name + "\"" + tail + "}\n\n"
	}
	candidate := func(text, finish, tail string) string {
		return `data: {"candidates":[{"content":{"parts":[{"text":"` + text + `"}],"role":"model"}` + finish + `,"index":0}]` + tail + "}\n\n"
	}
	const response = `"response":{"id":"resp_7","object":"response","created_at":1700000000,"status":`
	const part = `,"item_id":"msg_7","output_index":0,"content_index":0`
	const said = `Hi \u003cyou\u003e\n✓`
	for surface, want := range map[dialect.Surface]string{
		dialect.ChatStream: chunk(`"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"gateway":[1]`) +
			chunk(`"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]`) +
			chunk(`"choices":[{"index":0,"delta":{"content":" \u003cyou\u003e"},"finish_reason":null}]`) +
			chunk(`"choices":[{"index":0,"delta":{"content":"\n✓"},"finish_reason":null}]`) +
			chunk(`"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]`) +
			chunk(`"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8}`) +
			"data: [DONE]\n\n",
		dialect.MessagesStream: event("message_start", `,"message":{"id":"msg_7","type":"message","role":"assistant","model":"m","content":[],`+
			`"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":2,"output_tokens":0},"gateway":[1]}`) +
			event("content_block_start", `,"index":0,"content_block":{"type":"text","text":""}`) +
			event("content_block_delta", `,"index":0,"delta":{"type":"text_delta","text":"Hi"}`) +
			event("content_block_delta", `,"index":0,"delta":{"type":"text_delta","text":" \u003cyou\u003e"}`) +
			event("content_block_delta", `,"index":0,"delta":{"type":"text_delta","text":"\n✓"}`) +
			event("content_block_stop", `,"index":0`) +
			event("message_delta", `,"delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":3,"output_tokens":5}`) +
			event("message_stop", ``),
		dialect.GenerateStream: candidate("Hi", "", `,"modelVersion":"m","responseId":"7","gateway":[1]`) +
			candidate(` \u003cyou\u003e`, "", `,"modelVersion":"m","responseId":"7"`) +
			candidate(`\n✓`, "", `,"modelVersion":"m","responseId":"7"`) +
			candidate(``, `,"finishReason":"STOP"`, `,"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":5,"totalTokenCount":8},`+
				`"modelVersion":"m","responseId":"7"`),
		dialect.ResponsesStream: event("response.created", `,"sequence_number":0,`+response+`"in_progress","error":null,"incomplete_details":null,`+
			`"model":"m","output":[],"usage":null,"gateway":[1]}`) +
			event("response.in_progress", `,"sequence_number":1,`+response+`"in_progress","error":null,"incomplete_details":null,`+
				`"model":"m","output":[],"usage":null}`) +
			event("response.output_item.added", `,"sequence_number":2,"output_index":0,"item":{"id":"msg_7","type":"message",`+
				`"status":"in_progress","role":"assistant","content":[]}`) +
			event("response.content_part.added", `,"sequence_number":3`+part+`,"part":{"type":"output_text","text":"","annotations":[]}`) +
			event("response.output_text.delta", `,"sequence_number":4`+part+`,"delta":"Hi"`) +
			event("response.output_text.delta", `,"sequence_number":5`+part+`,"delta":" \u003cyou\u003e"`) +
			event("response.output_text.delta", `,"sequence_number":6`+part+`,"delta":"\n✓"`) +
			event("response.output_text.done", `,"sequence_number":7`+part+`,"text":"`+said+`"`) +
			event("response.content_part.done", `,"sequence_number":8`+part+`,"part":{"type":"output_text","text":"`+said+`","annotations":[]}`) +
			event("response.output_item.done", `,"sequence_number":9,"output_index":0,"item":{"id":"msg_7","type":"message",`+
				`"status":"completed","role":"assistant","content":[{"type":"output_text","text":"`+said+`","annotations":[]}]}`) +
			event("response.completed", `,"sequence_number":10,`+response+`"completed","error":null,"incomplete_details":null,"model":"m",`+
				`"output":[{"id":"msg_7","type":"message","status":"completed","role":"assistant",`+
				`"content":[{"type":"output_text","text":"`+said+`","annotations":[]}]}],`+
				`"usage":{"input_tokens":3,"output_tokens":5,"total_tokens":8}}`),
	} {
		t.Run(string(surface), func(t *testing.T) {
			assert.Equal(t, want, written(t, surface, convert.FinishStop, json.RawMessage(`[1]`)))
		})
	}
}

func TestStreamEncoderEndsWhatWasCutShortAsIncomplete(t *testing.T) {
	assert.Contains(t, written(t, dialect.ResponsesStream, convert.FinishLength, nil), "event: response.incomplete\n")
	assert.Contains(t, written(t, dialect.ResponsesStream, convert.FinishFilter, nil), `"incomplete_details":{"reason":"content_filter"}`)
	assert.Contains(t, written(t, dialect.ChatStream, convert.FinishLength, nil), `"finish_reason":"length"`)
}

func TestStreamEncoderSaysNothingForNothing(t *testing.T) {
	e, err := convert.NewStreamEncoder(dialect.ChatStream, convert.Head{}, nil)
	require.NoError(t, err)
	out, err := e.Delta(convert.Delta{Finish: convert.FinishStop})
	require.NoError(t, err)
	assert.Empty(t, out)
	_, err = convert.NewStreamEncoder(dialect.Completions, convert.Head{}, nil)
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
	hi := []convert.Delta{{Text: "Hi"}}
	done := []convert.Delta{{Text: "Hi"}, {Finish: convert.FinishStop}}
	for _, tc := range []struct {
		name     string
		protocol convert.Protocol
		stream   string
		want     []convert.Delta
		err      error
	}{
		{"finish without [DONE]", convert.OpenAI, sse(openAIText, openAIStop), done, nil},
		{"[DONE] without finish", convert.OpenAI, sse(openAIText, `[DONE]`), done, nil},
		{"usage after the finish", convert.OpenAI, sse(openAIText, openAIStop, openAIUsage, `[DONE]`), pieces("stop")[3:4:4], nil},
		{"what follows [DONE] is not read", convert.OpenAI, sse(openAIText, `[DONE]`) + "<html>", done, nil},
		{"a finish, then the end within an event", convert.OpenAI, sse(openAIText, openAIStop) + "data: {", done, nil},
		{"a clean end without finish", convert.OpenAI, sse(openAIText), hi, convert.ErrTruncated},
		{"an end within an event", convert.OpenAI, sse(openAIText) + "data: {\"cho", hi, convert.ErrTruncated},
		{"an end before the blank line", convert.OpenAI, sse(openAIText) + "data: [DONE]\n", hi, convert.ErrTruncated},
		{"an end within a field's name", convert.OpenAI, "dat", nil, convert.ErrTruncated},
		{"a start and no more", convert.OpenAI, sse(`{"choices":[{"delta":{"role":"assistant","content":""}}]}`), nil, convert.ErrTruncated},
		{"broken JSON", convert.OpenAI, sse(openAIText, `{"choices":`), hi, convert.ErrNotAnswer},
		{"an error event", convert.OpenAI, sse(openAIText, `{"error":{"message":"no"}}`), hi, convert.ErrNotAnswer},
		{"a policy's error event", convert.OpenAI, sse(`{"error":{"message":"no","code":"content_filter"}}`), nil, convert.ErrBlocked},
		{"a foreign event", convert.OpenAI, sse(`{"hello":1}`), nil, convert.ErrNotAnswer},
		{"a finish without content", convert.OpenAI, sse(openAIStop, `[DONE]`), nil, convert.ErrEmpty},
		{"nothing but [DONE]", convert.OpenAI, sse(`[DONE]`), nil, convert.ErrEmpty},
		{"filtered", convert.OpenAI, sse(`{"choices":[{"delta":{},"finish_reason":"content_filter"}]}`), nil, convert.ErrBlocked},
		{"refused", convert.OpenAI, sse(`{"choices":[{"delta":{"refusal":"no"}}]}`, openAIStop), nil, convert.ErrBlocked},

		{"a stop without a reason", convert.Anthropic, sse(anthropicText, `{"type":"message_stop"}`), done, nil},
		{"events of unknown types", convert.Anthropic, sse(`{"type":"ping"}`, anthropicText, `{"type":"future"}`, `{"type":"message_stop"}`), done, nil},
		{"a reason without the stop", convert.Anthropic, sse(anthropicText, `{"type":"message_delta","delta":{"stop_reason":"end_turn"}}`), hi, convert.ErrTruncated},
		{"an error event", convert.Anthropic, sse(anthropicText) + "event: error\n" + sse(`{"type":"error","error":{"type":"overloaded_error","message":"no"}}`), hi, convert.ErrNotAnswer},
		{"an event without a type", convert.Anthropic, sse(`{"choices":[]}`), nil, convert.ErrNotAnswer},
		{"[DONE] is not Anthropic's", convert.Anthropic, sse(anthropicText, `[DONE]`), hi, convert.ErrNotAnswer},
		{"no content", convert.Anthropic, sse(`{"type":"message_start"}`, `{"type":"message_stop"}`), nil, convert.ErrEmpty},
		{"refused", convert.Anthropic, sse(`{"type":"message_delta","delta":{"stop_reason":"refusal"}}`, `{"type":"message_stop"}`), nil, convert.ErrBlocked},

		{"a finish with the last piece", convert.Gemini, sse(`{"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP"}]}`), done, nil},
		{"a clean end without finish", convert.Gemini, sse(geminiText), hi, convert.ErrTruncated},
		{"an error event", convert.Gemini, sse(geminiText, `{"error":{"code":503,"message":"no"}}`), hi, convert.ErrNotAnswer},
		{"a foreign event", convert.Gemini, sse(`{"hello":1}`), nil, convert.ErrNotAnswer},
		{"[DONE] is not Gemini's", convert.Gemini, sse(geminiText, `[DONE]`), hi, convert.ErrNotAnswer},
		{"no content", convert.Gemini, sse(`{"candidates":[{"finishReason":"STOP"}]}`), nil, convert.ErrEmpty},
		{"blocked", convert.Gemini, sse(`{"promptFeedback":{"blockReason":"SAFETY"}}`), nil, convert.ErrBlocked},
		{"cut short by policy", convert.Gemini, sse(geminiText, `{"candidates":[{"finishReason":"SAFETY"}]}`), append(hi[:1:1], convert.Delta{Finish: "content_filter"}), nil},
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

func TestDecodeStreamTellsWhatIsNoStream(t *testing.T) {
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
		for _, p := range convert.Protocols() {
			t.Run(fmt.Sprintf("%s from %s", tc.name, p), func(t *testing.T) {
				got, err := collect(t.Context(), p, strings.NewReader(tc.stream))
				assert.ErrorIs(t, err, tc.want)
				assert.Empty(t, got)
			})
		}
	}
	assert.ErrorIs(t, convert.DecodeStream(t.Context(), "cohere", strings.NewReader(""), discard), convert.ErrNotAnswer)
}

func TestDecodeStreamWrapsReadErrorsUnlessTheProviderWasDone(t *testing.T) {
	broken := errors.New("connection reset")
	for _, p := range convert.Protocols() {
		whole := written(t, native(p, true), convert.FinishStop, nil)
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
	whole := written(t, dialect.ChatStream, convert.FinishStop, nil)
	gone := errors.New("the caller has gone")
	err := convert.DecodeStream(t.Context(), convert.OpenAI, strings.NewReader(whole), func(convert.Delta) error { return gone })
	assert.Equal(t, gone, err)

	ctx, cancel := context.WithCancel(t.Context())
	var got []convert.Delta
	err = convert.DecodeStream(ctx, convert.OpenAI, strings.NewReader(whole), func(d convert.Delta) error {
		got = append(got, d)
		cancel()
		return nil
	})
	assert.ErrorIs(t, err, convert.ErrTruncated)
	assert.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, []convert.Delta{{Text: "Hi"}}, got)
}

func TestDecodeStreamEmitsEachPieceAsSoonAsItIsWhole(t *testing.T) {
	defer goleak.VerifyNone(t)
	r, w := io.Pipe()
	heard := make(chan string)
	result := make(chan error, 1)
	go func() {
		result <- convert.DecodeStream(t.Context(), convert.OpenAI, r, func(d convert.Delta) error {
			heard <- d.Text
			return nil
		})
	}()
	for _, text := range []string{"a", "b"} {
		_, err := io.WriteString(w, sse(`{"choices":[{"delta":{"content":"`+text+`"}}]}`))
		require.NoError(t, err)
		assert.Equal(t, text, <-heard)
	}
	require.NoError(t, w.Close())
	assert.ErrorIs(t, <-result, convert.ErrTruncated)
}

// endless repeats a text for ever, or until it has been read too far.
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

func TestDecodeStreamIsBounded(t *testing.T) {
	for name, text := range map[string]string{
		"a line without an end":   "data: x",
		"an event without an end": "data: x\n",
		"comments without an end": ": keep-alive, keep-alive, keep-alive, keep-alive, keep-alive\n\n",
		"blank lines":             "\n",
		"events":                  sse(`{"type":"ping","padding":"` + strings.Repeat("x", convert.MaxEvent-100) + `"}`),
	} {
		t.Run(name, func(t *testing.T) {
			r := &endless{text: text}
			_, err := collect(t.Context(), convert.Anthropic, r)
			assert.ErrorIs(t, err, convert.ErrNotAnswer)
			assert.LessOrEqual(t, r.read, int64(convert.MaxStream+2*convert.MaxEvent))
		})
	}
	err := convert.DecodeStream(t.Context(), convert.OpenAI, silent{}, discard)
	assert.ErrorIs(t, err, io.ErrNoProgress)
	assert.ErrorIs(t, err, convert.ErrTruncated)
}

// silent returns nothing and no error, as a reader may do now and then.
type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }
