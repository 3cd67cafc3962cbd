package convert_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

// Whatever a caller sends, it is a request that every protocol gets or refuses, or it is a problem.
func FuzzDecode(f *testing.F) {
	for i, surface := range convertedSurfaces() {
		f.Add(uint8(i), []byte(bodies[surface]))
	}
	f.Add(uint8(0), []byte(`{"model":"m","messages":[{"role":"assistant","tool_calls":[{}]},{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:a;base64,b"}}]}]}`))
	f.Add(uint8(5), []byte(`{"model":"m","max_tokens":1,"thinking":{"type":"enabled"},"messages":[{"role":"user","content":[{"type":"image","source":{"type":"file"}}]}]}`))
	f.Add(uint8(7), []byte(`{"contents":[{"parts":[{"inline_data":{"mime_type":"image/png","data":"x"}}]}],"generationConfig":{"topK":1e3,"seed":-1}}`))
	f.Add(uint8(9), []byte(`{"model":"m","input":[[1,2],[3]]}`))
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		surface := convertedSurfaces()[int(which)%len(convertedSurfaces())]
		req, err := convert.Decode(surface, "m", body)
		if err != nil {
			var problem *convert.Problem
			require.ErrorAs(t, err, &problem)
			require.NotEmpty(t, problem.Message)
			require.Contains(t, []string{convert.CodeBadRequestBody, convert.CodeInvalidRequest}, problem.Code)
			require.Zero(t, req)
			return
		}
		require.NotEmpty(t, req.Model)
		require.Equal(t, surface.Dialect(), req.Surface.Dialect())
		require.Equal(t, req.Stream, req.Surface.Streaming())
		for _, p := range dialect.Dialects() {
			out, err := convert.Encode(p, req, "m")
			if err != nil {
				require.ErrorIs(t, err, convert.ErrUnconvertible)
				continue
			}
			require.True(t, json.Valid(out.Body))
			require.True(t, strings.HasPrefix(out.Path, "/"))
		}
	})
}

// Whatever an upstream sends is an answer for every surface, or one of the three failures.
func FuzzDecodeAnswer(f *testing.F) {
	for _, p := range dialect.Dialects() {
		for i := range 3 {
			body, err := convert.EncodeAnswer(native(p, false), convert.Answer{Text: "Hi", End: dialect.End{Finish: finishes[i].hub, PromptTokens: 3}}, nil)
			require.NoError(f, err)
			f.Add(uint8(i), false, body)
		}
	}
	f.Add(uint8(0), true, []byte(`{"data":[{"index":1,"embedding":[1]},{"index":0,"embedding":[1e300]}]}`))
	f.Add(uint8(2), true, []byte(`{"embeddings":[{"values":[1]},{"values":[2]}]}`))
	f.Add(uint8(0), false, []byte(`{"error":{"code":"content_filter","innererror":{"code":1},"details":[{"reason":"x"}]}}`))
	f.Fuzz(func(t *testing.T, which uint8, embed bool, body []byte) {
		p := dialect.Dialects()[int(which)%3]
		refusal, ok := convert.DecodeRefusal(p, 400, body)
		require.Equal(t, ok, refusal.Type+refusal.Code+refusal.Message != "")

		req, surface := convert.Request{Surface: dialect.Chat}, dialect.Responses
		if embed {
			surface = dialect.Embeddings
			req = convert.Request{Surface: surface, Inputs: make([]convert.Input, 2), Base64: len(body)%2 == 0}
		}
		answer, err := convert.DecodeAnswer(p, req, body)
		if err != nil {
			require.True(t, errors.Is(err, convert.ErrNotAnswer) || errors.Is(err, convert.ErrEmpty) || errors.Is(err, convert.ErrBlocked))
			require.Zero(t, answer)
			return
		}
		require.True(t, embed || answer.Text != "")
		out, err := convert.EncodeAnswer(surface, answer, nil)
		require.NoError(t, err)
		require.True(t, json.Valid(out))
	})
}

// Whatever an upstream streams has the same meaning however its bytes arrive.
func FuzzDecodeStream(f *testing.F) {
	for i, p := range dialect.Dialects() {
		f.Add(uint8(i), []byte(written(f, native(p, true), dialect.FinishStop, nil)), uint16(7))
		f.Add(uint8(i), []byte(strings.ReplaceAll(written(f, native(p, true), dialect.FinishStop, nil), "\n", "\r\n")), uint16(60))
	}
	f.Add(uint8(0), []byte("\uFEFFdata: {\"choices\":[]}\r\rdata:x\ndata\n\n:c\nid:1"), uint16(2))
	f.Add(uint8(1), []byte("event: error\ndata: {}\n\n"), uint16(3))
	f.Add(uint8(2), []byte("data: {\"promptFeedback\":{\"blockReason\":\"x\"}}\n\n"), uint16(1))
	f.Fuzz(func(t *testing.T, which uint8, stream []byte, at uint16) {
		p, text := dialect.Dialects()[int(which)%3], string(stream)
		cut := min(int(at), len(text))
		want, wantErr := collect(t.Context(), p, strings.NewReader(text))
		for i, r := range []io.Reader{
			iotest.OneByteReader(strings.NewReader(text)),
			iotest.DataErrReader(strings.NewReader(text)),
			io.MultiReader(strings.NewReader(text[:cut]), strings.NewReader(text[cut:])),
		} {
			got, err := collect(t.Context(), p, r)
			require.Equal(t, want, got, i)
			require.Equal(t, wantErr, err, i)
		}
		if wantErr != nil {
			known := errors.Is(wantErr, convert.ErrNotAnswer) || errors.Is(wantErr, convert.ErrTruncated) ||
				errors.Is(wantErr, convert.ErrEmpty) || errors.Is(wantErr, convert.ErrBlocked)
			assert.True(t, known, wantErr)
		}
		for i, d := range want {
			last := wantErr == nil && i == len(want)-1
			assert.Equal(t, last, d.Text == "")
			assert.Equal(t, last, d.Finish != "")
		}
	})
}
