package gatecert_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/profile"
)

// breakers gives each of the models of a gateway a breaker that opens after failures in a row, and stays open. Models that the
// gateway does not know are names for another.
type breakers struct {
	gateway  http.Handler
	known    string
	after    int
	mu       sync.Mutex
	failures map[string]int
}

func (b *breakers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	var body map[string]any
	model := ""
	if json.Unmarshal(raw, &body) == nil {
		if model, _ = body["model"].(string); strings.HasPrefix(model, "relay-") {
			raw = bytes.Replace(raw, []byte(`"`+model+`"`), []byte(`"`+b.known+`"`), 1)
		}
	}
	b.mu.Lock()
	open := b.failures[model] >= b.after
	b.mu.Unlock()
	if open {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
	record := httptest.NewRecorder()
	b.gateway.ServeHTTP(record, r)
	b.mu.Lock()
	if record.Code < 500 {
		if b.failures[model] < b.after {
			b.failures[model] = 0
		}
	} else {
		b.failures[model]++
	}
	b.mu.Unlock()
	maps.Copy(w.Header(), record.Header())
	w.WriteHeader(record.Code)
	_, _ = w.Write(record.Body.Bytes())
}

// Breakers are mostly per model: a run with several relay models goes on with the next one when the gateway does not serve
// the first any more. With a single one most of its cases cannot be tested.
func TestARunGoesOnWithTheNextRelayModel(t *testing.T) {
	var b *breakers
	target := served(t, func(g http.Handler) http.Handler {
		b = &breakers{gateway: g, after: 4}
		return b
	})
	b.known = target.Models.Default
	target.Settle.Recovery, target.Concurrency = 500*time.Millisecond, 4
	run := func(relay ...string) (untestable int, notes string) {
		b.failures = make(map[string]int)
		target.Models.Relay = relay
		started := time.Now()
		r, err := certify(t.Context(), gatecert.Config{
			Target: target, Surfaces: []string{"chat"}, Rows: []string{"code:bad_response", "code:bad_response_status_code", "code:empty_response"},
		})
		require.NoError(t, err)
		assert.Less(t, time.Since(started), 30*time.Second)
		for _, c := range r.Cases {
			switch c.Verdict {
			case contract.Untestable:
				untestable++
			default:
				assert.Equal(t, contract.Pass, c.Verdict, failures(r))
			}
		}
		return untestable, strings.Join(r.Footer.Notes, "\n")
	}
	untestable, notes := run("relay-a", "relay-b", "relay-c", "relay-d")
	assert.Zero(t, untestable, notes)
	assert.Contains(t, notes, "the run continued with other relay models (")
	untestable, notes = run("relay-a")
	assert.Positive(t, untestable)
	assert.NotContains(t, notes, "further relay models,")
	assert.Contains(t, notes, "list more relay models")
}

// Without a list of surfaces, an endpoint is offered when any of the models that were given is served there.
func TestDiscoveryTriesEveryModel(t *testing.T) {
	var other string // the model that embeddings are not served with
	target := served(t, func(g http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			raw, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(raw))
			if strings.HasSuffix(r.URL.Path, "/embeddings") && bytes.Contains(raw, []byte(`"`+other+`"`)) {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			g.ServeHTTP(w, r)
		})
	})
	other = target.Models.Default
	stop, err := startUpstream(t, target)
	require.NoError(t, err)
	defer stop()
	run := func(models ...string) runlog.Run {
		p, err := profile.FromURL(target.BaseURL, target.Keys.Valid, "").WithModels(models...)
		require.NoError(t, err)
		r, err := certify(t.Context(), gatecert.Config{Target: p, Level: contract.Edge, Rows: []string{"http:404"}})
		require.NoError(t, err)
		assert.True(t, r.Verdict().Conformant(), failures(r))
		return r
	}
	r := run(target.Models.Default, "no-such-model-here", target.Models.Embeddings)
	assert.Contains(t, r.Selection.Surfaces, dialect.Embeddings)
	assert.Contains(t, strings.Join(r.Footer.Notes, "\n"), "endpoint embeddings is certified with the model "+target.Models.Embeddings)
	logged, err := profile.ParseRedacted(r.Target.Profile)
	require.NoError(t, err)
	assert.Equal(t, target.Models.Embeddings, logged.Models.On(dialect.Embeddings), "the log has the model that was asked for")
	assert.Equal(t, target.Models.Default, logged.Models.On(dialect.Chat))

	r = run(target.Models.Default, "no-such-model-here")
	assert.NotContains(t, r.Selection.Surfaces, dialect.Embeddings)
}

// limiting gives a gateway a model with a limit of its own, which another one serves. refused is how long a call has to wait, 0
// for one that is admitted.
func limiting(limited string, known *string, refused func() time.Duration) func(http.Handler) http.Handler {
	return func(g http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			raw, _ := io.ReadAll(r.Body)
			if bytes.Contains(raw, []byte(`"`+limited+`"`)) {
				if wait := refused(); wait > 0 {
					w.Header().Set("Content-Type", "application/json")
					w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
					w.WriteHeader(http.StatusTooManyRequests)
					_, _ = w.Write([]byte(`{"error":{"message":"slow down","type":"requests","param":null,"code":null}}`))
					return
				}
				raw = bytes.ReplaceAll(raw, []byte(`"`+limited+`"`), []byte(`"`+*known+`"`))
			}
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
			g.ServeHTTP(w, r)
		})
	}
}

// A limit may be that of a model: then the valid key uses it up, and other models stay free.
func TestTheLimitOfAModel(t *testing.T) {
	const limited = "limited-model"
	var limit, calls atomic.Int64
	var known string
	refused := func() (retryAfter time.Duration) {
		if calls.Add(1) > limit.Load() {
			return time.Second
		}
		return 0
	}
	target := served(t, limiting(limited, &known, refused))
	known = target.Models.Default
	run := func(model string) (runlog.Run, error) {
		calls.Store(0)
		target.Limits.Rate = profile.Rate{Model: model, Requests: 5, Window: 10 * time.Second}
		return certify(t.Context(), gatecert.Config{Target: target, Surfaces: []string{"chat"}, Rows: []string{"http:429"}})
	}
	limit.Store(5)
	r, err := run(limited)
	require.NoError(t, err)
	require.NotEmpty(t, r.Cases)
	assert.True(t, r.Verdict().Conformant(), failures(r))
	assert.Equal(t, contract.Pass, r.Cases[0].Verdict, failures(r))

	limit.Store(1000)
	r, err = run(limited)
	require.NoError(t, err)
	assert.Equal(t, contract.Fail, r.Cases[0].Verdict, "the declared limit is not there")

	_, err = run("no-such-model-x")
	require.ErrorIs(t, err, gatecert.ErrUsage)
	assert.Contains(t, err.Error(), "limits.rate.model: a healthy call on chat returned 404")
}

// A load case verifies the limit of a model in the same way as that of a key: the valid key is free for other models.
func TestTheLimitOfAModelUnderLoad(t *testing.T) {
	const limited, window = "limited-model", 2 * time.Second
	var (
		mu       sync.Mutex
		limit    = 5
		admitted []time.Time
		known    string
	)
	refused := func() (retryAfter time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		for len(admitted) > 0 && now.Sub(admitted[0]) >= window {
			admitted = admitted[1:]
		}
		if len(admitted) >= limit {
			return window - now.Sub(admitted[0])
		}
		admitted = append(admitted, now)
		return 0
	}
	target := served(t, limiting(limited, &known, refused))
	known = target.Models.Default
	target.Limits.Rate = profile.Rate{Model: limited, Kind: contract.SlidingLog, Requests: 5, Window: window}
	verify := func() runlog.Case {
		r, err := certify(t.Context(), gatecert.Config{Target: target, Cases: []string{"http:429/over-rate-limit/chat/under-load"}})
		require.NoError(t, err)
		require.Len(t, r.Cases, 1)
		return r.Cases[0]
	}
	c := verify()
	assert.NotEqual(t, contract.Fail, c.Verdict, c.Findings)
	require.NotNil(t, c.Load)
	assert.True(t, slices.ContainsFunc(c.Load.Checks, func(check runlog.Check) bool {
		return check.Requirement == contract.LimitExact && check.Result == contract.Held
	}), c.Load)

	limit = 8
	c = verify()
	assert.Equal(t, contract.Fail, c.Verdict, "more is admitted than declared: %v", c.Load)
}
