package reference

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/upstream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a gateway on loopback with the mock upstream behind it.
type rig struct {
	*testing.T
	gateway *Gateway
	url     string
	mock    *upstream.Upstream
	address string
	client  *http.Client
	keys    Keys
	models  Models
}

func newRig(t *testing.T, adjust ...func(*Options)) *rig {
	t.Helper()
	// The mock upstream needs the gateway's key for it, and the gateway the mock's address: the mock's handler is set once
	// both are known.
	var handler http.Handler
	late := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) })
	behind := httptest.NewUnstartedServer(late)
	behind.Config.ErrorLog = log.New(io.Discard, "", 0)
	behind.Start()
	t.Cleanup(behind.Close)

	options := Options{Upstream: behind.URL, StorePath: t.TempDir() + "/store.db", Timeout: 10 * time.Second}
	for _, a := range adjust {
		a(&options)
	}
	gateway, err := New(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, gateway.Close()) })
	mock := upstream.New(upstream.Options{Keys: []string{gateway.Fixtures().UpstreamKey}})
	handler = mock

	server := httptest.NewServer(gateway)
	t.Cleanup(server.Close)
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return &rig{
		T: t, gateway: gateway, url: server.URL, mock: mock, address: behind.Listener.Addr().String(),
		client: &http.Client{Transport: transport}, keys: gateway.Fixtures().Keys, models: gateway.Fixtures().Models,
	}
}

// shortTimeouts is for tests of timeouts. They are long enough that a busy machine does not meet them otherwise.
func shortTimeouts(o *Options) { o.Timeout, o.IdleTimeout = time.Second, time.Second }

// edit changes a request's body.
type edit func(map[string]any)

func set(field string, value any) edit { return func(body map[string]any) { body[field] = value } }
func without(field string) edit        { return func(body map[string]any) { delete(body, field) } }

// healthyModel is a model whose channel has a surface's own protocol.
func (r *rig) healthyModel(s dialect.Surface) string {
	switch {
	case s == dialect.Embeddings:
		return r.models.Embeddings
	case s == dialect.Images:
		return r.models.Images
	case s == dialect.Speech:
		return r.models.Speech
	case s == dialect.Transcriptions:
		return r.models.Transcriptions
	case s == dialect.Moderations:
		return r.models.Moderations
	case s == dialect.Rerank:
		return r.models.Rerank
	case s.Dialect() == dialect.Anthropic:
		return r.models.Messages
	case s.Dialect() == dialect.Gemini:
		return r.models.Gemini
	default:
		return r.models.Chat
	}
}

func requestBody(s dialect.Surface, model, prompt string) map[string]any {
	turns := []any{map[string]any{"role": "user", "content": prompt}}
	switch s {
	case dialect.Chat, dialect.ChatStream:
		return map[string]any{"model": model, "messages": turns, "max_tokens": 16, "stream": s.Streaming()}
	case dialect.Completions:
		return map[string]any{"model": model, "prompt": prompt, "max_tokens": 16}
	case dialect.Responses, dialect.ResponsesStream:
		return map[string]any{"model": model, "input": prompt, "max_output_tokens": 16, "stream": s.Streaming()}
	case dialect.Messages, dialect.MessagesStream:
		return map[string]any{"model": model, "messages": turns, "max_tokens": 16, "stream": s.Streaming()}
	case dialect.Embeddings:
		return map[string]any{"model": model, "input": prompt}
	case dialect.Images, dialect.Speech, dialect.Transcriptions, dialect.Moderations, dialect.Rerank, dialect.Models, dialect.CountTokens:
		return s.Body(dialect.Ask{Model: model, Prompt: prompt, MaxTokens: 16})
	default:
		return map[string]any{
			"contents":         []any{map[string]any{"role": "user", "parts": []any{map[string]any{"text": prompt}}}},
			"generationConfig": map[string]any{"maxOutputTokens": 16},
		}
	}
}

func requestPath(s dialect.Surface, model string) string {
	switch s {
	case dialect.Chat, dialect.ChatStream:
		return "/v1/chat/completions"
	case dialect.Completions:
		return "/v1/completions"
	case dialect.Responses, dialect.ResponsesStream:
		return "/v1/responses"
	case dialect.Messages, dialect.MessagesStream:
		return "/v1/messages"
	case dialect.Embeddings:
		return "/v1/embeddings"
	case dialect.Images, dialect.Speech, dialect.Transcriptions, dialect.Moderations, dialect.Rerank, dialect.Models, dialect.CountTokens:
		return s.Path(model)
	case dialect.GenerateStream:
		return "/v1beta/models/" + model + ":streamGenerateContent?alt=sse"
	default:
		return "/v1beta/models/" + model + ":generateContent"
	}
}

func present(request *http.Request, s dialect.Surface, key string) {
	switch s.Dialect() {
	case dialect.Anthropic:
		request.Header.Set("Anthropic-Version", "2023-06-01")
		request.Header.Set("X-Api-Key", key)
	case dialect.Gemini:
		request.Header.Set("X-Goog-Api-Key", key)
	default:
		request.Header.Set("Authorization", "Bearer "+key)
	}
}

// Answer is what came back, read to its end.
type answer struct {
	surface dialect.Surface
	status  int
	header  http.Header
	body    []byte
	broken  error
}

func (r *rig) ask(s dialect.Surface, key, model, prompt string, edits ...edit) answer {
	r.Helper()
	body := requestBody(s, model, prompt)
	for _, e := range edits {
		e(body)
	}
	switch {
	case !s.HasBody():
		return r.send(http.MethodGet, s, key, requestPath(s, model), nil, nil)
	case s.TakesForm():
		return r.post(s, key, requestPath(s, model), bytes.NewReader(dialect.EncodeForm(body)), http.Header{"Content-Type": {dialect.FormType}})
	}
	raw, err := json.Marshal(body)
	require.NoError(r, err)
	return r.post(s, key, requestPath(s, model), bytes.NewReader(raw), nil)
}

func (r *rig) post(s dialect.Surface, key, path string, body io.Reader, header http.Header) answer {
	r.Helper()
	return r.send(http.MethodPost, s, key, path, body, header)
}

func (r *rig) send(method string, s dialect.Surface, key, path string, body io.Reader, header http.Header) answer {
	r.Helper()
	request, err := http.NewRequestWithContext(r.Context(), method, r.url+path, body)
	require.NoError(r, err)
	maps.Copy(request.Header, header)
	if key != "" {
		present(request, s, key)
	}
	response, err := r.client.Do(request)
	if err != nil {
		return answer{surface: s, broken: err}
	}
	defer response.Body.Close()
	content, broken := io.ReadAll(response.Body)
	return answer{surface: s, status: response.StatusCode, header: response.Header, body: content, broken: broken}
}

// events returns the data of a stream's events.
func (a answer) events() []string {
	var data []string
	for line := range strings.SplitSeq(string(a.body), "\n") {
		if d, ok := strings.CutPrefix(line, "data: "); ok {
			data = append(data, d)
		}
	}
	return data
}

// requireError asserts a complete error answer: the status, the code in the envelope of its API format, and what every
// answer must have.
func (r *rig) requireError(a answer, status int, code string) {
	r.Helper()
	require.NoError(r, a.broken)
	require.Equalf(r, status, a.status, "body: %s", a.body)
	require.Equal(r, "application/json", a.header.Get("Content-Type"))
	require.NotEmpty(r, a.header.Get("X-Request-Id"))
	r.requireEnvelope(a.surface, a.body, status, code)
	r.requireDiscreet(a)
}

// requireEnvelope asserts the exact shape of an error object.
func (r *rig) requireEnvelope(s dialect.Surface, body []byte, status int, code string) {
	r.Helper()
	var got map[string]any
	require.NoErrorf(r, json.Unmarshal(body, &got), "body: %s", body)
	inner, _ := got["error"].(map[string]any)
	require.NotEmptyf(r, inner["message"], "body: %s", body)
	switch s.Dialect() {
	case dialect.Anthropic:
		require.Equal(r, "error", got["type"])
		require.ElementsMatch(r, []string{"type", "error"}, keysOf(got))
		require.ElementsMatch(r, []string{"type", "message", "code"}, keysOf(inner))
		require.Equal(r, code, inner["code"])
	case dialect.Gemini:
		require.ElementsMatch(r, []string{"error"}, keysOf(got))
		require.InDelta(r, status, inner["code"], 0)
		require.NotEmpty(r, inner["status"])
		require.Equal(r, []any{map[string]any{
			"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": code, "domain": "gatecert",
		}}, inner["details"])
	default:
		require.ElementsMatch(r, []string{"error"}, keysOf(got))
		require.ElementsMatch(r, []string{"message", "type", "param", "code"}, keysOf(inner))
		require.NotEmpty(r, inner["type"])
		require.Equal(r, code, inner["code"])
	}
}

// requireDiscreet asserts that an answer leaks no internals.
func (r *rig) requireDiscreet(a answer) {
	r.Helper()
	text := fmt.Sprint(a.header) + string(a.body)
	for _, secret := range append(r.gateway.Fixtures().Secrets(), r.address, r.gateway.StorePath(),
		"SQL", "sqlite", "no such table", "goroutine ", "channel_keys", "ledger") {
		require.NotContains(r, text, secret)
	}
}

// requireHealthy asserts a success in the surface's own form.
func (r *rig) requireHealthy(a answer) {
	r.Helper()
	require.NoError(r, a.broken)
	require.Equalf(r, http.StatusOK, a.status, "body: %s", a.body)
	require.NotEmpty(r, a.header.Get("X-Request-Id"))
	r.requireDiscreet(a)
	if a.surface == dialect.Speech {
		require.Equal(r, "audio/mpeg", a.header.Get("Content-Type"))
		require.Len(r, a.body, 3*104, "three frames")
		return
	}
	if !a.surface.Streaming() {
		require.Equal(r, "application/json", a.header.Get("Content-Type"))
		key := map[dialect.Surface]string{
			dialect.Embeddings: "data", dialect.Responses: "output", dialect.Messages: "content",
			dialect.GenerateContent: "candidates", dialect.Images: "data", dialect.Transcriptions: "text", dialect.Moderations: "results",
			dialect.Rerank: "results", dialect.Models: "id", dialect.CountTokens: "input_tokens",
		}[a.surface]
		if key == "" {
			key = "choices"
		}
		var got map[string]any
		require.NoError(r, json.Unmarshal(a.body, &got))
		require.NotEmptyf(r, got[key], "body: %s", a.body)
		require.Nilf(r, got["error"], "body: %s", a.body)
		return
	}
	require.Equal(r, "text/event-stream", a.header.Get("Content-Type"))
	events := a.events()
	require.NotEmpty(r, events)
	last := events[len(events)-1]
	end := map[dialect.Surface]string{
		dialect.ChatStream: "[DONE]", dialect.ResponsesStream: `"response.completed"`,
		dialect.MessagesStream: `"message_stop"`, dialect.GenerateStream: `"finishReason":"STOP"`,
	}[a.surface]
	require.Contains(r, last, end)
}

// requireBrokenStream asserts a stream that began and ended with the error event of its API format.
func (r *rig) requireBrokenStream(a answer, status int, code string) {
	r.Helper()
	require.NoError(r, a.broken)
	require.Equalf(r, http.StatusOK, a.status, "body: %s", a.body)
	require.Equal(r, "text/event-stream", a.header.Get("Content-Type"))
	events := a.events()
	require.Greaterf(r, len(events), 1, "body: %s", a.body)
	last := events[len(events)-1]
	r.requireEnvelope(a.surface, []byte(last), status, code)
	if a.surface.Dialect() == dialect.Anthropic {
		require.Contains(r, string(a.body), "event: error\ndata: "+last)
	} else {
		require.True(r, strings.HasPrefix(last, `{"error":`))
	}
	for _, end := range []string{"[DONE]", "response.completed", "message_stop", "finishReason", "finish_reason\":\"stop"} {
		require.NotContains(r, string(a.body), end)
	}
	r.requireDiscreet(a)
}

// balanceOf reads what a key and its owner have left.
func (r *rig) balanceOf(key string) balance {
	r.Helper()
	a := r.send(http.MethodGet, dialect.Chat, key, "/v1/dashboard/balance", nil, nil)
	require.Equalf(r, http.StatusOK, a.status, "body: %s", a.body)
	var b balance
	require.NoError(r, json.Unmarshal(a.body, &b))
	return b
}

// seen waits until the mock upstream is done with a call.
func (r *rig) seen(token string) []contract.Attempt {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), 20*time.Second)
	defer cancel()
	seen, err := r.mock.Seen(ctx, token)
	require.NoError(r, err)
	return seen.Attempts
}

func keysOf(m map[string]any) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

// askAll makes one call on each surface at the same time, with a prompt of its own.
func (r *rig) askAll(surfaces []dialect.Surface, key string, prompt func(dialect.Surface) string) map[dialect.Surface]answer {
	r.Helper()
	var mu sync.Mutex
	answers := make(map[dialect.Surface]answer, len(surfaces))
	var calls sync.WaitGroup
	for _, s := range surfaces {
		calls.Go(func() {
			a := r.ask(s, key, r.healthyModel(s), prompt(s))
			mu.Lock()
			defer mu.Unlock()
			answers[s] = a
		})
	}
	calls.Wait()
	return answers
}

// relayed are the surfaces that need an upstream, without some.
func relayed(without ...dialect.Surface) []dialect.Surface {
	return slices.DeleteFunc(dialect.Surfaces(), func(s dialect.Surface) bool { return !s.Relayed() || slices.Contains(without, s) })
}

// converted are the surfaces whose requests are converted to other API formats.
func converted() []dialect.Surface {
	return relayed(dialect.Images, dialect.Speech, dialect.Transcriptions, dialect.Moderations, dialect.Rerank, dialect.CountTokens)
}

// forSurfaces runs a test on each surface.
func forSurfaces(t *testing.T, r *rig, surfaces []dialect.Surface, do func(*rig, dialect.Surface)) {
	t.Helper()
	for _, s := range surfaces {
		t.Run(string(s), func(t *testing.T) {
			on := *r
			on.T = t
			do(&on, s)
		})
	}
}

// Secrets returns the keys, which must never appear in an answer.
func (f Fixtures) Secrets() []string {
	k := f.Keys
	return []string{
		k.Valid, k.Revoked, k.NoModelAccess, k.DeniedIP, k.SpentAccount, k.SpentKey, k.Limited, k.Small,
		f.UpstreamKey, f.RejectedUpstreamKey,
	}
}
