package runner_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/static"
)

func TestWhatStaysOnThisMachine(t *testing.T) {
	for url, want := range map[string]bool{
		"http://127.0.0.1:1": true, "http://localhost": true, "http://[::1]:8080/x": true,
		"http://10.0.0.1": false, "https://gateway.example": false, "http://127.0.0.1.example": false, "://": false,
	} {
		assert.Equal(t, want, runner.OnThisMachine(url), url)
	}
}

// A limit that is off until the recipe of its circumstance switches it on is verified between the actions of the recipe.
func TestALoadCaseRunsTheActionsOfItsRecipe(t *testing.T) {
	const limit, window = 4, time.Second
	on := filepath.Join(t.TempDir(), "on")
	var mu sync.Mutex
	var admitted []time.Time
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		mu.Lock()
		defer mu.Unlock()
		if _, err := os.Stat(on); err == nil && r.Header.Get("Authorization") == "Bearer sk-limited-1234" {
			if n := len(admitted); n >= limit && time.Since(admitted[n-limit]) < window {
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(http.StatusTooManyRequests)
				_, _ = w.Write([]byte(`{"error":{"message":"Slow down.","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}`))
				return
			}
			admitted = append(admitted, time.Now())
		}
		if body, _ := io.ReadAll(r.Body); !bytes.Contains(body, []byte(`"model":"m"`)) {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(`{"id":"c-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"Hello."}}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`))
	}))
	defer gateway.Close()
	for _, tt := range []struct {
		name    string
		recipe  profile.Recipe
		verdict contract.Verdict
	}{
		{"with the actions", profile.Recipe{Before: []profile.Action{{Run: "touch " + on}}, After: []profile.Action{{Run: "rm " + on}}}, contract.Pass},
		{"without", profile.Recipe{}, contract.Error},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id := "http:429/over-rate-limit/chat/under-load"
			selection, err := runner.Select(runner.Choice{Cases: []string{id}})
			require.NoError(t, err)
			target := profile.Profile{
				BaseURL: gateway.URL, Surfaces: []dialect.Surface{"chat"},
				Keys: profile.Keys{Valid: "sk-valid-12345678"}, Models: profile.Models{Default: "m"},
				Limits:        profile.Limits{Rate: profile.Rate{Key: "sk-limited-1234", Requests: limit, Window: window, Kind: contract.SlidingLog}},
				Circumstances: map[string]profile.Recipe{contract.OverRateLimit: tt.recipe},
			}
			run, err := runner.Run(t.Context(), runner.Job{Target: target.WithDefaults(), Driver: static.Driver{}, Selection: selection, AllowActions: true})
			require.NoError(t, err)
			require.Len(t, run.Cases, 1)
			c := run.Cases[0]
			assert.Equal(t, id, c.ID)
			if tt.verdict == contract.Pass {
				assert.True(t, c.Verdict.Conformant(), "%s: %s %+v", c.Verdict, c.Reason, c.Findings)
			} else {
				assert.False(t, c.Verdict.Conformant(), "the limit is off")
			}
			assert.NoFileExists(t, on)
		})
	}
}
