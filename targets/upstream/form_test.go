package upstream

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The answer stays in its place, and the error object is what the protocol sends by itself.
func TestAnswersWithErrors(t *testing.T) {
	answers := map[string]string{
		"chat": "choices", "completions": "choices", "responses": "output", "messages": "content", "gemini": "candidates",
		"embeddings": "data", "embedContent": "embedding", "batchEmbedContents": "embeddings",
	}
	onEach(t, notStreaming, func(t *testing.T, b bench, e endpoint) {
		got := b.ask(e, "[[gatecert body=answer-with-error code=c]]")
		assert.Equal(t, http.StatusOK, got.status)
		assert.Contains(t, got.body, `"c"`)
		assert.NotEmpty(t, errorIn(t, got.body))
		var body map[string]any
		require.NoError(t, json.Unmarshal([]byte(got.body), &body))
		assert.NotEmpty(t, body[answers[e.name]])
	})
	onEach(t, streamed, func(t *testing.T, b bench, e endpoint) {
		full, got := b.ask(e, "[[gatecert]]").body, b.ask(e, "[[gatecert with-error-after=2 code=c]]")
		assert.NoError(t, got.err)
		text := anonymous(got.body)
		assert.True(t, strings.HasPrefix(text, e.fragment(anonymous(full), 2)), text)
		assert.Contains(t, text, `"c"`)
		for _, part := range strings.Split(text, e.newEvent)[2:3] {
			assert.Regexp(t, `"choices"|"candidates"`, part)
			assert.Regexp(t, `"error"`, part)
		}
	})
}

// Streams of tool calls and of reasoning differ from streams of text by every event that holds a piece.
func TestOtherPiecesThanText(t *testing.T) {
	marks := map[string][2]string{
		"chat-stream":      {`"arguments":"{\"text\":\"All"`, `"reasoning_content":"All"`},
		"responses-stream": {`response.function_call_arguments.delta`, `response.reasoning_summary_text.delta`},
		"messages-stream":  {`"partial_json":"{\"text\":\"All"`, `"thinking":"All"`},
		"gemini-stream":    {`"functionCall"`, `"thought":true`},
		"gemini-array":     {`"functionCall"`, `"thought":true`},
	}
	onEach(t, streamed, func(t *testing.T, b bench, e endpoint) {
		for i, words := range []string{"tool-call chunks=8 end-after=6", "reasoning chunks=8 end-after=6"} {
			got := b.ask(e, "[[gatecert "+words+"]]")
			if e.name == "completions-stream" {
				assert.Equal(t, statusRefused, got.status)
				continue
			}
			assert.Equal(t, http.StatusOK, got.status)
			assert.Contains(t, got.body, marks[e.name][i])
			assert.NotContains(t, got.body, `"stop"`)
			assert.NotContains(t, got.body, `output_text`)
		}
	})
}

func TestCompressedBodies(t *testing.T) {
	onEach(t, every, func(t *testing.T, b bench, e endpoint) {
		plain := b.ask(e, "[[gatecert status=500]]").body
		for accept, packed := range map[string]bool{"": true, "br, gzip;q=0.5": true, "*": true, "identity": false, "gzip;q=0": false} {
			request := b.request(context.Background(), http.MethodPost, e.path, fmt.Sprintf(e.body, "[[gatecert status=500 gzip]]"))
			if accept != "" {
				request.Header.Set("Accept-Encoding", accept)
			}
			got, err := b.send(request)
			require.NoError(t, err)
			assert.Equal(t, 500, got.status)
			if !packed {
				assert.Equal(t, plain, got.body, accept)
				assert.Empty(t, got.header.Get("Content-Encoding"))
				continue
			}
			assert.Equal(t, "gzip", got.header.Get("Content-Encoding"), accept)
			reader, err := gzip.NewReader(bytes.NewReader([]byte(got.body)))
			require.NoError(t, err)
			unpacked, err := io.ReadAll(reader)
			require.NoError(t, err)
			assert.Equal(t, plain, string(unpacked))
		}
	})
	b := newBench(t, Options{})
	assert.Equal(t, statusRefused, b.ask(endpointNamed(t, "chat-stream"), "[[gatecert gzip]]").status)
}

// A redirect leads to this upstream under another name, which records the key in whichever field it comes.
func TestRedirects(t *testing.T) {
	onEach(t, every, func(t *testing.T, b bench, e endpoint) {
		token := "to-" + e.name
		got := b.ask(e, "[[gatecert redirect token="+token+"]]")
		require.Equal(t, http.StatusTemporaryRedirect, got.status)
		assert.Empty(t, got.body)
		at, err := url.Parse(got.header.Get("Location"))
		require.NoError(t, err)
		assert.Equal(t, "localhost", at.Hostname())
		assert.Equal(t, "127.0.0.1:"+at.Port(), b.server.Addr())
		assert.False(t, b.seen(token).Redirected)

		for _, field := range []string{"", "Authorization", "X-Api-Key", "X-Goog-Api-Key"} {
			request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, b.server.URL()+at.Path, nil)
			require.NoError(t, err)
			if field != "" {
				request.Header.Set(field, "secret")
			}
			got, err := b.send(request)
			require.NoError(t, err)
			assert.Equal(t, 500, got.status)
			seen, err := b.up.Seen(context.Background(), token)
			require.NoError(t, err)
			last := seen.Attempts[len(seen.Attempts)-1]
			assert.True(t, last.Redirected)
			assert.Equal(t, field != "", last.Credential != "", field)
		}
	})
}

func TestAnotherNameForEveryHost(t *testing.T) {
	for host, other := range map[string]string{
		"127.0.0.1:99": "localhost:99", "localhost:99": "127.0.0.1:99", "localhost": "127.0.0.1", "[::1]:99": "localhost:99",
		"10.1.2.3:99": "[::ffff:10.1.2.3]:99", "upstream.example": "localhost",
	} {
		assert.Equal(t, other, otherHost(&http.Request{Host: host}), host)
	}
}
