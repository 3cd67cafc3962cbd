package upstream

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
)

func TestDirectiveIsFoundInAnyText(t *testing.T) {
	b := newBench(t, Options{})
	for i, row := range []struct{ sentence, path, body string }{
		{"a text part", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:"}},{"type":"text","text":"@"}]}]}`},
		{"the system message", "/v1/chat/completions", `{"model":"m","messages":[{"role":"system","content":"@"},{"role":"user","content":"hi"}]}`},
		{"the last user message, not an earlier one", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"[[gatecert token=old]]"},{"role":"assistant","content":"[[gatecert token=said]]"},{"role":"user","content":"@"}]}`},
		{"one of many prompts", "/v1/completions", `{"model":"m","prompt":["hi","@"]}`},
		{"an input item", "/v1/responses", `{"model":"m","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"@"}]}]}`},
		{"the instructions", "/v1/responses", `{"model":"m","input":"hi","instructions":"@"}`},
		{"an embedding's text", "/v1/embeddings", `{"model":"m","input":"@"}`},
		{"Anthropic's system text", "/v1/messages", `{"model":"m","max_tokens":1,"system":[{"type":"text","text":"@"}],"messages":[{"role":"user","content":"hi"}]}`},
		{"Gemini's system instruction", "/v1beta/models/m:generateContent", `{"contents":[{"parts":[{"text":"hi"}]}],"system_instruction":{"parts":[{"text":"@"}]}}`},
		{"the last of Gemini's contents", "/v1beta/models/m:generateContent", `{"contents":[{"role":"user","parts":[{"text":"[[gatecert token=old]]"}]},{"role":"model","parts":[{"text":"hi"}]},{"role":"user","parts":[{"text":"@"}]}]}`},
		{"a field nobody reads", "/v1/chat/completions", `{"model":"m","metadata":{"note":"@"},"messages":[{"role":"user","content":"hi"}]}`},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			token := fmt.Sprintf("t%d", i)
			got := b.post(row.path, strings.ReplaceAll(row.body, "@", "[[gatecert status=418 token="+token+"]]"))
			assert.Equal(t, http.StatusTeapot, got.status)
			assert.Equal(t, http.StatusTeapot, b.seen(token).Status)
		})
	}
}

func TestRequestsThatARealAPIRefuses(t *testing.T) {
	b := newBench(t, Options{})
	chat := func(more string) string {
		return `{"model":"m","messages":[{"role":"user","content":"@"}]` + more + `}`
	}
	gem := "/v1beta/models/m:generateContent"
	for _, row := range []struct{ path, body, want string }{
		{"/v1/chat/completions", `{"messages":[{"role":"user","content":"@"}]}`, "Missing required parameter: 'model'."},
		{"/v1/chat/completions", `{"model":"m"}`, "Missing required parameter: 'messages'."},
		{"/v1/chat/completions", `{"model":7,"messages":[{"role":"user","content":"@"}]}`, "Invalid value for 'model': expected a non-empty string."},
		{"/v1/chat/completions", `{"model":"m","messages":[]}`, "Invalid value for 'messages': expected a non-empty array of messages with a role and content."},
		{"/v1/chat/completions", `{"model":"m","messages":"@"}`, "Invalid value for 'messages': expected a non-empty array of messages with a role and content."},
		{"/v1/chat/completions", `{"model":"m","messages":[{"role":"cook","content":"@"}]}`, "Invalid value for 'messages': expected a non-empty array of messages with a role and content."},
		{"/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":{"a":"@"}}]}`, "Invalid value for 'messages': expected a non-empty array of messages with a role and content."},
		{"/v1/chat/completions", chat(`,"temperature":2.1`), "Invalid value for 'temperature': expected a number from 0 to 2."},
		{"/v1/chat/completions", chat(`,"temperature":"hot"`), "Invalid value for 'temperature': expected a number from 0 to 2."},
		{"/v1/chat/completions", chat(`,"max_tokens":0`), "Invalid value for 'max_tokens': expected an integer of at least 1."},
		{"/v1/chat/completions", chat(`,"max_completion_tokens":1.5`), "Invalid value for 'max_completion_tokens': expected an integer of at least 1."},
		{"/v1/chat/completions", chat(`,"n":0`), "Invalid value for 'n': expected an integer of at least 1."},
		{"/v1/chat/completions", chat(`,"stream":"yes"`), "Invalid value for 'stream': expected a boolean."},
		{"/v1/chat/completions", chat(`,"stream_options":1`), "Invalid value for 'stream_options': expected an object."},
		{"/v1/chat/completions", `{"model":"m" "@"`, "We could not parse the JSON body of your request."},
		{"/v1/chat/completions", `["@"]`, "We could not parse the JSON body of your request."},
		{"/v1/completions", `{"model":"m"}`, "Missing required parameter: 'prompt'."},
		{"/v1/completions", `{"model":"m","prompt":[{"a":"@"}]}`, "Invalid value for 'prompt': expected a string or a non-empty array of strings or tokens."},
		{"/v1/responses", `{"model":"m"}`, "Missing required parameter: 'input'."},
		{"/v1/responses", `{"model":"m","input":["@"]}`, "Invalid value for 'input': expected a string or a non-empty array of items."},
		{"/v1/embeddings", `{"model":"m"}`, "Missing required parameter: 'input'."},
		{"/v1/embeddings", `{"model":"m","input":["@",7]}`, "Invalid value for 'input': expected a string or a non-empty array of strings or tokens."},
		{"/v1/messages", `{"model":"m","messages":[{"role":"user","content":"@"}]}`, "Missing required parameter: 'max_tokens'."},
		{"/v1/messages", `{"model":"m","max_tokens":9}`, "Missing required parameter: 'messages'."},
		{"/v1/messages", `{"model":"m","max_tokens":9,"messages":[{"role":"system","content":"@"}]}`, "Invalid value for 'messages': expected a non-empty array of messages with a role and content."},
		{"/v1/messages", `{"model":"m","max_tokens":9,"temperature":1.5,"messages":[{"role":"user","content":"@"}]}`, "Invalid value for 'temperature': expected a number from 0 to 1."},
		{gem, `{}`, "Missing required parameter: 'contents'."},
		{gem, `{"contents":[{"role":"user","text":"@"}]}`, "Invalid value for 'contents': expected a non-empty array of contents with parts."},
		{gem, `{"contents":[{"parts":[{"text":"@"}]}],"generationConfig":{"temperature":3}}`, "Invalid value for 'temperature': expected a number from 0 to 2."},
		{gem, `{"contents":[{"parts":[{"text":"@"}]}],"generation_config":{"maxOutputTokens":0}}`, "Invalid value for 'maxOutputTokens': expected an integer of at least 1."},
		{"/v1beta/models/m:embedContent", `{}`, "Missing required parameter: 'content'."},
		{"/v1beta/models/m:batchEmbedContents", `{"requests":[{"text":"@"}]}`, "Invalid value for 'requests': expected a non-empty array of requests with content."},
	} {
		token := fmt.Sprintf("v%d", len(row.body)*1000+len(row.want))
		got := b.post(row.path, strings.ReplaceAll(row.body, "@", "[[gatecert status=418 token="+token+"]]"))
		assert.Equal(t, http.StatusBadRequest, got.status, row.body)
		assert.Equal(t, row.want, errorIn(t, got.body)["message"], row.body)
		if strings.Contains(row.body, "@") {
			seen, err := b.up.Seen(context.Background(), token)
			require.NoError(t, err)
			assert.NotEmpty(t, seen.Attempts, "seen although refused: %s", row.body)
		}
	}
}

func TestErrorsOfEachProtocol(t *testing.T) {
	b := newBench(t, Options{Keys: []string{"other", "secret"}})
	shapes := map[dialect.Dialect]map[string]string{
		dialect.OpenAI: {
			"400": `{"error":{"code":null,"message":"Missing required parameter: 'model'.","param":"model","type":"invalid_request_error"}}`,
			"401": `{"error":{"code":"invalid_api_key","message":"Incorrect API key provided.","param":null,"type":"invalid_request_error"}}`,
			"404": "{\"error\":{\"code\":\"model_not_found\",\"message\":\"The model `no-such-thing` does not exist or you do not have access to it.\",\"param\":null,\"type\":\"invalid_request_error\"}}",
			"405": `{"error":{"code":null,"message":"The method is not allowed for this path.","param":null,"type":"invalid_request_error"}}`,
			"421": `{"error":{"code":null,"message":"gatecert mock upstream: directive refused: unknown word: \"nonsense\"","param":null,"type":"invalid_request_error"}}`,
		},
		dialect.Anthropic: {
			"400": `{"error":{"message":"Missing required parameter: 'model'.","type":"invalid_request_error"},"type":"error"}`,
			"401": `{"error":{"message":"invalid x-api-key","type":"authentication_error"},"type":"error"}`,
			"404": `{"error":{"message":"model: no-such-thing","type":"not_found_error"},"type":"error"}`,
			"405": `{"error":{"message":"The method is not allowed for this path.","type":"invalid_request_error"},"type":"error"}`,
			"421": `{"error":{"message":"gatecert mock upstream: directive refused: unknown word: \"nonsense\"","type":"invalid_request_error"},"type":"error"}`,
		},
		dialect.Gemini: {
			"401": `{"error":{"code":400,"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"googleapis.com","metadata":{"service":"generativelanguage.googleapis.com"},"reason":"API_KEY_INVALID"}],"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}`,
			"404": `{"error":{"code":404,"message":"models/no-such-thing is not found or does not support this method.","status":"NOT_FOUND"}}`,
			"405": `{"error":{"code":405,"message":"The method is not allowed for this path.","status":"INVALID_ARGUMENT"}}`,
			"421": `{"error":{"code":421,"message":"gatecert mock upstream: directive refused: unknown word: \"nonsense\"","status":"INVALID_ARGUMENT"}}`,
		},
	}
	for _, e := range endpoints() {
		t.Run(e.name, func(t *testing.T) {
			want := shapes[e.dialect]
			healthy := fmt.Sprintf(e.body, "hi")

			if e.dialect != dialect.Gemini {
				got := b.post(e.path, strings.Replace(healthy, `"model":"m",`, "", 1))
				assert.Equal(t, http.StatusBadRequest, got.status)
				assert.Equal(t, want["400"], got.body)
			}
			for _, key := range []string{"", "wrong"} {
				req := b.request(context.Background(), http.MethodPost, e.path, healthy)
				for _, field := range []string{"Authorization", "X-Api-Key", "X-Goog-Api-Key"} {
					if req.Header.Get(field) != "" {
						req.Header.Set(field, strings.Replace(req.Header.Get(field), "secret", key, 1))
					}
				}
				got, err := b.send(req)
				require.NoError(t, err)
				assert.Equal(t, map[bool]int{true: 400, false: 401}[e.dialect == dialect.Gemini], got.status)
				assert.Equal(t, want["401"], got.body)
			}
			got := b.post(strings.Replace(e.path, "/m:", "/no-such-thing:", 1), strings.Replace(healthy, `"model":"m"`, `"model":"no-such-thing"`, 1))
			assert.Equal(t, http.StatusNotFound, got.status)
			assert.Equal(t, want["404"], got.body)

			got, err := b.send(b.request(context.Background(), http.MethodPut, e.path, healthy))
			require.NoError(t, err)
			assert.Equal(t, http.StatusMethodNotAllowed, got.status)
			assert.Equal(t, "POST", got.header.Get("Allow"))
			assert.Equal(t, want["405"], got.body)

			got = b.ask(e, "[[gatecert nonsense token=r-"+e.name+"]]")
			assert.Equal(t, http.StatusMisdirectedRequest, got.status)
			assert.Equal(t, want["421"], got.body)
			assert.Equal(t, http.StatusMisdirectedRequest, b.seen("r-"+e.name).Status)
		})
	}
}

func TestUnknownPathsGetTheLikelyProtocol(t *testing.T) {
	b := newBench(t, Options{})
	for _, row := range []struct{ path, field, want string }{
		{"/v1/nope", "Authorization", `{"error":{"code":null,"message":"There is no such path.","param":null,"type":"invalid_request_error"}}`},
		{"/v1/nope", "Anthropic-Version", `{"error":{"message":"There is no such path.","type":"not_found_error"},"type":"error"}`},
		{"/v1/nope", "X-Goog-Api-Key", `{"error":{"code":404,"message":"There is no such path.","status":"NOT_FOUND"}}`},
		{"/v1beta/models/m:dance", "Authorization", `{"error":{"code":404,"message":"There is no such path.","status":"NOT_FOUND"}}`},
	} {
		req := b.request(context.Background(), http.MethodPost, row.path, `{"x":"[[gatecert token=lost]]"}`)
		req.Header.Set(row.field, "x")
		got, err := b.send(req)
		require.NoError(t, err)
		assert.Equal(t, http.StatusNotFound, got.status)
		assert.Equal(t, row.want, got.body)
	}
	seen, err := b.up.Seen(context.Background(), "lost")
	require.NoError(t, err)
	assert.Len(t, seen.Attempts, 4)
}

func TestCredentials(t *testing.T) {
	b := newBench(t, Options{Keys: []string{"right"}})
	for _, row := range []struct {
		path, field, value string
		credential         string
	}{
		{"/v1/chat/completions", "Authorization", "bearer right", Fingerprint("right")},
		{"/v1/chat/completions", "Authorization", "Basic right", ""},
		{"/v1/messages", "X-Api-Key", "right", Fingerprint("right")},
		{"/v1/messages", "Authorization", "Bearer right", Fingerprint("right")},
		{"/v1beta/models/m:generateContent", "X-Goog-Api-Key", "wrong", Fingerprint("wrong")},
		{"/v1beta/models/m:generateContent?key=right", "X-Other", "x", Fingerprint("right")},
		{"/v1beta/models/m:generateContent", "Authorization", "Bearer right", Fingerprint("right")},
	} {
		token := fmt.Sprintf("c%d", len(row.path+row.field+row.value))
		req := b.request(context.Background(), http.MethodPost, row.path, `{"x":"[[gatecert token=`+token+`]]"}`)
		for _, field := range []string{"Authorization", "X-Api-Key", "X-Goog-Api-Key"} {
			req.Header.Del(field)
		}
		req.Header.Set(row.field, row.value)
		_, err := b.send(req)
		require.NoError(t, err)
		assert.Equal(t, row.credential, b.seen(token).Credential, row)
	}
	assert.Equal(t, "2bb80d53", Fingerprint("secret"))
	assert.Empty(t, Fingerprint(""))
}

func TestEncodedBodies(t *testing.T) {
	b := newBench(t, Options{BodyLimit: 4096})
	e := endpointNamed(t, "chat")
	pack := func(text string) string {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		_, err := w.Write([]byte(text))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		return packed.String()
	}
	healthy := fmt.Sprintf(e.body, "hi")
	for _, row := range []struct {
		sentence, encoding, body string
		status                   int
		message                  string
	}{
		{"gzip is understood", "gzip", pack(healthy), 200, ""},
		{"identity is nothing", "identity", healthy, 200, ""},
		{"a body that is not gzip", "gzip", healthy, 400, "We could not decompress the body of your request."},
		{"half a gzip body", "gzip", pack(healthy)[:30], 400, "We could not decompress the body of your request."},
		{"an encoding nobody knows", "rot13", healthy, 400, "The content encoding of your request is not supported."},
		{"a body over the limit", "", fmt.Sprintf(e.body, strings.Repeat("x", 5000)), 413, "The body is larger than 4096 bytes."},
		{"a bomb", "gzip", pack(fmt.Sprintf(e.body, strings.Repeat("x", 1<<20))), 413, "The body is larger than 4096 bytes."},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			req := b.request(context.Background(), http.MethodPost, e.path, row.body)
			if row.encoding != "" {
				req.Header.Set("Content-Encoding", row.encoding)
			}
			got, err := b.send(req)
			require.NoError(t, err)
			assert.Equal(t, row.status, got.status)
			if row.message != "" {
				assert.Equal(t, row.message, errorIn(t, got.body)["message"])
			}
		})
	}
}
