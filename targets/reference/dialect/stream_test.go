package dialect_test

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

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/targets/reference/dialect"
)

func discard(dialect.Delta) error { return nil }

// collect decodes a stream and returns all that was emitted.
func collect(ctx context.Context, p dialect.Protocol, r io.Reader) ([]dialect.Delta, error) {
	var deltas []dialect.Delta
	err := dialect.DecodeStream(ctx, p, r, func(d dialect.Delta) error {
		deltas = append(deltas, d)
		return nil
	})
	return deltas, err
}

// written is a whole stream of three pieces as a surface writes it.
func written(t testing.TB, surface contract.Surface, finish dialect.Finish, annotation json.RawMessage) string {
	t.Helper()
	head := dialect.Head{ID: "7", Model: "m", Created: 1700000000, PromptTokens: 2, IncludeUsage: true}
	e, err := dialect.NewStreamEncoder(surface, head, annotation)
	require.NoError(t, err)
	var b strings.Builder
	for _, text := range []string{"Hi", " <you>", "\n✓"} {
		out, err := e.Delta(dialect.Delta{Text: text})
		require.NoError(t, err)
		b.Write(out)
	}
	out, err := e.Finish(dialect.Delta{Finish: finish, PromptTokens: 3, CompletionTokens: 5})
	require.NoError(t, err)
	return b.String() + string(out)
}

func pieces(finish dialect.Finish) []dialect.Delta {
	return []dialect.Delta{
		{Text: "Hi"}, {Text: " <you>"}, {Text: "\n✓"}, {Finish: finish, PromptTokens: 3, CompletionTokens: 5},
	}
}

func TestStreamsKeepPiecesUsageAndFinishThroughEveryProtocol(t *testing.T) {
	for _, p := range dialect.Protocols() {
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
	for surface, want := range map[contract.Surface]string{
		contract.ChatStream: chunk(`"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"gateway":[1]`) +
			chunk(`"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]`) +
			chunk(`"choices":[{"index":0,"delta":{"content":" \u003cyou\u003e"},"finish_reason":null}]`) +
			chunk(`"choices":[{"index":0,"delta":{"content":"\n✓"},"finish_reason":null}]`) +
			chunk(`"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]`) +
			chunk(`"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8}`) +
			"data: [DONE]\n\n",
		contract.MessagesStream: event("message_start", `,"message":{"id":"msg_7","type":"message","role":"assistant","model":"m","content":[],`+
			`"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":2,"output_tokens":0},"gateway":[1]}`) +
			event("content_block_start", `,"index":0,"content_block":{"type":"text","text":""}`) +
			event("content_block_delta", `,"index":0,"delta":{"type":"text_delta","text":"Hi"}`) +
			event("content_block_delta", `,"index":0,"delta":{"type":"text_delta","text":" \u003cyou\u003e"}`) +
			event("content_block_delta", `,"index":0,"delta":{"type":"text_delta","text":"\n✓"}`) +
			event("content_block_stop", `,"index":0`) +
			event("message_delta", `,"delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":3,"output_tokens":5}`) +
			event("message_stop", ``),
		contract.GenerateStream: candidate("Hi", "", `,"modelVersion":"m","responseId":"7","gateway":[1]`) +
			candidate(` \u003cyou\u003e`, "", `,"modelVersion":"m","responseId":"7"`) +
			candidate(`\n✓`, "", `,"modelVersion":"m","responseId":"7"`) +
			candidate(``, `,"finishReason":"STOP"`, `,"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":5,"totalTokenCount":8},`+
				`"modelVersion":"m","responseId":"7"`),
		contract.ResponsesStream: event("response.created", `,"sequence_number":0,`+response+`"in_progress","error":null,"incomplete_details":null,`+
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
			assert.Equal(t, want, written(t, surface, dialect.FinishStop, json.RawMessage(`[1]`)))
		})
	}
}

func TestStreamEncoderEndsWhatWasCutShortAsIncomplete(t *testing.T) {
	assert.Contains(t, written(t, contract.ResponsesStream, dialect.FinishLength, nil), "event: response.incomplete\n")
	assert.Contains(t, written(t, contract.ResponsesStream, dialect.FinishFilter, nil), `"incomplete_details":{"reason":"content_filter"}`)
	assert.Contains(t, written(t, contract.ChatStream, dialect.FinishLength, nil), `"finish_reason":"length"`)
}

func TestStreamEncoderSaysNothingForNothing(t *testing.T) {
	e, err := dialect.NewStreamEncoder(contract.ChatStream, dialect.Head{}, nil)
	require.NoError(t, err)
	out, err := e.Delta(dialect.Delta{Finish: dialect.FinishStop})
	require.NoError(t, err)
	assert.Empty(t, out)
	_, err = dialect.NewStreamEncoder(contract.Completions, dialect.Head{}, nil)
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
	hi := []dialect.Delta{{Text: "Hi"}}
	done := []dialect.Delta{{Text: "Hi"}, {Finish: dialect.FinishStop}}
	for _, tc := range []struct {
		name     string
		protocol dialect.Protocol
		stream   string
		want     []dialect.Delta
		err      error
	}{
		{"finish without [DONE]", dialect.OpenAI, sse(openAIText, openAIStop), done, nil},
		{"[DONE] without finish", dialect.OpenAI, sse(openAIText, `[DONE]`), done, nil},
		{"usage after the finish", dialect.OpenAI, sse(openAIText, openAIStop, openAIUsage, `[DONE]`), pieces("stop")[3:4:4], nil},
		{"what follows [DONE] is not read", dialect.OpenAI, sse(openAIText, `[DONE]`) + "<html>", done, nil},
		{"a finish, then the end within an event", dialect.OpenAI, sse(openAIText, openAIStop) + "data: {", done, nil},
		{"a clean end without finish", dialect.OpenAI, sse(openAIText), hi, dialect.ErrTruncated},
		{"an end within an event", dialect.OpenAI, sse(openAIText) + "data: {\"cho", hi, dialect.ErrTruncated},
		{"an end before the blank line", dialect.OpenAI, sse(openAIText) + "data: [DONE]\n", hi, dialect.ErrTruncated},
		{"an end within a field's name", dialect.OpenAI, "dat", nil, dialect.ErrTruncated},
		{"a start and no more", dialect.OpenAI, sse(`{"choices":[{"delta":{"role":"assistant","content":""}}]}`), nil, dialect.ErrTruncated},
		{"broken JSON", dialect.OpenAI, sse(openAIText, `{"choices":`), hi, dialect.ErrNotAnswer},
		{"an error event", dialect.OpenAI, sse(openAIText, `{"error":{"message":"no"}}`), hi, dialect.ErrNotAnswer},
		{"a policy's error event", dialect.OpenAI, sse(`{"error":{"message":"no","code":"content_filter"}}`), nil, dialect.ErrBlocked},
		{"a foreign event", dialect.OpenAI, sse(`{"hello":1}`), nil, dialect.ErrNotAnswer},
		{"a finish without content", dialect.OpenAI, sse(openAIStop, `[DONE]`), nil, dialect.ErrEmpty},
		{"nothing but [DONE]", dialect.OpenAI, sse(`[DONE]`), nil, dialect.ErrEmpty},
		{"filtered", dialect.OpenAI, sse(`{"choices":[{"delta":{},"finish_reason":"content_filter"}]}`), nil, dialect.ErrBlocked},
		{"refused", dialect.OpenAI, sse(`{"choices":[{"delta":{"refusal":"no"}}]}`, openAIStop), nil, dialect.ErrBlocked},

		{"a stop without a reason", dialect.Anthropic, sse(anthropicText, `{"type":"message_stop"}`), done, nil},
		{"events of unknown types", dialect.Anthropic, sse(`{"type":"ping"}`, anthropicText, `{"type":"future"}`, `{"type":"message_stop"}`), done, nil},
		{"a reason without the stop", dialect.Anthropic, sse(anthropicText, `{"type":"message_delta","delta":{"stop_reason":"end_turn"}}`), hi, dialect.ErrTruncated},
		{"an error event", dialect.Anthropic, sse(anthropicText) + "event: error\n" + sse(`{"type":"error","error":{"type":"overloaded_error","message":"no"}}`), hi, dialect.ErrNotAnswer},
		{"an event without a type", dialect.Anthropic, sse(`{"choices":[]}`), nil, dialect.ErrNotAnswer},
		{"[DONE] is not Anthropic's", dialect.Anthropic, sse(anthropicText, `[DONE]`), hi, dialect.ErrNotAnswer},
		{"no content", dialect.Anthropic, sse(`{"type":"message_start"}`, `{"type":"message_stop"}`), nil, dialect.ErrEmpty},
		{"refused", dialect.Anthropic, sse(`{"type":"message_delta","delta":{"stop_reason":"refusal"}}`, `{"type":"message_stop"}`), nil, dialect.ErrBlocked},

		{"a finish with the last piece", dialect.Gemini, sse(`{"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP"}]}`), done, nil},
		{"a clean end without finish", dialect.Gemini, sse(geminiText), hi, dialect.ErrTruncated},
		{"an error event", dialect.Gemini, sse(geminiText, `{"error":{"code":503,"message":"no"}}`), hi, dialect.ErrNotAnswer},
		{"a foreign event", dialect.Gemini, sse(`{"hello":1}`), nil, dialect.ErrNotAnswer},
		{"[DONE] is not Gemini's", dialect.Gemini, sse(geminiText, `[DONE]`), hi, dialect.ErrNotAnswer},
		{"no content", dialect.Gemini, sse(`{"candidates":[{"finishReason":"STOP"}]}`), nil, dialect.ErrEmpty},
		{"blocked", dialect.Gemini, sse(`{"promptFeedback":{"blockReason":"SAFETY"}}`), nil, dialect.ErrBlocked},
		{"cut short by policy", dialect.Gemini, sse(geminiText, `{"candidates":[{"finishReason":"SAFETY"}]}`), append(hi[:1:1], dialect.Delta{Finish: "content_filter"}), nil},
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
		{"nothing", "", dialect.ErrEmpty},
		{"nothing but comments", ": keep-alive\n\n: keep-alive\n", dialect.ErrEmpty},
		{"nothing but names", "event: ping\n\n", dialect.ErrEmpty},
		{"HTML", "<html>\n<body>", dialect.ErrNotAnswer},
		{"HTML in one line without an end", "<html><body>", dialect.ErrNotAnswer},
		{"null", "null", dialect.ErrNotAnswer},
		{"text", "no", dialect.ErrNotAnswer},
		{"JSON", `{"choices":[]}`, dialect.ErrNotAnswer},
		{"cut JSON", `{"choi`, dialect.ErrNotAnswer},
		{"a null event", sse("null"), dialect.ErrNotAnswer},
		{"an event without an object", sse(`"hi"`), dialect.ErrNotAnswer},
		{"empty data", sse(""), dialect.ErrNotAnswer},
	} {
		for _, p := range dialect.Protocols() {
			t.Run(fmt.Sprintf("%s from %s", tc.name, p), func(t *testing.T) {
				got, err := collect(t.Context(), p, strings.NewReader(tc.stream))
				assert.ErrorIs(t, err, tc.want)
				assert.Empty(t, got)
			})
		}
	}
	assert.ErrorIs(t, dialect.DecodeStream(t.Context(), "cohere", strings.NewReader(""), discard), dialect.ErrNotAnswer)
}

func TestDecodeStreamWrapsReadErrorsUnlessTheProviderWasDone(t *testing.T) {
	broken := errors.New("connection reset")
	for _, p := range dialect.Protocols() {
		whole := written(t, native(p, true), dialect.FinishStop, nil)
		_, err := collect(t.Context(), p, io.MultiReader(strings.NewReader(whole), iotest.ErrReader(broken)))
		require.NoError(t, err)

		half := whole[:len(whole)/2]
		got, err := collect(t.Context(), p, io.MultiReader(strings.NewReader(half), iotest.ErrReader(broken)))
		assert.ErrorIs(t, err, dialect.ErrTruncated)
		assert.ErrorIs(t, err, broken)
		assert.NotEmpty(t, got)

		_, err = collect(t.Context(), p, iotest.ErrReader(io.ErrUnexpectedEOF))
		assert.ErrorIs(t, err, dialect.ErrTruncated)
		assert.NotErrorIs(t, err, dialect.ErrEmpty, "what broke off was not empty")
	}
}

func TestDecodeStreamStopsWithItsContextAndItsReceiver(t *testing.T) {
	whole := written(t, contract.ChatStream, dialect.FinishStop, nil)
	gone := errors.New("the caller has gone")
	err := dialect.DecodeStream(t.Context(), dialect.OpenAI, strings.NewReader(whole), func(dialect.Delta) error { return gone })
	assert.Equal(t, gone, err)

	ctx, cancel := context.WithCancel(t.Context())
	var got []dialect.Delta
	err = dialect.DecodeStream(ctx, dialect.OpenAI, strings.NewReader(whole), func(d dialect.Delta) error {
		got = append(got, d)
		cancel()
		return nil
	})
	assert.ErrorIs(t, err, dialect.ErrTruncated)
	assert.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, []dialect.Delta{{Text: "Hi"}}, got)
}

func TestDecodeStreamEmitsEachPieceAsSoonAsItIsWhole(t *testing.T) {
	defer goleak.VerifyNone(t)
	r, w := io.Pipe()
	heard := make(chan string)
	result := make(chan error, 1)
	go func() {
		result <- dialect.DecodeStream(t.Context(), dialect.OpenAI, r, func(d dialect.Delta) error {
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
	assert.ErrorIs(t, <-result, dialect.ErrTruncated)
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
		"events":                  sse(`{"type":"ping","padding":"` + strings.Repeat("x", dialect.MaxEvent-100) + `"}`),
	} {
		t.Run(name, func(t *testing.T) {
			r := &endless{text: text}
			_, err := collect(t.Context(), dialect.Anthropic, r)
			assert.ErrorIs(t, err, dialect.ErrNotAnswer)
			assert.LessOrEqual(t, r.read, int64(dialect.MaxStream+2*dialect.MaxEvent))
		})
	}
	err := dialect.DecodeStream(t.Context(), dialect.OpenAI, silent{}, discard)
	assert.ErrorIs(t, err, io.ErrNoProgress)
	assert.ErrorIs(t, err, dialect.ErrTruncated)
}

// silent returns nothing and no error, as a reader may do now and then.
type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }
