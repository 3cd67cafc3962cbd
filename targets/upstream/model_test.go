package upstream

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/internal/tokencount"
)

func TestParseModel(t *testing.T) {
	m, err := ParseModel("tokens=normal:256:64, ttft=lognormal:200ms,itl=20ms")
	require.NoError(t, err)
	assert.Equal(t, "ttft=lognormal:200ms,itl=20ms,tokens=normal:256:64", m.String())
	assert.Equal(t, "ttft=lognormal:200ms itl=20ms tokens=normal:256:64", m.Words())
	assert.Equal(t, 512, m.MostTokens())
	assert.Equal(t, 256, Model{TTFT: m.TTFT}.MostTokens())
	for _, text := range []string{"", "ttft", "ttft=", "ttft=20m", "tokens=0", "tokens=100001", "delay=1s", "ttft=1s ttft=2s"} {
		_, err := ParseModel(text)
		assert.ErrorIs(t, err, ErrModel, text)
	}
}

// The tokens that are played are tokens to a tokenizer too.
func TestPlayedWordsAreTokens(t *testing.T) {
	var text strings.Builder
	for n := range 100 {
		text.WriteString(modelWord(n))
	}
	assert.Equal(t, 100, tokencount.New().Count(text.String()))
}

func askModel(u *Upstream, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer k")
	r.Header.Set("X-Goog-Api-Key", "k")
	w := httptest.NewRecorder()
	u.ServeHTTP(w, r)
	return w
}

func TestAModelIsPlayed(t *testing.T) {
	model, err := ParseModel("ttft=100ms,itl=10ms,tokens=5")
	require.NoError(t, err)
	const stream = `{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}`
	for _, row := range []struct {
		sentence, path, body string
		took                 time.Duration
		want, wantNot        string
	}{
		{"a stream", "/v1/chat/completions", stream, 140 * time.Millisecond, "data: [DONE]\n\n", "usage"},
		{"in one piece", "/v1/chat/completions", strings.Replace(stream, "true", "false", 1), 140 * time.Millisecond, `"So river runs through a"`, ""},
		{"as many tokens as the request allows", "/v1/chat/completions", strings.Replace(stream, `{`, `{"max_tokens":2,`, 1), 110 * time.Millisecond, `"finish_reason":"length"`, " runs"},
		{"of a model in the directive", "/v1/chat/completions", strings.Replace(stream, "hi", "[[gatecert ttft=1s tokens=1]] hi", 1), time.Second, `"content":"So"`, " river"},
		{"but not of a fault", "/v1/chat/completions", strings.Replace(stream, "hi", "[[gatecert status=503]] hi", 1), 0, `"error"`, "So"},
		{"a model with a fault is refused", "/v1/chat/completions", strings.Replace(stream, "hi", "[[gatecert ttft=1s gzip]] hi", 1), 0, "simulate a healthy model: they cannot be combined with any other word except", ""},
		{"Gemini's array", "/v1beta/models/m:streamGenerateContent", `{"contents":[{"role":"user","parts":[{"text":"hi"}]}],"generationConfig":{"maxOutputTokens":3}}`, 120 * time.Millisecond, `"finishReason":"MAX_TOKENS"`, "data:"},
		{"no model where no text is generated", "/v1/embeddings", `{"model":"m","input":"hi"}`, 0, `"embedding"`, ""},
		{"nor one of a directive", "/v1/embeddings", `{"model":"m","input":"[[gatecert ttft=1s]] hi"}`, 0, "only endpoints that generate text can simulate a model", ""},
	} {
		t.Run(row.sentence, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u, began := New(Options{Model: model}), time.Now()
				w := askModel(u, row.path, row.body)
				assert.Equal(t, row.took, time.Since(began))
				body, err := io.ReadAll(w.Body)
				require.NoError(t, err)
				assert.Contains(t, string(body), row.want)
				if row.wantNot != "" {
					assert.NotContains(t, string(body), row.wantNot)
				}
				if strings.HasPrefix(string(body), "[") {
					assert.JSONEq(t, string(body), string(body), "one array")
				}
			})
		})
	}
}
