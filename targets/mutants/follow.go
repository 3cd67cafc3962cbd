package mutants

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/targets/reference"
)

// changeTransport wraps the way to the upstream.
func changeTransport(with func(*http.Request, http.RoundTripper) (*http.Response, error)) change {
	return func(o *reference.Options) {
		o.Hooks.Transport = append(o.Hooks.Transport, func(_ context.Context, next http.RoundTripper) http.RoundTripper {
			return &detour{next, with}
		})
	}
}

// detour is a transport with code around it.
type detour struct {
	next http.RoundTripper
	with func(*http.Request, http.RoundTripper) (*http.Response, error)
}

// RoundTrip implements [http.RoundTripper].
func (d *detour) RoundTrip(r *http.Request) (*http.Response, error) { return d.with(r, d.next) }

// CloseIdleConnections is for [http.Client.CloseIdleConnections].
func (d *detour) CloseIdleConnections() { closeIdle(d.next) }

// followRedirects repeats a call where its answer redirects to, without the header fields in drop.
func followRedirects(drop ...string) change {
	return changeTransport(func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		response, err := next.RoundTrip(r)
		if err != nil || response.StatusCode != http.StatusTemporaryRedirect {
			return response, err
		}
		to, err := response.Location()
		if err != nil {
			return response, nil
		}
		body, err := r.GetBody()
		if err != nil {
			return response, nil
		}
		_ = response.Body.Close()
		again := r.Clone(r.Context())
		again.URL, again.Host, again.Body = to, to.Host, body
		for _, name := range drop {
			again.Header.Del(name)
		}
		return next.RoundTrip(again)
	})
}

// overlookErrors takes the error object out of what the upstream answers with a success, where it stands in an answer.
func overlookErrors(r *http.Request, next http.RoundTripper) (*http.Response, error) {
	response, err := next.RoundTrip(r)
	if err != nil || response.StatusCode != http.StatusOK {
		return response, err
	}
	if isEventStream(response) {
		response.Body = &lines{source: response.Body, buffered: bufio.NewReader(response.Body), edit: withoutError}
		return response, nil
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		// What was read is as broken as it was before.
		response.Body = &lines{source: response.Body, rest: body, err: err}
		return response, nil
	}
	_ = response.Body.Close()
	body = withoutError(body)
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	response.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return response, nil
}

func isEventStream(r *http.Response) bool {
	return strings.HasPrefix(r.Header.Get("Content-Type"), "text/event-stream")
}

// reasoningAsAnswer replaces an error of the upstream's chat stream by what the model has thought until then, and a finish.
func reasoningAsAnswer(r *http.Request, next http.RoundTripper) (*http.Response, error) {
	response, err := next.RoundTrip(r)
	if err != nil || !isEventStream(response) {
		return response, err
	}
	var thought strings.Builder
	response.Body = &lines{source: response.Body, buffered: bufio.NewReader(response.Body), edit: func(data []byte) []byte {
		var chunk struct {
			Choices []struct {
				Delta struct {
					Reasoning string `json:"reasoning_content"`
				} `json:"delta"`
			} `json:"choices"`
			Error any `json:"error"`
		}
		if json.Unmarshal(data, &chunk) != nil {
			return data
		}
		for _, choice := range chunk.Choices {
			thought.WriteString(choice.Delta.Reasoning)
		}
		if chunk.Error == nil || thought.Len() == 0 {
			return data
		}
		return encode(map[string]any{"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": []any{
			map[string]any{"index": 0, "delta": map[string]any{"content": thought.String()}, "finish_reason": "stop"},
		}})
	}}
	return response, nil
}

// withoutError is a JSON object without its error, if it holds an answer.
func withoutError(text []byte) []byte {
	var object map[string]any
	if json.Unmarshal(text, &object) != nil || object["error"] == nil {
		return text
	}
	for _, name := range []string{"choices", "output", "content", "candidates", "data"} {
		if answers, _ := object[name].([]any); len(answers) > 0 {
			delete(object, "error")
			return encode(object)
		}
	}
	return text
}

// lines is an event stream whose data is edited, line by line.
type lines struct {
	source   io.Closer
	buffered *bufio.Reader
	edit     func(data []byte) []byte
	rest     []byte
	err      error
}

func (l *lines) Read(into []byte) (int, error) {
	for len(l.rest) == 0 {
		if l.err != nil {
			return 0, l.err
		}
		var line []byte
		line, l.err = l.buffered.ReadBytes('\n')
		if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok && l.err == nil {
			line = append(append([]byte("data: "), l.edit(bytes.TrimSpace(data))...), '\n')
		}
		l.rest = line
	}
	n := copy(into, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

func (l *lines) Close() error { return l.source.Close() }
