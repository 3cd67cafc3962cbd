package reference

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
)

func TestHealthyCallsSucceedOnEverySurface(t *testing.T) {
	r := newRig(t)
	forSurfaces(t, r, relayed(), func(r *rig, s dialect.Surface) {
		r.requireHealthy(r.ask(s, r.keys.Valid, r.healthyModel(s), "hi [[gatecert token=healthy-"+string(s)+"]]"))
		attempts := r.seen("healthy-" + string(s))
		require.Len(r, attempts, 1)
		require.False(r, attempts[0].Cancelled)
		require.Equal(r, "upstream-"+r.healthyModel(s), attempts[0].Model, "the channel's mapping was followed")
		require.Equal(r, s.Streaming(), attempts[0].Stream)
	})
}

func TestHealthyCallsSucceedThroughEveryProtocol(t *testing.T) {
	r := newRig(t)
	forSurfaces(t, r, converted(), func(r *rig, s dialect.Surface) {
		for _, model := range []string{r.models.ViaOpenAI, r.models.ViaAnthropic, r.models.ViaGemini} {
			if s == dialect.Embeddings && model == r.models.ViaAnthropic {
				continue // Anthropic has no embeddings
			}
			r.requireHealthy(r.ask(s, r.keys.Valid, model, "hi"))
		}
	})
}

func TestModelsAreListedAndShownWithoutAnUpstream(t *testing.T) {
	r := newRig(t)
	r.requireHealthy(r.ask(dialect.Models, r.keys.Valid, r.models.Chat, ""))
	list := r.send(http.MethodGet, dialect.Models, r.keys.Valid, dialect.Models.ListPath(), nil, nil)
	require.Equal(t, 200, list.status)
	require.Contains(t, string(list.body), `"id":"gc-chat"`)
	require.Contains(t, string(list.body), `"object":"list"`)
}

func TestTokensAreCountedByAnthropicUpstreamsOnly(t *testing.T) {
	r := newRig(t)
	r.requireError(r.ask(dialect.CountTokens, r.keys.Valid, r.models.ViaOpenAI, "hi [[gatecert token=uncounted]]"), 404, "invalid_request")
	require.Empty(t, r.seen("uncounted"))
}

func TestFormsThatAreNoRequestAreRefused(t *testing.T) {
	r := newRig(t)
	form := dialect.EncodeForm(dialect.Transcriptions.Body(dialect.Ask{Model: r.models.Transcriptions}))
	for _, c := range []struct{ name, mediaType, body, code string }{
		{"no boundary", "multipart/form-data", string(form), "bad_request_body"},
		{"another boundary", "multipart/form-data; boundary=other", string(form), "bad_request_body"},
		{"cut", dialect.FormType, string(form[:len(form)-300]), "bad_request_body"},
		{"JSON", "application/json", `{"model":"gc-transcriptions"}`, "bad_request_body"},
		{"no file", dialect.FormType, string(dialect.EncodeForm(dialect.Object{"model": r.models.Transcriptions})), "invalid_request"},
		{"no model", dialect.FormType, string(dialect.EncodeForm(dialect.Object{"file": dialect.NewFile("a.wav", "audio/wav", nil)})), "invalid_request"},
		{"no sound", dialect.FormType, string(dialect.EncodeForm(dialect.Object{
			"model": r.models.Transcriptions, "file": dialect.NewFile("a.wav", "audio/wav", []byte("no sound")),
		})), "count_token_failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := r.post(dialect.Transcriptions, r.keys.Valid, "/v1/audio/transcriptions", strings.NewReader(c.body),
				http.Header{"Content-Type": {c.mediaType}})
			r.requireError(a, 400, c.code)
		})
	}
}

// Refusal is a circumstance that a prepared key or model or an edited body brings about, on every surface alike.
type refusal struct {
	name   string
	key    func(Keys) string
	model  func(Models) string
	prompt string
	status int
	code   string
}

func TestPreparedKeysAndModelsAreRefusedForTheirOwnReason(t *testing.T) {
	r := newRig(t)
	valid := func(k Keys) string { return k.Valid }
	nothing := func(Models) string { return "" }
	for _, c := range []refusal{
		{"missing-key", func(Keys) string { return "" }, nothing, "hi", 401, "access_denied"},
		{"wrong-key", func(Keys) string { return "sk-gc-00000000000000000000000000000000" }, nothing, "hi", 401, "access_denied"},
		{"revoked-key", func(k Keys) string { return k.Revoked }, nothing, "hi", 403, "access_denied"},
		{"no-model-access", func(k Keys) string { return k.NoModelAccess }, nothing, "hi", 403, "access_denied"},
		{"denied-access by address", func(k Keys) string { return k.DeniedIP }, nothing, "hi", 403, "access_denied"},
		{"denied-access by group", valid, func(m Models) string { return m.Restricted }, "hi", 403, "access_denied"},
		{"unknown-model", valid, func(Models) string { return "gc-nonsense" }, "hi", 404, "model_not_found"},
		{"sensitive-content", valid, nothing, "please GrumbleWort now", 400, "sensitive_words_detected"},
		{"unsupported-api", valid, func(m Models) string { return m.Unsupported }, "hi", 400, "invalid_api_type"},
		{"no-channel", valid, func(m Models) string { return m.Unrouted }, "hi", 503, "get_channel_failed"},
		{"channel-without-key", valid, func(m Models) string { return m.Keyless }, "hi", 503, "channel:no_available_key"},
		{"channel-with-bad-key", valid, func(m Models) string { return m.BadKey }, "hi", 502, "channel:invalid_key"},
		{"bad-model-mapping, cyclic", valid, func(m Models) string { return m.BadMapping }, "hi", 500, "channel:model_mapped_error"},
		{"bad-model-mapping, unreadable", valid, func(m Models) string { return m.UnreadableMapping }, "hi", 500, "channel:model_mapped_error"},
		{"spent-account", func(k Keys) string { return k.SpentAccount }, nothing, "hi", 403, "insufficient_user_quota"},
		{"spent-key", func(k Keys) string { return k.SpentKey }, func(m Models) string { return m.Expensive }, "hi", 403, "pre_consume_token_quota_failed"},
		{"unpriced-model", valid, func(m Models) string { return m.Unpriced }, "hi", 500, "model_price_error"},
		{"unreachable-upstream", valid, func(m Models) string { return m.Dead }, "hi", 502, "do_request_failed"},
		{"unserializable-result", valid, func(m Models) string { return m.Unmarshalable }, "hi", 500, "json_marshal_failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			surfaces := dialect.Surfaces()
			switch {
			case c.status == 401 || c.status == 404 || strings.Contains(c.name, "-access") || c.name == "revoked-key":
			case strings.HasPrefix(c.name, "spent-") || c.name == "unpriced-model":
				surfaces = relayed(dialect.CountTokens) // which is free
			default:
				surfaces = relayed()
			}
			forSurfaces(t, r, surfaces, func(r *rig, s dialect.Surface) {
				model := c.model(r.models)
				switch {
				case model == "":
					model = r.healthyModel(s)
				case s == dialect.CountTokens: // only Anthropic's channels count
					model = cmp.Or(map[string]string{
						r.models.BadKey: r.models.BadKeyAnthropic, r.models.Dead: r.models.DeadAnthropic,
						r.models.Unmarshalable: r.models.UnmarshalableAnthropic,
					}[model], model)
				case s == dialect.Speech && c.name == "unserializable-result":
					return // audio needs no serialising
				}
				a := r.ask(s, c.key(r.keys), model, c.prompt)
				r.requireError(a, c.status, c.code)
				if c.status == http.StatusUnauthorized {
					require.Equal(r, `Bearer realm="gateway"`, a.header.Get("WWW-Authenticate"))
				}
			})
		})
	}
	require.Equal(t, balance{Quota: ampleQuota}, r.balanceOf(r.keys.Valid), "no refused call is charged")
}

func TestBodiesThatAreNoRequestAreRefused(t *testing.T) {
	r := newRig(t, func(o *Options) { o.BodyLimit = 8 << 10 })
	good := `{"model":"gc-chat","messages":[{"role":"user","content":"hi"}]}`
	for _, c := range []struct {
		name   string
		body   io.Reader
		header http.Header
		code   string
	}{
		{"plain text", strings.NewReader("hello"), nil, "bad_request_body"},
		{"cut JSON", strings.NewReader(`{"model":"gc`), nil, "bad_request_body"},
		{"an empty body", strings.NewReader(""), nil, "bad_request_body"},
		{"a form", strings.NewReader("model=gc-chat"), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, "bad_request_body"},
		{"an array", strings.NewReader("[]"), nil, "invalid_request"},
		{"a number for a model", strings.NewReader(`{"model":5,"messages":[],"contents":5,"input":{}}`), nil, "invalid_request"},
		{"an object without anything", strings.NewReader("{}"), nil, "invalid_request"},
		{"a body over the limit", strings.NewReader(`{"model":"` + strings.Repeat("x", 9<<10) + `"}`), nil, "read_request_body_failed"},
		{"a chunked body over the limit", io.MultiReader(strings.NewReader(strings.Repeat(" ", 9<<10))), nil, "read_request_body_failed"},
		{"broken gzip", strings.NewReader(good), http.Header{"Content-Encoding": {"gzip"}}, "read_request_body_failed"},
		{"cut gzip", bytes.NewReader(zipped(good)[:30]), http.Header{"Content-Encoding": {"gzip"}}, "read_request_body_failed"},
		{"a gzip bomb", bytes.NewReader(zipped(strings.Repeat(" ", 1<<20))), http.Header{"Content-Encoding": {"gzip"}}, "read_request_body_failed"},
		{"an unknown encoding", strings.NewReader(good), http.Header{"Content-Encoding": {"br"}}, "read_request_body_failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw, err := io.ReadAll(c.body)
			require.NoError(t, err)
			surfaces := slices.DeleteFunc(dialect.Surfaces(), func(s dialect.Surface) bool { return !s.HasBody() || s.TakesForm() })
			forSurfaces(t, r, surfaces, func(r *rig, s dialect.Surface) {
				var body io.Reader = bytes.NewReader(raw)
				if strings.Contains(c.name, "chunked") {
					body = io.MultiReader(body)
				}
				r.requireError(r.post(s, r.keys.Valid, requestPath(s, r.healthyModel(s)), body, c.header), 400, c.code)
			})
		})
	}
}

func TestBodyFarOverTheLimitIsAnswered(t *testing.T) {
	r := newRig(t)
	for _, framing := range []string{"length", "chunks"} {
		var body io.Reader = strings.NewReader(strings.Repeat(" ", 6<<20))
		if framing == "chunks" {
			body = io.MultiReader(body)
		}
		r.requireError(r.post(dialect.Chat, r.keys.Valid, "/v1/chat/completions", body, nil), 400, "read_request_body_failed")
	}
}

func TestGzippedBodyIsRead(t *testing.T) {
	r := newRig(t)
	body := zipped(`{"model":"gc-chat","messages":[{"role":"user","content":"hi"}]}`)
	r.requireHealthy(r.post(dialect.Chat, r.keys.Valid, "/v1/chat/completions", bytes.NewReader(body),
		http.Header{"Content-Encoding": {"gzip"}}))
}

func zipped(text string) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return out.Bytes()
}

func TestBodyShortOfItsLengthIsRefused(t *testing.T) {
	r := newRig(t)
	forSurfaces(t, r, relayed(), func(r *rig, s dialect.Surface) {
		conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
		require.NoError(r, err)
		defer conn.Close()
		head, err := http.NewRequest(http.MethodPost, r.url+requestPath(s, r.healthyModel(s)), nil)
		require.NoError(r, err)
		present(head, s, r.keys.Valid)
		_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: gateway\r\nContent-Length: 500\r\n", head.URL.RequestURI())
		require.NoError(r, err)
		require.NoError(r, head.Header.Write(conn))
		_, err = io.WriteString(conn, "\r\n{\"model\":")
		require.NoError(r, err)
		require.NoError(r, conn.(*net.TCPConn).CloseWrite())
		raw, err := io.ReadAll(conn)
		require.NoError(r, err)
		top, body, ok := strings.Cut(string(raw), "\r\n\r\n")
		require.True(r, ok)
		require.True(r, strings.HasPrefix(top, "HTTP/1.1 400 "), top)
		require.Contains(r, top, "Content-Type: application/json")
		r.requireEnvelope(s, []byte(body), 400, "read_request_body_failed")
	})
}

func TestCallerWhoStopsSendingIsAnsweredAndLetGo(t *testing.T) {
	r := newRig(t)
	r.gateway.bodyTimeout = 50 * time.Millisecond
	for _, framing := range []string{"Content-Length: 500\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
		require.NoError(t, err)
		defer conn.Close()
		require.NoError(t, conn.SetDeadline(time.Now().Add(eventually)))
		_, err = fmt.Fprintf(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer %s\r\n%s", r.keys.Valid, framing)
		require.NoError(t, err)
		raw, err := io.ReadAll(conn) // to the end: the connection is closed, not kept waiting
		require.NoError(t, err)
		top, body, ok := strings.Cut(string(raw), "\r\n\r\n")
		require.True(t, ok)
		require.True(t, strings.HasPrefix(top, "HTTP/1.1 400 "), top)
		r.requireEnvelope(dialect.Chat, []byte(body), 400, "read_request_body_failed")
	}
}

func TestDeadlineOfABodyDoesNotOutliveIt(t *testing.T) {
	r := newRig(t)
	r.gateway.bodyTimeout = 300 * time.Millisecond
	for range 2 { // on one connection: the upstream takes longer than the body may
		r.requireHealthy(r.ask(dialect.Chat, r.keys.Valid, r.models.Chat, "hi [[gatecert delay=600ms]]"))
	}
}

func TestInvalidParametersAreNamed(t *testing.T) {
	r := newRig(t)
	a := r.ask(dialect.Chat, r.keys.Valid, r.models.Chat, "hi", set("temperature", "hot"))
	r.requireError(a, 400, "invalid_request")
	require.Contains(t, string(a.body), `"param":"temperature"`)
	for _, s := range []dialect.Surface{dialect.Chat, dialect.ChatStream, dialect.Messages} {
		r.requireError(r.ask(s, r.keys.Valid, r.healthyModel(s), "hi", without("messages")), 400, "invalid_request")
		r.requireError(r.ask(s, r.keys.Valid, r.healthyModel(s), "hi", set("max_tokens", 0)), 400, "invalid_request")
	}
}

func TestRequestsThatTheProtocolCannotExpressAreRefused(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		surface dialect.Surface
		model   string
		edit    edit
	}{
		{dialect.Chat, r.models.ViaAnthropic, set("logit_bias", map[string]any{"50256": -100})},
		{dialect.ChatStream, r.models.ViaGemini, set("logit_bias", map[string]any{"50256": -100})},
		{dialect.Completions, r.models.ViaAnthropic, set("suffix", "end")},
		{dialect.Responses, r.models.ViaAnthropic, set("previous_response_id", "resp_1")},
		{dialect.ResponsesStream, r.models.ViaGemini, set("previous_response_id", "resp_1")},
		{dialect.Messages, r.models.ViaOpenAI, set("top_k", 5)},
		{dialect.MessagesStream, r.models.ViaOpenAI, set("top_k", 5)},
		{dialect.GenerateContent, r.models.ViaOpenAI, set("cachedContent", "cachedContents/1")},
		{dialect.GenerateStream, r.models.ViaAnthropic, set("cachedContent", "cachedContents/1")},
		{dialect.Embeddings, r.models.ViaAnthropic, func(map[string]any) {}},
	} {
		t.Run(string(c.surface), func(*testing.T) {
			a := r.ask(c.surface, r.keys.Valid, c.model, "hi [[gatecert token=odd]]", c.edit)
			r.requireError(a, 400, "convert_request_failed")
		})
	}
	require.Empty(t, r.seen("odd"), "nothing reached the upstream")
}

func TestInputThatCannotBeCountedIsRefused(t *testing.T) {
	r := newRig(t)
	notImage := base64.StdEncoding.EncodeToString([]byte("this is not an image"))
	content := func(part ...any) edit {
		return set("messages", []any{map[string]any{"role": "user", "content": part}})
	}
	openAI := func(data string) edit {
		return content(map[string]any{"type": "image_url", "image_url": map[string]any{"url": "data:image/png;base64," + data}})
	}
	anthropic := func(data string) edit {
		return content(map[string]any{"type": "image", "source": map[string]any{"type": "base64", "media_type": "image/png", "data": data}})
	}
	gemini := func(data string) edit {
		return set("contents", []any{map[string]any{"role": "user", "parts": []any{
			map[string]any{"inlineData": map[string]any{"mimeType": "image/png", "data": data}}}}})
	}
	responses := func(data string) edit {
		return set("input", []any{map[string]any{"role": "user", "content": []any{
			map[string]any{"type": "input_image", "image_url": "data:image/png;base64," + data}}}})
	}
	for _, c := range []struct {
		surface dialect.Surface
		edit    edit
	}{
		{dialect.Chat, openAI(notImage)},
		{dialect.ChatStream, openAI("!!!")},
		{dialect.Responses, responses(notImage)},
		{dialect.ResponsesStream, responses("!!!")},
		{dialect.Messages, anthropic(notImage)},
		{dialect.MessagesStream, anthropic("!!!")},
		{dialect.GenerateContent, gemini(notImage)},
		{dialect.GenerateStream, gemini("!!!")},
		{dialect.Embeddings, set("input", []int{1, 2, 999_999_999})},
		{dialect.Embeddings, set("input", [][]int{{1}, {100_256}})},
		{dialect.Completions, set("prompt", []int{1, 999_999_999})},
	} {
		t.Run(string(c.surface), func(*testing.T) {
			r.requireError(r.ask(c.surface, r.keys.Valid, r.healthyModel(c.surface), "hi", c.edit), 400, "count_token_failed")
		})
	}
}

func TestPathsAndMethods(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		name    string
		method  string
		path    string
		surface dialect.Surface
		key     string
		status  int
		code    string
		allow   string
	}{
		{"an unknown path", "POST", "/v1/nope", dialect.Chat, r.keys.Valid, 404, "invalid_request", ""},
		{"an unknown path of Anthropic's", "POST", "/v1/messages/nope", dialect.Messages, r.keys.Valid, 404, "invalid_request", ""},
		{"an unknown path of an Anthropic client", "POST", "/v1/nope", dialect.Messages, r.keys.Valid, 404, "invalid_request", ""},
		{"an unknown path of Gemini's", "POST", "/v1beta/models/gc-gemini:nope", dialect.GenerateContent, r.keys.Valid, 404, "invalid_request", ""},
		{"an unknown path outside the API", "GET", "/nope", dialect.Chat, "", 404, "invalid_request", ""},
		{"an unknown path without a key", "POST", "/v1/nope", dialect.Chat, "", 401, "access_denied", ""},
		{"an unknown path with a revoked key", "POST", "/v1/nope", dialect.Chat, r.keys.Revoked, 403, "access_denied", ""},
		{"a wrong method", "GET", "/v1/chat/completions", dialect.Chat, r.keys.Valid, 405, "invalid_request", "POST"},
		{"a wrong method on a Gemini call", "PUT", "/v1beta/models/gc-gemini:generateContent", dialect.GenerateContent, r.keys.Valid, 405, "invalid_request", "POST"},
		{"a wrong method on the list", "DELETE", "/v1/models", dialect.Chat, r.keys.Valid, 405, "invalid_request", "GET, HEAD"},
	} {
		t.Run(c.name, func(*testing.T) {
			a := r.send(c.method, c.surface, c.key, c.path, nil, nil)
			r.requireError(a, c.status, c.code)
			require.Equal(t, c.allow, a.header.Get("Allow"))
		})
	}
}

func TestKeyIsTakenFromWhereEachDialectPutsIt(t *testing.T) {
	r := newRig(t)
	body := `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`
	a := r.post(dialect.GenerateContent, "", "/v1beta/models/gc-gemini:generateContent?key="+r.keys.Valid, strings.NewReader(body), nil)
	r.requireHealthy(a)
	a = r.post(dialect.Chat, "", "/v1/chat/completions?key="+r.keys.Valid, strings.NewReader("{}"), nil)
	r.requireError(a, 401, "access_denied")
	a = r.post(dialect.Messages, "", "/v1/messages", strings.NewReader(`{}`), http.Header{"Authorization": {"bearer " + r.keys.Valid}})
	r.requireError(a, 400, "invalid_request")
	a = r.post(dialect.Chat, "", "/v1/chat/completions", strings.NewReader("{}"), http.Header{"X-Forwarded-For": {"203.0.113.9"}, "Authorization": {"Bearer " + r.keys.DeniedIP}})
	r.requireError(a, 403, "access_denied")
}

func TestListingAndHealth(t *testing.T) {
	r := newRig(t)
	a := r.send(http.MethodGet, dialect.Chat, r.keys.Valid, "/v1/models", nil, nil)
	require.Equal(t, 200, a.status)
	require.Contains(t, string(a.body), `"id":"gc-chat"`)
	require.NotContains(t, string(a.body), r.models.Restricted)
	a = r.send(http.MethodGet, dialect.Chat, r.keys.NoModelAccess, "/v1/models", nil, nil)
	require.JSONEq(t, `{"object":"list","data":[{"id":"gc-via-openai","object":"model","created":0,"owned_by":"gateway"}]}`, string(a.body))
	r.requireError(r.send(http.MethodGet, dialect.Chat, "", "/v1/models", nil, nil), 401, "access_denied")
	a = r.send(http.MethodGet, dialect.Chat, "", "/healthz", nil, nil)
	require.Equal(t, 200, a.status)
	require.JSONEq(t, `{"status":"ok"}`, string(a.body))
}
