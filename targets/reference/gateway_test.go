package reference

import (
	"bytes"
	"context"
	"encoding/base64"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

func TestOptionsThatMakeNoGateway(t *testing.T) {
	good := "http://127.0.0.1:1"
	for _, c := range []struct {
		name    string
		options Options
	}{
		{"no upstream", Options{}},
		{"an upstream without a scheme", Options{Upstream: "127.0.0.1:99"}},
		{"an upstream of another scheme", Options{Upstream: "ftp://127.0.0.1"}},
		{"a dead upstream that is not a URL", Options{Upstream: good, DeadUpstream: "::"}},
		{"a negative timeout", Options{Upstream: good, Timeout: -1}},
		{"a negative body limit", Options{Upstream: good, BodyLimit: -1}},
		{"negative retries", Options{Upstream: good, Retries: -1}},
		{"a window that no client understands", Options{Upstream: good, Rate: RateLimit{Requests: 1, Window: time.Minute}}},
		{"a rate of nothing", Options{Upstream: good, Rate: RateLimit{Window: time.Second}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(t.Context(), c.options)
			require.ErrorIs(t, err, ErrOptions)
		})
	}
}

func TestPanicIsAnOrdinaryErrorAndIsRefunded(t *testing.T) {
	r := newRig(t)
	r.gateway.model = before(r.gateway.model, Dial, func(context.Context, *Call) error { panic("the pepper is in the coffee") })
	a := r.ask(dialect.Messages, r.keys.Small, r.models.Messages, "hi")
	r.requireError(a, 500, "do_request_failed")
	require.NotContains(t, string(a.body), "pepper")
	require.Equal(t, int64(smallQuota), r.balanceOf(r.keys.Small).Quota)
}

func TestCloseEndsCallsAndLaterOnesAreRefused(t *testing.T) {
	r := newRig(t)
	var calls sync.WaitGroup
	calls.Go(func() {
		r.requireError(r.ask(dialect.Chat, r.keys.Valid, r.models.Chat, "hi [[gatecert token=open hang]]"), 502, "do_request_failed")
	})
	require.Eventually(t, func() bool {
		now, cancel := context.WithCancel(t.Context())
		cancel()
		seen, err := r.mock.Seen(now, "open")
		return err == nil && len(seen.Attempts) == 1
	}, eventually, tick)
	require.NoError(t, r.gateway.Close())
	calls.Wait()
	r.requireError(r.ask(dialect.Chat, r.keys.Valid, r.models.Chat, "hi"), 503, "get_channel_failed")
}

func TestGatewayServesWithoutAServer(t *testing.T) {
	g, err := New(t.Context(), Options{Upstream: "http://127.0.0.1:1"})
	require.NoError(t, err)
	defer func() { require.NoError(t, g.Close()) }()
	w := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", bytes.NewReader([]byte("{}")))
	request.Header.Set("Authorization", "Bearer "+g.Fixtures().Keys.Valid)
	g.ServeHTTP(w, request)
	require.Equal(t, http.StatusBadRequest, w.Code)
}

func TestFixturesDifferFromGatewayToGateway(t *testing.T) {
	one, two := newFixtures(), newFixtures()
	for _, secret := range one.Secrets() {
		require.NotContains(t, two.Secrets(), secret)
	}
}

func TestModelMappings(t *testing.T) {
	for _, c := range []struct {
		name, mapping, want string
		fails               bool
	}{
		{"another model's", `{"x":"y"}`, "m", false},
		{"one step", `{"m":"a"}`, "a", false},
		{"a chain", `{"m":"a","a":"b","b":"c"}`, "c", false},
		{"itself", `{"m":"m"}`, "m", false},
		{"a cycle", `{"m":"a","a":"m"}`, "", true},
		{"a cycle further on", `{"m":"a","a":"b","b":"a"}`, "", true},
		{"not JSON", `{`, "", true},
		{"not names", `{"m":5}`, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := channelRoute{}
			r.mapping.String, r.mapping.Valid = c.mapping, true
			got, err := r.upstreamName("m")
			require.Equal(t, c.fails, err != nil)
			require.Equal(t, c.want, got)
		})
	}
}

func TestTokensAreCounted(t *testing.T) {
	counter := newTokenizer()
	var picture bytes.Buffer
	require.NoError(t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 600, 100))))
	data := base64.StdEncoding.EncodeToString(picture.Bytes())
	turn := func(parts ...convert.Part) convert.Request {
		return convert.Request{Turns: []convert.Turn{{Role: convert.User, Parts: parts}}}
	}
	for _, c := range []struct {
		name  string
		asked convert.Request
		want  int64
		err   error
	}{
		{"two words", turn(convert.Part{Text: "hello world"}), 2, nil},
		{"system text", convert.Request{System: "hello world"}, 2, nil},
		{"token ids", convert.Request{Inputs: []convert.Input{{Tokens: []int{1, 2, 3}}, {Text: "hello"}}}, 4, nil},
		{"an id outside the vocabulary", convert.Request{Inputs: []convert.Input{{Tokens: []int{1 << 40}}}}, 0, errNoSuchToken},
		{"a negative id", convert.Request{Inputs: []convert.Input{{Tokens: []int{-1}}}}, 0, errNoSuchToken},
		{"a picture of two tiles", turn(convert.Part{Image: &convert.Image{MediaType: "image/png", Data: data}}), 85 + 2*170, nil},
		{"a picture elsewhere", turn(convert.Part{Image: &convert.Image{URL: "https://example.com/x.png"}}), 85 + 4*170, nil},
		{"a cut picture", turn(convert.Part{Image: &convert.Image{Data: data[:20]}}), 0, errNotImage},
		{"no base64", turn(convert.Part{Image: &convert.Image{Data: "!"}}), 0, errNotImage},
		{"no data", turn(convert.Part{Image: &convert.Image{}}), 0, errNotImage},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := counter.request(c.asked)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestWordsSpelledInTokenIDsAreFound(t *testing.T) {
	r := newRig(t)
	ids, _, err := r.gateway.tokenizer.codec.Encode("some " + r.gateway.Fixtures().Word)
	require.NoError(t, err)
	r.requireError(r.ask(dialect.Embeddings, r.keys.Valid, r.models.Embeddings, "", set("input", ids)), 400, "sensitive_words_detected")
}

func BenchmarkCall(b *testing.B) {
	answer := []byte(`{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`)
	mock := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	}))
	defer mock.Close()
	g, err := New(b.Context(), Options{Upstream: mock.URL})
	require.NoError(b, err)
	defer func() { require.NoError(b, g.Close()) }()
	body := []byte(`{"model":"gc-chat","messages":[{"role":"user","content":"hi"}]}`)
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			w := httptest.NewRecorder()
			request := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", bytes.NewReader(body))
			request.Header.Set("Authorization", "Bearer "+g.Fixtures().Keys.Valid)
			g.ServeHTTP(w, request)
			if w.Code != http.StatusOK {
				b.Errorf("%d %s", w.Code, w.Body)
			}
		}
	})
}
