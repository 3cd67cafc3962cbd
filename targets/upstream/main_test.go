package upstream

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// endpoint is one way of asking, with what is particular to its streams.
type endpoint struct {
	name     string
	dialect  dialect.Dialect
	path     string
	body     string // %s is the prompt
	stream   bool
	events   int // in a healthy stream of three deltas
	finish   int // those before the finish
	marker   bool
	newEvent string // what ends an event, or begins the next
}

func endpoints() []endpoint {
	const sse = "\n\n"
	return []endpoint{
		{name: "chat", dialect: dialect.OpenAI, path: "/v1/chat/completions", body: `{"model":"m","messages":[{"role":"user","content":"%s"}]}`},
		{name: "completions", dialect: dialect.OpenAI, path: "/v1/completions", body: `{"model":"m","prompt":"%s"}`},
		{name: "responses", dialect: dialect.OpenAI, path: "/v1/responses", body: `{"model":"m","input":"%s"}`},
		{name: "embeddings", dialect: dialect.OpenAI, path: "/v1/embeddings", body: `{"model":"m","input":["%s","b"]}`},
		{name: "messages", dialect: dialect.Anthropic, path: "/v1/messages", body: `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"%s"}]}`},
		{name: "gemini", dialect: dialect.Gemini, path: "/v1beta/models/m:generateContent", body: `{"contents":[{"parts":[{"text":"%s"}]}]}`},
		{name: "embedContent", dialect: dialect.Gemini, path: "/v1beta/models/m:embedContent", body: `{"content":{"parts":[{"text":"%s"}]}}`},
		{name: "batchEmbedContents", dialect: dialect.Gemini, path: "/v1beta/models/m:batchEmbedContents", body: `{"requests":[{"content":{"parts":[{"text":"%s"}]}}]}`},

		{name: "chat-stream", dialect: dialect.OpenAI, path: "/v1/chat/completions", stream: true, events: 6, finish: 4, marker: true, newEvent: sse,
			body: `{"model":"m","stream":true,"messages":[{"role":"user","content":"%s"}]}`},
		{name: "completions-stream", dialect: dialect.OpenAI, path: "/v1/completions", stream: true, events: 5, finish: 3, marker: true, newEvent: sse,
			body: `{"model":"m","stream":true,"prompt":"%s"}`},
		{name: "responses-stream", dialect: dialect.OpenAI, path: "/v1/responses", stream: true, events: 11, finish: 10, newEvent: sse,
			body: `{"model":"m","stream":true,"input":"%s"}`},
		{name: "messages-stream", dialect: dialect.Anthropic, path: "/v1/messages", stream: true, events: 9, finish: 7, marker: true, newEvent: sse,
			body: `{"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"%s"}]}`},
		{name: "gemini-stream", dialect: dialect.Gemini, path: "/v1beta/models/m:streamGenerateContent?alt=sse", stream: true, events: 3, finish: 2, newEvent: sse,
			body: `{"contents":[{"parts":[{"text":"%s"}]}]}`},
		{name: "gemini-array", dialect: dialect.Gemini, path: "/v1beta/models/m:streamGenerateContent", stream: true, events: 3, finish: 2, newEvent: ",\r\n",
			body: `{"contents":[{"parts":[{"text":"%s"}]}]}`},
	}
}

func endpointNamed(t testing.TB, name string) endpoint {
	t.Helper()
	for _, e := range endpoints() {
		if e.name == name {
			return e
		}
	}
	require.FailNow(t, "no such endpoint", name)
	return endpoint{}
}

// bench is an upstream that listens, and a plain client.
type bench struct {
	t      testing.TB
	server *Server
	up     *Upstream
	client *http.Client
}

func newBench(t testing.TB, o Options) bench {
	t.Helper()
	up := New(o)
	server, err := Listen(context.Background(), "127.0.0.1:0", up)
	require.NoError(t, err)
	client := &http.Client{
		Transport:     &http.Transport{DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		require.NoError(t, server.Close())
		assert.Zero(t, up.Connections())
	})
	return bench{t, server, up, client}
}

// received is an answer, and how its body ended.
type received struct {
	status int
	header http.Header
	body   string
	err    error // the read error of the body
}

func (b bench) request(ctx context.Context, method, path, body string) *http.Request {
	b.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, b.server.URL()+path, strings.NewReader(body))
	require.NoError(b.t, err)
	req.Header.Set("Content-Type", "application/json")
	switch {
	case strings.HasSuffix(path, "/messages"):
		req.Header.Set("X-Api-Key", "secret")
	case strings.Contains(path, "/v1beta/"):
		req.Header.Set("X-Goog-Api-Key", "secret")
	default:
		req.Header.Set("Authorization", "Bearer secret")
	}
	return req
}

func (b bench) send(req *http.Request) (received, error) {
	resp, err := b.client.Do(req)
	if err != nil {
		return received{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return received{resp.StatusCode, resp.Header, string(body), err}, nil
}

func (b bench) post(path, body string) received {
	b.t.Helper()
	got, err := b.send(b.request(context.Background(), http.MethodPost, path, body))
	require.NoError(b.t, err)
	return got
}

// seenOnce sends a directive over an endpoint.
func (b bench) ask(e endpoint, directive string) received {
	b.t.Helper()
	return b.post(e.path, fmt.Sprintf(e.body, directive))
}

// await returns the only attempt of a token.
func (b bench) seen(token string) contract.Attempt {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	seen, err := b.up.Seen(ctx, token)
	require.NoError(b.t, err)
	require.Len(b.t, seen.Attempts, 1, token)
	return seen.Attempts[0]
}

var instants = regexp.MustCompile(`"(created|created_at)":\d{10}`)

// timeless replaces the one thing in an answer that changes.
func timeless(body string) string { return instants.ReplaceAllString(body, `"$1":0`) }

func errorIn(t testing.TB, body string) map[string]any {
	t.Helper()
	var envelope struct {
		Error map[string]any `json:"error"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &envelope), body)
	return envelope.Error
}

// scanEvents reads n events of a stream that may never end.
func scanEvents(t testing.TB, body io.Reader, n int) []string {
	t.Helper()
	var events []string
	reader := bufio.NewReader(body)
	for text := ""; len(events) < n; {
		line, err := reader.ReadString('\n')
		require.NoError(t, err)
		if text += line; line == "\n" {
			events, text = append(events, text), ""
		}
	}
	return events
}

// onEach runs a test over every endpoint, streaming, not streaming or both.
func onEach(t *testing.T, which func(endpoint) bool, test func(t *testing.T, b bench, e endpoint)) {
	b := newBench(t, Options{})
	for _, e := range endpoints() {
		if which(e) {
			t.Run(e.name, func(t *testing.T) {
				b.t = t
				test(t, b, e)
			})
		}
	}
}

func every(endpoint) bool          { return true }
func streamed(e endpoint) bool     { return e.stream }
func notStreaming(e endpoint) bool { return !e.stream }
func (e endpoint) array() bool     { return e.newEvent != "\n\n" }
func (e endpoint) jsonType() string {
	return map[bool]string{true: "application/json; charset=UTF-8", false: "application/json"}[e.dialect == dialect.Gemini]
}
func (e endpoint) split(s string) int { return strings.Count(s, e.newEvent) }

// fragment is what n events look like on the wire, taken from a healthy stream with the same ids and times taken out.
func (e endpoint) fragment(healthy string, n int) string {
	if n == 0 {
		return ""
	}
	events := strings.SplitAfterN(healthy, e.newEvent, n+1)
	text := strings.Join(events[:n], "")
	if e.array() {
		text = strings.TrimSuffix(strings.TrimSuffix(text, e.newEvent), "]")
	}
	return text
}

var particulars = regexp.MustCompile(`gc0[0-9a-f]*|"(created|created_at|prompt_tokens|input_tokens|total_tokens|promptTokenCount|totalTokenCount)":\d+`)

// anonymous takes out what differs between two answers of one upstream: times, ids, and the counts of the prompt.
func anonymous(body string) string { return particulars.ReplaceAllString(body, "$1") }

// giveUpOn makes a call that would never end and leaves it once so many bytes of the body are there; -1 means no head is
// waited for, and the upstream has only to have the request.
func (b bench) giveUpOn(e endpoint, directive string, sofar int) (head *http.Response, body string) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if sofar < 0 {
		token := directive[strings.Index(directive, "token=")+6:]
		token, _, _ = strings.Cut(strings.TrimSuffix(token, "]]"), " ")
		go func() {
			defer cancel()
			assert.Eventually(b.t, func() bool { return b.isOpen(token) }, 10*time.Second, time.Millisecond)
		}()
	}
	resp, err := b.client.Do(b.request(ctx, http.MethodPost, e.path, fmt.Sprintf(e.body, directive)))
	if sofar < 0 {
		require.ErrorIs(b.t, err, context.Canceled)
		return nil, ""
	}
	require.NoError(b.t, err)
	defer resp.Body.Close()
	start := make([]byte, sofar)
	_, err = io.ReadFull(resp.Body, start)
	require.NoError(b.t, err)
	return resp, string(start)
}

func (b bench) isOpen(token string) bool {
	done, cancel := context.WithCancel(context.Background())
	cancel()
	seen, _ := b.up.Seen(done, token)
	return len(seen.Attempts) == 1 && seen.Attempts[0].Open
}
