package exchange

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// received is a request as a server saw it.
type received struct {
	method, uri, host, body string
	header                  http.Header
}

// receiver returns a server's base URL and the channel on which it hands over what it received.
func receiver(t testing.TB) (string, <-chan received) {
	got := make(chan received, 1)
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- received{r.Method, r.RequestURI, r.Host, string(body), r.Header}
		w.WriteHeader(http.StatusNoContent)
	}), got
}

func TestEachSurfaceSendsItsDialectsRequest(t *testing.T) {
	for surface, want := range map[dialect.Surface]struct{ uri, body string }{
		dialect.Chat:            {"/v1/chat/completions", `{"max_tokens":16,"messages":[{"content":"hi","role":"user"}],"model":"m/1:x"}`},
		dialect.ChatStream:      {"/v1/chat/completions", `{"max_tokens":16,"messages":[{"content":"hi","role":"user"}],"model":"m/1:x","stream":true}`},
		dialect.Completions:     {"/v1/completions", `{"max_tokens":16,"model":"m/1:x","prompt":"hi"}`},
		dialect.Responses:       {"/v1/responses", `{"input":"hi","max_output_tokens":16,"model":"m/1:x"}`},
		dialect.ResponsesStream: {"/v1/responses", `{"input":"hi","max_output_tokens":16,"model":"m/1:x","stream":true}`},
		dialect.Messages:        {"/v1/messages", `{"max_tokens":16,"messages":[{"content":"hi","role":"user"}],"model":"m/1:x"}`},
		dialect.MessagesStream:  {"/v1/messages", `{"max_tokens":16,"messages":[{"content":"hi","role":"user"}],"model":"m/1:x","stream":true}`},
		dialect.GenerateContent: {"/v1beta/models/m%2F1%3Ax:generateContent", `{"contents":[{"parts":[{"text":"hi"}],"role":"user"}],"generationConfig":{"maxOutputTokens":16}}`},
		dialect.GenerateStream:  {"/v1beta/models/m%2F1%3Ax:streamGenerateContent?alt=sse", `{"contents":[{"parts":[{"text":"hi"}],"role":"user"}],"generationConfig":{"maxOutputTokens":16}}`},
		dialect.Embeddings:      {"/v1/embeddings", `{"input":"hi","model":"m/1:x"}`},
	} {
		t.Run(string(surface), func(t *testing.T) {
			base, got := receiver(t)
			observation := observe(t, client(t, Limits{}), Call{
				Surface: surface, BaseURL: base + "/gw/", Key: "sk-test", Model: "m/1:x", Prompt: "hi",
			})
			request := <-got
			assert.Equal(t, "POST", request.method)
			assert.Equal(t, "/gw"+want.uri, request.uri)
			assert.Equal(t, want.body, request.body)

			header := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"gatecert"}}
			switch surface.Dialect() {
			case dialect.OpenAI:
				header.Set("Authorization", "Bearer sk-test")
			case dialect.Anthropic:
				header.Set("X-Api-Key", "sk-test")
				header.Set("Anthropic-Version", "2023-06-01")
			case dialect.Gemini:
				header.Set("X-Goog-Api-Key", "sk-test")
			}
			request.header.Del("Content-Length")
			assert.Equal(t, header, request.header)

			assert.Equal(t, surface, observation.Sent.Surface)
			assert.Equal(t, base+"/gw"+want.uri, observation.Sent.URL)
			assert.Equal(t, want.body, string(observation.Sent.Body))
			assert.Equal(t, int64(len(want.body)), observation.Sent.BodySize)
			assert.Equal(t, http.StatusNoContent, observation.Status)
		})
	}
}

func TestACallIsShapedByItsFields(t *testing.T) {
	for sentence, row := range map[string]struct {
		call Call
		want func(t *testing.T, got received)
	}{
		"no key sends no credential": {
			Call{Surface: dialect.Messages},
			func(t *testing.T, got received) { assert.NotContains(t, got.header, "X-Api-Key") },
		},
		"a key in the query is escaped and replaces the header": {
			Call{Surface: dialect.GenerateStream, Model: "m", Key: "a&b c", KeyInQuery: true},
			func(t *testing.T, got received) {
				assert.Equal(t, "/v1beta/models/m:streamGenerateContent?alt=sse&key=a%26b+c", got.uri)
				assert.NotContains(t, got.header, "X-Goog-Api-Key")
			},
		},
		"a key is the first parameter of a path without a query": {
			Call{Surface: dialect.GenerateContent, Model: "m", Key: "abc", KeyInQuery: true},
			func(t *testing.T, got received) {
				assert.Equal(t, "/v1beta/models/m:generateContent?key=abc", got.uri)
			},
		},
		"a path of one's own keeps its query and its dots": {
			Call{Path: "v1/../nope%2F?a=b"},
			func(t *testing.T, got received) { assert.Equal(t, "/v1/../nope%2F?a=b", got.uri) },
		},
		"a GET carries no body": {
			Call{Method: "GET", Prompt: "hi"},
			func(t *testing.T, got received) {
				assert.Equal(t, "GET", got.method)
				assert.Empty(t, got.body)
				assert.NotContains(t, got.header, "Content-Type")
			},
		},
		"headers are added, overridden and deleted": {
			Call{Key: "k", Header: map[string]string{
				"authorization": "Basic x", "X-New": "1", "content-type": "", "User-Agent": "", "Host": "other.example",
			}},
			func(t *testing.T, got received) {
				assert.Equal(t, []string{"Basic x"}, got.header["Authorization"])
				assert.Equal(t, []string{"1"}, got.header["X-New"])
				assert.NotContains(t, got.header, "Content-Type")
				assert.NotContains(t, got.header, "User-Agent")
				assert.Equal(t, "other.example", got.host)
			},
		},
		"edits change the body": {
			Call{Model: "m", Prompt: "<&>", Edits: []Edit{
				{Path: "model", Delete: true}, {Path: "temperature", Value: "hot"},
			}},
			func(t *testing.T, got received) {
				assert.Equal(t, `{"max_tokens":16,"messages":[{"content":"<&>","role":"user"}],"temperature":"hot"}`, got.body)
			},
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			base, got := receiver(t)
			row.call.BaseURL = base
			observe(t, client(t, Limits{}), row.call)
			row.want(t, <-got)
		})
	}
}

func TestACallThatCannotBeBuiltIsAnError(t *testing.T) {
	for sentence, row := range map[string]struct {
		call Call
		want error
	}{
		"an unknown surface":                {Call{Surface: "telepathy"}, ErrSurface},
		"no base URL":                       {Call{BaseURL: " "}, ErrURL},
		"a base URL that cannot be parsed":  {Call{BaseURL: "http://user:hunter2/x@h"}, ErrURL},
		"a base URL of another scheme":      {Call{BaseURL: "ftp://h"}, ErrURL},
		"a base URL without a host":         {Call{BaseURL: "http:///v1"}, ErrURL},
		"a base URL with a user":            {Call{BaseURL: "http://u:hunter2@h"}, ErrURL},
		"a base URL with a query":           {Call{BaseURL: "http://h?x=hunter2"}, ErrURL},
		"a base URL with an empty query":    {Call{BaseURL: "http://h?"}, ErrURL},
		"a base URL with a fragment":        {Call{BaseURL: "http://h#x"}, ErrURL},
		"a path with a fragment":            {Call{Path: "/v1#x"}, ErrURL},
		"a path with a broken escape":       {Call{Path: "/v1%zz"}, ErrURL},
		"a method with a space":             {Call{Method: "GET x"}, ErrMethod},
		"CONNECT":                           {Call{Method: "CONNECT"}, ErrMethod},
		"a header name with a space":        {Call{Header: map[string]string{"a b": "1"}}, ErrHeader},
		"a header value with a line break":  {Call{Header: map[string]string{"a": "1\r\nb: 2"}}, ErrHeader},
		"a length of one's own":             {Call{Header: map[string]string{"content-length": "1"}}, ErrHeader},
		"a framing of one's own":            {Call{Header: map[string]string{"Transfer-Encoding": "chunked"}}, ErrHeader},
		"a host that is none":               {Call{Header: map[string]string{"Host": "a b"}}, ErrHeader},
		"a key with a line break":           {Call{Key: "hunter2\n"}, ErrHeader},
		"an edit of something not there":    {Call{Edits: []Edit{{Path: "nope", Delete: true}}}, ErrEdit},
		"an unknown fault":                  {Call{Fault: "gremlins"}, ErrFault},
		"a fault of a body that is not":     {Call{Method: "GET", Fault: CutJSON}, ErrFault},
		"an oversize that is none":          {Call{Fault: Oversize, OversizeBytes: 10}, ErrFault},
		"an oversize of a prompt taken out": {Call{Fault: Oversize, OversizeBytes: 1e6, Edits: []Edit{{Path: "messages", Delete: true}}}, ErrFault},
	} {
		t.Run(sentence, func(t *testing.T) {
			if row.call.Surface == "" {
				row.call.Surface = dialect.Chat
			}
			if row.call.BaseURL == "" {
				row.call.BaseURL = "http://127.0.0.1:1"
			}
			observation, err := client(t, Limits{}).Do(context.Background(), row.call)
			require.ErrorIs(t, err, row.want)
			assert.NotContains(t, err.Error(), "hunter2")
			assert.Equal(t, contract.Observation{}, observation)
		})
	}
}

func TestARawRequestIsRefusedBehindAProxy(t *testing.T) {
	c := client(t, Limits{})
	c.transport.Proxy = http.ProxyURL(mustURL(t, "http://127.0.0.1:1"))
	_, err := c.Do(context.Background(), Call{Surface: dialect.Chat, BaseURL: "http://gateway.example", Fault: ShortBody})
	require.ErrorIs(t, err, ErrFault)
}
